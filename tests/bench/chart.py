"""The figures of a comparison as an SVG: one panel per metric, one bar per peer.

Pure: the same data give the same bytes. The background is transparent; the colours are readable on
white and on black.
"""

import statistics
from xml.sax.saxutils import escape

from report import METRICS, ROUTEVPN, values

BRIEF = ("tcp1", "cpu1")
SHOWN = ("tcp1", "tcp4", "cpu1", "cpu4", "udp64", "udp1200", "idle", "loaded", "pss", "start")
TEXT, OTHERS, HIGHLIGHT = "#768390", "#8b949e", "#3b82f6"
WIDTH, MARGIN, GAP = 880, 12, 32
NAMES, FIGURES = 116, 64  # widths for the peer's name, left of the bars, and its figure, right
BAR, PITCH, TITLE, BOTTOM = 12, 20, 30, 18
PANEL = (WIDTH - 2 * MARGIN - GAP) / 2


def number(value):
    """One decimal at most, the same on every platform."""
    return f"{value:.1f}".rstrip("0").rstrip(".")


def text(x, y, words, size=12, anchor="start", weight="normal", fill=TEXT):
    return (f'<text x="{number(x)}" y="{number(y)}" font-size="{size}" text-anchor="{anchor}" '
            f'font-weight="{weight}" fill="{fill}">{escape(words)}</text>')


def bar(x, y, length, fill):
    return (f'<rect x="{number(x)}" y="{number(y)}" width="{number(max(length, 1))}" '
            f'height="{BAR}" rx="2" fill="{fill}" fill-opacity="0.65"/>')


def whisker(low, high, y):
    """From the minimum to the maximum."""
    middle, top, end = number(y + BAR / 2), number(y + 3), number(y + BAR - 3)
    low, high = number(low), number(high)
    return (f'<path d="M{low} {middle}H{high}M{low} {top}V{end}M{high} {top}V{end}" '
            f'stroke="{TEXT}" stroke-width="1.2" fill="none"/>')


def panel(data, metric, x, y):
    """One metric; empty when no peer has a value."""
    found = {peer: values(data, peer, metric.key) for peer in data["peers"]}
    found = {peer: numbers for peer, numbers in found.items() if numbers}
    if not found:
        return []
    direction = "more is better" if metric.more_is_better else "less is better"
    parts = [text(x, y + 14, metric.label, 13, weight="600"),
             text(x + PANEL, y + 14, direction, 11, "end")]
    scale = (PANEL - NAMES - FIGURES) / (max(max(numbers) for numbers in found.values()) or 1)
    left = x + NAMES
    for row, (peer, numbers) in enumerate(found.items()):
        at = y + TITLE + row * PITCH
        middle = statistics.median(numbers)
        is_routevpn = peer == ROUTEVPN
        parts += [
            text(left - 8, at + 10, peer, 12, "end", "600" if is_routevpn else "normal"),
            bar(left, at, middle * scale, HIGHLIGHT if is_routevpn else OTHERS),
            text(left + max(numbers) * scale + 6, at + 10, f"{middle:.{metric.digits}f}", 12,
                 weight="600" if is_routevpn else "normal")]
        if len(numbers) > 1:
            parts.append(whisker(left + min(numbers) * scale, left + max(numbers) * scale, at))
    return parts


def draw(data, keys=SHOWN):
    shown = [metric for key in keys for metric in METRICS
             if metric.key == key and any(values(data, peer, key) for peer in data["peers"])]
    height = TITLE + len(data["peers"]) * PITCH + BOTTOM
    parts = []
    for index, metric in enumerate(shown):
        parts += panel(data, metric, MARGIN + index % 2 * (PANEL + GAP),
                       MARGIN + index // 2 * height)
    total = MARGIN + (len(shown) + 1) // 2 * height
    label = escape(f"{ROUTEVPN} compared: medians of {len(data['rounds'])} rounds, "
                   f"whiskers from minimum to maximum")
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {number(total)}" '
        f'width="{WIDTH}" height="{number(total)}" role="img" '
        f'font-family="system-ui, -apple-system, \'Segoe UI\', sans-serif">',
        f"<title>{label}</title>", *parts, "</svg>", ""])
