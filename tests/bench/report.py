"""The figures of a comparison as Markdown. Pure: the same data give the same text."""

import statistics
import textwrap
from typing import NamedTuple

from machine import sentence

ROUTEVPN = "routevpn"


class Metric(NamedTuple):
    key: str
    label: str
    digits: int
    more_is_better: bool


METRICS = (
    Metric("tcp1", "TCP, 1 stream, Gbit/s", 2, True),
    Metric("tcp4", "TCP, 4 streams, Gbit/s", 2, True),
    Metric("bidir", "TCP, both directions at once, sum, Gbit/s", 2, True),
    Metric("cpu1", "CPU s/GiB, 1 stream", 2, False),
    Metric("cpu4", "CPU s/GiB, 4 streams", 2, False),
    Metric("cpu_bidir", "CPU s/GiB, both directions", 2, False),
    Metric("udp64", "UDP, 64 bytes, thousand packets/s", 0, True),
    Metric("udp1200", "UDP, 1200 bytes, thousand packets/s", 0, True),
    Metric("idle", "Round trip, idle, µs", 0, False),
    Metric("loaded", "Round trip under one TCP stream, µs", 0, False),
    Metric("rss", "RSS, idle, MiB", 1, False),
    Metric("rss_peak", "RSS, peak, MiB", 1, False),
    Metric("pss", "PSS, idle, MiB", 1, False),
    Metric("pss_peak", "PSS, peak, MiB", 1, False),
    Metric("start", "Start to first answered ping, ms", 0, False),
)
PATH = (
    Metric("lost", "Lost on the path, %", 2, False),
    Metric("late", "Delayed on the path, %", 2, False),
)
LEGEND = (
    "CPU is the user and system time of both daemons per GiB of TCP payload. System time includes "
    "the kernel's network stack where it ran on a daemon's account. UDP is the highest rate with "
    "less than 1 % loss. Round trips are medians. Memory is that of the initiating daemon and its "
    "children; PSS divides a shared page by the number of processes that map it.")
BRIEF = ("tcp1", "cpu1", "udp64", "idle", "loaded")  # the rows of brief()


def values(data, peer, key):
    """One value for each round that has the metric, in the order of the rounds."""
    return [each[peer][key] for each in data["rounds"] if key in each.get(peer, {})]


def ratios(data, peer, metric):
    """routevpn's value against the peer's of the same round; above 1 routevpn is better."""
    result = []
    for each in data["rounds"]:
        own, other = each.get(ROUTEVPN, {}).get(metric.key), each.get(peer, {}).get(metric.key)
        if own and other:
            result.append(own / other if metric.more_is_better else other / own)
    return result


def cell(numbers, digits):
    """"median (min–max)"."""
    if not numbers:
        return "–"
    middle = f"{statistics.median(numbers):.{digits}f}"
    if len(numbers) == 1:
        return middle
    return f"{middle} ({min(numbers):.{digits}f}–{max(numbers):.{digits}f})"


def table(corner, columns, rows):
    """rows: (label, [cell, ...]); rows without any figure are left out."""
    lines = [f"| {corner} | {' | '.join(columns)} |", "|---|" + "--:|" * len(columns)]
    lines += [f"| {label} | {' | '.join(cells)} |" for label, cells in rows
              if any(each != "–" for each in cells)]
    return "\n".join(lines) + "\n"


def figures(data):
    peers = list(data["peers"])
    return table("Median (min–max)", peers, [
        (metric.label, [cell(values(data, peer, metric.key), metric.digits) for peer in peers])
        for metric in METRICS + PATH])


def comparison(data):
    peers = [peer for peer in data["peers"] if peer != ROUTEVPN]
    if not peers or ROUTEVPN not in data["peers"]:
        return ""
    rows = [(metric.label, [cell(ratios(data, peer, metric), 2) for peer in peers])
            for metric in METRICS]
    return (f"How many times better {ROUTEVPN} is in the same round (below 1: worse):\n\n"
            + table("Median (min–max)", peers, rows))


def brief(data):
    """The medians that README.md shows, and how they were measured."""
    peers = list(data["peers"])
    rows = []
    for metric in METRICS:
        if metric.key in BRIEF:
            found = [values(data, peer, metric.key) for peer in peers]
            rows.append((metric.label, [cell([statistics.median(each)] if each else [],
                                             metric.digits) for each in found]))
    return table("Median", peers, rows) + "\n" + conditions(data)


def prose(text):
    return textwrap.fill(text, 100, break_on_hyphens=False, break_long_words=False) + "\n"


def conditions(data):
    about, rounds = data["about"], len(data["rounds"])
    many = f"{rounds} rounds" if rounds != 1 else "One round, therefore no spread"
    text = (f"`{about['command']}`, {sentence(about)}. Both gateways, the traffic source and the "
            f"sink share the cores. {many}, TCP runs of {about['seconds']} s, MTU {about['mtu']} "
            f"inside and 1500 outside.")
    if about["impaired"]:
        text += f" {about['model']}."
    return prose(text)


def peer_list(data):
    lines = []
    for name, peer in data["peers"].items():
        version = f" {peer['version']}" if peer["version"] else ""
        lines.append(f"- {name}{version}: {peer['about']}")
    lines += [f"- {name}: not measured, {reason}" for name, reason in data["skipped"].items()]
    return "\n".join(lines) + "\n"


def faults(data):
    if not data["faults"]:
        return ""
    return "\nFailed measurements:\n\n" + "".join(f"- {' '.join(each.split())}\n"
                                                for each in data["faults"])


def section(data):
    """The whole report, as it stands in tests/bench/README.md."""
    parts = [conditions(data), figures(data), comparison(data), prose(LEGEND), peer_list(data)]
    return "\n".join(part for part in parts if part) + faults(data)
