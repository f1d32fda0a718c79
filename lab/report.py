#!/usr/bin/env python3
"""Losses of the streams of a scenario: report.py table DIR... | worst DIR | plot DIR FILE.svg

A DIR is one run, as lab/failover.sh leaves it: scenario, description, bar, events, sent-* and
received-*. A packet is sent every millisecond.
table prints a row for each run and, for several runs of a scenario, a row of the largest losses. Its exit
status is 1 if a scenario has lost more than allowed. worst prints three numbers in ms: the largest loss of
a stream by the failure, the largest by the mending, and the longest pause of a sender.
"""
import pathlib
import sys

import chart


class Flow:
    """One stream: the times at which numbers were sent, and those at which they arrived."""

    def __init__(self, name, sent_ns):
        self.name, self.sent_ns = name, sent_ns
        self.arrivals = {}  # number: (sent, arrived)

    def lost(self):
        return [n for n in range(len(self.sent_ns)) if n not in self.arrivals]


class Run:
    """One run of one scenario."""

    def __init__(self, directory):
        here = pathlib.Path(directory)
        self.scenario = (here / "scenario").read_text().strip()
        self.description = (here / "description").read_text().strip()
        bar = (here / "bar").read_text().strip()
        self.bar = int(bar) if bar else None
        events = [line.split() for line in (here / "events").read_text().splitlines()]
        self.events = {text: int(ns) for ns, text in events}
        # The failure also loses packets that were in flight: up to 20 ms.
        self.broken_ns = self.events["broken"] - 20_000_000
        self.flows = {}
        for path in sorted(here.glob("sent-*")):
            self._read_sent(path)
        for path in sorted(here.glob("received-*")):
            self._read_received(path)
        self.flaps = None
        if (here / "states-after").exists():
            self.flaps = changed(here / "states-before", here / "states-after")

    def _read_sent(self, path):
        lines = path.read_text().splitlines()
        names = [line.split()[1] for line in lines if line.startswith("flow ")]
        sent_ns = [int(line) for line in lines[len(names):]]
        for name in names:
            self.flows[name] = Flow(name, sent_ns)

    def _read_received(self, path):
        with path.open() as file:
            for line in file:
                name, number, sent, came = line.split()
                if name in self.flows:
                    self.flows[name].arrivals[int(number)] = (int(sent), int(came))

    def failure(self, flow):
        """(all losses, the longest gap) from the failure to the mending."""
        return losses(flow, self.broken_ns, self.events["mended"])

    def recovery(self, flow):
        return losses(flow, self.events["mended"], float("inf"))

    def before(self, flow):
        return losses(flow, 0, self.broken_ns)

    def worst(self):
        return max(self.failure(flow)[0] for flow in self.flows.values())

    def longest_pause_ms(self):
        """The longest time between two packets of a sender, which the machine has caused."""
        return max(b - a for flow in self.flows.values()
                   for a, b in zip(flow.sent_ns, flow.sent_ns[1:])) // 1_000_000

    def worst_mended(self):
        return max(self.recovery(flow)[0] for flow in self.flows.values())


def changed(before, after):
    """The number of links and sessions that have changed."""
    pairs = zip(before.read_text().splitlines(), after.read_text().splitlines())
    return sum(one != other for one, other in pairs)


def losses(flow, begin_ns, end_ns):
    """(sum, longest) of the gaps of this time, in ms. A gap lasts from the sending of the first lost
    packet to the sending of the next packet that arrived. On an idle machine it is 1 ms per packet."""
    gaps = []
    previous = None
    for number in flow.lost():
        if not begin_ns <= flow.sent_ns[number] < end_ns:
            continue
        if number - 1 != previous:
            gaps.append(0)
        following = flow.sent_ns[min(number + 1, len(flow.sent_ns) - 1)]
        gaps[-1] += (following - flow.sent_ns[number]) / 1_000_000
        previous = number
    # A gap after a late packet can be shorter than 1 ms. It counts as 1 ms.
    gaps = [max(1, round(gap)) for gap in gaps]
    return sum(gaps), max(gaps, default=0)


def row(first, cells, verdict):
    print(f"{first:<18}" + "".join(f"{cell:>13}" for cell in cells) + f"  {verdict}")


def verdict_of(worst, bar):
    if bar is None:
        return ""
    return f"at most {bar}: " + ("ok" if worst <= bar else "MISSED")


def print_scenario(runs):
    """Prints the rows of one scenario. Returns whether its losses are within the limit."""
    incomplete = [run for run in runs if len(run.flows) != 4]
    if incomplete:
        print(f"{runs[0].scenario}: {len(incomplete)} of {len(runs)} runs have not measured all "
              "four streams; the reason is in their logs")
        return False
    names = sorted(runs[0].flows, key=lambda name: (name.split("-")[0] != "R1", name))
    row(runs[0].scenario, [name[:-2] + " IPv" + name[-1] for name in names] + ["mended"], "")
    print(f"  {runs[0].description}; lost ms, and in brackets the longest gap")
    most = [0] * len(names)
    most_mended = 0
    for index, run in enumerate(runs, 1):
        failures = [run.failure(run.flows[name]) for name in names]
        mended = run.worst_mended()
        most = [max(m, lost) for m, (lost, _) in zip(most, failures)]
        most_mended = max(most_mended, mended)
        extra = "" if run.flaps is None else f"flaps: {run.flaps}"
        stray = max(run.before(run.flows[name])[0] for name in names)
        if stray:
            extra += f" {stray} lost before the failure"
        if run.longest_pause_ms() > 50:
            extra += f" a sender paused for {run.longest_pause_ms()} ms"
        if len(runs) == 1:
            extra = (verdict_of(max(most), run.bar) + " " + extra).strip()
        cells = [f"{lost} ({gap})" for lost, gap in failures]
        row(f"  run {index}", cells + [mended], extra)
    worst = max(run.worst() for run in runs)
    if len(runs) > 1:
        row("  largest", most + [most_mended], verdict_of(worst, runs[0].bar))
    return runs[0].bar is None or worst <= runs[0].bar


def table(directories):
    by_scenario = {}
    for directory in directories:
        run = Run(directory)
        by_scenario.setdefault(run.scenario, []).append(run)
    kept = [print_scenario(runs) for runs in by_scenario.values()]
    return 0 if all(kept) else 1


def main(arguments):
    if len(arguments) >= 2 and arguments[0] == "table":
        return table(arguments[1:])
    if len(arguments) == 2 and arguments[0] == "worst":
        run = Run(arguments[1])
        print(run.worst(), run.worst_mended(), run.longest_pause_ms())
        return 0
    if len(arguments) == 3 and arguments[0] == "plot":
        pathlib.Path(arguments[2]).write_text(chart.draw(Run(arguments[1])))
        return 0
    print(__doc__.splitlines()[0], file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
