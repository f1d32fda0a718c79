"""The measurements. Each takes a running Peer and returns metrics under the keys of report.py."""

import itertools
import json
import re
import statistics
import subprocess
import time

from accounting import Window, memory
from network import INSIDE, SIDES, MeasureError, listing, wait_for

GIB = 1 << 30
ports = itertools.count(20000)  # a new port per run, so that late packets are not counted


def daemons(peer):
    return [pid for side in SIDES for pid in peer.pids(side)]


def check_alive(peer):
    if peer.fault():
        raise MeasureError(peer.fault())


# --- TCP ----------------------------------------------------------------------------------------

class Iperf:
    """iperf3 from a to b. The server listens on entry of the context and ends on exit."""

    def __init__(self, peer, seconds, streams=1, both_directions=False):
        self.pair = peer.pair
        self.port = next(ports)
        self.client = ["iperf3", "--client", INSIDE["b"], "--port", self.port, "--json",
                       "--time", seconds, "--parallel", streams, "--connect-timeout", 3000]
        if both_directions:
            self.client.append("--bidir")

    def __enter__(self):
        self.server = self.pair.start(self.pair.private("b"),
                                      ["iperf3", "--server", "--one-off", "--port", self.port],
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        listening = re.compile(rf":{self.port:04X} \S+ 0A ")
        wait_for("iperf3 server", 5, lambda: any(
            listening.search(listing(f"/proc/{self.server.pid}/net/{name}"))
            for name in ("tcp", "tcp6")))
        return self

    def __exit__(self, *_):
        self.pair.end(self.server)


def tcp(peer, seconds, streams=1, both_directions=False):
    """Gbit/s received, both directions added, and CPU seconds of both daemons per GiB."""
    with Iperf(peer, seconds, streams, both_directions) as iperf:
        with Window(daemons(peer)) as used:
            text = iperf.pair.run(iperf.pair.private("a"), iperf.client, seconds + 20)
    result = json.loads(text)
    if "error" in result:
        raise MeasureError(f"iperf3: {result['error']}")
    sums = [result["end"]["sum_received"]]
    if both_directions:
        sums.append(result["end"]["sum_received_bidir_reverse"])
    received = sum(each["bytes"] for each in sums)
    check_alive(peer)
    if received < 1 << 20:
        raise MeasureError(f"only {received} bytes were received")
    return sum(each["bits_per_second"] for each in sums) / 1e9, used.seconds / (received / GIB)


def named(throughput, cost, figures):
    return {throughput: figures[0], cost: figures[1]}


# --- UDP ----------------------------------------------------------------------------------------

def udp_trial(peer, tool, size, rate, seconds):
    """Packets sent, packets received, and the seconds of sending."""
    pair, port = peer.pair, next(ports)
    sink = pair.start(pair.private("b"), [tool, "sink", INSIDE["b"], port],
                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        if sink.stdout.readline() != "ready\n":
            raise MeasureError("the UDP sink did not start")
        sent = json.loads(pair.run(pair.private("a"), [
            tool, "source", INSIDE["b"], port, size, f"{rate:.0f}", seconds], seconds + 10))
        received = json.loads(sink.communicate(timeout=10)[0])["received"]
    finally:
        pair.end(sink)
    return sent["sent"], received, sent["seconds"]


def udp_rate(peer, tool, size, steps, seconds):
    """The highest rate with less than 1 % loss, in thousand packets per second.

    The rate received under a flood bounds a binary search. A step that fails is tried once more,
    so that a short disturbance by another program does not decide.
    """
    sent, received, took = udp_trial(peer, tool, size, 0, seconds)
    if received == 0:
        raise MeasureError("no UDP packet was received")
    arrived = received / took
    low, high, best = 0.0, min(3 * arrived, sent / took), 0.0
    rate = min(arrived, high)
    for _ in range(steps):
        for _ in range(2):
            sent, received, took = udp_trial(peer, tool, size, rate, seconds)
            passed = sent > 0 and received >= 0.99 * sent
            if passed:
                break
        if passed:
            low, best = rate, max(best, received / took)
        else:
            high = rate
        rate = (low + high) / 2
    check_alive(peer)
    if best == 0.0:
        raise MeasureError(f"no rate above {high:.0f} packets/s lost less than 1 %")
    return best / 1e3


# --- round trips --------------------------------------------------------------------------------

def round_trip(peer, count, meanwhile=lambda: None):
    """The median round trip in microseconds, of pings sent every 2 ms."""
    pair = peer.pair
    pinging = pair.start(pair.private("a"), ["ping", "-n", "-c", count, "-i", "0.002", "-W", 1,
                                             INSIDE["b"]], stdout=subprocess.PIPE)
    deadline = time.monotonic() + 0.02 * count + 10
    try:
        while True:
            try:
                output = pinging.communicate(timeout=0.1)[0]
                break
            except subprocess.TimeoutExpired:
                meanwhile()
            if time.monotonic() > deadline:
                raise MeasureError("ping did not end")
    finally:
        pair.end(pinging)
    times = [1000 * float(ms) for ms in re.findall(r"time=([\d.]+) ms", output)]
    if len(times) < count / 2:
        raise MeasureError(f"only {len(times)} of {count} pings were answered")
    return statistics.median(times)


def under_load(peer, count):
    """The round trip under one TCP stream, and the peak memory of daemon a until its end."""
    pair, peak = peer.pair, [0.0]

    def look():
        peak[0] = max(peak[0], memory(peer.pids("a"))["pss"])
    with Iperf(peer, 60) as iperf:
        client = pair.start(pair.private("a"), iperf.client, stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL)
        try:
            time.sleep(0.5)  # excludes the slow start of the stream
            median = round_trip(peer, count, look)
            look()
            if client.poll() is not None:
                raise MeasureError("the TCP stream ended before the pings")
        finally:
            pair.end(client)
    check_alive(peer)
    return {"loaded": median, "pss_peak": peak[0],
            "rss_peak": memory(peer.pids("a"))["rss_peak"]}


def first_answer(peer):
    """Milliseconds from the start of daemon a to the first answered ping."""
    pair = peer.pair

    def answered():
        try:
            pair.run(pair.private("a"), ["ping", "-n", "-q", "-c", 1, "-i", "0.01", "-w", 1,
                                         INSIDE["b"]], 5)
        except MeasureError:
            check_alive(peer)
            return False
        return True
    wait_for("answer to a ping", 20, answered)
    return {"start": 1000 * (time.monotonic() - peer.started)}


def idle_memory(peer):
    now = memory(peer.pids("a"))
    return {"rss": now["rss"], "pss": now["pss"]}


def steps(seconds, udp_tool, impaired):
    """(name, function of a Peer) in measuring order; `seconds` is the length of one TCP run."""
    pings = max(100, round(250 * seconds))
    halvings, span = (7, 0.6) if seconds >= 3 else (5, 0.3)
    plain = [
        ("memory", idle_memory),
        ("round trip", lambda peer: {"idle": round_trip(peer, pings)}),
        ("1 stream", lambda peer: named("tcp1", "cpu1", tcp(peer, seconds))),
        ("4 streams", lambda peer: named("tcp4", "cpu4", tcp(peer, seconds, streams=4))),
        ("both directions", lambda peer: named(
            "bidir", "cpu_bidir", tcp(peer, seconds, both_directions=True))),
        ("round trip under load", lambda peer: under_load(peer, pings)),
    ]
    if impaired:  # every rate loses more than 1 % there
        return plain[1:]
    return plain + [
        ("64 byte UDP", lambda peer: {"udp64": udp_rate(peer, udp_tool, 64, halvings, span)}),
        ("1200 byte UDP", lambda peer: {"udp1200": udp_rate(peer, udp_tool, 1200, halvings, span)}),
    ]
