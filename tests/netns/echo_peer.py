#!/usr/bin/env python3
"""Real packets through a peer that sends back what it gets.

usage: echo_peer.py OWN PEER OWN6 PEER6 LARGEST

Runs beside the interface rv0. What it puts into the interface reads as if it came from the peer;
sent back unchanged it comes out of the interface as just that, and the kernel hands it to the
socket at OWN that it is meant for. Prints "exchanged N" when all came back as they went.
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
    """Until it has come back: the carrier and the peer may need a moment."""
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
