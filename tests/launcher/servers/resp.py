"""Talks to Redis: one command, one reply, as Python values."""

import socket
from typing import BinaryIO, Union

from .errors import LaunchError

Reply = Union[str, int, None, list]


def talk(port: int, *words: str, seconds: float = 5) -> Reply:
    """The reply; LaunchError with the server's words if it refuses, or if nobody answers."""
    request = f"*{len(words)}\r\n" + "".join(f"${len(word.encode())}\r\n{word}\r\n" for word in words)
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
            connection.sendall(request.encode())
            return _read(connection.makefile("rb"))
    except (OSError, ValueError) as error:
        raise LaunchError(f"no answer to {words[0]} on port {port}: {error}") from None


def tries(port: int, *words: str) -> Reply:
    """The same, None where there is no reply."""
    try:
        return talk(port, *words, seconds=1)
    except LaunchError:
        return None


def _read(stream: BinaryIO) -> Reply:
    line = stream.readline().decode(errors="replace").rstrip("\r\n")
    kind, rest = line[:1], line[1:]
    if kind == "-":
        raise LaunchError(rest)
    if kind == "+":
        return rest
    if kind == ":":
        return int(rest)
    if kind == "$":
        return None if rest == "-1" else stream.read(int(rest) + 2)[:-2].decode(errors="replace")
    if kind == "*":
        return None if rest == "-1" else [_read(stream) for _ in range(int(rest))]
    raise ValueError(f"no reply: {line!r}")
