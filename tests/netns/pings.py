#!/usr/bin/env python3
"""Sends ICMP or ICMPv6 echo requests and counts the answers.

usage: pings.py NETNS TARGET COUNT PERIOD-MS [WAIT-S]

COUNT 0 sends until SIGTERM. PERIOD-MS 0 sends all requests at once. After the last request the
program waits until every request is answered, but at most WAIT-S, 30 by default. It prints one line of JSON:
requests sent, requests answered, answers that came more than once, answers with other data than
their request.
"""

import ipaddress
import json
import os
import select
import signal
import socket
import struct
import sys
import time

import ip_packets as ip
from spaces import make_socket

WAIT_S = 30
DATA_BYTES = 56  # as ping sends by default


class Pings:
    def __init__(self, space, target):
        self.version = ipaddress.ip_address(target).version
        family, protocol = ((socket.AF_INET, socket.IPPROTO_ICMP) if self.version == 4 else
                            (socket.AF_INET6, socket.IPPROTO_ICMPV6))
        self.socket = make_socket(space, family, socket.SOCK_RAW, protocol)
        self.socket.connect((target, 0))
        self.socket.setblocking(False)
        self.identifier = os.getpid() & 0xFFFF
        self.sent = self.duplicates = self.altered = 0
        self.answered = set()

    def message(self, number):
        data = struct.pack("!I", number) + bytes(range(DATA_BYTES - 4))
        head = struct.pack("!BBHHH", ip.ECHO_REQUEST[self.version], 0, 0, self.identifier,
                           number & 0xFFFF)
        if self.version == 6:  # the kernel fills in ICMPv6 checksums
            return head + data
        return head[:2] + struct.pack("!H", ip.checksum(head + data)) + head[4:] + data

    def send(self):
        try:
            self.socket.send(self.message(self.sent))
        except OSError:
            pass  # no route at this moment: the request counts as lost
        self.sent += 1

    def receive(self, until):
        """Takes answers until this time; all that are there in any case."""
        while True:
            left = max(0, until - time.monotonic())
            if not select.select([self.socket], [], [], left)[0]:
                return
            try:
                self.take(self.socket.recv(65536))
            except OSError:
                pass  # an ICMP error for an earlier request

    def take(self, packet):
        if self.version == 4:
            packet = packet[20:]
        if len(packet) < 12 or packet[0] != ip.ECHO_REPLY[self.version]:
            return
        identifier, _ = struct.unpack_from("!HH", packet, 4)
        number = struct.unpack_from("!I", packet, 8)[0]
        if identifier != self.identifier:
            return
        if number >= self.sent or packet[8:] != self.message(number)[8:]:
            self.altered += 1
        elif number in self.answered:
            self.duplicates += 1
        else:
            self.answered.add(number)

    def complete(self):
        return len(self.answered) == self.sent


def main():
    space, target = sys.argv[1:3]
    count, period_s = int(sys.argv[3]), float(sys.argv[4]) / 1000
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    pings = Pings(space, target)
    due = time.monotonic()
    while not stopped and (count == 0 or pings.sent < count):
        pings.send()
        if pings.sent == 1:
            print("the first request is sent", file=sys.stderr, flush=True)
        due += period_s
        pings.receive(due)
    end = time.monotonic() + (float(sys.argv[5]) if len(sys.argv) > 5 else WAIT_S)
    while not pings.complete() and time.monotonic() < end:
        pings.receive(min(end, time.monotonic() + 0.1))
    pings.receive(time.monotonic() + 0.1)  # duplicates of the last answers
    print(json.dumps({"sent": pings.sent, "answered": len(pings.answered),
                      "duplicates": pings.duplicates, "altered": pings.altered}))


if __name__ == "__main__":
    main()
