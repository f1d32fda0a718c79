"""The streams of one scenario as a picture (SVG): over time, the share of lost packets and the delay of
the others."""
import html

WIDTH, LANE, LEFT, TOP = 1000, 90, 110, 64
MS = 1_000_000
LOST, TOOK, INK, PALE = "#c0392b", "#2471a3", "#222222", "#dddddd"


class Bins:
    """One stream in equal intervals: the lost packets and the slowest packet of each."""

    def __init__(self, flow, begin_ns, bin_ns, count):
        self.sent, self.lost, self.took_ms = [0] * count, [0] * count, [0.0] * count
        for number, sent_ns in enumerate(flow.sent_ns):
            at = int((sent_ns - begin_ns) // bin_ns)
            if not 0 <= at < count:
                continue
            self.sent[at] += 1
            if number in flow.arrivals:
                sent, came = flow.arrivals[number]
                self.took_ms[at] = max(self.took_ms[at], (came - sent) / MS)
            else:
                self.lost[at] += 1


def text(x, y, words, size=12, anchor="start", colour=INK):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" '
            f'fill="{colour}">{html.escape(words)}</text>')


def line(x1, y1, x2, y2, colour, dash=""):
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return (f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
            f'stroke="{colour}"{dashes}/>')


def lane(bins, top, wide, slowest_ms):
    """Lost packets from the top down, the slowest packets from the bottom up."""
    height = LANE - 20
    parts = [f'<rect x="{LEFT}" y="{top}" width="{wide * len(bins.sent):.1f}" height="{height}" '
             f'fill="none" stroke="{PALE}"/>']
    points = []
    for at, sent in enumerate(bins.sent):
        x = LEFT + at * wide
        if bins.lost[at]:
            parts.append(f'<rect x="{x:.2f}" y="{top}" width="{wide:.2f}" '
                         f'height="{height * bins.lost[at] / sent:.1f}" fill="{LOST}" '
                         'shape-rendering="crispEdges"/>')
        if bins.took_ms[at] > 0:
            y = top + height * (1 - bins.took_ms[at] / slowest_ms)
            points.append(f"{x + wide / 2:.1f},{y:.1f}")
    parts.append(f'<polyline points="{" ".join(points)}" fill="none" stroke="{TOOK}"/>')
    parts.append(text(LEFT + wide * len(bins.sent) + 6, top + 10, f"{slowest_ms:.1f} ms", 10,
                      colour=TOOK))
    return parts


def seconds_axis(begin_ns, end_ns, zero_ns, x_of, y):
    step = next(s for s in (1, 2, 5, 10, 30, 60, 300) if (end_ns - begin_ns) / 1e9 / s <= 25)
    parts = []
    second = -((zero_ns - begin_ns) // 1_000_000_000) // step * step
    while zero_ns + second * 1_000_000_000 <= end_ns:
        at = zero_ns + second * 1_000_000_000
        if at >= begin_ns:
            parts += [line(x_of(at), y, x_of(at), y + 5, INK),
                      text(x_of(at), y + 18, f"{second} s", 11, "middle")]
        second += step
    return parts


def draw(run):
    flows = [run.flows[name] for name in sorted(run.flows)]
    begin = min(flow.sent_ns[0] for flow in flows)
    end = max(flow.sent_ns[-1] for flow in flows)
    count = 800
    bin_ns = (end - begin) / count
    wide = (WIDTH - LEFT - 70) / count

    def x_of(ns):
        return LEFT + (ns - begin) / bin_ns * wide

    bottom = TOP + LANE * len(flows)
    body = [text(LEFT, 22, f"{run.scenario}: {run.description}", 15),
            text(LEFT, 40, "red: share of lost packets; blue: delay of the slowest of the others", 11)]
    for index, flow in enumerate(flows):
        top = TOP + LANE * index
        bins = Bins(flow, begin, bin_ns, count)
        body.append(text(LEFT - 8, top + 40, flow.name[:-2] + " IPv" + flow.name[-1], 12, "end"))
        body += lane(bins, top, wide, max(max(bins.took_ms), 0.1))
    for name, ns in run.events.items():
        body += [line(x_of(ns), TOP - 6, x_of(ns), bottom - 14, INK, "4 3"),
                 text(x_of(ns) + 3, TOP - 8, name, 11)]
    body += seconds_axis(begin, end, run.events["broken"], x_of, bottom - 12)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + 16}" '
            f'font-family="sans-serif"><rect width="100%" height="100%" fill="white"/>\n'
            + "\n".join(body) + "\n</svg>\n")
