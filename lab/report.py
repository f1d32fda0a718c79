#!/usr/bin/env python3
"""Losses of the streams of a scenario: report.py table DIR... | machines DIR... | worst DIR | plot DIR FILE.svg

A DIR is one run, as lab/failover.sh leaves it: scenario, description, bar, recovery-bar, back, events, sent-*
and received-*. A packet is sent every millisecond.
table prints a row for each run and, for several runs of a scenario, a row of the largest losses. Its exit
status is 1 if a scenario has lost more than allowed. machines prints a row for each run, whose losses are
those of the failure and of the mending, and the seconds until all routes were back. worst prints three numbers in ms: the largest loss of
a stream by the failure, the largest by the mending, and the longest pause of a sender.
"""
import itertools
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
        self.back = number(here / "back")
        self.recovery_bar = number(here / "recovery-bar")
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

    def all_of(self, flow):
        return losses(flow, self.broken_ns, float("inf"))

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


def number(path):
    """The number in the file, or None."""
    text = path.read_text().strip() if path.exists() else ""
    return float(text) if text and text != "never" else None


def changed(before, after):
    """The number of links and sessions that have changed."""
    pairs = itertools.zip_longest(before.read_text().splitlines(), after.read_text().splitlines(), fillvalue="")
    return sum(not is_same(one, other) for one, other in pairs)


def is_same(one, other):
    """BIRD prints the same time of a change with 1 ms more or less."""
    words = one.split(), other.split()
    if one == other or len(words[0]) != 2 or len(words[1]) != 2 or words[0][0] != words[1][0]:
        return one == other
    times = [seconds_of_day(word[1]) for word in words]
    return None not in times and abs(times[0] - times[1]) < 0.1


def seconds_of_day(text):
    parts = text.split(":")
    return sum(float(part) * 60 ** (2 - at) for at, part in enumerate(parts)) if len(parts) == 3 else None


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


def machine_faults(run, worst):
    faults = []
    if run.bar is not None and worst > run.bar:
        faults.append(f"MISSED: at most {run.bar} ms may be lost")
    if run.back is None:
        faults.append("MISSED: not all routes have come back, or a unit has failed")
    elif run.recovery_bar is not None and run.back > run.recovery_bar:
        faults.append(f"MISSED: at most {run.recovery_bar:.0f} s until the routes are back")
    if run.flaps:
        faults.append(f"MISSED: {run.flaps} links or sessions have changed")
    return faults


def machine_row(directory):
    """Prints the row of one run. Returns whether it is within its limits."""
    if not (pathlib.Path(directory) / "back").exists():
        print(f"{pathlib.Path(directory).name:<18} was not carried out to its end")
        return False
    run = Run(directory)
    by_family = {"4": [], "6": []}
    for name, flow in run.flows.items():
        by_family[name[-1]].append(run.all_of(flow))
    if len(run.flows) != 4:
        print(f"{run.scenario:<18} has not measured all four streams; the reason is in their logs")
        return False
    lost = {family: max(sum_ms for sum_ms, _ in gaps) for family, gaps in by_family.items()}
    longest = max(gap for gaps in by_family.values() for _, gap in gaps)
    faults = machine_faults(run, max(lost.values()))
    limit = "" if run.bar is None else run.bar
    back = "never" if run.back is None else f"{run.back:.1f}"
    print(f"{run.scenario:<18}{lost['4']:>10}{lost['6']:>10}{longest:>10}{limit:>8}{back:>10}  "
          + ("; ".join(faults) or "ok"))
    return not faults


def machines(directories):
    print(f"{'scenario':<18}{'IPv4 lost':>10}{'IPv6 lost':>10}{'gap':>10}{'limit':>8}{'back':>10}")
    print("ms in the stream that lost most, longest gap and limit in ms, seconds until all routes were back")
    kept = [machine_row(directory) for directory in directories]
    return 0 if all(kept) else 1


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
    if len(arguments) >= 2 and arguments[0] == "machines":
        return machines(arguments[1:])
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
