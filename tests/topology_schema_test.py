#!/usr/bin/env python3
"""The schema of the topology file agrees with `routevpn plan` and with routevpn-topology(5).

Usage: topology_schema_test.py ROUTEVPN. Status 77: skipped, because there is no python3-jsonschema.
"""
import copy
import filecmp
import json
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

sys.dont_write_bytecode = True
from topology_cases import (ABSENT, DEFAULTS, GATEWAY, LAN, LINK, MADE_BAD, MADE_GOOD, ORGANISATION, ROUTER, SITE,
                            WHOLE)

try:
    import jsonschema
except ImportError:
    print("skipped: needs python3-jsonschema")
    sys.exit(77)

ROUTEVPN = str(Path(sys.argv[1]).resolve())
ROOT = Path(__file__).resolve().parent.parent
SCHEMA = json.loads((ROOT / "src/schemas/topology.json").read_text())
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)

# The tables of a topology, and the definitions of the schema.
TABLES = {
    ("",): SCHEMA,
    ORGANISATION: SCHEMA["definitions"]["organisation"],
    DEFAULTS: SCHEMA["definitions"]["defaults"],
    SITE: SCHEMA["definitions"]["site"],
    GATEWAY: SCHEMA["definitions"]["gateway"],
    ROUTER: SCHEMA["definitions"]["router"],
    LAN: SCHEMA["definitions"]["interfaceTable"],
    LINK: SCHEMA["definitions"]["link"],
}

failures = 0


def expect(text, is_good, details=""):
    global failures
    print(f"{'ok' if is_good else 'not ok'} - {text}" + ("" if is_good else f": {details}"))
    failures += not is_good


def toml(value):
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(toml(item) for item in value) + "]"
    return json.dumps(value)


def changed(path, value):
    topology = copy.deepcopy(WHOLE)
    table = topology
    for key in path[:-1]:
        table = table[key]
    if value is ABSENT:
        del table[path[-1]]
    else:
        table[path[-1]] = value
    return topology


