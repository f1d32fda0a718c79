#!/usr/bin/env python3
"""Measures round trips by ICMP echo requests.

usage: round_trips.py NETNS TARGET COUNT PERIOD-MS

Prints one line of JSON: requests sent and answered, and the round trips' median, first and ninth decile in ms.
A round trip ends when the kernel has the answer, so that it has no wake-up of this program.
"""

import json
import os
import select
import socket
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "netns"))

from pings import Pings  # noqa: E402

SO_TIMESTAMPNS = 35
TIMESPEC = struct.Struct("@ll")
IPV4_HEADER_BYTES, ICMP_HEADER_BYTES = 20, 8
LAST_ANSWER_S = 5


class RoundTrips(Pings):
    def __init__(self, space, target):
        super().__init__(space, target)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.sent_ns, self.round_trips_ns = [], []

    def send(self):
        self.sent_ns.append(time.time_ns())
        super().send()

    def receive(self, until):
        while True:
            left = max(0, until - time.monotonic())
            if not select.select([self.socket], [], [], left)[0]:
                return
            packet, control, _, _ = self.socket.recvmsg(65536, 256)
            answered = len(self.answered)
            self.take(packet)
            if len(self.answered) > answered:
                number = struct.unpack_from("!I", packet, IPV4_HEADER_BYTES + ICMP_HEADER_BYTES)[0]
                seconds, nanoseconds = TIMESPEC.unpack(control[0][2])
                self.round_trips_ns.append(seconds * 10**9 + nanoseconds - self.sent_ns[number])


def main():
    space, target, count, period_ms = sys.argv[1:]
    pings = RoundTrips(space, target)
    due = time.monotonic()
    for _ in range(int(count)):
        pings.send()
        due += float(period_ms) / 1000
        pings.receive(due)
    end = time.monotonic() + LAST_ANSWER_S
    while not pings.complete() and time.monotonic() < end:
        pings.receive(min(end, time.monotonic() + 0.1))
    times = sorted(pings.round_trips_ns)
    if not times:
        raise SystemExit("no request was answered")
    print(json.dumps({"sent": pings.sent, "answered": len(times),
                      **{name: round(times[len(times) * tenths // 10] / 1e6, 2)
                         for name, tenths in (("p10_ms", 1), ("p50_ms", 5), ("p90_ms", 9))}}))


main()
