"""key_in_memory.py PID KEY [unlocked]: whether the memory of a process holds a part of a private key.

Prints yes or no. With `unlocked` it searches only memory that the kernel may write to a swap device. KEY is an
unencrypted PEM file of an EC, Ed25519 or RSA key. Its secrets are the scalar of an EC key, the seed of Ed25519 and
the key that RFC 8032 derives from it, and the private exponent, primes, exponents and coefficient of an RSA key.
Searches all memory that the process can have written for each run of 16 bytes of a secret that begins at a multiple
of 16 from either end: in the order of the file, in the reverse order, because OpenSSL keeps numbers in words of the
machine, and for the lines of the PEM text that hold bytes of a secret.
"""

import base64
import hashlib
import re
import subprocess
import sys

RUN = 16  # bytes: 128 bits do not occur by chance
SECRETS = ("priv", "privateExponent", "prime1", "prime2", "exponent1", "exponent2", "coefficient")
CHUNK = 1 << 22  # bytes of memory read at once


def secrets_of(path):
    command = ["openssl", "pkey", "-in", path, "-noout", "-text"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    for name, digits in re.findall(r"^(\w+):\n((?: +[0-9a-f:]+\n)+)", text, re.MULTILINE):
        if name in SECRETS:
            yield bytes.fromhex(re.sub(r"[\s:]", "", digits)).lstrip(b"\0")


def runs(secret):
    starts = range(0, len(secret) - RUN + 1, RUN)
    for start in {*starts, *(len(secret) - RUN - start for start in starts)}:
        yield secret[start : start + RUN]


def lines_of_pem(path, secrets):
    with open(path, "rb") as file:
        lines = [line for line in file.read().splitlines() if not line.startswith(b"-----")]
    content = base64.b64decode(b"".join(lines))
    at = 0  # of a line's bytes in the content
    for line in lines:
        end = at + len(line) * 3 // 4
        for secret in secrets:
            found = content.find(secret)
            if found >= 0 and min(end, found + len(secret)) - max(at, found) >= RUN:
                yield line
                break
        at = end


def patterns(path):
    secrets = list(secrets_of(path))
    if not secrets:
        sys.exit(f"key_in_memory.py: {path}: no private key")
    wanted = {*lines_of_pem(path, secrets)}
    if len(secrets) == 1 and len(secrets[0]) == 32:  # perhaps a seed
        digest = bytearray(hashlib.sha512(secrets[0]).digest()[:32])
        digest[0] &= 248
        digest[31] = digest[31] & 127 | 64
        secrets.append(bytes(digest))
    for secret in secrets:
        for run in runs(secret):
            wanted |= {run, run[::-1]}
    return wanted


def areas(pid):
    """Begin, end, and the flags of proc_pid_smaps(5): rd is readable, lo is locked, io is of a device.

    Without code and constants of files, which the process cannot write.
    """
    with open(f"/proc/{pid}/smaps") as lines:
        for line in lines:
            if found := re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ (\d+)", line):
                span = int(found[1], 16), int(found[2], 16)
                constant = "w" not in found[3] and found[4] != "0"
            elif line.startswith("VmFlags:") and not constant:
                yield *span, line.split()[1:]


def contents(pid, unlocked):
    overlap = 128  # bytes: longer than a pattern
    with open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for at, end, flags in areas(pid):
            if "rd" not in flags or "io" in flags or unlocked and "lo" in flags:
                continue
            kept = b""
            while at < end:
                try:
                    memory.seek(at)
                    content = memory.read(min(CHUNK, end - at))
                except (OSError, OverflowError):  # [vsyscall], a page of a file that is shorter than its mapping, or unmapped meanwhile
                    content = b""
                if not content:
                    kept = b""
                    at += 4096
                    continue
                yield kept + content
                kept = content[-overlap:]
                at += len(content)


def holds(pid, wanted, unlocked):
    return any(pattern in content for content in contents(pid, unlocked) for pattern in wanted)


print("yes" if holds(sys.argv[1], patterns(sys.argv[2]), "unlocked" in sys.argv[3:]) else "no")
