#!/usr/bin/env python3
"""Datagrams that a stranger can send to a gateway.

    strangers.py record IFNAME PORT COUNT BYTES
                                              prints in hex the next COUNT records of BYTES bytes (0:
                                              of any length) that leave by IFNAME for PORT
    strangers.py records ENDS COUNT FILE      attacks with bad records; FILE: what `record` printed
    strangers.py flipped ENDS FILE            the first record of FILE, with a bit flipped in each byte
    strangers.py again ENDS FILE              the records of FILE in reverse order, each twice
    strangers.py hellos ENDS COUNT            ClientHellos without cookie
    strangers.py cut ENDS COUNT               ClientHellos that end before the cookie
    strangers.py huge OWN TO TO-PORT COUNT    records larger than any packet
    strangers.py flood OWN TO TO-PORT COUNT   ClientHellos without cookie, all different
    strangers.py ask OWN TO TO-PORT WAIT-S    one ClientHello: prints "answered" or "silence"
    strangers.py half OWN TO TO-PORT COUNT PERIOD
                                              ClientHellos with cookie, and nothing after them

ENDS is FROM FROM-PORT TO TO-PORT, and FROM is forged.
An attack prints a line for each kind of datagram: REASON NUMBER WHAT. It causes NUMBER drops.
"""

import itertools
import random
import socket
import struct
import subprocess
import sys
import time

import ip_packets as ip

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA = 20, 21, 22, 23
DTLS_1_0, DTLS_1_2 = 0xFEFF, 0xFEFD
CLIENT_HELLO, HELLO_VERIFY_REQUEST = 1, 3
RECORD_HEADER, MESSAGE_HEADER = 13, 12
LARGEST_PLAINTEXT = 16384
LARGEST_FRAGMENT = LARGEST_PLAINTEXT + 2048  # RFC 5246 section 6.2.3
RANDOM_AT = RECORD_HEADER + MESSAGE_HEADER + 2
COOKIE_AT = RANDOM_AT + 32 + 1  # behind an empty session id
ALL_PROTOCOLS = 3  # ETH_P_ALL: no other socket sees what leaves
OUTGOING = 4  # PACKET_OUTGOING
ETHERTYPE_IPV4 = 0x0800
PAUSE_S = 0.002  # after each burst, so that no buffer overflows
BURST = 16  # datagrams
FLOOD_BURST = 64

chance = random.Random(1)  # the same numbers in each run


def record(kind, version, epoch, sequence, fragment, length=None):
    length = len(fragment) if length is None else length
    head = struct.pack("!BHHQH", kind, version, epoch, sequence, length)
    return head[:5] + head[7:] + fragment  # 48 bits of the sequence number


class Recorder:
    def __init__(self, ifname, port):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)
        self.socket.bind((ifname, ALL_PROTOCOLS))
        self.socket.settimeout(30)
        self.port = port

    def records(self):
        """The records one by one, also those of a super-packet that the device segments later."""
        while True:
            packet, (_, protocol, direction, _, _) = self.socket.recvfrom(65536)
            if direction != OUTGOING or protocol != ETHERTYPE_IPV4 or packet[9] != ip.UDP:
                continue
            destination, length = struct.unpack_from("!HH", packet, 22)
            rest = packet[28 : 20 + length] if destination == self.port else b""
            while rest:
                end = RECORD_HEADER + struct.unpack_from("!H", rest, RECORD_HEADER - 2)[0]
                yield rest[:end]
                rest = rest[end:]


class Forger:
    """Sends with a forged source address and port."""

    def __init__(self, source, source_port, destination, destination_port):
        self.ends = (source, int(source_port), destination, int(destination_port))
        self.raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        self.sent = 0

    def send(self, datagram):
        self.raw.sendto(ip.udp(*self.ends, datagram), (self.ends[2], 0))
        self.sent += 1
        if self.sent % BURST == 0:
            time.sleep(PAUSE_S)


