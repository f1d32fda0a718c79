"""Two gateways, each in its own network namespaces, and the processes that run in them.

    private a      public a ======== veth, mtu 1500 ======== public b      private b
        |             |                                          |             |
       TUN <---- daemon a (its socket)              daemon b (its socket) ----> TUN
    10.255.0.1     192.0.2.1                                 192.0.2.5     10.255.0.2

Every name contains the pid of compare.py. close() removes all namespaces, processes and files. If
compare.py dies before close(), the kernel terminates the processes (PR_SET_PDEATHSIG).
"""

import contextlib
import glob
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

PREFIX = "rvbench"
OUTSIDE = {"a": "192.0.2.1", "b": "192.0.2.5"}
INSIDE = {"a": "10.255.0.1", "b": "10.255.0.2"}
SIDES = ("a", "b")
# An inside MTU that fits every peer on a path of 1500 bytes, over IPv4 and IPv6. It is routevpn's
# own value over IPv6 with AES-GCM: 1500 - 40 (IPv6) - 8 (UDP) - 13 (record header) - 8 (explicit
# nonce) - 16 (tag). All peers use it, so that all need the same number of packets per byte.
MTU = 1415
TXQUEUELEN = 1000


class MeasureError(Exception):
    """One measurement failed; the others continue."""


def other(side):
    return "b" if side == "a" else "a"


def command(*words, stdin=None):
    """Runs a command and returns its standard output; MeasureError if it fails."""
    done = subprocess.run([str(word) for word in words], input=stdin, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if done.returncode:
        raise MeasureError(f"{' '.join(map(str, words))}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def wait_for(what, seconds, condition):
    """Polls until condition() is true and returns its value; MeasureError at the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise MeasureError(f"no {what} after {seconds} s")
        time.sleep(0.005)


def listing(path):
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


class Pair:
    """The namespaces of one peer's two gateways, as a context manager."""

    count = 0

    def __init__(self):
        Pair.count += 1
        self.number = Pair.count
        self.tag = f"{PREFIX}{os.getpid()}-{self.number}"
        self.directory = tempfile.mkdtemp(prefix=f"{self.tag}-")
        self.namespaces = []
        self.processes = []

    def __enter__(self):
        try:
            for side in SIDES:
                self.add_namespace(self.public(side))
                self.add_namespace(self.private(side))
            self.connect()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def public(self, side):
        return f"{self.tag}-public-{side}"

    def private(self, side):
        return f"{self.tag}-private-{side}"

    def interface(self, side):
        """A name unique on this machine, because wireguard-go names its control socket after it."""
        return f"rb{os.getpid()}{chr(ord('a') + self.number % 26)}{side}"

    def add_namespace(self, name):
        command("ip", "netns", "add", name)
        self.namespaces.append(name)
        command("ip", "-n", name, "link", "set", "lo", "up")

    def wire(self, first, first_device, second, second_device):
        command("ip", "-n", first, "link", "add", first_device, "mtu", 1500, "type", "veth",
                "peer", "name", second_device, "mtu", 1500, "netns", second)
        command("ip", "-n", first, "link", "set", first_device, "up")
        command("ip", "-n", second, "link", "set", second_device, "up")

    def connect(self):
        self.wire(self.public("a"), "eth0", self.public("b"), "eth0")
        for side in SIDES:
            command("ip", "-n", self.public(side), "address", "add", f"{OUTSIDE[side]}/29",
                    "dev", "eth0")

    # --- processes ------------------------------------------------------------------------------

    def start(self, namespace, words, log=None, **options):
        """Starts a command in the background. The pid is that of the command, not of a wrapper."""
        words = ["setpriv", "--pdeathsig", "TERM", "ip", "netns", "exec", namespace,
                 *map(str, words)]
        with contextlib.ExitStack() as stack:
            if log:
                output = stack.enter_context(open(os.path.join(self.directory, log), "ab"))
                options.update(stdout=output, stderr=subprocess.STDOUT)
            process = subprocess.Popen(words, stdin=subprocess.DEVNULL, text=not log,
                                       start_new_session=True, **options)
        self.processes.append(process)
        return process

    def run(self, namespace, words, seconds):
        """Runs a command for at most so many seconds and returns its standard output."""
        process = self.start(namespace, words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            output, error = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise MeasureError(f"{words[0]} did not end within {seconds:.0f} s") from None
        finally:
            self.end(process)
        if process.returncode:
            raise MeasureError(f"{words[0]}: {(error or output).strip()[-200:]}")
        return output

    def end(self, process):
        """Terminates a process, kills it after 3 s, and waits for its end."""
        if process.poll() is None:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(3)
        if process.poll() is None:
            process.kill()
            process.wait()
        for stream in (process.stdout, process.stderr):
            if stream:
                stream.close()
        if process in self.processes:
            self.processes.remove(process)

    def log(self, name, last=None):
        text = listing(os.path.join(self.directory, name))
        return text[-last:] if last else text

    # --- interfaces -----------------------------------------------------------------------------

    def wait_for_interface(self, process, name, namespace_pid=None):
        """Waits until the interface exists in the namespace of the process or of namespace_pid."""
        def is_there():
            if process.poll() is not None:
                raise MeasureError(f"ended with status {process.returncode}")
            return f"{name}:" in listing(f"/proc/{namespace_pid or process.pid}/net/dev")
        wait_for(f"interface {name}", 10, is_there)

    def adopt(self, side, name):
        """Moves a daemon's interface to the private namespace and sets MTU, queue and address."""
        command("ip", "-n", self.public(side), "link", "set", name, "netns", self.private(side))
        command("ip", "-n", self.private(side), "-batch", "-", stdin=(
            f"link set {name} mtu {MTU} txqueuelen {TXQUEUELEN} up\n"
            f"address replace {INSIDE[side]}/30 dev {name}\n"))

    def close(self):
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
        for process in list(self.processes):
            self.end(process)
        remove(self.namespaces)
        shutil.rmtree(self.directory, ignore_errors=True)


def remove(namespaces):
    """Deletes namespaces and kills the processes in them."""
    for name in namespaces:
        with contextlib.suppress(MeasureError):
            for pid in command("ip", "netns", "pids", name).split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            command("ip", "netns", "delete", name)


def remove_leftovers():
    """Removes the namespaces and directories of earlier runs that were killed."""
    names = re.findall(rf"^{PREFIX}\d+-\S+", command("ip", "netns", "list"), re.MULTILINE)
    directories = glob.glob(os.path.join(tempfile.gettempdir(), f"{PREFIX}[0-9]*-*"))

    def is_dead(name):
        pid = re.match(rf"{PREFIX}(\d+)-", os.path.basename(name))
        return pid is not None and not os.path.exists(f"/proc/{pid[1]}")
    remove(filter(is_dead, names))
    for directory in filter(is_dead, directories):
        shutil.rmtree(directory, ignore_errors=True)
