"""The peers of the comparison: other VPNs, and routevpn under other options."""

import os
import re
import signal
import time

from network import INSIDE, MTU, OUTSIDE, SIDES, command, listing, other, wait_for
from peer import Peer, Routevpn, find


class WireguardGo(Peer):
    name = package = "wireguard-go"
    about = "ChaCha20-Poly1305"
    programs = ("wireguard-go", "wg")

    def prepare(self):
        self.public_key = {}
        for side in SIDES:
            private_key = command("wg", "genkey")
            self.file(f"{side}.key", private_key)
            self.public_key[side] = command("wg", "pubkey", stdin=private_key).strip()

    def words(self, side):
        return [find("wireguard-go"), "--foreground", self.interface(side)]

    def configure(self, side):
        name = self.interface(side)
        wait_for("control socket", 5, lambda: os.path.exists(f"/run/wireguard/{name}.sock"))
        command("wg", "set", name, "listen-port", 51820, "private-key", self.file(f"{side}.key"),
                "peer", self.public_key[other(side)], "allowed-ips", "10.255.0.0/30",
                "endpoint", f"{OUTSIDE[other(side)]}:51820")


class WireguardGoGso(WireguardGo):
    """Debian's version has no segmentation offload. WIREGUARD_GO_GSO names a newer binary."""
    name, package = "wireguard-go-gso", ""
    about = "ChaCha20-Poly1305; a version with segmentation offload inside and outside"
    variable = "WIREGUARD_GO_GSO"

    @classmethod
    def missing(cls):
        return super().missing() if os.environ.get(cls.variable) else [cls.variable]

    @classmethod
    def version(cls):
        return command(os.environ[cls.variable], "--version").split()[1]

    def words(self, side):
        return [os.environ[self.variable], *super().words(side)[1:]]


class Openvpn(Peer):
    name = package = "openvpn"
    about = ("AES-128-GCM, point-to-point over UDP, without kernel offload; --fast-io, --mssfix 0 "
             "and 4 MiB socket buffers, which increase its throughput")
    programs = ("openvpn",)

    def words(self, side):
        role = ["--tls-client"] if side == "a" else ["--tls-server", "--dh", "none"]
        return [find("openvpn"), "--dev", self.interface(side), "--dev-type", "tun",
                "--proto", "udp4", "--local", OUTSIDE[side], "--remote", OUTSIDE[other(side)],
                *role, "--ca", self.credential("ca.cert"),
                "--cert", self.credential(f"{side}.cert"), "--key", self.credential(f"{side}.key"),
                "--data-ciphers", "AES-128-GCM", "--cipher", "AES-128-GCM", "--disable-dco",
                "--ifconfig-noexec", "--tun-mtu", MTU, "--mssfix", 0, "--fast-io",
                "--sndbuf", 4 << 20, "--rcvbuf", 4 << 20, "--verb", 1]


class Fastd(Peer):
    name = package = "fastd"
    about = "salsa2012+umac"
    programs = ("fastd",)

    def prepare(self):
        program = find("fastd")
        public_key = {}
        for side in SIDES:
            secret = command(program, "--generate-key", "--machine-readable").strip()
            path = self.file(f"{side}.key", f'secret "{secret}";\n')
            public_key[side] = command(program, "--config", path, "--show-key",
                                       "--machine-readable").strip()
        for side in SIDES:
            remote = f"remote {OUTSIDE['b']}:10000;" if side == "a" else ""
            self.file(f"{side}.conf", f"""
mode tun;
interface "{self.interface(side)}";
mtu {MTU};
method "salsa2012+umac";
log level warn;
bind {OUTSIDE[side]}:10000;
include "{self.file(f'{side}.key')}";
peer "{other(side)}" {{ key "{public_key[other(side)]}"; {remote} }}
""")

    def words(self, side):
        return [find("fastd"), "--config", self.file(f"{side}.conf")]