def client_hello():
    """A ClientHello of openssl s_client, which sends it to a socket of this program."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as here:
        here.bind(("127.0.0.1", 0))
        here.settimeout(30)
        tool = subprocess.Popen(
            ["openssl", "s_client", "-dtls1_2", "-connect", "127.0.0.1:%d" % here.getsockname()[1]],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        hello = here.recv(65536)
        tool.kill()
        tool.wait()
    if hello[RECORD_HEADER] != CLIENT_HELLO or hello[COOKIE_AT - 1] or hello[COOKIE_AT]:
        sys.exit("openssl's first datagram is not the ClientHello that was expected")
    return hello


def with_random(hello):
    return hello[:RANDOM_AT] + chance.randbytes(32) + hello[RANDOM_AT + 32 :]


def with_cookie(hello, cookie):
    """The second ClientHello: RFC 6347 section 4.2.1."""
    body = hello[RECORD_HEADER + MESSAGE_HEADER : COOKIE_AT]
    body += bytes([len(cookie)]) + cookie + hello[COOKIE_AT + 1 :]
    length = struct.pack("!I", len(body))[1:]
    message = bytes([CLIENT_HELLO]) + length + b"\0\1" + b"\0\0\0" + length + body
    return record(HANDSHAKE, DTLS_1_0, 0, 1, message)


def bad_records(count, real):
    """(reason, what, datagrams): `count` datagrams of most kinds; of replayed ones all of `real`."""
    noise = chance.randbytes

    def protected(size, **other):
        fields = dict(kind=APPLICATION_DATA, version=DTLS_1_2, epoch=1,
                      sequence=chance.randrange(1 << 47, 1 << 48))
        fields.update(other)
        return record(fragment=noise(size), **fields)

    def many(make):
        return [make() for _ in range(count)]

    no_types = [0, CHANGE_CIPHER_SPEC - 1, APPLICATION_DATA + 1, 63, 64, 127, 255]
    yield "record_type", "datagrams of garbage", many(
        lambda: bytes([chance.choice(no_types)]) + noise(chance.randrange(13, 1400)))
    yield "record_truncated", "empty datagrams", many(lambda: b"")
    yield "record_truncated", "parts of a record header", many(
        lambda: protected(64)[: chance.randrange(1, RECORD_HEADER)])
    yield "record_truncated", "truncated records", many(
        lambda: protected(100)[: chance.randrange(RECORD_HEADER, 113)])
    yield "record_version", "records of other versions", many(
        lambda: protected(64, version=chance.choice([0x0303, 0x0304, DTLS_1_0, 0xFEFC, 0])))
    yield "record_epoch", "records of future epochs", many(
        lambda: protected(64, epoch=chance.randrange(2, 1 << 16)))
    yield "record_epoch", "records with data in epoch 0", many(lambda: protected(64, epoch=0))
    yield "record_length", "records of length 0", many(lambda: protected(0))
    yield "record_length", "records shorter than a tag", many(
        lambda: protected(chance.randrange(1, 16)))
    yield "record_length", "records longer than the largest length", many(
        lambda: protected(64, length=chance.randrange(LARGEST_FRAGMENT + 1, 1 << 16)))
    yield "record_forged", "records with forged data", many(
        lambda: protected(chance.randrange(24, 1300)))
    yield "record_forged", "forged alerts", many(lambda: protected(26, kind=ALERT))
    if real:
        yield "record_replayed", "replayed real records", real
    yield "plaintext_alert", "plaintext alerts, close_notify and fatal", [
        record(ALERT, DTLS_1_2, 0, chance.randrange(1 << 48), alert)
        for alert in (b"\1\0", b"\2\0", b"\2\x28", b"\2\x0a") for _ in range(4)]
    yield "handshake_unexpected", "handshake messages outside a handshake", [
        record(kind, DTLS_1_2, epoch, 7, bytes([message]) + noise(40))
        for kind, epoch, message in (
            (HANDSHAKE, 0, HELLO_VERIFY_REQUEST), (HANDSHAKE, 0, 14), (HANDSHAKE, 0, 255),
            (HANDSHAKE, 1, 20), (CHANGE_CIPHER_SPEC, 0, 1))
        for _ in range(3)]


def attack(ends, kinds):
    forger = Forger(*ends)
    for reason, what, datagrams in kinds:
        for datagram in datagrams:
            forger.send(datagram)
        print(reason, len(datagrams), what)


def read(path):
    with open(path, encoding="ascii") as file:
        return [bytes.fromhex(line) for line in file]


def record_next(ifname, port, count, size):
    recorder = Recorder(ifname, int(port))
    print("ready", file=sys.stderr, flush=True)
    wanted = (one for one in recorder.records() if int(size) in (0, len(one)))
    for one in itertools.islice(wanted, int(count)):
        print(one.hex())


def records(*arguments):
    *ends, count, path = arguments
    attack(ends, bad_records(int(count), read(path)))


def flipped(*arguments):
    *ends, path = arguments
    real = read(path)[0]
    attack(ends, [("record_forged", "real records with one bit changed", [
        real[:at] + bytes([real[at] ^ 1 << chance.randrange(8)]) + real[at + 1 :]
        for at in range(RECORD_HEADER, len(real))])])


def again(*arguments):
    *ends, path = arguments
    real = read(path)
    forger = Forger(*ends)
    for one in reversed(real):
        forger.send(one)
        forger.send(one)
    print("record_replayed", len(real), "duplicates of reordered records")


def hellos(*arguments):
    *ends, count = arguments
    hello = client_hello()
    attack(ends, [("handshake_not_allowed", "ClientHellos from an address that is not allowed",
                   [with_random(hello) for _ in range(int(count))])])


def cut(*arguments):
    *ends, count = arguments
    body = client_hello()[RECORD_HEADER + MESSAGE_HEADER :]

    def message(size):
        length = struct.pack("!I", size)[1:]
        return bytes([CLIENT_HELLO]) + length + b"\0\0" + b"\0\0\0" + length + body[:size]

    attack(ends, [("handshake_malformed", "ClientHellos that end before the cookie", [
        record(HANDSHAKE, DTLS_1_0, 0, sequence, message(chance.randrange(34, 36)))
        for sequence in range(int(count))])])


def stranger_at(own, gateway, port):
    stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    stranger.bind((own, 0))
    stranger.connect((gateway, int(port)))
    return stranger


def huge(own, gateway, port, count):
    with stranger_at(own, gateway, port) as stranger:
        for sequence in range(int(count)):
            stranger.send(record(APPLICATION_DATA, DTLS_1_2, 1, 1 << 47 | sequence,
                                 bytes(LARGEST_FRAGMENT)))
    print("record_length", count, "records larger than any packet")


def flood(own, gateway, port, count):
    hello = client_hello()
    with stranger_at(own, gateway, port) as stranger:
        for sent in range(int(count)):
            stranger.send(with_random(hello))
            if sent % FLOOD_BURST == 0:
                time.sleep(PAUSE_S)


def ask(own, gateway, port, wait_s):
    with stranger_at(own, gateway, port) as stranger:
        stranger.settimeout(float(wait_s))
        stranger.send(client_hello())
        try:
            print("answered" if stranger.recv(65536) else "")
        except TimeoutError:
            print("silence")


def half(own, gateway, port, count, period):
    hello = client_hello()
    for _ in range(int(count)):
        with stranger_at(own, gateway, port) as stranger:
            stranger.settimeout(30)
            mine = with_random(hello)
            stranger.send(mine)
            answer = stranger.recv(65536)
            if answer[RECORD_HEADER] != HELLO_VERIFY_REQUEST:
                sys.exit(f"not a HelloVerifyRequest: {answer.hex()}")
            at = RECORD_HEADER + MESSAGE_HEADER + 2
            stranger.send(with_cookie(mine, answer[at + 1 : at + 1 + answer[at]]))
        time.sleep(float(period))


if __name__ == "__main__":
    verbs = {"record": record_next, "records": records, "flipped": flipped, "again": again,
             "hellos": hellos, "cut": cut, "huge": huge, "flood": flood, "ask": ask, "half": half}
    verbs[sys.argv[1]](*sys.argv[2:])
