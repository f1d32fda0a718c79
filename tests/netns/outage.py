#!/usr/bin/env python3
"""Kills a process and measures how long a link is down.

usage: outage.py NETNS TARGET PID SIGNAL

When TARGET answers an echo request, the program sends the signal, waits for the end of the process, and then sends
a request every 2 ms. It prints the milliseconds from the signal to the first answer to one of these.
"""

import os
import select
import signal
import sys
import time

from pings import Pings

PERIOD_S = 0.002
WAIT_S = 30


def wait_for_answer(pings, first):
    end = time.monotonic() + WAIT_S
    while not any(number >= first for number in pings.answered):
        if time.monotonic() > end:
            sys.exit(f"outage.py: no answer within {WAIT_S} s")
        pings.send()
        pings.receive(time.monotonic() + PERIOD_S)


def main():
    pings = Pings(sys.argv[1], sys.argv[2])
    victim = os.pidfd_open(int(sys.argv[3]))
    wait_for_answer(pings, 0)
    began = time.monotonic()
    signal.pidfd_send_signal(victim, signal.Signals["SIG" + sys.argv[4]])
    select.select([victim], [], [])
    wait_for_answer(pings, pings.sent)
    print(round((time.monotonic() - began) * 1000))


main()
