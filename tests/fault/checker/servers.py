"""The launcher's servers, as the faults need them: its verbs, a word to a cache, a question to a node."""

import os
import socket
import subprocess
from pathlib import Path


class ServerError(Exception):
    """One line: what could not be done."""


def launcher(*words: str) -> None:
    """Do what `launch ctl` does."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(os.environ["SHOPDATA_SERVERS"] + "/control")
        connection.sendall((" ".join(words) + "\n").encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    if not answer.startswith("ok"):
        raise ServerError(f"{' '.join(words)}: {answer.strip()}")


def superuser(node: str, sql: str) -> str:
    """The first cell of what this node answers."""
    conninfo = os.environ[f"SHOPDATA_SUPERUSER_{node.upper()}"]
    try:
        done = subprocess.run(["psql", "-XAtqw", "-c", sql, f"{conninfo} connect_timeout=3"], capture_output=True,
                              text=True, check=False, timeout=10, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        raise ServerError(f"{node} does not answer") from None
    if done.returncode != 0:
        raise ServerError(f"{node}: {' '.join(done.stderr.split())}")
    return done.stdout.strip()


def say_to(variable: str, *commands: str) -> bytes:
    """Send lines to a cache server; the beginning of what it says."""
    host, _, port = os.environ[variable].rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=3) as connection:
            connection.sendall("".join(f"{command}\r\n" for command in commands).encode())
            return connection.recv(65536)
    except OSError as error:
        raise ServerError(f"{variable}: {error}") from None


def place(variable: str) -> str:
    """Of a cache server, as REPLICAOF has it."""
    return os.environ[variable].replace(":", " ")


def redis_directory() -> Path:
    return Path(os.environ["SHOPDATA_SERVERS"]) / "redis"
