#!/usr/bin/env python3
"""Prints a line for each end of a link: links.py GATEWAY... Standard input: `routevpn show --json` of each."""
import json
import sys

COLUMNS = "{:<16}{:<8}{:<12}{:>8}{:>8}{:>14}{:>14}"


def arrays(text):
    """The JSON arrays of the text, one after the other."""
    decoder = json.JSONDecoder()
    text = text.strip()
    while text:
        array, end = decoder.raw_decode(text)
        yield array
        text = text[end:].lstrip()


def row(gateway, link):
    rtt = link["rtt_us"]
    return COLUMNS.format(
        gateway, link["ifname"], link["state"],
        f"{(rtt['smoothed'] or 0) / 1000:.2f}", f"{(rtt['jitter'] or 0) / 1000:.2f}",
        f"{link['rx']['bytes'] / 1024:.0f} KiB", f"{link['tx']['bytes'] / 1024:.0f} KiB")


def main():
    print(COLUMNS.format("gateway", "link", "state", "rtt ms", "jitter", "received", "sent"))
    for gateway, array in zip(sys.argv[1:], arrays(sys.stdin.read())):
        for link in array:
            print(row(gateway, link))


if __name__ == "__main__":
    main()
