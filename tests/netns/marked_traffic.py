#!/usr/bin/env python3
"""UDP and TCP that carry a marker, in both directions, IPv4 and IPv6.

usage: marked_traffic.py NETNS-A NETNS-B MARKER
"""

import socket
import sys
import threading

from spaces import Checks, make_socket

PAIRS = ((socket.AF_INET, "10.255.0.1", "10.255.0.2"),
         (socket.AF_INET6, "2001:db8:ff::", "2001:db8:ff::1"))
TCP_BYTES = 2_000_000
PORT = 4100


def udp(family, source, own, target, peer, marker):
    receiver = make_socket(target, family, socket.SOCK_DGRAM, 0, (peer, PORT))
    sender = make_socket(source, family, socket.SOCK_DGRAM, 0, (own, PORT))
    for repeats in (1, 2, 5, 20, 80):
        sender.sendto(marker * repeats, (peer, PORT))
        if receiver.recv(65536) != marker * repeats:
            return False
    return True


def tcp(family, source, target, peer, marker):
    listener = make_socket(target, family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((peer, PORT))
    listener.listen()
    sender = make_socket(source, family, socket.SOCK_STREAM)
    sender.connect((peer, PORT))
    receiver = listener.accept()[0]
    receiver.settimeout(30)
    data = marker * (TCP_BYTES // len(marker))

    def send():
        sender.sendall(data)
        sender.shutdown(socket.SHUT_WR)

    thread = threading.Thread(target=send)
    thread.start()
    came = b"".join(iter(lambda: receiver.recv(1 << 16), b""))
    thread.join()
    return came == data


def main():
    space_a, space_b, marker = sys.argv[1:]
    marker = marker.encode()
    for family, a, b in PAIRS:
        for source, own, target, peer in ((space_a, a, space_b, b), (space_b, b, space_a, a)):
            Checks.expect(udp(family, source, own, target, peer, marker) and
                          tcp(family, source, target, peer, marker),
                          f"marked traffic from {own} to {peer}")


main()
