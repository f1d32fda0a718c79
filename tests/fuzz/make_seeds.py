#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets to corpus/TARGET/seed-NAME: python3 -B make_seeds.py

The seeds lead libFuzzer to the formats; their content is arbitrary. Only the PEM files differ from
run to run: they are made by openssl(1), and kept if they exist.
"""

import pathlib
import struct
import subprocess
import tempfile

CORPUS = pathlib.Path(__file__).parent / "corpus"
PROJECT = pathlib.Path(__file__).parents[2]


def write(target, name, content):
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(content, str):
        content = content.encode()
    (folder / f"seed-{name}").write_bytes(content)


def chunk(content=b""):
    """As Input::chunk() reads it."""
    return struct.pack(">H", len(content)) + content


def record(kind, epoch, sequence, fragment, version=0xFEFD):
    return struct.pack(">BHHHIH", kind, version, epoch, sequence >> 32, sequence & 0xFFFFFFFF,
                       len(fragment)) + fragment


def handshake(kind, sequence, body):
    return struct.pack(">B", kind) + len(body).to_bytes(3, "big") + struct.pack(
        ">H", sequence) + bytes(3) + len(body).to_bytes(3, "big") + body


def client_hello(cookie=b""):
    suites = b"\xc0\x2b\xc0\x2c\xcc\xa9"
    extensions = b"\x00\x0a\x00\x04\x00\x02\x00\x17" + b"\x00\x17\x00\x00" + b"\x00\x0d\x00\x04\x00\x02\x04\x03"
    body = (b"\xfe\xfd" + bytes(range(32)) + b"\x00" + bytes([len(cookie)]) + cookie +
            struct.pack(">H", len(suites)) + suites + b"\x01\x00" +
            struct.pack(">H", len(extensions)) + extensions)
    return record(22, 0, 0, handshake(1, 0, body), 0xFEFF)


ALERT = record(21, 0, 1, b"\x02\x28")
CHANGE_CIPHER_SPEC = record(20, 0, 2**48 - 1, b"\x01")
HELLO_REQUEST = record(22, 0, 1, handshake(0, 0, b""))
HELLO_VERIFY = record(22, 0, 0, handshake(3, 0, b"\xfe\xff\x14" + bytes(20)), 0xFEFF)
SERVER_HELLO = record(22, 0, 1, handshake(2, 1, b"\xfe\xfd" + bytes(32) + b"\x00\xc0\x2b\x00"))
DATA = record(23, 1, 1025, bytes(8 + 20 + 16))


def records():
    hello = client_hello()
    write("record_split", "hello", hello)
    write("record_split", "flight", SERVER_HELLO + ALERT + CHANGE_CIPHER_SPEC + DATA + DATA)
    write("record_split", "tiny", record(23, 1, 1, b"") * 3 + ALERT[:10])
    for suite in range(3):
        operations = b"".join([b"\x00" + chunk(bytes(20)), b"\x01" + chunk() + b"\x00\x20",
                               b"\x00" + chunk(b"x" * 40), b"\x02" + chunk(DATA)])
        write("record_open", f"suite-{suite}", bytes([suite]) + b"\x04\x01\x00" + operations)
    for kind in (1, 2, 3, 9):
        write("control_message", f"kind-{kind}", struct.pack(">BxxxIQI", kind, 7, 1 << 40, 3))


def fragment(packet, offset, length, content):
    return chunk(struct.pack(">BxHHH", 4, packet, offset, length) + content)


def fragments():
    write("fragments", "two", b"\x01\x00" + fragment(1, 0, 300, b"a" * 200) +
          fragment(1, 200, 300, b"b" * 100))
    write("fragments", "overlap", b"\x01\x00" + fragment(2, 0, 40, b"a" * 30) +
          fragment(2, 20, 40, b"b" * 20) + fragment(2, 30, 16385, b"c"))
    write("fragments", "many", b"\x00\x10" + b"".join(fragment(n, 8, 24, b"d" * 8) for n in range(20)))


def ip4(protocol, body, identifier=1):
    return struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(body), identifier, 0x4000, 64, protocol,
                       0, bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])) + body


def ip6(protocol, body):
    address = b"\x20\x01\x0d\xb8" + bytes(11)
    return struct.pack(">IHBB", 0x60000000, len(body), protocol,
                       64) + address + b"\x01" + address + b"\x02" + body


def tcp(payload):
    return struct.pack(">HHIIBBHHH", 1000, 2000, 1, 2, 0x50, 0x18, 500, 0, 0) + payload


def udp(payload):
    return struct.pack(">HHHH", 1000, 2000, 8 + len(payload), 0) + payload


def inside():
    def seed(name, header, packet, mtu=1400):
        write("segment", name, struct.pack(">BH", 1, mtu - 576) + struct.pack("<BBHHHH", *header) + packet)

    seed("tcp4", (1, 1, 40, 200, 20, 16), ip4(6, tcp(bytes(900))))
    seed("tcp6", (1, 4, 60, 100, 40, 16), ip6(6, tcp(bytes(350))))
    seed("udp4", (1, 5, 28, 300, 20, 6), ip4(17, udp(bytes(700))))
    seed("udp6", (1, 5, 48, 64, 40, 6), ip6(17, udp(bytes(200))))
    seed("single", (1, 0, 0, 0, 20, 6), ip4(17, udp(bytes(60))))
    seed("plain", (0, 0, 0, 0, 0, 0), ip6(58, bytes(40)))
    write("coalesce", "flows", b"\x40\x00\xc8\x41\x01\x00\x42\x00\x64" + bytes([0, 0, 1, 2, 2, 0, 1, 1]))
    write("coalesce", "disturbed", b"\x40\x00\xc8" + bytes([0, 4, 0x18, 8, 3, 0x10, 1, 0x20, 2, 0, 0x80,
                                                              0, 30, 1, 0, 0]))


def lane():
    packet = ip4(17, udp(bytes(40)))
    echo = struct.pack(">BxxxIQI", 1, 7, 1 << 40, 3)
    piece = struct.pack(">BxHHH", 4, 1, 0, 60) + packet[:30]
    last = struct.pack(">BxHHH", 4, 1, 30, 60) + packet[30:60]
    for suite in range(3):
        write("lane", f"suite-{suite}", bytes([suite, suite & 1]) + b"".join([
            b"\x20" + chunk(packet), b"\x40" + chunk(echo), b"\x01" + chunk(piece),
            b"\x00" + chunk(last), b"\x80" + chunk(packet), b"\x10" + chunk(DATA + ALERT),
            b"\x50" + chunk(CHANGE_CIPHER_SPEC), b"\x02" + chunk(b"\x01\x00"), b"\x03" + chunk(b"\x14\x00")]))
    write("lane", "rekey", b"\x00\x01" + b"\x00" + chunk(struct.pack(">BxxxIQI", 3, 0, 0, 0)) +
          b"\x00" + chunk(struct.pack(">BxxxIQI", 2, 1 << 31, 2**64 - 1, 9)))


def handshakes():
    write("client_hello", "exchange", b"\x03" + chunk() + b"\x03" + chunk())
    write("client_hello", "changed", b"\x01" + chunk(b"\xff") + b"\x00\x30" + b"\x03" + chunk() +
          b"\x01" + chunk(b"\x00") + b"\x00\x50" + b"\x02" + chunk(b"abc"))
    write("client_hello", "raw", b"\x00" + chunk(client_hello()) + b"\x00" + chunk(client_hello(bytes(20))))
    for victim, spoofed in (("acceptor", (client_hello(), client_hello(bytes(20)), ALERT, CHANGE_CIPHER_SPEC)),
                            ("initiator", (HELLO_VERIFY, SERVER_HELLO, HELLO_REQUEST, ALERT, CHANGE_CIPHER_SPEC))):
        write(victim, "nothing", b"")
        write(victim, "spoofed", b"".join(b"\x00" + chunk(one) + b"\x05\x06" for one in spoofed))
        write(victim, "stranger", b"".join(b"\x80" + chunk(one) + b"\x05\x06" for one in spoofed))
        write(victim, "changed", b"\x05\x05" + b"".join(
            b"\x01" + bytes([n]) + b"\x00" + bytes([13 + n, 1]) + b"\x05\x05" for n in range(8)))
        write(victim, "replayed", b"\x06\x02" + b"\x07\x02\x01\x00" + b"\x03\x00\x01" + b"\x05\x20" +
              b"\x83\x00\x00" + b"\x02\x00\x00\x0d" + chunk(bytes(32)) + b"\x05\x20")
        write(victim, "silence", b"\x06\x04" + b"\x84\x00" + b"\x84\x01" + b"\x06\x60")
        write(victim, "no-handshake", b"\x84\x01" + b"\x06\x10" + b"\x00" + chunk(DATA) + b"\x04\x01")


def envelopes():
    hello = client_hello()
    repeated = b"\x00" + chunk(hello) + b"\x00" + b"\x01" + chunk() + struct.pack(">H", 30) + b"\x01"
    forged = b"\x02" + chunk(b"\x0c" + bytes(24 + 8 + len(hello) + 16)) + b"\x00"
    write("envelope", "sealed-and-changed", repeated)
    write("envelope", "forged", forged + repeated)


def texts():
    def line(*arguments):
        return "\0".join(arguments)

    write("command_line", "link", line("--peer", "[2001:db8::1]:5801", "-p", "100", "--mtu=1400",
                                       "--address", "10.0.0.1/30", "--peer-name", "V2-1"))
    write("command_line", "server", line("-s", "-C", "a", "-K", "b", "-A", "c", "-h", "192.0.2.1"))
    write("command_line", "show", line("show", "rv0", "--json", "--wait", "up", "--timeout", "1.5"))
    write("command_line", "pki", line("pki", "sign", "--name", "V1-1", "--days", "30"))
    write("command_line", "plan", line("plan", "t.toml", "--out", "d", "--check"))
    write("command_line", "help", line("check", "--help"))
    write("config_file", "acceptor", "# comment\nlisten = 10.0.0.1:7754\nlanes = 2\nnat = yes\n"
          "on-state = \"logger '# x' \\\"y\\\"\"\nallow = 192.0.2.0/24\nallow = 2001:db8::/32\n")
    write("config_file", "initiator", "peer = vpn.example:1\npeer = [2001:db8::1]:2\naddress = 10.1.2.230/30\n"
          "keepalive = 200\ndead-after=900\nciphers = ECDHE-ECDSA-AES128-GCM-SHA256\ndscp = inherit\n"
          "route = 10.0.0.0/8\ntable = 0x10\nlog-format = json\nmtu = 1280\ncrypto = openssl\n")
    topology = (PROJECT / "lab/topology.toml").read_text()
    write("topology", "lab", topology)
    write("topology", "links", '[organisation]\nas = 1\nmesh = "explicit"\ninterconnect4 = "10.0.0.0/24"\n'
          'ports = [1, 9]\n[[site]]\nname = "a"\nprefixes = ["10.1.0.0/16"]\n[[site.gateway]]\nname = "A"\n'
          'address = ["192.0.2.1", "2001:db8::1"]\n[[site]]\nname = "b"\n[[site.gateway]]\nname = "B"\n'
          'address = "192.0.2.2"\n[[link]]\nends = ["A", "B"]\ncost = 5\n')
    write("lock_file", "lock", "# comment\nid 0.0.1.1 V1-1\ngateway 0 V1-1\ngateway 1 V2-1\n"
          "link 0 V1-1 V2-1\nreflector V1-1\npsk-steps 4\nca " + "0A" * 32 + "\n")
    write("certificate_index", "index", "# serial name not-after status [revoked-at]\n"
          "5B3C91 V1-1 2026-11-21T20:39:00Z issued\n1F00A7 V1-2 2026-11-21T20:41:13Z revoked 2026-01-03T08:00:00Z\n")
    write("certificate_index", "serial", "5b:3c:91")
    write("control_socket", "status", chunk(b"status\n"))
    write("control_socket", "parts", chunk(b"wa") + chunk(b"tch") + chunk(b"\n") + chunk(b"status\n"))
    write("control_socket", "long", chunk(b"s" * 70))


def openssl(*arguments, folder):
    subprocess.run(("openssl",) + arguments, cwd=folder, check=True, capture_output=True)


def pem():
    if (CORPUS / "pem/seed-certificate").exists():
        return
    with tempfile.TemporaryDirectory() as folder:
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "key",
                "-out", "certificate", "-subj", "/CN=V2-1", "-days", "3650", "-addext",
                "subjectAltName=DNS:V2-1", "-addext", "keyUsage=digitalSignature,cRLSign", folder=folder)
        openssl("req", "-new", "-key", "key", "-out", "request", "-subj", "/CN=V2-1", folder=folder)
        openssl("genpkey", "-algorithm", "ed25519", "-out", "ed25519", folder=folder)
        (pathlib.Path(folder) / "index").touch()
        (pathlib.Path(folder) / "ca.cnf").write_text("[ca]\ndefault_ca=d\n[d]\ndatabase=index\ndefault_md=sha256\n")
        openssl("ca", "-config", "ca.cnf", "-gencrl", "-keyfile", "key", "-cert", "certificate", "-crldays", "9",
                "-out", "crl", folder=folder)
        for name in ("certificate", "key", "request", "ed25519", "crl"):
            write("pem", name, (pathlib.Path(folder) / name).read_bytes())


for make in (records, fragments, inside, lane, handshakes, envelopes, texts, pem):
    make()
