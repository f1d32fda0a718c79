#!/usr/bin/env python3
"""Control sockets of links and clients of the exporter that misbehave.

  sockets.py links DIR       sound.sock with the status in DIR/status.json, garbage.sock, silent.sock, and
                             stale.sock without a process. Prints "ready".
  sockets.py clients PORT N [PATH]
                             N connections to 127.0.0.1:PORT that send nothing, or a request for the path, and
                             do not read. Prints "ready", and when its input ends the number of those that
                             were told to come back (status 503).
  sockets.py pass PORT COMMAND...  runs the command with a listening socket, as systemd does
"""
import os
import selectors
import socket
import sys


def listener(path):
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    made.bind(path)
    made.listen(16)
    return made


def links(directory):
    with open(f"{directory}/status.json", "rb") as file:
        status = file.read()
    answers = {
        "sound": status,
        "garbage": b"<script>\x1b[2J\"}\n" * 4096,
        "silent": None,
    }
    listener(f"{directory}/stale.sock").close()
    waiting = selectors.DefaultSelector()
    for name, answer in answers.items():
        waiting.register(listener(f"{directory}/{name}.sock"), selectors.EVENT_READ, answer)
    print("ready", flush=True)
    silent = []
    while True:
        for key, _ in waiting.select():
            client = key.fileobj.accept()[0]
            if key.data is None:
                silent = silent[-4:] + [client]
                continue
            client.recv(100)
            try:
                client.sendall(key.data)
            except OSError:
                pass  # the client has seen enough
            client.close()


def clients(port, count, path):
    made = []
    for _ in range(count):
        made.append(socket.create_connection(("127.0.0.1", port)))
        if path is not None:
            made[-1].sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    print("ready", flush=True)
    sys.stdin.read()
    told = 0
    for client in made:
        client.setblocking(False)
        try:
            told += client.recv(100).startswith(b"HTTP/1.1 503 ")
        except OSError:
            pass  # it is still open, or was reset
    print(told, flush=True)


def pass_socket(port, command):
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.bind(("127.0.0.1", port))
    made.listen(16)
    os.dup2(made.fileno(), 3)
    os.set_inheritable(3, True)  # dup2() leaves it alone if it is 3 already
    os.execve(command[0], command, os.environ | {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid())})


match sys.argv[1:]:
    case ["links", directory]:
        links(directory)
    case ["clients", port, count]:
        clients(int(port), int(count), None)
    case ["clients", port, count, path]:
        clients(int(port), int(count), path)
    case ["pass", port, *command]:
        pass_socket(int(port), command)
    case _:
        sys.exit(__doc__)
