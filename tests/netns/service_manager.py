"""In place of systemd: runs one service, keeps its descriptors, and restarts it.

service_manager.py DIRECTORY COMMAND...    The service gets NOTIFY_SOCKET, ROUTEVPN_UNIT, and a PATH
                                           whose systemctl knows the job of a restart.

With "drop NAME..." in the environment variable SERVICE_MANAGER it loses these descriptors; with "hold"
it confirms no notification (BARRIER=1).

SIGUSR1 restarts the service, SIGTERM stops it. Standard output has a line for each event:

    ready                  the service has sent READY=1
    reloading              RELOADING=1 with a time that is not in the future
    status TEXT            STATUS=TEXT
    stored NAME            it has stored a descriptor
    removed NAME
    ended STATUS
    started N              with N descriptors
"""

import array
import os
import selectors
import signal
import socket
import stat
import sys
import time

UNIT = "routevpn@test.service"
directory, command = sys.argv[1], sys.argv[2:]
os.makedirs(directory, exist_ok=True)
job = os.path.join(directory, "job")

fake = os.path.join(directory, "systemctl")
with open(fake, "w", encoding="ascii") as file:
    file.write(f'#!/bin/sh\n[ -e "{job}" ] && cat "{job}"\nexit 0\n')
os.chmod(fake, stat.S_IRWXU)

notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
path = os.path.join(directory, "notify")
if os.path.exists(path):  # of an earlier one
    os.unlink(path)
notify.bind(path)
environment = dict(os.environ, NOTIFY_SOCKET=path, ROUTEVPN_UNIT=UNIT,
                   PATH=directory + ":" + os.environ["PATH"])
fault, *names = os.environ.get("SERVICE_MANAGER", "none").split()
lost = names if fault == "drop" else []
held = []  # barriers
stored = []  # pairs of name and descriptor
process = None
restarting = stopping = False


def say(line):
    # In one write: the service writes to the same file, and print() may write the end of the line by itself.
    os.write(1, (line + "\n").encode())


def start():
    global process
    process = os.fork()
    if process == 0:
        signal.set_wakeup_fd(-1)
        # First far above 3, so that no copy overwrites another.
        for i, (_, fd) in enumerate(stored):
            os.dup2(fd, 500 + i, inheritable=False)
        for i in range(len(stored)):
            os.dup2(500 + i, 3 + i, inheritable=True)
        variables = dict(environment)
        if stored:
            variables["LISTEN_PID"] = str(os.getpid())
            variables["LISTEN_FDS"] = str(len(stored))
            variables["LISTEN_FDNAMES"] = ":".join(name for name, _ in stored)
        os.execvpe(command[0], command, variables)
    say(f"started {len(stored)}")


def receive():
    data, ancillary, _, _ = notify.recvmsg(4096, socket.CMSG_SPACE(4 * 16))
    fds = array.array("i")
    for level, kind, content in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            fds.frombytes(content[:len(content) - len(content) % fds.itemsize])
    fields = dict(line.split("=", 1) for line in data.decode().splitlines())
    if fields.get("RELOADING") == "1" and 0 < int(fields["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000:
        say("reloading")
    if "STATUS" in fields:
        say("status " + fields["STATUS"])
    if fields.get("READY") == "1":
        say("ready")
    if fault == "hold" and fields.get("BARRIER") == "1":
        held.extend(os.dup(fd) for fd in fds)
    if fields.get("FDSTORE") == "1":
        if fields["FDNAME"] not in lost:
            stored.extend((fields["FDNAME"], os.dup(fd)) for fd in fds)
            say("stored " + fields["FDNAME"])
    if fields.get("FDSTOREREMOVE") == "1":
        for one in [one for one in stored if one[0] == fields["FDNAME"]]:
            stored.remove(one)
            os.close(one[1])
            say("removed " + one[0])
    for fd in fds:
        os.close(fd)


def on_signal(number, _frame):
    global restarting, stopping
    if number == signal.SIGUSR1:
        restarting = True
        with open(job, "w", encoding="ascii") as jobs:
            jobs.write(f"12 {UNIT} restart running\n")
    else:
        stopping = True
    os.kill(process, signal.SIGTERM)


for wanted in (signal.SIGUSR1, signal.SIGTERM, signal.SIGINT):
    signal.signal(wanted, on_signal)
# A signal that comes between the checks and select() wakes it.
wake_read, wake_write = os.pipe()
os.set_blocking(wake_write, False)
signal.signal(signal.SIGCHLD, lambda *_: None)
signal.set_wakeup_fd(wake_write)
selector = selectors.DefaultSelector()
selector.register(notify, selectors.EVENT_READ)
selector.register(wake_read, selectors.EVENT_READ)
start()
while True:
    for key, _ in selector.select():
        if key.fileobj is notify:
            receive()
        else:
            os.read(wake_read, 4096)
    ended, status = os.waitpid(process, os.WNOHANG)
    if ended == 0:
        continue
    say(f"ended {os.waitstatus_to_exitcode(status)}")
    if not restarting or stopping:
        break
    while True:  # what it has sent before its end
        notify.setblocking(False)
        try:
            receive()
        except BlockingIOError:
            break
        finally:
            notify.setblocking(True)
    restarting = False
    os.unlink(job)
    start()