def plan(topology, directory, *options):
    """Returns the exit status and the output."""
    text = topology
    if isinstance(topology, dict):
        text = "".join(f"{key} = {toml(value)}\n" for key, value in topology.items())
    file = Path(directory, "topology.toml")
    file.write_text(text)
    command = [ROUTEVPN, "plan", str(file), "--out", str(Path(directory, "out")), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


def planned(topology):
    with tempfile.TemporaryDirectory() as directory:
        return plan(topology, directory)


def faults(topology):
    return "; ".join(error.message for error in VALIDATOR.iter_errors(topology))


def described(path, value):
    return ".".join(map(str, path)) + (" absent" if value is ABSENT else " = " + toml(value))


def check_changes():
    status, output = planned(WHOLE)
    expect("plan accepts the topology with each key", status == 0, output)
    expect("the schema too", not faults(WHOLE), faults(WHOLE))
    for path, value in MADE_GOOD:
        topology = changed(path, value)
        text = described(path, value)
        status, output = planned(topology)
        expect(f"plan accepts {text}", status == 0, output)
        expect(f"the schema accepts {text}", not faults(topology), faults(topology))
    for path, value in MADE_BAD:
        topology = changed(path, value)
        text = described(path, value)
        status, output = planned(topology)
        expect(f"plan refuses {text}", status == 2, f"status {status}: {output}")
        expect(f"the schema refuses {text}", bool(faults(topology)))


def keys_of_reader(path):
    """The keys that the planner names when it finds an unknown one."""
    where = () if path == ("",) else path
    topology = changed((*where, "unknown-key"), 1)
    expect(f"the schema refuses an unknown key in {'.'.join(map(str, where))}", bool(faults(topology)))
    status, output = planned(topology)
    known = re.search(r"unknown key 'unknown-key'.*; known: (.*)", output)
    if status != 2 or not known:
        return set()
    return set(re.split(r", | and ", known[1]))


def keys_of_page():
    """The items of each subsection of DESCRIPTION in the manual page. Items of a nested list are no keys."""
    page = (ROOT / "src/man/routevpn-topology.5").read_text()
    description = page[page.index(".Sh DESCRIPTION") : page.index(".Sh FILES")].replace("\\-", "-")
    sections = {}
    for part in description.split(".Ss ")[1:]:
        items = re.findall(r"^\.It Ic (.*)$", part, re.MULTILINE)
        sections[part.split("\n")[0]] = {key for item in items for key in item.split(" , ")}
    return sections


def check_keys():
    page = keys_of_page()
    headings = {ORGANISATION: "[organisation]", DEFAULTS: "[defaults]", SITE: "[[site]]",
                GATEWAY: "[[site.gateway]]", ROUTER: "[[site.router]]", LAN: "lan and underlay",
                LINK: "[[link]]"}
    for path, table in TABLES.items():
        name = headings.get(path, "the file")
        in_schema = set(table["properties"])
        of_reader = keys_of_reader(path)
        expect(f"keys of {name} are those of the planner", in_schema == of_reader,
               f"only one has {sorted(in_schema ^ of_reader)}")
        if path not in headings:
            continue
        on_page = page.get(headings[path], set())
        if path == GATEWAY:  # "A gateway may also have all keys of [defaults]."
            on_page = on_page | page["[defaults]"]
        expect("and those of the manual page", in_schema == on_page,
               f"only one has {sorted(in_schema ^ on_page)}")


def defaults_of(table):
    found = {}
    for key, value in table["properties"].items():
        if "$ref" in value:
            value = SCHEMA["definitions"][value["$ref"].rsplit("/", 1)[1]]
        if "default" in value:
            found[key] = value["default"]
    return found


def check_defaults():
    """A topology that spells out the defaults gives the same plan."""
    short = {
        "organisation": {"as": 65000, "interconnect4": "10.255.0.0/24", "interconnect6": "2001:db8:ff::/64"},
        "site": [{"name": f"site{n}", "prefixes": [f"10.0.{n}.0/24"], "router": [{"name": f"R{n}"}],
                  "gateway": [{"name": f"V{n}-1", "address": [f"192.0.2.{n}", f"2001:db8:{n}::1"]}]}
                 for n in (1, 2)],
    }
    for site in short["site"]:
        number = site["name"][-1]
        site["gateway"][0]["lan"] = ["lan", {"name": "eth1", "addresses": [f"10.0.{number}.1/24"]}]
    long = copy.deepcopy(short)
    long["organisation"] |= defaults_of(TABLES[ORGANISATION])
    long["defaults"] = defaults_of(TABLES[DEFAULTS])
    for site in long["site"]:
        site["router"][0] |= {key: value for key, value in defaults_of(TABLES[ROUTER]).items()
                              if key not in site["router"][0]}
    expect("there are defaults to compare", len(long["organisation"]) >= 12 and len(long["defaults"]) >= 8,
           str(long))
    with tempfile.TemporaryDirectory() as directory:
        # The second plan finds the keys of the first.
        status, output = plan(short, directory)
        expect("plan accepts the short topology", status == 0, output)
        status, output = plan(long, directory, "--check")
        expect("with all defaults written out nothing changes", status == 0, output)


def shell_documents(text):
    """Topologies that scripts write, with a value in place of each variable, and without what is optional."""
    for marker, body in re.findall(r"<<'?(\w+)'?\n(.*?)\n\1$", text, re.DOTALL | re.MULTILINE):
        if "[organisation]" in body and "[[site]]" in body:
            body = re.sub(r"^\$\d$|\$\{\d:\+[^}]*\}", "", body, flags=re.MULTILINE)
            yield re.sub(r"\$\{?\w+\}?", "/x", body)


def indented_documents(text):
    """Topologies in Markdown: indented blocks, and blocks between fences."""
    blocks = re.findall(r"(?:^(?: {4}.*)?\n)+", text, re.MULTILINE)
    blocks = [re.sub(r"^ {4}", "", block, flags=re.MULTILINE) for block in blocks]
    blocks += re.findall(r"^```(?:toml)?\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return [block for block in blocks if "[organisation]" in block and "[[site]]" in block]


def topologies_of_repository():
    yield "lab/topology.toml", (ROOT / "lab/topology.toml").read_text()
    page = (ROOT / "src/man/routevpn-topology.5").read_text()
    yield "routevpn-topology.5", re.search(r"^\.Bd .*?\n(.*?)^\.Ed", page, re.DOTALL | re.MULTILINE)[1]
    for file in [ROOT / "README.md", *sorted(ROOT.glob("*/**/*.md"))]:
        if ROOT / "build" in file.parents:
            continue
        for text in indented_documents(file.read_text()):
            yield str(file.relative_to(ROOT)), text
    for folder in ("tests", "lab", "scripts"):
        for file in sorted((ROOT / folder).glob("**/*.sh")):
            for text in shell_documents(file.read_text()):
                yield str(file.relative_to(ROOT)), text


def check_repository():
    files = set()
    for file, text in topologies_of_repository():
        files.add(file)
        try:
            wrong = faults(tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            wrong = str(error)
        expect(f"a topology of {file} is valid", not wrong, wrong)
        status, output = planned(text)
        expect("and plan accepts it", status == 0, output)
    missing = {"README.md", "tests/netns/planned.sh"} - files
    expect("topologies were found where they are", not missing, str(missing))
    for file in sorted((ROOT / "tests/fuzz/corpus/topology").iterdir()):
        try:
            wrong = bool(faults(tomllib.loads(file.read_text())))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError):
            wrong = True
        status, output = planned(file.read_bytes().decode(errors="replace"))
        expect(f"plan and schema agree on {file.name}", (status != 0) == wrong, output)


VALIDATOR.check_schema(SCHEMA)
check_changes()
check_keys()
check_defaults()
check_repository()
sys.exit(1 if failures else 0)
