"""Sockets in named network namespaces, for tests that look at both ends at once.

A socket belongs to the namespace in which it was made. So one process can have sockets in several.
"""

import contextlib
import ctypes
import os
import socket

CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def _enter(fd):
    if _libc.setns(fd, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


@contextlib.contextmanager
def namespace(name):
    """Sockets made in the block belong to this ip-netns namespace."""
    own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    other = os.open("/run/netns/" + name, os.O_RDONLY)
    try:
        _enter(other)
        yield
    finally:
        _enter(own)
        os.close(own)
        os.close(other)


def make_socket(space, family, kind, protocol=0, address=None, buffer_bytes=4 << 20, timeout=30):
    """A socket in a namespace, bound to (address, port), with buffers for the bursts of the tests."""
    with namespace(space):
        made = socket.socket(family, kind, protocol)
    so_sndbufforce, so_rcvbufforce = 32, 33
    made.setsockopt(socket.SOL_SOCKET, so_sndbufforce, buffer_bytes)
    made.setsockopt(socket.SOL_SOCKET, so_rcvbufforce, buffer_bytes)
    made.settimeout(timeout)
    if address is not None:
        made.bind(address)
    return made


class Checks:
    """Prints one line per check. The first check that fails ends the process."""

    @staticmethod
    def ok(text):
        print("ok -", text, flush=True)

    @classmethod
    def expect(cls, condition, text, evidence=""):
        if not condition:
            raise SystemExit(f"not ok - {text}\n{evidence}")
        cls.ok(text)
