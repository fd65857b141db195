"""The program under test, configurations for it, and servers to say things to past the library."""

import os
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

PROGRAM, METRICS_TEXT = sys.argv.pop(1), sys.argv.pop(1)
if "SHOPDATA_PRIMARY" not in os.environ or "SHOPDATA_REDIS" not in os.environ:
    print("skipped: run it under tests/launcher/launch run --replicas 2 --redis --memcached -- ...")
    sys.exit(77)
NODES = {"primary": "SHOPDATA_PRIMARY", "replica1": "SHOPDATA_REPLICA1", "replica2": "SHOPDATA_REPLICA2"}


def run(*arguments: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=60, check=False, **options)


def sql(*statements: str, on: str = "SHOPDATA_SUPERUSER_PRIMARY") -> str:
    command = ["psql", os.environ[on], "-qAtX", "-v", "ON_ERROR_STOP=1"]
    for statement in statements:
        command += ["-c", statement]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def redis(*words: str) -> str:
    host, port = os.environ["SHOPDATA_REDIS"].rsplit(":", 1)
    with socket.create_connection((host, int(port)), 5) as connection:
        pieces = [f"${len(word.encode())}\r\n{word}\r\n" for word in words]
        connection.sendall(f"*{len(words)}\r\n{''.join(pieces)}".encode())
        return connection.recv(65536).decode()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_until(holds, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.02)


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def config(self, nodes: dict[str, str] | None = None, cache: str = "kind = redis", **sections: str) -> str:
        """Writes a configuration; `nodes` are connection strings by name, `cache` is the section's text."""
        nodes = nodes or {name: os.environ[variable] for name, variable in NODES.items()}
        if cache == "kind = redis":
            cache += f"\naddress = {os.environ['SHOPDATA_REDIS']}\nkey_prefix = tool-test"
        text = "".join(f"[node {name}]\nconninfo = {conninfo}\n" for name, conninfo in nodes.items())
        if cache.startswith(("kind = redis", "kind = memcached")):
            cache += "\ntimeout = 2s"  # on a busy machine too
        sections = {"local": "coherence = 0ms", **sections}
        text += f"[cache]\n{cache}\n" + "".join(f"[{name}]\n{lines}\n" for name, lines in sections.items())
        path = self.folder / "shop.ini"
        path.write_text(text)
        return str(path)

    def assert_ended(self, done: subprocess.CompletedProcess, code: int, *said: str):
        """The exit code, and what was said, on stdout where it is a report and on stderr where it complains."""
        output = done.stdout + done.stderr
        self.assertEqual(done.returncode, code, output)
        for words in said:
            self.assertIn(words, output)

    def assert_misused(self, said: str, *arguments: str):
        done = run(*arguments)
        self.assert_ended(done, 2, said)
        self.assertEqual((done.stdout, done.stderr.count("\n")), ("", 1))
