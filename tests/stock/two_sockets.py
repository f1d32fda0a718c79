#!/usr/bin/env python3
"""Checks which of two UDP sockets on one port receives what, as in src/outside/udp_open.cpp.

The second one is connected to the peer. It receives the peer's datagrams, and the first one all others. The peer
moves twice.
"""

import ctypes
import select
import socket
import struct

IPV6_V6ONLY, STRANGERS, WAIT_S = 26, 32, 10
libc = ctypes.CDLL(None, use_errno=True)


def make(address, port=0, shared=False):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    made = socket.socket(family, socket.SOCK_DGRAM)
    if family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, IPV6_V6ONLY, 0)
    if shared:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    made.bind((address, port))
    return made


def move(second, peer):
    unspecified = struct.pack("=H14x", socket.AF_UNSPEC)
    if libc.connect(second.fileno(), unspecified, len(unspecified)) != 0:
        raise OSError(ctypes.get_errno(), "connect to AF_UNSPEC")
    mapped = "::ffff:" if second.family == socket.AF_INET6 and peer.family == socket.AF_INET else ""
    second.connect((mapped + peer.getsockname()[0], peer.getsockname()[1]))


def check(bound, to):
    first = make(bound)
    port = first.getsockname()[1]
    first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    second = make(bound, port, shared=True)
    peers = [make(to) for _ in range(3)]
    nobody = make(to)  # it stays open, so that no stranger gets its port
    move(second, nobody)
    for connected in [None] + peers:
        if connected is not None:
            move(second, connected)
        for sender in peers + [make(to) for _ in range(STRANGERS)]:
            sender.sendto(b"datagram", (to, port))
            ready = select.select([first, second], [], [], WAIT_S)[0]
            if ready != [second if sender is connected else first]:
                raise SystemExit(f"bound to {bound}: a datagram to {to} reached the wrong socket")
            ready[0].recv(100)


for each in (("0.0.0.0", "127.0.0.1"), ("127.0.0.1", "127.0.0.1"), ("::", "127.0.0.1"), ("::", "::1"), ("::1", "::1")):
    check(*each)
