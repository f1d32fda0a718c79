#!/usr/bin/env python3
"""Real packets through a peer that sends back what it receives.

usage: echo_peer.py OWN PEER OWN6 PEER6 LARGEST

Runs in the namespace of the interface rv0. Each packet that it puts into the interface has the peer as
source and OWN as destination. The peer sends it back unchanged, and the kernel delivers it to the socket
at OWN. Prints "exchanged N" when all N packets have come back unchanged.
"""

import socket
import sys
import time

import ip_packets as ip

PORT = 7000
RETRY_S = 0.2
WAIT_S = 30
ETHERTYPE = {4: 0x0800, 6: 0x86DD}


def contents(size):
    return (bytes(range(256)) * (size // 256 + 1))[:size]


def listen(own):
    family = socket.AF_INET6 if ":" in own else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_DGRAM)
    listener.bind((own, PORT))
    listener.settimeout(RETRY_S)
    return listener


def exchange(own, peer, head, size):
    """Sends the packet until it has come back: the carrier or the peer may not be ready yet."""
    version = 6 if ":" in own else 4
    data = contents(size - head)
    listener = listen(own)
    into_tun = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        into_tun.sendto(ip.udp(peer, PORT, own, PORT, data), ("rv0", ETHERTYPE[version]))
        try:
            got, source = listener.recvfrom(65536)
        except TimeoutError:
            continue
        if got != data or source[0] != peer:
            sys.exit(f"IPv{version}, {size} bytes: came back from {source[0]} as {len(got)} bytes")
        return
    sys.exit(f"IPv{version}, {size} bytes: did not come back")


def main():
    own, peer, own6, peer6, largest = *sys.argv[1:5], int(sys.argv[5])
    done = 0
    for local, remote, head in ((own, peer, 28), (own6, peer6, 48)):
        for size in (head, head + 1, (head + largest) // 2, largest - 1, largest):
            exchange(local, remote, head, size)
            done += 1
    print(f"exchanged {done}")


main()
