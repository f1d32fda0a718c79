#!/usr/bin/env python3
"""Datagrams of a link with a PSK.

    psk_packets.py check FILE PORT        a capture (tcpdump -w, Ethernet) has envelopes, data records and
                                          alerts under keys, and nothing else; prints the number of envelopes
    psk_packets.py replay FILE PORT OWN TO TO-PORT
                                          sends each envelope of the capture again, twice, from OWN
    psk_packets.py garbage OWN TO TO-PORT COUNT
                                          random envelopes, and envelopes of all small lengths
    psk_packets.py data OWN TO TO-PORT COUNT
                                          records of data under unknown keys
"""

import random
import socket
import sys
import time

from dtls_capture import ALERT, APPLICATION_DATA, demand, frames, udp_of
from collections import Counter

ENVELOPE = 0x0C
OVERHEAD = 1 + 16 + 8 + 8 + 16
LARGEST = 1232  # fits every IPv6 path
PAUSE_S = 0.002  # after each burst, so that no buffer overflows
BURST = 16

chance = random.Random(2)


def payloads(path, port):
    with open(path, "rb") as file:
        for frame in frames(file.read()):
            udp = udp_of(frame, int(port), Counter())
            if udp is not None:
                yield udp[2]


def check(path, port):
    envelopes = 0
    for payload in payloads(path, port):
        if payload[0] == ENVELOPE:
            demand(OVERHEAD < len(payload) <= LARGEST, f"an envelope of {len(payload)} bytes")
            envelopes += 1
        else:
            demand(payload[0] in (ALERT, APPLICATION_DATA), f"content type {payload[0]}")
            demand(payload[3:5] == b"\0\1", f"epoch 1: {payload[:13].hex()}")
    print(envelopes)


def send(datagrams, own, to, port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind((own, 0))
        for sent, datagram in enumerate(datagrams):
            stranger.sendto(datagram, (to, int(port)))
            if sent % BURST == 0:
                time.sleep(PAUSE_S)


def replay(path, port, *ends):
    envelopes = [payload for payload in payloads(path, port) if payload[0] == ENVELOPE]
    send(envelopes * 2, *ends)
    print(2 * len(envelopes))


def garbage(own, to, port, count):
    sizes = list(range(OVERHEAD + 20))
    sizes += [chance.randrange(1, 1400) for _ in range(int(count) - len(sizes))]
    send((bytes([ENVELOPE]) + chance.randbytes(size) for size in sizes), own, to, port)


def data(own, to, port, count):
    head = bytes([APPLICATION_DATA, 0xFE, 0xFD, 0, 1, 0, 0, 0, 0, 0, 9, 0, 100])
    send((head + chance.randbytes(100) for _ in range(int(count))), own, to, port)


if __name__ == "__main__":
    {"check": check, "replay": replay, "garbage": garbage, "data": data}[sys.argv[1]](*sys.argv[2:])
