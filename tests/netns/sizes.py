#!/usr/bin/env python3
"""Packets of every size in both directions: none lost, duplicated or changed, and every byte counted.

usage: sizes.py ROUTEVPN NETNS-A RUN-DIR-A NETNS-B RUN-DIR-B MTU
"""

import json
import random
import socket
import subprocess
import sys
import time
from collections import Counter

from spaces import Checks, make_socket

ADDRESSES = {
    socket.AF_INET: ("10.255.0.1", "10.255.0.2"),
    socket.AF_INET6: ("2001:db8:ff::", "2001:db8:ff::1"),
}
FAMILY_NAMES = {socket.AF_INET: "IPv4", socket.AF_INET6: "IPv6"}
IP_HEADER = {socket.AF_INET: 20, socket.AF_INET6: 40}
UDP_HEADER = 8
BURST = 100  # packets; the queue of the interface has room for 500
SO_NO_CHECK = 11
UDP_SEGMENT = 103
NOT_ASSIGNED_PROTOCOL = 253  # RFC 3692


class End:
    """The inside of one gateway, and what was sent from there so far."""

    def __init__(self, routevpn, space, run_dir):
        self.routevpn, self.space, self.run_dir = routevpn, space, run_dir
        self.sent = {"packets": 0, "bytes": 0}

    def note_sent(self, payloads, header_bytes):
        self.sent["packets"] += len(payloads)
        self.sent["bytes"] += sum(map(len, payloads)) + len(payloads) * header_bytes

    def counters(self):
        out = subprocess.run([self.routevpn, "show", "--run-dir", self.run_dir, "--json"],
                             check=True, capture_output=True)
        return json.loads(out.stdout)[0]


class Flow:
    """One direction of one IP version: a sending and a receiving UDP socket."""

    def __init__(self, family, source, target, reverse):
        self.family = family
        own, peer = reversed(ADDRESSES[family]) if reverse else ADDRESSES[family]
        self.sender = make_socket(source.space, family, socket.SOCK_DGRAM, 0, (own, 4000))
        self.receiver = make_socket(target.space, family, socket.SOCK_DGRAM, 0, (peer, 4001))
        self.sender.connect((peer, 4001))
        self.receiver.connect((own, 4000))
        self.source = source
        self.text = f"{FAMILY_NAMES[family]} {'b to a' if reverse else 'a to b'}"
        self.header_bytes = IP_HEADER[family] + UDP_HEADER

    def receive(self, count):
        """Up to `count` payloads, until none arrives any more."""
        came = []
        try:
            while len(came) < count:
                came.append(self.receiver.recv(65536))
        except TimeoutError:
            pass
        return came

    def surplus(self):
        """A payload that has arrived in addition, or None."""
        self.receiver.setblocking(False)
        try:
            return self.receiver.recv(65536)
        except BlockingIOError:
            return None

    def check(self, payloads, text):
        """Sends the payloads in bursts. Each must arrive once and unchanged."""
        for first in range(0, len(payloads), BURST):
            burst = payloads[first : first + BURST]
            for payload in burst:
                self.sender.send(payload)
            self.compare(burst, self.receive(len(burst)), text)
        Checks.ok(f"{self.text}: {text}")

    def compare(self, sent, came, text):
        self.source.note_sent(sent, self.header_bytes)
        # Empty payloads are equal. All others differ.
        missing, strange = Counter(sent) - Counter(came), Counter(came) - Counter(sent)
        if missing or strange:
            sizes = [len(payload) for payload in missing.elements()]
            contents = [payload.hex() for payload in strange.elements()]
            raise SystemExit(f"not ok - {self.text}: {text}\nmissing payloads of {sizes} bytes, "
                             f"changed or duplicated: {contents}")


