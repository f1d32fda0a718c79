#!/usr/bin/env python3
"""Checks a capture of the public side (tcpdump -w, Ethernet): only well-formed DTLS 1.2.

usage: dtls_capture.py FILE PORT NONCE-BYTES ASSOCIATIONS
  NONCE-BYTES   explicit nonce of the cipher suite: 8 (AES-GCM) or 0
  ASSOCIATIONS  the number of associations; only explicit nonces distinguish more than one

The difference (explicit nonce - sequence number) identifies an association: the sender keeps it constant
from the Finished message on, and its first value is random for each set of keys.
"""

import struct
import sys
from collections import Counter, defaultdict

from spaces import Checks

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA = 20, 21, 22, 23
CLIENT_HELLO = 1
DTLS_1_0, DTLS_1_2 = 0xFEFF, 0xFEFD
TAG_BYTES = 16
# Router and neighbour discovery and multicast listener reports, which the kernel sends.
KERNELS_ICMPV6 = {133, 134, 135, 136, 143}
ETHERNET, ARP, IPV4, IPV6, UDP, ICMPV6, HOP_BY_HOP = 1, 0x0806, 0x0800, 0x86DD, 17, 58, 0


class Malformed(Exception):
    pass


def demand(condition, text):
    if not condition:
        raise Malformed(text)


def frames(data):
    """The frames of a pcap file in the byte order of this machine."""
    magic, link_type = struct.unpack_from("=I16xI", data)
    demand(magic in (0xA1B2C3D4, 0xA1B23C4D) and link_type == ETHERNET, "an Ethernet pcap file")
    at = 24
    while at < len(data):
        captured, length = struct.unpack_from("=8xII", data, at)
        demand(captured == length, "a whole frame")
        yield data[at + 16 : at + 16 + captured]
        at += 16 + captured


def udp_of(frame, port, seen):
    """(source, destination, payload), lengths checked; None for ARP and ICMPv6 of the kernel."""
    kind = struct.unpack_from("!H", frame, 12)[0]
    packet = frame[14:]
    if kind == ARP:
        seen["ARP"] += 1
        return None
    if kind == IPV4:
        head, length, fragment, protocol = struct.unpack_from("!BxH2xHxB", packet)
        demand(head == 0x45, "an IPv4 header without options")
        demand(fragment == 0x4000, f"DF set and no fragment: {fragment:#06x}")
        source, destination, packet = packet[12:16], packet[16:20], packet[20:length]
    else:
        demand(kind == IPV6, f"no protocol but ARP, IPv4 and IPv6: {kind:#06x}")
        length, protocol = struct.unpack_from("!HB", packet, 4)
        source, destination, packet = packet[8:24], packet[24:40], packet[40 : 40 + length]
        length += 40
        if protocol == HOP_BY_HOP:
            protocol, packet = packet[0], packet[8 * (packet[1] + 1) :]
        if protocol == ICMPV6:
            demand(packet[0] in KERNELS_ICMPV6, f"no ICMPv6 but discovery: type {packet[0]}")
            seen["ICMPv6 discovery"] += 1
            return None
    demand(protocol == UDP, f"no protocol but UDP: {protocol}")
    demand(length <= 1500, f"a packet that fits the wire: {length} bytes")
    from_port, to_port, udp_length = struct.unpack_from("!HHH", packet)
    demand(port in (from_port, to_port), f"no port but {port}: {from_port} to {to_port}")
    demand(udp_length == len(packet), f"a UDP length as IP's: {udp_length} of {len(packet)}")
    return source, destination, packet[8:]  # both UDP flows of a link have one sequence space


def check_plain_body(kind, body):
    if kind == CHANGE_CIPHER_SPEC:
        demand(body == b"\1", "a ChangeCipherSpec of one byte")
    elif kind == ALERT:
        demand(len(body) == 2, "an alert of two bytes")
    else:
        demand(kind == HANDSHAKE, f"nothing but a handshake in epoch 0: type {kind}")
        while body:
            demand(len(body) >= 12, "a whole handshake header")
            total, offset, length = (int.from_bytes(body[at : at + 3], "big") for at in (1, 6, 9))
            demand(offset + length <= total and 12 + length <= len(body),
                   "a fragment inside its message and its record")
            body = body[12 + length :]


