"""Two gateways in network namespaces of their own, and the processes that run in them.

    private a      public a ======== veth, mtu 1500 ======== public b      private b
        |             |                                          |             |
       TUN <---- daemon a (its socket)              daemon b (its socket) ----> TUN
    10.255.0.1     192.0.2.1                                 192.0.2.5     10.255.0.2

Every name carries our pid. Whatever is made here is removed by close(), and a process that is
still there when we die is ended by the kernel.
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
# The inside MTU that fits every peer on a path of 1500 bytes, over IPv4 and IPv6: what routevpn
# sets itself over IPv6 with AES-GCM, 1500 - 40 - 8 - 13 - 8 - 16. The same for all, so that all
# carry as many packets for as many bytes.
MTU = 1415
TXQUEUELEN = 1000


class MeasureError(Exception):
    """One measurement failed; the others go on."""


def other(side):
    return "b" if side == "a" else "a"


def command(*words, stdin=None):
    """Runs it to its end and gives what it printed."""
    done = subprocess.run([str(word) for word in words], input=stdin, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if done.returncode:
        raise MeasureError(f"{' '.join(map(str, words))}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def wait_for(what, seconds, condition):
    """Until condition() is true; its value. Fails at the deadline."""
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
    """The namespaces of one peer's two gateways. Use as a context manager."""

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
        """Unique on this machine: wireguard-go's control sockets are named after it."""
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
        """In the background. The pid is the command's own; it does not outlive us."""
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
        """To its end, which comes within so many seconds; what it printed."""
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
        """Ends it, its children with it, and waits for it."""
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
        """Until the process has made it, in its own network namespace or in another's."""
        def is_there():
            if process.poll() is not None:
                raise MeasureError(f"ended with status {process.returncode}")
            return f"{name}:" in listing(f"/proc/{namespace_pid or process.pid}/net/dev")
        wait_for(f"interface {name}", 10, is_there)

    def adopt(self, side, name):
        """Moves a daemon's interface to the private namespace, as all have it there."""
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
    """Namespaces of ours, and what was forked into them."""
    for name in namespaces:
        with contextlib.suppress(MeasureError):
            for pid in command("ip", "netns", "pids", name).split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            command("ip", "netns", "delete", name)


def remove_leftovers():
    """What a run that was killed outright could not remove itself."""
    names = re.findall(rf"^{PREFIX}\d+-\S+", command("ip", "netns", "list"), re.MULTILINE)
    directories = glob.glob(os.path.join(tempfile.gettempdir(), f"{PREFIX}[0-9]*-*"))

    def is_dead(name):
        pid = re.match(rf"{PREFIX}(\d+)-", os.path.basename(name))
        return pid is not None and not os.path.exists(f"/proc/{pid[1]}")
    remove(filter(is_dead, names))
    for directory in filter(is_dead, directories):
        shutil.rmtree(directory, ignore_errors=True)
