#!/usr/bin/env python3
"""Fragments and ICMP errors through the link, as a sending program receives them.

usage: icmp_errors.py NETNS-A NETNS-B NETNS-BEHIND; the addresses are those of sizes.sh
"""

import errno
import random
import socket
import struct
import sys
import time

from spaces import Checks, make_socket

MSG_ERRQUEUE = 0x2000
ORIGIN_ICMP, ORIGIN_ICMP6 = 2, 3  # linux/errqueue.h
CLOSED_PORT = 9
PMTU_DONT, PMTU_PROBE = 0, 3  # fragment; set DF and ignore the known path MTU


class Family:
    def __init__(self, family, a, b, behind):
        self.family, self.a, self.b, self.behind = family, a, b, behind
        v4 = family == socket.AF_INET
        self.name = "IPv4" if v4 else "IPv6"
        self.level = socket.IPPROTO_IP if v4 else socket.IPPROTO_IPV6
        self.recverr, self.mtu_discover = (11, 10) if v4 else (25, 23)
        self.hop_limit = socket.IP_TTL if v4 else socket.IPV6_UNICAST_HOPS
        self.origin = ORIGIN_ICMP if v4 else ORIGIN_ICMP6
        self.address_offset, self.address_bytes = (4, 4) if v4 else (8, 16)
        # (type, code) of port unreachable, time exceeded, packet too big
        self.unreachable, self.exceeded, self.too_big = (
            ((3, 3), (11, 0), (3, 4)) if v4 else ((1, 4), (3, 0), (2, 0)))


FAMILIES = (
    Family(socket.AF_INET, "10.255.0.1", "10.255.0.2", "10.0.9.2"),
    Family(socket.AF_INET6, "2001:db8:ff::", "2001:db8:ff::1", "2001:db8:9::2"),
)


def next_error(family, sender):
    """(errno, (type, code), information, sender) of the next ICMP error of a socket."""
    deadline = time.monotonic() + 30
    while True:
        try:
            _, ancillary, _, _ = sender.recvmsg(2048, 512, MSG_ERRQUEUE)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return None
            time.sleep(0.005)
            continue
        data = next(data for level, kind, data in ancillary
                    if (level, kind) == (family.level, family.recverr))
        number, origin, kind, code, _, information, _ = struct.unpack_from("=IBBBBII", data)
        if origin != family.origin:
            return f"not by ICMP: origin {origin}, {errno.errorcode[number]}"
        offender = data[16 + family.address_offset :][: family.address_bytes]
        return number, (kind, code), information, socket.inet_ntop(family.family, offender)


def check_error(family, space, target, size, wanted, text, hop_limit=None):
    sender = make_socket(space, family.family, socket.SOCK_DGRAM)
    sender.setsockopt(family.level, family.recverr, 1)
    sender.setsockopt(family.level, family.mtu_discover, PMTU_PROBE)
    if hop_limit is not None:
        sender.setsockopt(family.level, family.hop_limit, hop_limit)
    sender.connect((target, CLOSED_PORT))
    sender.send(bytes(size))
    sender.setblocking(False)
    got = next_error(family, sender)
    Checks.expect(got == wanted, f"{family.name}: {text}", f"wanted {wanted}, got {got}")


def check_fragments(family, source, target, own, peer, text):
    contents = random.Random(7754)
    receiver = make_socket(target, family.family, socket.SOCK_DGRAM, 0, (peer, 4001))
    sender = make_socket(source, family.family, socket.SOCK_DGRAM, 0, (own, 4000))
    sender.setsockopt(family.level, family.mtu_discover, PMTU_DONT)
    for size in (2000, 4000, 20000, 65000):
        payload = contents.randbytes(size)
        sender.sendto(payload, (peer, 4001))
        try:
            came = receiver.recv(65536)
        except TimeoutError:
            came = b""
        Checks.expect(came == payload, f"{family.name} {text}: {size} bytes of UDP in fragments",
                      f"{len(came)} bytes arrived")


def main():
    a, b, behind = sys.argv[1:]
    for family in FAMILIES:
        check_fragments(family, a, b, family.a, family.b, "a to b")
        check_fragments(family, b, a, family.b, family.a, "b to a")
        for space, target, text in ((a, family.b, "from b to a"), (b, family.a, "from a to b"),
                                    (a, family.behind, "from behind b to a")):
            check_error(family, space, target, 100,
                        (errno.ECONNREFUSED, family.unreachable, 0, target),
                        f"port unreachable, {text}")
        check_error(family, a, family.behind, 100,
                    (errno.EHOSTUNREACH, family.exceeded, 0, family.b),
                    "time exceeded at b", hop_limit=1)
        check_error(family, a, family.behind, 1350,
                    (errno.EMSGSIZE, family.too_big, 1300, family.b),
                    "packet too big for what is behind b")


main()
