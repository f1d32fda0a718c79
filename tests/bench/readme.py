#!/usr/bin/env python3
"""Puts measured sections into a document: readme.py DOCUMENT NAME=FILE...

A section stands between the lines "<!-- measured: NAME -->" and "<!-- end of NAME -->", which stay.
Either all sections are replaced or, when a marker is missing, none is and the exit status is 1.
"""

import os
import re
import sys


class MarkerError(Exception):
    """The document has no such section, or has it twice."""


def replace(text, name, body):
    begin, end = f"<!-- measured: {name} -->\n", f"<!-- end of {name} -->\n"
    pattern = re.compile(f"({re.escape(begin)}).*?({re.escape(end)})", re.DOTALL)
    found = len(pattern.findall(text))
    if found != 1:
        raise MarkerError(f"section '{name}' is there {found} times, not once: it begins with "
                          f"'{begin.strip()}' and ends with '{end.strip()}'")
    return pattern.sub(lambda match: f"{match[1]}\n{body.strip()}\n\n{match[2]}", text)


def main(words):
    if len(words) < 2 or not all("=" in word for word in words[1:]):
        sys.exit(__doc__)
    document = words[0]
    with open(document, encoding="utf-8") as file:
        text = file.read()
    try:
        for word in words[1:]:
            name, _, path = word.partition("=")
            with open(path, encoding="utf-8") as file:
                text = replace(text, name, file.read())
    except (MarkerError, OSError) as error:
        sys.exit(f"readme.py: {document}: {error}")
    with open(document + ".new", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(document + ".new", document)


if __name__ == "__main__":
    main(sys.argv[1:])
