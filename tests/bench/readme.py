#!/usr/bin/env python3
"""Replaces measured sections of documents: readme.py (DOCUMENT NAME=FILE...)...

A section stands between the lines "<!-- measured: NAME -->" and "<!-- end of NAME -->", which stay.
If a file cannot be read or a marker is missing, no document is changed and the exit status is 1.
"""

import os
import re
import sys


class MarkerError(Exception):
    """The document does not have the section exactly once."""


def replace(text, name, body):
    begin, end = f"<!-- measured: {name} -->\n", f"<!-- end of {name} -->\n"
    pattern = re.compile(f"({re.escape(begin)}).*?({re.escape(end)})", re.DOTALL)
    found = len(pattern.findall(text))
    if found != 1:
        raise MarkerError(f"section '{name}' exists {found} times instead of once: it begins with "
                          f"'{begin.strip()}' and ends with '{end.strip()}'")
    return pattern.sub(lambda match: f"{match[1]}\n{body.strip()}\n\n{match[2]}", text)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def updated(words):
    """The new text of each document; a word without "=" names the document of those after it."""
    texts, document = {}, None
    for word in words:
        name, is_section, path = word.partition("=")
        if not is_section:
            document = word
            texts[document] = read(document)
        elif document is None:
            raise MarkerError(f"no document before '{word}'")
        else:
            try:
                texts[document] = replace(texts[document], name, read(path))
            except MarkerError as error:
                raise MarkerError(f"{document}: {error}") from None
    return texts


def main(words):
    if len(words) < 2:
        sys.exit(__doc__)
    try:
        texts = updated(words)
    except (MarkerError, OSError) as error:
        sys.exit(f"readme.py: {error}")
    for document, text in texts.items():
        with open(document + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(document + ".new", document)


if __name__ == "__main__":
    main(sys.argv[1:])
