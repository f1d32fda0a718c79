#!/usr/bin/env python3
"""Starts a program with a listening socket of this network namespace, as systemd's socket activation does:
page_socket.py FILE COMMAND...

The port is the first free one of 127.0.0.1 from 9586 on. FILE gets the address of the page. The command, which
can change to another namespace, takes the place of this process.
"""
import errno
import os
import socket
import sys

file, command = sys.argv[1], sys.argv[2:]
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
for port in range(9586, 9686):
    try:
        listener.bind(("127.0.0.1", port))
        break
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
else:
    sys.exit("page_socket.py: the ports 9586 to 9685 of 127.0.0.1 are taken")
listener.listen()
with open(file, "w", encoding="ascii") as out:
    print(f"http://127.0.0.1:{port}/", file=out)
os.dup2(listener.fileno(), 3)  # the first that sd_listen_fds(3) expects
os.set_inheritable(3, True)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execvp(command[0], command)
