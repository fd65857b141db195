"""What cache servers have in common, and memcached. Nothing is kept on disk, so a restart begins empty."""

import pwd
import shutil
import socket
from pathlib import Path
from typing import Optional

from .errors import LaunchError
from .node import Node


def require_program(name: str) -> str:
    path = shutil.which(name)
    if not path:
        raise LaunchError(f"{name} not found in PATH: run tests/setup servers")
    return path


def ask(port: int, request: bytes) -> bytes:
    """Send a request, return the beginning of the answer; empty when nobody answers."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(request)
            return connection.recv(200)
    except OSError:
        return b""


class Memcached(Node):
    kind = "memcached"

    def __init__(self, name: str, port: int, directory: Path, user: Optional[pwd.struct_passwd]):
        super().__init__(name, port, directory, user)
        self.program = require_program("memcached")

    def command(self) -> list[str]:
        return [self.program, "-l", "127.0.0.1", "-p", str(self.port), "-U", "0", "-m", "64"]

    def is_ready(self) -> bool:
        return ask(self.port, b"version\r\n").startswith(b"VERSION")

    def environment(self) -> dict[str, str]:
        return {f"SHOPDATA_{self.name.upper()}": f"127.0.0.1:{self.port}"}
