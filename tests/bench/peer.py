"""What all tunnels that are compared have in common, and routevpn's own."""

import os
import shutil
import time

from accounting import with_children
from network import INSIDE, MTU, OUTSIDE, SIDES, MeasureError, command, other, wait_for


def find(program):
    """Debian keeps some of them in sbin, which is not in everyone's PATH."""
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def make_credentials(routevpn, directory):
    """A CA and a certificate for each side, for all peers that use certificates."""
    command(routevpn, "pki", "ca", "--dir", directory)
    for side in SIDES:
        command(routevpn, "pki", "csr", "--dir", directory, "--name", side)
        command(routevpn, "pki", "sign", "--dir", directory, "--name", side)


class Peer:
    """One tunnel between the two gateways of a Pair.

    `programs` are what it needs, `package` is the Debian package whose version is reported,
    `about` is what a reader must know to judge the comparison.
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
        """Of the Debian package; empty when it did not come from one."""
        try:
            return command("dpkg-query", "-W", "-f", "${Version}", cls.package)
        except (MeasureError, OSError):
            return ""

    def prepare(self):
        """Keys and configuration: not part of the start-up time."""

    def words(self, side):
        """The daemon's command line."""
        raise NotImplementedError

    def configure(self, side):
        """What is left to do when the interface is there."""

    def is_ready(self):
        """Whether it carries data as it will from now on, not only somehow."""
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
        """Daemon b first, which is there when a comes."""
        self.prepare()
        self.start_side("b")
        self.started = time.monotonic()
        self.start_side("a")

    def pids(self, side):
        return with_children(self.process[side].pid)

    def fault(self):
        """None while both daemons run."""
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
    options = ()  # besides those that say what to connect

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
