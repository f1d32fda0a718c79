#!/usr/bin/env python3
"""An IP host behind a DTLS tool.

usage: plain_peer.py OWN PEER OWN6 PEER6 LARGEST first|second -- COMMAND...

COMMAND is a tool that sends what it reads as one record and writes the contents of received records
(openssl s_client, openssl s_server, gnutls-cli). Its standard input is a socket that keeps the
boundaries of packets, so that one packet is one record.

The host pings PEER and PEER6 with packets of several sizes up to LARGEST bytes and retransmits each
until it is answered. It answers pings. With "second" it sends nothing until a packet has arrived. When
all of its pings are answered it prints

    exchanged ANSWERED sent SENT

and goes on to answer pings. At SIGTERM the tool's input ends. The exit status is that of the tool.
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
    """Every byte value, and text that a tool could take for a command or for the end of a line."""
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
        """The complete packets so far: gnutls-cli writes single bytes, s_client up to 1024 at once."""
        self.partial += chunk
        while (length := ip.length_of(self.partial)) and len(self.partial) >= length:
            packet, self.partial = self.partial[:length], self.partial[length:]
            yield packet
        if self.partial and self.partial[0] >> 4 not in (4, 6):
            raise ValueError(f"not an IP packet: {self.partial[:40]!r}")

    def answer_to(self, data):
        """The reply to a request of the link. A reply to a request of this host is counted."""
        echo = ip.Echo(data)
        if echo.kind == ip.ECHO_REQUEST[echo.version] and str(echo.destination) in self.own:
            self.sent += 1
            return ip.echo(str(echo.destination), str(echo.source), ip.ECHO_REPLY,
                           echo.identifier, echo.sequence, echo.data)
        if echo.kind == ip.ECHO_REPLY[echo.version] and echo.sequence in self.waiting:
            if echo.data != ip.Echo(self.waiting[echo.sequence]).data:
                raise ValueError("a reply with other data than its request")
            del self.waiting[echo.sequence]
            self.answered += 1
        return None


def main():
    at = sys.argv.index("--")
    host = Host(*sys.argv[1:5], int(sys.argv[5]))
    sends = sys.argv[6] == "first"
    own_end, tools = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    tool = subprocess.Popen(sys.argv[at + 1 :], stdin=tools, stdout=tools)
    tools.close()
    signal.signal(signal.SIGTERM, lambda *_: own_end.shutdown(socket.SHUT_WR))
    end = time.monotonic() + WAIT_S
    while True:
        if host.waiting and time.monotonic() > end:
            tool.kill()
            sys.exit(f"not answered: requests {list(host.waiting)}")
        readable = select.select([own_end], [], [], RETRY_S)[0]
        chunk = received(own_end) if readable else b""
        if readable and not chunk:
            sys.exit(tool.wait(5))
        before = len(host.waiting)
        replies = [host.answer_to(packet) for packet in host.take(chunk)]
        sends = sends or bool(chunk)
        if sends and host.waiting and (not readable or len(host.waiting) < before):
            replies.append(host.next_request())
        send_all(own_end, filter(None, replies))
        if before and not host.waiting:
            print(f"exchanged {host.answered} sent {host.sent}", flush=True)


def received(own_end):
    try:
        return own_end.recv(65536)
    except ConnectionResetError:  # the tool ended before it had read all
        return b""


def send_all(to, packets):
    try:
        for packet in packets:
            to.send(packet)
    except BrokenPipeError:
        pass  # the tool has ended


main()
