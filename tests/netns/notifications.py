"""Receives sd_notify(3) messages at the Unix socket SOCKET, in place of systemd, and prints them.

usage: notifications.py SOCKET
"""
import socket
import sys

with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
    receiver.bind(sys.argv[1])
    while True:
        print(receiver.recv(4096).decode(), flush=True)
