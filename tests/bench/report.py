"""The figures of a comparison as Markdown. Pure: the same data give the same text."""

import statistics
import textwrap
from typing import NamedTuple

from machine import sentence

OURS = "routevpn"


class Metric(NamedTuple):
    key: str
    label: str
    digits: int
    more_is_better: bool


METRICS = (
    Metric("tcp1", "TCP, 1 stream, Gbit/s", 2, True),
    Metric("tcp4", "TCP, 4 streams, Gbit/s", 2, True),
    Metric("bidir", "TCP both ways at once, sum, Gbit/s", 2, True),
    Metric("cpu1", "CPU s/GiB, 1 stream", 2, False),
    Metric("cpu4", "CPU s/GiB, 4 streams", 2, False),
    Metric("cpu_bidir", "CPU s/GiB, both ways", 2, False),
    Metric("udp64", "UDP of 64 bytes, thousand/s", 0, True),
    Metric("udp1200", "UDP of 1200 bytes, thousand/s", 0, True),
    Metric("idle", "Round trip, idle, µs", 0, False),
    Metric("loaded", "Round trip beside a TCP stream, µs", 0, False),
    Metric("rss", "RSS, idle, MiB", 1, False),
    Metric("rss_peak", "RSS, highest, MiB", 1, False),
    Metric("pss", "PSS, idle, MiB", 1, False),
    Metric("pss_peak", "PSS, highest, MiB", 1, False),
    Metric("start", "Start to first answered ping, ms", 0, False),
)
PATH = (
    Metric("lost", "Lost on the way, %", 2, False),
    Metric("late", "Late on the way, %", 2, False),
)
LEGEND = (
    "CPU is the user and system time of both daemons, with the kernel's network stack where it ran "
    "in their name, per GiB of TCP payload. UDP is the highest rate of which less than 1 % is "
    "lost. Round trips are medians. Memory is the initiating daemon's with its children; PSS "
    "shares pages among all daemons that ran then.")


def values(data, peer, key):
    """Of the rounds that have it, in their order."""
    return [each[peer][key] for each in data["rounds"] if key in each.get(peer, {})]


def ratios(data, peer, metric):
    """Ours against the peer's in the same round; above 1 ours is better."""
    result = []
    for each in data["rounds"]:
        ours, theirs = each.get(OURS, {}).get(metric.key), each.get(peer, {}).get(metric.key)
        if ours and theirs:
            result.append(ours / theirs if metric.more_is_better else theirs / ours)
    return result


def cell(numbers, digits):
    """"median (least–greatest)"."""
    if not numbers:
        return "–"
    middle = f"{statistics.median(numbers):.{digits}f}"
    if len(numbers) == 1:
        return middle
    return f"{middle} ({min(numbers):.{digits}f}–{max(numbers):.{digits}f})"


def table(corner, columns, rows):
    """rows: (label, [cell, ...]); those without a single figure are left out."""
    lines = [f"| {corner} | {' | '.join(columns)} |", "|---|" + "--:|" * len(columns)]
    lines += [f"| {label} | {' | '.join(cells)} |" for label, cells in rows
              if any(each != "–" for each in cells)]
    return "\n".join(lines) + "\n"


def figures(data):
    peers = list(data["peers"])
    return table("Median (least–greatest)", peers, [
        (metric.label, [cell(values(data, peer, metric.key), metric.digits) for peer in peers])
        for metric in METRICS + PATH])


def comparison(data):
    peers = [peer for peer in data["peers"] if peer != OURS]
    if not peers or OURS not in data["peers"]:
        return ""
    rows = [(metric.label, [cell(ratios(data, peer, metric), 2) for peer in peers])
            for metric in METRICS]
    return (f"How many times better {OURS} is in the same round (below 1: worse):\n\n"
            + table("Median (least–greatest)", peers, rows))


def prose(text):
    return textwrap.fill(text, 100, break_on_hyphens=False, break_long_words=False) + "\n"


def conditions(data):
    about, rounds = data["about"], len(data["rounds"])
    many = f"{rounds} rounds" if rounds != 1 else "One round, so no spread"
    text = (f"`{about['command']}`, {sentence(about)}. Both gateways, generator and sink share the "
            f"cores. {many}, TCP runs of {about['seconds']} s, MTU {about['mtu']} inside and 1500 "
            f"outside.")
    if about["impaired"]:
        text += f" Of what is outside, {about['model']}."
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
    return "\nWhat failed:\n\n" + "".join(f"- {' '.join(each.split())}\n"
                                          for each in data["faults"])


def section(data):
    """All of it, as it stands in the README."""
    parts = [conditions(data), figures(data), comparison(data), prose(LEGEND), peer_list(data)]
    return "\n".join(part for part in parts if part) + faults(data)
