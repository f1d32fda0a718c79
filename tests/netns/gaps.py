#!/usr/bin/env python3
"""Sends an echo request every millisecond until SIGTERM, then 300 more, and finds the longest time without an
answer.

usage: gaps.py NETNS TARGET

Prints one line of JSON: requests sent, requests answered, answers that came more than once, and the longest time
between two answers in milliseconds.
"""

import json
import signal
import sys
import time

from pings import Pings

PERIOD_S = 0.001
AFTER_THE_END = 300  # requests


def main():
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped or stopped.append(True))
    pings = Pings(*sys.argv[1:3])
    due = last = time.monotonic()
    longest = 0
    left = AFTER_THE_END
    while left > 0:
        left -= len(stopped)
        answered = len(pings.answered)
        pings.send()
        if pings.sent == 1:
            print("the first request is sent", file=sys.stderr, flush=True)
        due = max(due + PERIOD_S, time.monotonic())
        pings.receive(due)
        now = time.monotonic()
        if len(pings.answered) != answered:
            longest = max(longest, now - last)
            last = now
    longest = max(longest, time.monotonic() - last)  # without an answer until the end
    pings.receive(time.monotonic() + 0.5)
    print(json.dumps({"sent": pings.sent, "answered": len(pings.answered), "duplicates": pings.duplicates,
                      "longest_ms": round(longest * 1000, 1)}))


if __name__ == "__main__":
    main()
