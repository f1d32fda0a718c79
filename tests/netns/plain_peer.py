#!/usr/bin/env python3
"""An IP host behind a DTLS tool.

usage: plain_peer.py OWN PEER OWN6 PEER6 LARGEST first|second -- COMMAND...

COMMAND is a tool that sends what it reads as one record and writes what a record held
(openssl s_client, openssl s_server, gnutls-cli). It is given a socket that keeps the boundaries of
packets as standard input, so that one packet is one record.

The host pings PEER and PEER6 with packets of several sizes up to LARGEST bytes, each again until it
is answered, and answers pings itself; with "second" it keeps silent until a packet has come. When
all were answered it prints

    exchanged ANSWERED sent SENT

and answers on. At SIGTERM the tool's input ends; the exit status is the tool's.
"""

import os
import select
import signal
import socket
import subprocess
import sys
import time

import ip_packets as ip

RETRY_S = 0.2
WAIT_S = 30


def contents(size):
    """Every byte value, and what a tool might take for its own command or for the end of a line."""
    return (b"Q\nR\n\0\r\n**REHANDSHAKE**" + bytes(range(256)) * (size // 256 + 1))[:size]


class Host:
    def __init__(self, own, peer, own6, peer6, largest):
        self.own = (own, own6)
        self.waiting = {}
        for source, destination, head in ((own, peer, 28), (own6, peer6, 48)):
            for size in (head, head + 1, 576, 1280, largest):
                sequence = len(self.waiting) + 1
                self.waiting[sequence] = ip.echo(
                    source, destination, ip.ECHO_REQUEST, os.getpid() & 0xFFFF, sequence,
                    contents(size - head))
        self.answered = 0
        self.sent = 0
        self.partial = b""

    def next_request(self):
        self.sent += 1
        return next(iter(self.waiting.values()))

    def take(self, chunk):
        """The whole packets so far: gnutls-cli writes single bytes, s_client 1024 at a time."""
        self.partial += chunk
        while (length := ip.length_of(self.partial)) and len(self.partial) >= length:
            packet, self.partial = self.partial[:length], self.partial[length:]
            yield packet
        if self.partial and self.partial[0] >> 4 not in (4, 6):
            raise ValueError(f"not an IP packet: {self.partial[:40]!r}")

    def answer_to(self, data):
        """The reply to a ping of ours; a reply to our own request is noted."""
        echo = ip.Echo(data)
        if echo.kind == ip.ECHO_REQUEST[echo.version] and str(echo.destination) in self.own:
            self.sent += 1
            return ip.echo(str(echo.destination), str(echo.source), ip.ECHO_REPLY,
                           echo.identifier, echo.sequence, echo.data)
        if echo.kind == ip.ECHO_REPLY[echo.version] and echo.sequence in self.waiting:
            if echo.data != ip.Echo(self.waiting[echo.sequence]).data:
                raise ValueError("an answer with other contents than its question")
            del self.waiting[echo.sequence]
            self.answered += 1
        return None


def main():
    at = sys.argv.index("--")
    host = Host(*sys.argv[1:5], int(sys.argv[5]))
    speaks = sys.argv[6] == "first"
    ours, tools = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    tool = subprocess.Popen(sys.argv[at + 1 :], stdin=tools, stdout=tools)
    tools.close()
    signal.signal(signal.SIGTERM, lambda *_: ours.shutdown(socket.SHUT_WR))
    end = time.monotonic() + WAIT_S
    while True:
        if host.waiting and time.monotonic() > end:
            tool.kill()
            sys.exit(f"not answered: requests {list(host.waiting)}")
        readable = select.select([ours], [], [], RETRY_S)[0]
        chunk = received(ours) if readable else b""
        if readable and not chunk:
            sys.exit(tool.wait(5))
        before = len(host.waiting)
        replies = [host.answer_to(packet) for packet in host.take(chunk)]
        speaks = speaks or bool(chunk)
        if speaks and host.waiting and (not readable or len(host.waiting) < before):
            replies.append(host.next_request())
        send_all(ours, filter(None, replies))
        if before and not host.waiting:
            print(f"exchanged {host.answered} sent {host.sent}", flush=True)


def received(ours):
    try:
        return ours.recv(65536)
    except ConnectionResetError:  # it ended without reading all
        return b""


def send_all(to, packets):
    try:
        for packet in packets:
            to.send(packet)
    except BrokenPipeError:
        pass  # told to end meanwhile


main()
