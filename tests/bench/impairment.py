"""A path that loses and reorders datagrams in the same way for every peer.

    public a ==== eth-a  path  eth-b ==== public b
                         |  |
                        detour (TUN)

`path` is a namespace that routes. Each datagram is treated independently, in each direction:

    loss       nftables drops the datagram with the probability LOSS.
    reorder    With the probability REORDER the kernel routes the datagram through `detour`, which
               adds DETOUR_US. Datagrams sent less than DETOUR_US later overtake it. A program
               behind a TUN interface makes the delay, because the delay must not depend on the
               rate. All other datagrams stay in the kernel.

Loss and reordering apply to datagrams as on a wire: the gateways' interfaces have no segmentation
offload, so the kernel splits the data of a UDP_SEGMENT call before the path. GRO is on for
reception, as on physical interfaces.
"""

import json

from network import OUTSIDE, SIDES, MeasureError, Pair, command

LOSS, REORDER, DETOUR_US = 0.01, 0.05, 200
MODEL = (f"{LOSS:.0%} of the outside datagrams are lost, {REORDER:.0%} arrive {DETOUR_US} µs late, "
         f"in each direction and independently of each other")
TABLE = 7
GATEWAY = {"a": "192.0.2.2", "b": "192.0.2.6"}
PER = 1000
RULES = f"""
table ip path {{
  counter came {{ }}
  counter lost {{ }}
  counter late {{ }}
  counter unsegmented {{ }}
  chain prerouting {{
    type filter hook prerouting priority mangle
    iifname "detour" return
    ip protocol != udp return
    counter name came
    meta length > 1500 counter name unsegmented
    numgen random mod {PER} < {round(LOSS * PER)} counter name lost drop
    numgen random mod {PER} < {round(REORDER * PER)} counter name late meta mark set 1
  }}
}}
"""


class ImpairedPair(Pair):
    """A Pair with such a path between its gateways. `detour` is the path of that program."""

    def __init__(self, detour):
        super().__init__()
        self.detour = detour

    @property
    def path(self):
        return f"{self.tag}-path"

    def connect(self):
        self.add_namespace(self.path)
        for side in SIDES:
            public = self.public(side)
            self.wire(public, "eth0", self.path, f"eth-{side}")
            command("ip", "-n", public, "address", "add", f"{OUTSIDE[side]}/30", "dev", "eth0")
            command("ip", "-n", public, "route", "add", "default", "via", GATEWAY[side])
            command("ip", "-n", self.path, "address", "add", f"{GATEWAY[side]}/30",
                    "dev", f"eth-{side}")
            command("ip", "netns", "exec", public, "ethtool", "-K", "eth0",
                    "tx-udp-segmentation", "off", "gro", "on")
        command("ip", "netns", "exec", self.path, "sysctl", "-qw", "net.ipv4.ip_forward=1",
                "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.default.rp_filter=0")
        process = self.start(self.path, [self.detour, "detour", DETOUR_US], log="detour.log")
        self.wait_for_interface(process, "detour")
        command("ip", "netns", "exec", self.path, "sysctl", "-qw",
                "net.ipv4.conf.detour.rp_filter=0")
        command("ip", "-n", self.path, "link", "set", "detour", "txqueuelen", 10000, "up")
        command("ip", "-n", self.path, "route", "add", "default", "dev", "detour", "table", TABLE)
        command("ip", "-n", self.path, "rule", "add", "fwmark", 1, "lookup", TABLE)
        command("ip", "netns", "exec", self.path, "nft", "-f", "-", stdin=RULES)

    def counters(self):
        listed = json.loads(command("ip", "netns", "exec", self.path, "nft", "-j", "list",
                                    "counters", "table", "ip", "path"))
        return {item["counter"]["name"]: item["counter"]["packets"]
                for item in listed["nftables"] if "counter" in item}

    def what_happened(self):
        """The shares of lost and delayed datagrams, in percent. MeasureError if a datagram was not
        segmented, or if there were too few."""
        seen = self.counters()
        if seen["unsegmented"]:
            raise MeasureError(f"{seen['unsegmented']} datagrams reached the path unsegmented")
        if seen["came"] < 10000:
            raise MeasureError(f"only {seen['came']} datagrams reached the path")
        return {key: 100 * seen[key] / seen["came"] for key in ("lost", "late")}
