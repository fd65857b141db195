"""Redis and memcached: nothing is kept on disk, so a restart begins empty."""

import os
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


class Redis(Node):
    """redis-server without persistence; with a user or a password if asked for."""

    kind = "redis"

    def __init__(self, port: int, directory: Path, user: Optional[pwd.struct_passwd], login: str, password: str):
        super().__init__("redis", port, directory, user)
        self.program = require_program("redis-server")
        self.login = login
        self.password = password

    def make_directory(self) -> None:
        """Write the configuration file: a password in the arguments would show in every process list."""
        super().make_directory()
        lines = ["bind 127.0.0.1", f"port {self.port}", 'save ""', "appendonly no", "daemonize no",
                 "dir .", *self._access()]
        path = self.directory / "redis.conf"
        path.touch(mode=0o600)
        path.write_text("\n".join(lines) + "\n")
        if self.user:
            os.chown(path, self.user.pw_uid, self.user.pw_gid)

    def _access(self) -> list[str]:
        if self.login and self.login != "default":
            return ["user default off", f"user {self.login} on >{self.password} ~* &* +@all"]
        return [f"requirepass {self.password}"] if self.password else []

    def command(self) -> list[str]:
        return [self.program, str(self.directory / "redis.conf")]

    def is_ready(self) -> bool:
        return ask(self.port, b"PING\r\n").startswith((b"+PONG", b"-NOAUTH"))

    def environment(self) -> dict[str, str]:
        found = {"SHOPDATA_REDIS": f"127.0.0.1:{self.port}"}
        if self.login:
            found["SHOPDATA_REDIS_USER"] = self.login
        if self.password:
            found["SHOPDATA_REDIS_PASSWORD"] = self.password
        return found


class Memcached(Node):
    kind = "memcached"

    def __init__(self, port: int, directory: Path, user: Optional[pwd.struct_passwd]):
        super().__init__("memcached", port, directory, user)
        self.program = require_program("memcached")

    def command(self) -> list[str]:
        return [self.program, "-l", "127.0.0.1", "-p", str(self.port), "-U", "0", "-m", "64"]

    def is_ready(self) -> bool:
        return ask(self.port, b"version\r\n").startswith(b"VERSION")

    def environment(self) -> dict[str, str]:
        return {"SHOPDATA_MEMCACHED": f"127.0.0.1:{self.port}"}
