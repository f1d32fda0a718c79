#!/usr/bin/env python3
"""Measures routevpn and the VPNs of Debian against each other on this machine.

Every round brings up all tunnels, each between its own namespaces. A metric is measured on one
tunnel after the other, so that its figures are at most minutes apart. The order of the tunnels
rotates from round to round. Results go to DIR: comparison.json, comparison.md and comparison.svg,
and the short versions comparison-brief.md and .svg for README.md. With --impaired the names begin
with impaired, with --variants with variants. Needs root.
"""

import argparse
import collections
import contextlib
import json
import os
import signal
import sys
import tempfile

import chart
import impairment
import machine
import probes
import report
from network import MTU, PREFIX, MeasureError, Pair, remove_leftovers, wait_for
from peer import make_credentials
from peers import ALL, COMPARED, IMPAIRED, VARIANTS


def save(directory, name, text):
    """Atomically: readers see the old file or the new one."""
    path = os.path.join(directory, name)
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(path + ".new", path)


def save_all(directory, data):
    name = data["about"]["name"]
    save(directory, f"{name}.json", json.dumps(data, indent=1) + "\n")
    if any(data["rounds"]):
        save(directory, f"{name}.md", report.section(data))
        save(directory, f"{name}.svg", chart.draw(data))
        save(directory, f"{name}-brief.md", report.brief(data))
        save(directory, f"{name}-brief.svg", chart.draw(data, chart.BRIEF))


class Round:
    """One round: brings up, measures and removes every peer."""

    def __init__(self, args, credentials, names, record):
        self.args = args
        self.credentials = credentials
        self.names = names
        self.record = record  # record(peer's name, step, metrics), or (name, step, None, error)
        self.standing = collections.OrderedDict()

    def attempt(self, name, what, measure):
        try:
            self.record(name, what, measure())
            return True
        except (MeasureError, OSError, ValueError, KeyError) as error:
            self.record(name, what, None, str(error))
            return False

    def bring_up(self, name, stack):
        pair = impairment.ImpairedPair(self.args.detour) if self.args.impaired else Pair()
        stack.enter_context(pair)
        peer = ALL[name](pair, self.credentials, self.args.routevpn)

        def start():
            peer.start()
            metrics = probes.first_answer(peer)
            wait_for("full readiness", 30, peer.is_ready)
            return metrics
        if self.attempt(name, "start", start):
            self.standing[name] = peer

    def run(self):
        with contextlib.ExitStack() as stack:
            for name in self.names:
                self.bring_up(name, stack)
            for what, measure in probes.steps(self.args.seconds, self.args.udp_rate,
                                              self.args.impaired):
                for name, peer in list(self.standing.items()):
                    self.attempt(name, what, lambda: measure(peer))
                    if peer.fault():
                        del self.standing[name]
            if self.args.impaired:
                for name, peer in self.standing.items():
                    self.attempt(name, "the path", peer.pair.what_happened)


def choose(names):
    """The peers that can run here, and why the others cannot."""
    chosen, skipped = [], {}
    for name in names:
        missing = ALL[name].missing()
        if missing:
            skipped[name] = f"no {' and no '.join(missing)}"
        elif name not in chosen:
            chosen.append(name)
    for name, reason in skipped.items():
        print(f"left out: {name}: {reason}", file=sys.stderr)
    if not chosen:
        sys.exit("compare.py: no peer is left")
    return chosen, skipped


def compare(args):
    names, skipped = choose(args.peers)
    data = {"about": {**machine.describe(), "name": args.name, "mtu": MTU, "seconds": args.seconds,
                      "command": args.command, "impaired": args.impaired,
                      "model": impairment.MODEL if args.impaired else ""},
            "peers": {name: {"about": ALL[name].about, "version": ALL[name].version()}
                      for name in names},
            "skipped": skipped, "rounds": [], "faults": []}
    os.makedirs(args.out, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{PREFIX}{os.getpid()}-") as credentials:
        make_credentials(args.routevpn, credentials)
        for number in range(args.rounds):
            results = {name: {} for name in names}
            data["rounds"].append(results)

            def record(name, what, metrics, error=None):
                if error is None:
                    results[name].update(metrics)
                    text = " ".join(f"{key}={value:.4g}" for key, value in metrics.items())
                else:
                    data["faults"].append(f"round {number + 1}: {name}: {what}: {error}")
                    text = f"FAILED: {error}"
                print(f"round {number + 1}: {name}: {what}: {text}", file=sys.stderr, flush=True)
                save_all(args.out, data)
            shift = number % len(names)
            Round(args, credentials, names[shift:] + names[:shift], record).run()
    print(report.section(data))
    return 1 if data["faults"] else 0


def options():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    build = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../build/release")
    parser.add_argument("--routevpn", default=f"{build}/src/routevpn", help="the program")
    parser.add_argument("--udp-rate", default=f"{build}/tests/bench/udp_rate", help="the program")
    parser.add_argument("--detour", default=f"{build}/tests/bench/detour", help="the program")
    parser.add_argument("--peers", type=lambda text: text.split(","), metavar="NAME,NAME...",
                        help=f"of {','.join(ALL)}; default: all but the variants")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4, help="of each TCP run")
    parser.add_argument("--quick", action="store_true", help="one round of runs of one second")
    parser.add_argument("--impaired", action="store_true", help=impairment.MODEL.replace("%", "%%"))
    parser.add_argument("--variants", action="store_true",
                        help="compares routevpn with itself under other options")
    parser.add_argument("--out", default="build/bench", metavar="DIR")
    parser.add_argument("--command", default="tests/bench/compare.py",
                        help="command that the report names")
    args = parser.parse_args()
    if args.quick:
        args.rounds, args.seconds = 1, 1
    if args.rounds < 1 or args.seconds < 1:
        parser.error("--rounds and --seconds: at least 1")
    for name in args.peers or ():
        if name not in ALL:
            parser.error(f"there is no peer '{name}': {', '.join(ALL)} are")
    args.name, usual = "comparison", COMPARED
    if args.variants:
        args.name, usual = "variants", VARIANTS
    if args.impaired:
        args.name, usual = "impaired", IMPAIRED
    args.peers = args.peers or list(usual)
    return args


def end_in_order():
    """The first signal exits through the clean-up; later signals must not interrupt that."""
    ending = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)

    def end(*_):
        for number in ending:
            signal.signal(number, signal.SIG_IGN)
        sys.exit(130)
    for number in ending:
        signal.signal(number, end)


def main():
    args = options()
    if os.geteuid() != 0:
        sys.exit("compare.py: needs root")
    end_in_order()
    try:
        remove_leftovers()
        return compare(args)
    except MeasureError as error:
        sys.exit(f"compare.py: {error}")


if __name__ == "__main__":
    sys.exit(main())
