"""Processor time and memory of processes, including their threads and children."""

import os
import re
import time

TICKS = os.sysconf("SC_CLK_TCK")


def read(path):
    """Empty when the process has exited."""
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def stat_fields(pid):
    """The fields of /proc/PID/stat from field 3 (state) on."""
    return read(f"/proc/{pid}/stat").rpartition(")")[2].split()


def with_children(pid):
    children = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            fields = stat_fields(entry)
            if fields:
                children.setdefault(int(fields[1]), []).append(int(entry))
    found = [pid]
    for each in found:
        found += children.get(each, [])
    return found


def processor_seconds(pids):
    """User and system time, including the network stack where it ran on a process's account."""
    ticks = 0
    for pid in pids:
        fields = stat_fields(pid)
        if fields:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS


def memory(pids):
    """Current RSS and PSS and the peak RSS, in MiB. PSS divides a shared page by the number of
    processes that map it."""
    def kib(text, name):
        found = re.search(rf"^{name}:\s+(\d+) kB", text, re.MULTILINE)
        return int(found.group(1)) if found else 0
    total = {"rss": 0, "pss": 0, "rss_peak": 0}
    for pid in pids:
        rollup = read(f"/proc/{pid}/smaps_rollup")
        total["rss"] += kib(rollup, "Rss")
        total["pss"] += kib(rollup, "Pss")
        total["rss_peak"] += kib(read(f"/proc/{pid}/status"), "VmHWM")
    return {name: value / 1024 for name, value in total.items()}


class Window:
    """The processor time that the processes used between entry and exit of the context."""

    def __init__(self, pids):
        self.pids = pids
        self.seconds = 0.0

    def __enter__(self):
        self.before = processor_seconds(self.pids)
        self.began = time.monotonic()
        return self

    def __exit__(self, *_):
        self.seconds = processor_seconds(self.pids) - self.before
