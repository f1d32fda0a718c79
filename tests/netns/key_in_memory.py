"""key_in_memory.py PID KEY: whether the memory of a process holds the private number of an EC or RSA key.

Prints yes or no. Searches all readable memory for the number in both byte orders,
because OpenSSL keeps numbers in machine words, and for the base64 text of the file.
"""

import re
import subprocess
import sys


def patterns(path):
    text = subprocess.run(
        ["openssl", "pkey", "-in", path, "-noout", "-text"], check=True, capture_output=True, text=True
    ).stdout
    number = bytes.fromhex(
        re.sub(r"[\s:]", "", re.search(r"(?:priv|privateExponent):\n((?:\s+[0-9a-f:]+\n)+)", text)[1])
    ).lstrip(b"\0")
    middle = number[4:28]  # words at the ends may be incomplete
    with open(path, "rb") as file:
        lines = file.read().splitlines()
    return middle, middle[::-1], lines[1]


def holds(pid, wanted):
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            span, rights = line.split()[:2]
            if not rights.startswith("r"):
                continue
            start, end = (int(part, 16) for part in span.split("-"))
            try:
                memory.seek(start)
                content = memory.read(end - start)
            except (OSError, OverflowError):  # [vvar] and [vsyscall]
                continue
            if any(pattern in content for pattern in wanted):
                return True
    return False


print("yes" if holds(sys.argv[1], patterns(sys.argv[2])) else "no")
