"""A topology with each key, and changes of one value: with MADE_GOOD it stays valid, with MADE_BAD not.

A change is the path of the value, and the value, or ABSENT.
"""
import tomllib

WHOLE = tomllib.loads("""
[organisation]
name = "example"
as = 65000
interconnect4 = "10.255.0.0/24"
interconnect6 = "2001:db8:ff::/64"
ports = "10000-29999"
mesh = "full"
accept = "sites"
prefer = "ipv6"
psk = true
detection = "fast"
lanes = 1
link-local = false
announce = "more-specific"
reflectors = ["V1-1"]

[defaults]
netns = "{name}.private"
public-netns = "{name}"
cert = "/etc/routevpn/pki/{name}.cert"
key = "/etc/routevpn/pki/{name}.key"
ca = "/etc/routevpn/pki/ca.cert"
crl = "/etc/routevpn/pki/ca.crl"
psk-dir = "/etc/routevpn/psk"
run-dir = "/run/routevpn/{site}"
include = "/usr/share/routevpn/bird"
underlay = ["wan*"]
lan = "lan"

[[site]]
name = "paris"
prefixes = ["10.0.1.0/24", "0.0.0.0/0"]
announce = "exact"
router = [{ name = "R1", lan = ["lan", "eth*"], include = "/etc/bird" }]

[[site.gateway]]
name = "V1-1"
address = ["192.0.2.1", "2001:db8:1::1"]
ifname = "to-paris"
exporter = "[2001:db8:a1::11]:9586"
lan = ["lan0", { name = "eth1", addresses = ["10.0.1.1/24"] }]

[[site]]
name = "berlin"
prefixes = "10.0.2.0/24"
gateway = [{ name = "V2-1", address = "gw.example.net" }, { name = "V2-2" }]

[[link]]
between = ["V1-1", "V2-1"]
cost = 50
bandwidth = 1000
family = "ipv4"
psk = false
detection = "patient"
lanes = 2
link-local = true
""")

ABSENT = object()
ORGANISATION, DEFAULTS, LINK = ("organisation",), ("defaults",), ("link", 0)
SITE, GATEWAY, ROUTER = ("site", 0), ("site", 0, "gateway", 0), ("site", 0, "router", 0)
LAN = (*GATEWAY, "lan", 1)

MADE_GOOD = [
    ((*ORGANISATION, "interconnect4"), ABSENT),
    ((*ORGANISATION, "accept"), "routed"),
    ((*ORGANISATION, "reflectors"), "auto"),
    ((*ORGANISATION, "hubs"), []),
    ((*ORGANISATION, "mesh"), "explicit"),
    (DEFAULTS, ABSENT),
    ((*DEFAULTS, "underlay"), []),
    ((*DEFAULTS, "netns"), "/run/netns/private"),
    (("site", 1, "prefixes"), ABSENT),
    ((*SITE, "router"), ABSENT),
    ((*GATEWAY, "address"), "192.0.2.1"),
    ((*GATEWAY, "lan"), {"name": "eth1"}),
    (("link",), ABSENT),
]
MADE_BAD = [
    (ORGANISATION, ABSENT),
    (ORGANISATION, "text"),
    ((*ORGANISATION, "as"), ABSENT),
    ((*ORGANISATION, "as"), 0),
    ((*ORGANISATION, "as"), "65000"),
    ((*ORGANISATION, "as"), 4294967295),
    ((*ORGANISATION, "name"), 'a "quoted" name'),
    ((*ORGANISATION, "interconnect4"), "10.255.0.0/31"),
    ((*ORGANISATION, "interconnect4"), "10.255.0.0"),
    ((*ORGANISATION, "interconnect6"), "2001:db8::/128"),
    ((*ORGANISATION, "ports"), [10000, 29999]),
    ((*ORGANISATION, "mesh"), "none"),
    ((*ORGANISATION, "mesh"), "hub-and-spoke"),
    ((*ORGANISATION, "hubs"), ["paris"]),
    ((*ORGANISATION, "accept"), ["sites"]),
    ((*ORGANISATION, "prefer"), "IPv6"),
    ((*ORGANISATION, "psk"), "yes"),
    ((*ORGANISATION, "psk"), 1),
    ((*ORGANISATION, "detection"), "slow"),
    ((*ORGANISATION, "lanes"), 17),
    ((*ORGANISATION, "link-local"), 0),
    ((*ORGANISATION, "announce"), "all"),
    ((*DEFAULTS, "cert"), "{name}.cert"),
    ((*DEFAULTS, "key"), "/etc/{gateway}.key"),
    ((*DEFAULTS, "netns"), ["private"]),
    ((*DEFAULTS, "run-dir"), "/" + "x" * 86),
    ((*DEFAULTS, "underlay"), [1]),
    (("site",), ABSENT),
    (("site",), []),
    (SITE, "paris"),
    ((*SITE, "name"), ABSENT),
    ((*SITE, "name"), "a b"),
    ((*SITE, "prefixes"), [10]),
    ((*SITE, "prefixes"), ["10.0.1.0"]),
    ((*SITE, "gateway"), ABSENT),
    ((*SITE, "gateway"), []),
    ((*GATEWAY, "name"), "x" * 41),
    ((*GATEWAY, "address"), []),
    ((*GATEWAY, "address"), ["192.0.2.1/24"]),
    ((*GATEWAY, "ifname"), "longer-than-15-c"),
    ((*GATEWAY, "exporter"), "10.0.1.11"),
    ((*GATEWAY, "exporter"), "2001:db8:a1::11:9586"),
    ((*GATEWAY, "exporter"), 9586),
    ((*LAN, "name"), "eth*"),
    ((*LAN, "name"), ABSENT),
    ((*LAN, "addresses"), ["10.0.1.1"]),
    ((*ROUTER, "name"), ABSENT),
    ((*ROUTER, "lan"), [{"name": "eth1"}]),
    ((*LINK, "between"), ABSENT),
    ((*LINK, "between"), ["V1-1"]),
    ((*LINK, "between"), ["V1-1", "V2-1", "V2-2"]),
    ((*LINK, "cost"), 65536),
    ((*LINK, "bandwidth"), 0),
    ((*LINK, "family"), "ip"),
    (LINK, "V1-1 V2-1"),
]
