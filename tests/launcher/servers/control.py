"""`launch ctl`: one line to the launcher's socket, an answer back, one request at a time.

A program may speak it directly: connect to $SHOPDATA_SERVERS/control, send "VERB [NODE...]\\n", read until the end.
The answer's first line is "ok" or "error MESSAGE"; further lines are what the verb prints.
"""

import os
import shlex
import socket
from pathlib import Path

from .errors import LaunchError
from .fleet import Fleet

# What `launch run` exports, by prefix.
EXPORTED = ("SHOPDATA_SERVERS", "SHOPDATA_PRIMARY", "SHOPDATA_REPLICA", "SHOPDATA_SUPERUSER_", "SHOPDATA_REDIS",
            "SHOPDATA_MEMCACHED", "SHOPDATA_LAUNCH")
# Exported to the command alone: by it the guard knows what the command started. `ctl env` must not spread it.
MARK = "SHOPDATA_LAUNCHED"
NODE_VERBS = ("start", "stop", "kill", "restart", "freeze", "thaw", "pause", "resume", "promote", "follow",
              "failover", "reshard")
VERBS = NODE_VERBS + ("status", "env")
PATIENCE_SECONDS = 5


def listen(directory: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    try:
        listener.bind(str(directory / "control"))
    except OSError as error:
        raise LaunchError(f"cannot listen in {directory}: {error}; set TMPDIR to a short path") from None
    os.chmod(directory / "control", 0o600)
    listener.listen(64)
    return listener


def serve_one(listener: socket.socket, fleet: Fleet) -> None:
    connection, _ = listener.accept()
    with connection:
        try:
            connection.settimeout(PATIENCE_SECONDS)
            connection.sendall(_answer(_read_line(connection), fleet).encode())
        except OSError:
            pass  # the client went away or said nothing


def _read_line(connection: socket.socket) -> str:
    line = b""
    while not line.endswith(b"\n") and len(line) < 1000:
        piece = connection.recv(1000)
        if not piece:
            break
        line += piece
    return line.decode(errors="replace")


def _answer(line: str, fleet: Fleet) -> str:
    try:
        return "\n".join(["ok"] + perform(line.split(), fleet)) + "\n"
    except LaunchError as error:
        return f"error {error}\n"


def perform(words: list[str], fleet: Fleet) -> list[str]:
    """Do what a request says; the lines to print."""
    verb, names = (words or [""])[0], words[1:]
    if verb not in VERBS:
        raise LaunchError(f"no verb {verb!r}: there are {', '.join(VERBS)}")
    expected = {"status": 0, "env": 0, "follow": 2, "reshard": 2}.get(verb, 1)
    if len(names) != expected:
        wanted = " ".join([verb] + ["NODE"] * expected)
        raise LaunchError(f"{verb} takes {expected} node name{'s' * (expected != 1)}: {wanted}")
    if verb == "status":
        return fleet.status()
    if verb == "env":
        return [f"export {name}={shlex.quote(value)}" for name, value in fleet.environment().items()]
    _perform_on(verb, [fleet.node(name) for name in names])
    fleet.write_state()
    return []


def _perform_on(verb: str, nodes: list) -> None:
    for node in nodes:
        if verb not in node.verbs:
            raise LaunchError(f"cannot {verb} {node.name}: a {node.kind} server knows {', '.join(sorted(node.verbs))}")
    getattr(nodes[0], verb)(*nodes[1:])


def request(directory: str, words: list[str]) -> list[str]:
    """Ask a running launcher; the lines that it wants printed."""
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(str(Path(directory) / "control"))
        except OSError:
            raise LaunchError(f"no servers in {directory}: their `launch run` has ended or is still starting") from None
        connection.sendall((" ".join(words) + "\n").encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    first, *rest = answer.splitlines() or ["error the launcher ended before it answered"]
    if first != "ok":
        raise LaunchError(first.removeprefix("error "))
    return rest
