#!/usr/bin/env python3
"""Sends a signal and measures after how many milliseconds each interface loses its carrier.

usage: carrier_watch.py PID SIGNAL WITHIN-MS NETNS...
Prints one number per namespace: the time from the call of kill() to the kernel's message that rv0
there has lost its carrier or was deleted.
"""

import fcntl
import os
import select
import signal
import socket
import struct
import sys
import time

from spaces import make_socket, namespace

IFNAME = b"rv0"
RTMGRP_LINK = 1
RTM_NEWLINK, RTM_DELLINK = 16, 17
IFLA_IFNAME = 3
IFF_UP, IFF_RUNNING = 0x1, 0x40
SIOCGIFFLAGS = 0x8913
MESSAGE_HEADER = struct.Struct("=IHHII")  # nlmsghdr
LINK = struct.Struct("=BxHiII")  # ifinfomsg
ATTRIBUTE = struct.Struct("=HH")


def has_carrier(space):
    with namespace(space):
        query = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    answer = fcntl.ioctl(query, SIOCGIFFLAGS, IFNAME.ljust(40, b"\0"))
    return bool(struct.unpack_from("=16xH", answer)[0] & IFF_RUNNING)


def aligned(length):
    return (length + 3) & ~3


def name_of(attributes):
    while len(attributes) >= ATTRIBUTE.size:
        length, kind = ATTRIBUTE.unpack_from(attributes)
        if kind == IFLA_IFNAME:
            return attributes[ATTRIBUTE.size : length].rstrip(b"\0")
        attributes = attributes[aligned(length) :]
    return b""


def carriers(data):
    """The carrier of rv0 in each of the kernel's messages about it: True or False."""
    while len(data) >= MESSAGE_HEADER.size:
        length, kind = MESSAGE_HEADER.unpack_from(data)[:2]
        body = data[MESSAGE_HEADER.size : length]
        data = data[aligned(length) :]
        if kind in (RTM_NEWLINK, RTM_DELLINK) and name_of(body[LINK.size :]) == IFNAME:
            flags = LINK.unpack_from(body)[3]
            yield kind == RTM_NEWLINK and bool(flags & IFF_UP) and bool(flags & IFF_RUNNING)


def main():
    pid, number, within_ms, *spaces = sys.argv[1:]
    watched = {make_socket(space, socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE,
                           (0, RTMGRP_LINK)): space for space in spaces}
    without = [space for space in spaces if not has_carrier(space)]
    if without:
        raise SystemExit(f"no carrier at the start in {without}")
    start = time.monotonic()
    deadline = start + float(within_ms) / 1000
    os.kill(int(pid), getattr(signal, "SIG" + number))
    took = {}
    while len(took) < len(spaces):
        readable = select.select(list(watched), [], [], max(0, deadline - time.monotonic()))[0]
        now = time.monotonic()
        if not readable:
            kept = [space for space in spaces if space not in took]
            raise SystemExit(f"the carrier is still on after {within_ms} ms in {kept}")
        for ready in readable:
            if False in carriers(ready.recv(65536)):
                took.setdefault(watched[ready], (now - start) * 1000)
    print(*(f"{took[space]:.1f}" for space in spaces))


main()
