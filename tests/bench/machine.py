"""The context of every figure: date, processor, system and kernel."""

import contextlib
import os
import platform
import re
import time


def describe():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = re.search(r"^model name\s*: (.*)", file.read(), re.MULTILINE)
    system = None
    with contextlib.suppress(OSError), open("/etc/os-release", encoding="utf-8") as file:
        system = re.search(r'^PRETTY_NAME="?([^"\n]*)', file.read(), re.MULTILINE)
    return {"date": time.strftime("%Y-%m-%d", time.gmtime()),
            "processor": model.group(1) if model else platform.machine(),
            "cores": os.cpu_count(), "kernel": platform.release(),
            "system": system.group(1) if system else "Linux"}


def sentence(about):
    return (f"{about['date']}: {about['processor']}, {about['cores']} cores, {about['system']}, "
            f"Linux {about['kernel']}")


if __name__ == "__main__":
    print(sentence(describe()))
