"""IP packets as bytes: builds them, and parses the fields that tests need."""

import ipaddress
import struct

ICMP, UDP, ICMPV6 = 1, 17, 58
ECHO_REQUEST = {4: 8, 6: 128}
ECHO_REPLY = {4: 0, 6: 129}


def checksum(data):
    """RFC 1071."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def packet(source, destination, protocol, payload, identification=0):
    """An IPv4 or IPv6 packet around a payload that has its checksum."""
    source, destination = ipaddress.ip_address(source), ipaddress.ip_address(destination)
    if source.version == 6:
        head = struct.pack("!IHBB", 6 << 28, len(payload), protocol, 64)
        return head + source.packed + destination.packed + payload
    length = 20 + len(payload)
    head = struct.pack("!BBHHHBBH", 0x45, 0, length, identification, 0x4000, 64, protocol, 0)
    head += source.packed + destination.packed
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def pseudo_header(source, destination, protocol, length):
    source, destination = ipaddress.ip_address(source), ipaddress.ip_address(destination)
    return source.packed + destination.packed + struct.pack("!II", length, protocol)


def echo(source, destination, kinds, identifier, sequence, data):
    """An ICMP or ICMPv6 echo packet; kinds is ECHO_REQUEST or ECHO_REPLY."""
    version = ipaddress.ip_address(source).version
    message = struct.pack("!BBHHH", kinds[version], 0, 0, identifier, sequence) + data
    protocol = ICMP if version == 4 else ICMPV6
    covered = message
    if version == 6:
        covered = pseudo_header(source, destination, protocol, len(message)) + message
    message = message[:2] + struct.pack("!H", checksum(covered)) + message[4:]
    return packet(source, destination, protocol, message)


def udp(source, source_port, destination, destination_port, data):
    head = struct.pack("!HHHH", source_port, destination_port, 8 + len(data), 0)
    covered = pseudo_header(source, destination, UDP, 8 + len(data)) + head + data
    head = head[:6] + struct.pack("!H", checksum(covered) or 0xFFFF)
    return packet(source, destination, UDP, head + data)


def length_of(data):
    """The length in the header; None without a complete IP header."""
    if len(data) >= 20 and data[0] >> 4 == 4:
        return struct.unpack_from("!H", data, 2)[0]
    if len(data) >= 40 and data[0] >> 4 == 6:
        return 40 + struct.unpack_from("!H", data, 4)[0]
    return None


class Echo:
    """An echo request or reply. kind is None for other packets."""

    def __init__(self, data):
        self.kind = None
        self.version = data[0] >> 4
        head = 20 if self.version == 4 else 40
        protocol = data[9] if self.version == 4 else data[6]
        if protocol != (ICMP if self.version == 4 else ICMPV6) or len(data) < head + 8:
            return
        at = (12, 16, 4) if self.version == 4 else (8, 24, 16)
        self.source = ipaddress.ip_address(data[at[0] : at[0] + at[2]])
        self.destination = ipaddress.ip_address(data[at[1] : at[1] + at[2]])
        self.kind = data[head]
        self.identifier, self.sequence = struct.unpack_from("!HH", data, head + 4)
        self.data = data[head + 8 :]
