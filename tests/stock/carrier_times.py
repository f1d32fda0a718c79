#!/usr/bin/env python3
"""Stops the peer of a link and measures when the loss of the carrier is known.

usage: carrier_times.py PEER-PID PID NETNS BIRD-LOG WITHIN-MS [OTHER-NETNS OTHER-IFNAME MS-BEFORE]
Sends SIGTERM to the process PEER-PID, the other end of the link of process PID. Prints four times from that call
on, in ms: until PID has set the carrier of rv0 in NETNS off, until the kernel's message about that, until the
routes of rv0 have the flag linkdown, and until the BIRD of that namespace has logged it. With OTHER-IFNAME, that
interface is set down MS-BEFORE before the signal, so that the machine's link watch announces another lost carrier
shortly before.

usage: carrier_times.py --wake-up COUNT
Prints what a wake-up of a process costs here: the least, the median and the longest time from a write to a
pipe until the process that waits in select() has read it, in ms.
"""

import fcntl
import os
import select
import signal
import socket
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "netns"))

from spaces import make_socket  # noqa: E402

IFNAME = "rv0"
RTMGRP_LINK = 1
RTM_NEWLINK, RTM_NEWROUTE, RTM_GETROUTE = 16, 24, 26
NLMSG_DONE = 3
NLM_F_REQUEST, NLM_F_DUMP = 0x1, 0x300
IFLA_IFNAME, RTA_OIF, RTA_TABLE = 3, 4, 15
RT_TABLE_MAIN = 254
RTN_UNICAST = 1
RTNH_F_LINKDOWN = 16
SIOCGIFINDEX = 0x8933
IFF_UP, IFF_RUNNING = 0x1, 0x40
HEADER = struct.Struct("=IHHII")  # nlmsghdr
LINK = struct.Struct("=BxHiII")  # ifinfomsg
ROUTE = struct.Struct("=BBBBBBBBI")  # rtmsg
ATTRIBUTE = struct.Struct("=HH")


def aligned(length):
    return (length + 3) & ~3


def messages(data):
    while len(data) >= HEADER.size:
        length, kind = HEADER.unpack_from(data)[:2]
        yield kind, data[HEADER.size : length]
        data = data[aligned(length) :]


def attributes(data):
    found = {}
    while len(data) >= ATTRIBUTE.size:
        length, kind = ATTRIBUTE.unpack_from(data)
        found[kind] = data[ATTRIBUTE.size : length]
        data = data[aligned(length) :]
    return found


def carrier_lost(data):
    for kind, body in messages(data):
        if kind != RTM_NEWLINK:
            continue
        name = attributes(body[LINK.size :]).get(IFLA_IFNAME, b"").rstrip(b"\0").decode()
        flags = LINK.unpack_from(body)[3]
        if name == IFNAME and flags & IFF_UP and not flags & IFF_RUNNING:
            return True
    return False


def routes_are_linkdown(query, ifindex, family):
    """Whether each unicast route of the main table through the interface has the flag."""
    query.send(HEADER.pack(HEADER.size + ROUTE.size, RTM_GETROUTE, NLM_F_REQUEST | NLM_F_DUMP, 1, 0)
               + ROUTE.pack(family, 0, 0, 0, 0, 0, 0, 0, 0))
    marked = []
    while True:
        for kind, body in messages(query.recv(1 << 16)):
            if kind == NLMSG_DONE:
                return bool(marked) and all(marked)
            if kind != RTM_NEWROUTE:
                continue
            fields = ROUTE.unpack_from(body)
            details = attributes(body[ROUTE.size :])
            if (fields[4] == RT_TABLE_MAIN and fields[7] == RTN_UNICAST
                    and details.get(RTA_OIF) == struct.pack("=I", ifindex)):
                marked.append(bool(fields[8] & RTNH_F_LINKDOWN))


def loss_in_bird_log(log, since, deadline):
    text = ""
    while time.monotonic() < deadline:
        text += log.read()
        for line in text.splitlines():
            # The line begins with the time at which BIRD woke up, in s since 1970.
            if f"interface {IFNAME} changes link" in line and float(line.split()[0]) >= since:
                return (float(line.split()[0]) - since) * 1000
        time.sleep(0.002)
    raise SystemExit(f"BIRD logged no loss of the carrier: {text}")


def time_of_carrier_off(pid, since):
    """The first call of netif_carrier_off() by this process. carrier.sh has set the probe."""
    with open("/sys/kernel/tracing/trace", encoding="utf-8") as file:
        lines = [line for line in file if "routevpn_off:" in line]
    for line in lines:
        fields = line.split("routevpn_off:")[0].split()
        at = float(fields[-1].rstrip(":"))
        if fields[0].endswith(f"-{pid}") and at >= since:
            return at
    raise SystemExit(f"process {pid} did not set the carrier off: {lines}")


def interface_index(query):
    return struct.unpack_from("=16xi", fcntl.ioctl(query, SIOCGIFINDEX, IFNAME.encode().ljust(40, b"\0")))[0]


def time_of_event(events, deadline):
    while select.select([events], [], [], max(0, deadline - time.monotonic()))[0]:
        if carrier_lost(events.recv(1 << 16)):
            return time.monotonic()
    raise SystemExit("the kernel announced no loss of the carrier")


def time_of_linkdown(query, ifindex, deadline):
    while time.monotonic() < deadline:
        if all(routes_are_linkdown(query, ifindex, family)
               for family in (socket.AF_INET, socket.AF_INET6)):
            return time.monotonic()
    raise SystemExit("the routes are not marked linkdown")


def lose(peer, pid, space, log_path, within_ms, other):
    events = make_socket(space, socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE,
                         (0, RTMGRP_LINK))
    query = make_socket(space, socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE, (0, 0))
    ifindex = interface_index(query)
    log = open(log_path, encoding="utf-8")
    log.seek(0, os.SEEK_END)
    if other:
        import subprocess  # starting python takes long in an emulated machine

        subprocess.check_call(["ip", "-n", other[0], "link", "set", other[1], "down"])
        time.sleep(float(other[2]) / 1000)
    wall, start = time.time(), time.monotonic()
    deadline = start + float(within_ms) / 1000
    os.kill(peer, signal.SIGTERM)
    event = time_of_event(events, deadline)
    # Only now: a dump of the routes takes the lock that the kernel's announcement needs.
    linkdown = time_of_linkdown(query, ifindex, deadline)
    bird = loss_in_bird_log(log, wall, deadline)
    moments = time_of_carrier_off(pid, start), event, linkdown
    print(*(f"{(moment - start) * 1000:.1f}" for moment in moments), f"{bird:.1f}")


def wake_up(count):
    """The child answers each byte with the time at which it had read it."""
    there, back = os.pipe(), os.pipe()
    if os.fork() == 0:
        os.close(there[1])
        while True:
            select.select([there[0]], [], [])
            if not os.read(there[0], 1):
                os._exit(0)
            os.write(back[1], struct.pack("=d", time.monotonic()))
    times = []
    for _ in range(count):
        time.sleep(0.01)
        start = time.monotonic()
        os.write(there[1], b"x")
        times.append((struct.unpack("=d", os.read(back[0], 8))[0] - start) * 1000)
    times.sort()
    print(f"{times[0]:.2f} {times[len(times) // 2]:.2f} {times[-1]:.2f}")


def main():
    if sys.argv[1] == "--wake-up":
        wake_up(int(sys.argv[2]))
    else:
        peer, pid, space, log_path, within_ms, *other = sys.argv[1:]
        lose(int(peer), int(pid), space, log_path, within_ms, other)


main()
