#!/usr/bin/env python3
"""Bursts of UDP with every ECN codepoint through a link, and the codepoint of each received packet.

usage: ecn_marks.py FROM-NETNS OWN TO-NETNS PEER DSCP BURSTS CODEPOINT...

Each burst is one send with UDP_SEGMENT per codepoint. Prints JSON: for each codepoint that was sent, in
the order of the arguments, how many packets arrived with each codepoint; and the DSCPs that arrived.
"""

import json
import socket
import struct
import sys
import time

from spaces import make_socket

PORT = 4300
SEGMENTS = 40
SEGMENT_BYTES = 1000
UDP_SEGMENT = 103
IPV6_RECVTCLASS, IPV6_TCLASS = 66, 67
IP_RECVTOS = 13
QUIET_S = 3


def class_options(family):
    if family == socket.AF_INET:
        return socket.IPPROTO_IP, socket.IP_TOS, IP_RECVTOS
    return socket.IPPROTO_IPV6, IPV6_TCLASS, IPV6_RECVTCLASS


def drain(receiver, seen, until):
    """Counts packets until `until` have arrived or none has for QUIET_S."""
    receiver.settimeout(QUIET_S)
    while seen["packets"] < until:
        try:
            data, controls, _, _ = receiver.recvmsg(2048, 64)
        except TimeoutError:
            return
        traffic_class = controls[0][2][0]
        codepoint = data[0]
        seen["packets"] += 1
        seen["dscp"].add(traffic_class >> 2)
        came = seen["ecn"].setdefault(codepoint, [0, 0, 0, 0])
        came[traffic_class & 3] += 1


def main():
    source, own, target, peer = sys.argv[1:5]
    dscp, bursts, *codepoints = map(int, sys.argv[5:])
    family = socket.AF_INET6 if ":" in own else socket.AF_INET
    level, class_option, receive_option = class_options(family)
    receiver = make_socket(target, family, socket.SOCK_DGRAM, 0, (peer, PORT))
    receiver.setsockopt(level, receive_option, 1)
    sender = make_socket(source, family, socket.SOCK_DGRAM, 0, (own, PORT))
    sender.connect((peer, PORT))

    seen = {"packets": 0, "ecn": {codepoint: [0, 0, 0, 0] for codepoint in codepoints},
            "dscp": set()}
    sent = 0
    for _ in range(bursts):
        for codepoint in codepoints:
            sender.setsockopt(level, class_option, dscp << 2 | codepoint)
            data = bytes([codepoint]) * (SEGMENTS * SEGMENT_BYTES)
            sender.sendmsg([data], [(socket.IPPROTO_UDP, UDP_SEGMENT,
                                     struct.pack("=H", SEGMENT_BYTES))])
            sent += SEGMENTS
    began = time.monotonic()
    drain(receiver, seen, sent)
    print(json.dumps({"sent_each": bursts * SEGMENTS, "seconds": time.monotonic() - began,
                      "ecn": [seen["ecn"][codepoint] for codepoint in codepoints],
                      "dscp": sorted(seen["dscp"])}))


main()
