"""The interface of all tunnels in the comparison, and routevpn's implementation."""

import os
import shutil
import time

from accounting import with_children
from network import INSIDE, MTU, OUTSIDE, SIDES, MeasureError, command, other, wait_for


def find(program):
    """Also searches sbin, where Debian installs some daemons and which PATH may lack."""
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def make_credentials(routevpn, directory):
    """Makes a CA and a certificate for each side, for all peers that use certificates."""
    command(routevpn, "pki", "ca", "--dir", directory)
    for side in SIDES:
        command(routevpn, "pki", "csr", "--dir", directory, "--name", side)
        command(routevpn, "pki", "sign", "--dir", directory, "--name", side)


class Peer:
    """One tunnel between the two gateways of a Pair.

    `programs` lists the programs that the peer needs. `package` is the Debian package whose version
    the report names. `about` tells cipher and options, so that a reader can judge the comparison.
    """

    name = about = package = ""
    programs = ()

    def __init__(self, pair, credentials, routevpn):
        self.pair = pair
        self.credentials = credentials
        self.routevpn = routevpn
        self.process = {}
        self.started = 0.0  # time.monotonic() at which daemon a was started

    @classmethod
    def missing(cls):
        return [program for program in cls.programs if not find(program)]

    @classmethod
    def version(cls):
        """The version of the Debian package; empty if the package is not installed."""
        try:
            return command("dpkg-query", "-W", "-f", "${Version}", cls.package)
        except (MeasureError, OSError):
            return ""

    def prepare(self):
        """Makes keys and configuration, outside the measured start-up time."""

    def words(self, side):
        """The daemon's command line."""
        raise NotImplementedError

    def configure(self, side):
        """Configures the daemon after its interface exists."""

    def is_ready(self):
        """Whether the tunnel has reached its final way of carrying data."""
        return True

    def interface(self, side):
        return self.pair.interface(side)

    def start_side(self, side):
        pair = self.pair
        self.process[side] = pair.start(pair.public(side), self.words(side), log=f"{side}.log")
        pair.wait_for_interface(self.process[side], self.interface(side))
        self.configure(side)
        pair.adopt(side, self.interface(side))

    def start(self):
        """Starts daemon b first, so that it listens when daemon a starts."""
        self.prepare()
        self.start_side("b")
        self.started = time.monotonic()
        self.start_side("a")

    def pids(self, side):
        return with_children(self.process[side].pid)

    def fault(self):
        """The first daemon that ended, with the end of its log; None while both run."""
        for side, process in self.process.items():
            if process.poll() is not None:
                log = self.pair.log(f"{side}.log", 300).strip()
                return f"daemon {side} ended with status {process.returncode}: {log}"
        return None

    def credential(self, name):
        return os.path.join(self.credentials, name)

    def file(self, name, text=None):
        path = os.path.join(self.pair.directory, name)
        if text is not None:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="ascii",
                      opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
                file.write(text)
        return path


class Routevpn(Peer):
    name = "routevpn"
    about = "AES-128-GCM, default options"
    options = ()  # in addition to addresses, names and credentials

    def words(self, side):
        pair = self.pair
        where = ["--peer", OUTSIDE["b"]] if side == "a" else ["--listen", f"{OUTSIDE['b']}:7754"]
        return [self.routevpn, *where, "--peer-name", other(side),
                "--ifname", self.interface(side), "--netns", pair.private(side),
                "--address", f"{INSIDE[side]}/30", "--mtu", MTU,
                "--cert", self.credential(f"{side}.cert"), "--key", self.credential(f"{side}.key"),
                "--ca", self.credential("ca.cert"), "--run-dir", os.path.join(pair.directory, side),
                *self.options]

    def start_side(self, side):
        pair = self.pair
        os.makedirs(os.path.join(pair.directory, side))
        self.process[side] = pair.start(pair.public(side), self.words(side), log=f"{side}.log")
        socket = os.path.join(pair.directory, side, f"{self.interface(side)}.sock")
        wait_for("control socket", 10, lambda: self.fault() or os.path.exists(socket))
        if self.fault():
            raise MeasureError(self.fault())