class Tinc(Peer):
    name = package = "tinc"
    about = "AES-256-CBC with SHA-256, its defaults; 4 MiB socket buffers"
    programs = ("tincd", "openssl")

    def prepare(self):
        for side in SIDES:
            connect = f"ConnectTo = {other(side)}\n" if side == "a" else ""
            self.file(f"tinc-{side}/tinc.conf",
                      f"Name = {side}\nMode = router\nDeviceType = tun\n"
                      f"Interface = {self.interface(side)}\nBindToAddress = {OUTSIDE[side]}\n"
                      f"UDPRcvBuf = {4 << 20}\nUDPSndBuf = {4 << 20}\n{connect}")
            private_key = self.file(f"tinc-{side}/rsa_key.priv",
                                    command("openssl", "genrsa", "-traditional", 2048))
            public_key = command("openssl", "rsa", "-in", private_key, "-RSAPublicKey_out")
            host = f"Address = {OUTSIDE[side]}\nSubnet = {INSIDE[side]}/32\n{public_key}"
            for reader in SIDES:
                self.file(f"tinc-{reader}/hosts/{side}", host)

    def words(self, side):
        return [find("tincd"), "-c", self.file(f"tinc-{side}"), "-D",
                f"--pidfile={self.file(f'tinc-{side}.pid')}"]

    def is_ready(self):
        """tinc carries data over TCP until it has probed the path MTU. SIGUSR2 makes it log the
        state of the probing."""
        self.process["a"].send_signal(signal.SIGUSR2)
        time.sleep(0.1)
        probed = re.findall(r"^ b at .* pmtu \d+ \(min (\d+) max (\d+)\)", self.pair.log("a.log"),
                            re.MULTILINE)
        return bool(probed) and probed[-1][0] == probed[-1][1] != "0"


class Openconnect(Peer):
    name = package = "openconnect"
    about = "client (a) to ocserv (b), DTLS"
    programs = ("openconnect", "ocserv")
    port = 4443

    def interface(self, side):
        return super().interface(side) + ("0" if side == "b" else "")  # ocserv appends a number

    def prepare(self):
        self.file("vpnc-script", "#!/bin/sh\n")  # Pair.adopt() configures the interface
        os.chmod(self.file("vpnc-script"), 0o700)
        self.file("ocserv.conf", f"""
auth = "certificate"
listen-host = {OUTSIDE['b']}
tcp-port = {self.port}
udp-port = {self.port}
run-as-user = root
run-as-group = root
socket-file = {self.file('ocserv.sock')}
pid-file = {self.file('ocserv.pid')}
server-cert = {self.credential('b.cert')}
server-key = {self.credential('b.key')}
ca-cert = {self.credential('ca.cert')}
cert-user-oid = 2.5.4.3
isolate-workers = false
max-clients = 2
keepalive = 300
dpd = 60
try-mtu-discovery = false
compression = false
device = {super().interface('b')}
ipv4-network = 10.255.0.0
ipv4-netmask = 255.255.255.0
mtu = 1500
""")

    def words(self, side):
        if side == "b":
            return [find("ocserv"), "-f", "-d", 1, "-c", self.file("ocserv.conf")]
        return [find("openconnect"), "--protocol=anyconnect", "--non-inter", "--no-system-trust",
                "--resolve", f"b:{OUTSIDE['b']}", "--cafile", self.credential("ca.cert"),
                "-c", self.credential("a.cert"), "-k", self.credential("a.key"),
                "--script", self.file("vpnc-script"), "-i", self.interface("a"),
                f"https://b:{self.port}"]

    def start(self):
        """ocserv creates its interface when the client connects, so adopts both afterwards."""
        self.prepare()
        pair = self.pair
        self.process["b"] = pair.start(pair.public("b"), self.words("b"), log="b.log")
        sockets = f"/proc/{self.process['b'].pid}/net/tcp"
        wait_for("ocserv", 10, lambda: f":{self.port:04X} 00000000:0000 0A" in listing(sockets))
        self.started = time.monotonic()
        self.process["a"] = pair.start(pair.public("a"), self.words("a"), log="a.log")
        for side in SIDES:
            pair.wait_for_interface(self.process[side], self.interface(side))
            pair.adopt(side, self.interface(side))

    def is_ready(self):
        return "Established DTLS" in self.pair.log("a.log")


class RoutevpnOpenssl(Routevpn):
    name, about = "openssl", "routevpn --crypto openssl: without libipsec-mb"
    options = ("--crypto", "openssl")


class RoutevpnLanes(Routevpn):
    name, about = "lanes", "routevpn --lanes 2"
    options = ("--lanes", 2)


class RoutevpnRekeying(Routevpn):
    name, about = "rekeying", "routevpn --rekey-records 100000: several rekeys per second here"
    options = ("--rekey-records", 100000)


def by_name(*peers):
    return {peer.name: peer for peer in peers}


COMPARED = by_name(Routevpn, WireguardGo, WireguardGoGso, Openvpn, Fastd, Tinc, Openconnect)
IMPAIRED = by_name(Routevpn, WireguardGo, WireguardGoGso)
VARIANTS = by_name(Routevpn, RoutevpnOpenssl, RoutevpnLanes, RoutevpnRekeying)
ALL = COMPARED | VARIANTS