def check_sizes(flow, mtu, contents):
    sizes = list(range(flow.header_bytes, mtu + 1))
    payloads = [contents.randbytes(size - flow.header_bytes) for size in sizes]
    flow.check(payloads, f"every size of {sizes[0]} to {mtu} bytes, once each")
    # In random order hardly any packet has the size of the one before.
    contents.shuffle(payloads)
    flow.check(payloads, "the same in another order")
    random_sizes = [contents.randbytes(contents.randint(8, mtu - flow.header_bytes))
                    for _ in range(5 * BURST)]
    flow.check(random_sizes, f"{len(random_sizes)} packets of random sizes")
    for size in (flow.header_bytes + 8, 300, mtu):  # equal sizes are merged to super-packets
        same = [contents.randbytes(size - flow.header_bytes) for _ in range(BURST)]
        flow.check(same, f"{BURST} packets of {size} bytes")


def check_counters(source, target, text):
    """Both ends have counted, to the byte, what was sent since the link started."""
    deadline = time.monotonic() + 30
    while True:  # an end counts a packet just after it has passed the packet on
        counted = [{key: end[key] for key in source.sent}
                   for end in (source.counters()["tx"], target.counters()["rx"])]
        if counted == [source.sent] * 2 or time.monotonic() > deadline:
            break
    Checks.expect(counted == [source.sent] * 2, f"{text}: both ends count {source.sent}",
                  f"they counted {counted}")


def check_super_packets(flow, mtu, contents):
    """Super-packets, which routevpn segments: full segments and a shorter last one."""
    for size in (1, 100, mtu - flow.header_bytes):
        flow.sender.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, size)
        count = min(64, 60000 // size)
        data = contents.randbytes(size * count - size // 2)
        flow.sender.send(data)
        sent = [data[at : at + size] for at in range(0, len(data), size)]
        text = f"one super-packet of {len(sent)} segments of {size} bytes"
        flow.compare(sent, flow.receive(len(sent)), text)
        Checks.ok(f"{flow.text}: {text}")
    flow.sender.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, 0)


def check_without_checksum(flow, contents):
    """A UDP checksum of 0 means no checksum, in IPv4 only (RFC 768)."""
    flow.sender.setsockopt(socket.SOL_SOCKET, SO_NO_CHECK, 1)
    flow.check([contents.randbytes(500) for _ in range(BURST)], "UDP without checksum")
    flow.sender.setsockopt(socket.SOL_SOCKET, SO_NO_CHECK, 0)


def check_other_protocol(family, source, target, contents):
    """Packets with neither TCP nor UDP, also ones of only an IP header."""
    own, peer = ADDRESSES[family]
    header = IP_HEADER[family]
    sender = make_socket(source.space, family, socket.SOCK_RAW, NOT_ASSIGNED_PROTOCOL)
    receiver = make_socket(target.space, family, socket.SOCK_RAW, NOT_ASSIGNED_PROTOCOL,
                           (peer, 0))
    sent = [contents.randbytes(size) for size in range(0, 64)]
    for payload in sent:
        sender.sendto(payload, (peer, 0))
    came = []
    try:
        for _ in sent:
            came.append(receiver.recv(65536))
    except TimeoutError:
        pass
    source.note_sent(sent, header)
    if family == socket.AF_INET:  # a raw IPv4 socket receives the IP header, too
        came = [packet[header:] for packet in came]
    Checks.expect(sorted(came) == sorted(sent),
                  f"{FAMILY_NAMES[family]}: protocol {NOT_ASSIGNED_PROTOCOL}, "
                  f"{header} to {header + len(sent) - 1} bytes",
                  f"sent {len(sent)}, received {len(came)}")


def main():
    routevpn, space_a, dir_a, space_b, dir_b, mtu = sys.argv[1:]
    mtu = int(mtu)
    a, b = End(routevpn, space_a, dir_a), End(routevpn, space_b, dir_b)
    contents = random.Random(7754)
    for family in ADDRESSES:
        for reverse in (False, True):
            source, target = (b, a) if reverse else (a, b)
            flow = Flow(family, source, target, reverse)
            check_sizes(flow, mtu, contents)
            check_super_packets(flow, mtu, contents)
            if family == socket.AF_INET:
                check_without_checksum(flow, contents)
            check_counters(source, target, flow.text)
            Checks.expect(flow.surplus() is None, f"{flow.text}: no packet arrived twice")
        check_other_protocol(family, a, b, contents)
        check_counters(a, b, FAMILY_NAMES[family])


main()
