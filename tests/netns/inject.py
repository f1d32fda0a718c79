#!/usr/bin/env python3
"""Plain packets and garbage to the public side of a gateway: nothing comes out inside.

usage: inject.py PUBLIC-NETNS OWN OWN-PORT PEER PEER-PORT PRIVATE-NETNS FAR-PRIVATE-NETNS REVERSE
Sends from PUBLIC-NETNS as OWN to PEER, whose inside is PRIVATE-NETNS; REVERSE is 1 if PEER is a.
"""

import ipaddress
import random
import socket
import struct
import sys

import ip_packets
from spaces import Checks, make_socket, namespace

ALL_PROTOCOLS = 0x0003
PORT = 4200
APPLICATION_DATA, DTLS_1_2 = 23, 0xFEFD


def record(epoch, sequence, body):
    return struct.pack("!BHHHIH", APPLICATION_DATA, DTLS_1_2, epoch, sequence >> 32,
                       sequence & 0xFFFFFFFF, len(body)) + body


def garbage(inside, contents):
    """Payloads that a faulty gateway could take for inside packets."""
    yield from inside
    for packet in inside:
        yield record(0, 1, packet)
        for sequence in (0, 1, 1100, 2000, 1 << 40):
            yield record(1, sequence, contents.randbytes(8) + packet + contents.randbytes(16))
    for size in (1, 12, 13, 14, 29, 37, 100, 1000, 1400):
        yield contents.randbytes(size)
        yield record(1, 5000 + size, contents.randbytes(size))


def send_raw(space, family, packet, to):
    with namespace(space):
        raw = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW)
    raw.sendto(packet, (to, 0))
    raw.close()


def main():
    public, own, own_port, peer, peer_port, private, far_private, reverse = sys.argv[1:]
    own_port, peer_port = int(own_port), int(peer_port)
    pairs = [("10.255.0.1", "10.255.0.2"), ("2001:db8:ff::", "2001:db8:ff::1")]
    if reverse == "1":
        pairs = [pair[::-1] for pair in pairs]
    inside = [ip_packets.udp(near, PORT, far, PORT, b"injected " * 8) for near, far in pairs]
    family = socket.AF_INET if ipaddress.ip_address(peer).version == 4 else socket.AF_INET6

    watcher = make_socket(private, socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL_PROTOCOLS),
                          ("rv0", ALL_PROTOCOLS))
    listener = make_socket(private, socket.AF_INET, socket.SOCK_DGRAM, 0, (pairs[0][1], PORT))

    for packet, (_, far) in zip(inside, pairs):  # routed to the public side of the gateway
        send_raw(public, socket.AF_INET if ":" not in far else socket.AF_INET6, packet, far)
    sent = 0
    for payload in garbage(inside, random.Random(7754)):
        for port in (own_port, own_port ^ 1):  # from the port of the peer, and from another port
            send_raw(public, family, ip_packets.udp(own, port, peer, peer_port, payload), peer)
            sent += 1

    # The barrier is sent after the garbage. It must be the first packet that comes out.
    barrier = make_socket(far_private, socket.AF_INET, socket.SOCK_DGRAM, 0, (pairs[0][0], PORT))
    barrier.sendto(b"barrier", (pairs[0][1], PORT))
    first = listener.recv(2048)
    came = watcher.recv(2048)
    Checks.expect(first == b"barrier" and came.endswith(b"barrier"),
                  f"{sent} datagrams of garbage and {len(inside)} plain packets to {peer}: "
                  "nothing comes out inside", came)


main()