class Observer:
    """What an observer of the wire can see of the records."""

    def __init__(self, nonce_bytes):
        self.nonce_bytes = nonce_bytes
        self.records = Counter()
        self.hello = None
        self.plain = set()  # (direction, sequence) of epoch 0 since the last new ClientHello
        self.nonces = defaultdict(set)  # direction -> all explicit nonces
        self.sequences = defaultdict(set)  # (direction, association) -> sequence numbers

    def datagram(self, direction, payload):
        demand(payload, "a datagram that is not empty")
        while payload:
            demand(len(payload) >= 13, f"a whole record header: {len(payload)} bytes are left")
            kind, version, epoch, high, low, length = struct.unpack_from("!BHHHIH", payload)
            demand(13 + length <= len(payload), f"{length} bytes of record in {len(payload) - 13}")
            body, payload = payload[13 : 13 + length], payload[13 + length :]
            demand(kind in (CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA),
                   f"a content type of DTLS 1.2: {kind}")
            demand(version == DTLS_1_2 or (version == DTLS_1_0 and epoch == 0),
                   f"version fefd, or feff in epoch 0: {version:04x} in epoch {epoch}")
            demand(epoch in (0, 1), f"an epoch in use: {epoch}")
            self.records[kind, epoch] += 1
            sequence = high << 32 | low
            if epoch == 0:
                self.plaintext(direction, kind, sequence, body)
            else:
                self.protected(direction, kind, sequence, body)

    def plaintext(self, direction, kind, sequence, body):
        check_plain_body(kind, body)
        if kind == HANDSHAKE and body[0] == CLIENT_HELLO and body[14:46] != self.hello:
            self.hello = body[14:46]
            self.plain.clear()
        # A HelloVerifyRequest has the sequence number of its ClientHello. Both are the first of their
        # direction.
        demand((direction, sequence) not in self.plain, f"epoch 0, number {sequence} for once")
        self.plain.add((direction, sequence))

    def protected(self, direction, kind, sequence, body):
        overhead = self.nonce_bytes + TAG_BYTES
        demand(kind != CHANGE_CIPHER_SPEC, "no ChangeCipherSpec in epoch 1")
        demand(len(body) > overhead, f"more than nonce and tag: {len(body)} bytes")
        if kind == ALERT:
            demand(len(body) == overhead + 2, "an alert of two bytes")
        association = 0
        if self.nonce_bytes:
            nonce = int.from_bytes(body[: self.nonce_bytes], "big")
            demand(nonce not in self.nonces[direction],
                   f"nonce {nonce:#x} once: number {sequence} has it again")
            self.nonces[direction].add(nonce)
            association = (nonce - sequence) % 2**64
        demand(sequence not in self.sequences[direction, association],
               f"number {sequence} once")
        self.sequences[direction, association].add(sequence)


def main():
    path, port, nonce_bytes, associations = sys.argv[1], *map(int, sys.argv[2:])
    with open(path, "rb") as file:
        data = file.read()
    observer, seen = Observer(nonce_bytes), Counter()
    number = 0
    try:
        for number, frame in enumerate(frames(data), 1):
            datagram = udp_of(frame, port, seen)
            if datagram:
                seen["DTLS"] += 1
                observer.datagram(datagram[:2], datagram[2])
    except Malformed as error:
        raise SystemExit(f"not ok - frame {number}: should be {error}\n{frame.hex()}")
    seen_text = ", ".join(f"{count} {what}" for what, count in sorted(seen.items()))
    Checks.expect(seen["DTLS"] > 1000, f"{number} well-formed frames: {seen_text}")
    records = observer.records
    Checks.expect(records[APPLICATION_DATA, 1] > 1000 and records[APPLICATION_DATA, 0] == 0,
                  f"{records[APPLICATION_DATA, 1]} records of data, all in epoch 1", records)
    Checks.expect(records[HANDSHAKE, 0] > 0 and records[HANDSHAKE, 1] >= 2 * associations,
                  "the capture has the records of the handshakes", records)
    Checks.expect(records[ALERT, 1] > 0, "the close_notify is protected", records)
    per_direction = Counter(direction for direction, _ in observer.sequences)
    Checks.expect(sorted(per_direction.values()) == [associations] * 2,
                  f"{associations} association(s) each way, no nonce and no sequence number twice",
                  per_direction)


if __name__ == "__main__":
    main()
