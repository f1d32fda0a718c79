#!/usr/bin/env python3
"""A relay of UDP datagrams that changes the IP version of either side at a signal.

usage: relay.py NETNS PORT SERVER4 SERVER6 SERVER-PORT

The client sends to 127.0.0.1:PORT. Its datagrams go to the server from an IPv4 socket. SIGUSR1 changes the
IP version of the server's side. SIGUSR2 changes the IP version of the client's side, between 127.0.0.1 and
[::1]; the client sees it by the source of the datagrams. Prints a line when it is ready and after each
change.
"""

import select
import signal
import socket
import sys

from spaces import make_socket

FAMILIES = (socket.AF_INET, socket.AF_INET6)


def main():
    space, port, server4, server6, server_port = sys.argv[1:]
    servers = ((server4, int(server_port)), (server6, int(server_port)))
    near = [make_socket(space, family, socket.SOCK_DGRAM, 0, (own, int(port)))
            for family, own in zip(FAMILIES, ("127.0.0.1", "::1"))]
    far = [make_socket(space, family, socket.SOCK_DGRAM) for family in FAMILIES]
    use = {"near": 0, "far": 0}
    client_port = None

    # A signal wakes select() by this pair.
    wake, woken = socket.socketpair()
    wake.setblocking(False)
    signal.set_wakeup_fd(wake.fileno())
    for number, side in ((signal.SIGUSR1, "far"), (signal.SIGUSR2, "near")):
        def change(_number, _frame, side=side):
            use[side] = 1 - use[side]
            print(f"{side} {use[side]}", flush=True)
        signal.signal(number, change)
    print("ready", flush=True)

    while True:
        for ready in select.select([*near, *far, woken], [], [])[0]:
            if ready is woken:
                woken.recv(100)
                continue
            data, source = ready.recvfrom(65536)
            if ready in near:
                client_port = source[1]
                far[use["far"]].sendto(data, servers[use["far"]])
            elif client_port is not None:
                client = ("127.0.0.1", "::1")[use["near"]]
                near[use["near"]].sendto(data, (client, client_port))


main()
