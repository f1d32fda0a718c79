#!/usr/bin/env python3
"""Sends 200 datagrams in 20 super-packets of 10 (UDP_SEGMENT), and receives each as it was sent.

usage: udp_segment.py FROM-NETNS TO-NETNS ADDRESS
"""

import os
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "netns"))

from spaces import make_socket  # noqa: E402

UDP_SEGMENT = 103
BYTES, IN_ONE, BATCHES = 1200, 10, 20


def datagram(number):
    return number.to_bytes(4, "big") * (BYTES // 4)


def main():
    sender_space, receiver_space, address = sys.argv[1:]
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    receiver = make_socket(receiver_space, family, socket.SOCK_DGRAM, address=(address, 9001))
    sender = make_socket(sender_space, family, socket.SOCK_DGRAM)
    sender.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, BYTES)
    for first in range(0, BATCHES * IN_ONE, IN_ONE):
        sender.sendto(b"".join(map(datagram, range(first, first + IN_ONE))), (address, 9001))
        for number in range(first, first + IN_ONE):
            got = receiver.recv(1 << 16)
            if got != datagram(number):
                raise SystemExit(f"datagram {number}: got {len(got)} bytes, {got[:4].hex()}...")


main()
