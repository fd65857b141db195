"""Where a password comes from: the environment, a file, or a command. Never from the command line, which everybody on
the machine can read. And how it gets to libpq, again and again, for some are good for a quarter of an hour only."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import sleep
from typing import Optional

from faults import BenchError, UsageError
from interrupts import asked, interrupted

COMMAND_SECONDS = 60
RENEW_SECONDS = 600.0
"""A token of IAM is good for 900."""


@dataclass(frozen=True)
class Source:
    """Where one password comes from; at most one of the three."""

    option: str
    """The options' beginning: ``--password`` for ``--password-file`` and so on."""
    variable: Optional[str] = None
    file: Optional[Path] = None
    command: Optional[str] = None

    @property
    def named(self) -> bool:
        """Is there one?"""
        return any(one is not None for one in (self.variable, self.file, self.command))

    @property
    def lasting(self) -> bool:
        """Can it be read again? A pipe cannot, as the shell's <(...) is."""
        return not (self.file and self.file.is_fifo())

    def check(self, environment: Mapping[str, str] = os.environ) -> None:
        """Raises what reading would raise, but runs no command."""
        if sum(one is not None for one in (self.variable, self.file, self.command)) > 1:
            raise UsageError(f"{self.option}-env, {self.option}-file and {self.option}-command: give one of them")
        if self.command is None and self.lasting:
            self.read(environment)

    def read(self, environment: Mapping[str, str] = os.environ) -> Optional[str]:
        """The password; None if no source is named. Raises BenchError, which never shows it."""
        if self.variable is not None:
            return self._from_environment(self.variable, environment)
        if self.file is not None:
            return self._from_file(self.file)
        return None if self.command is None else self._from_command(self.command, environment)

    def _from_environment(self, name: str, environment: Mapping[str, str]) -> str:
        if not environment.get(name):
            raise UsageError(f"{self.option}-env {name}: there is no such variable in the environment, or it is empty")
        return environment[name]

    def _from_file(self, path: Path) -> str:
        where = f"{self.option}-file {path}"
        try:
            about = path.stat()
            if about.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise UsageError(f"{where}: others than its owner may use it: chmod 600 {path}")
            return self._first_line(path.read_text(encoding="utf-8"), where)
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{where}: {getattr(error, 'strerror', None) or 'is no text in UTF-8'}") from None

    def _from_command(self, command: str, environment: Mapping[str, str]) -> str:
        where = f"{self.option}-command"
        try:
            done = asked(command, COMMAND_SECONDS, environment=environment)
        except subprocess.TimeoutExpired:
            raise BenchError(f"{where}: had not ended after {COMMAND_SECONDS} s") from None
        if done.returncode != 0:
            raise BenchError(f"{where}: ended with exit code {done.returncode}; run it by hand to see why")
        return self._first_line(done.stdout, where)

    @staticmethod
    def _first_line(text: str, where: str) -> str:
        line = text.split("\n", 1)[0].rstrip("\r")
        if not line:
            raise BenchError(f"{where}: its first line, where the password should be, is empty")
        return line


def in_memory(text: bytes) -> int:
    """A file in memory with this text, that nobody else may read: its descriptor."""
    descriptor = os.memfd_create("shopbench")
    os.fchmod(descriptor, 0o600)
    os.write(descriptor, text)
    return descriptor


def line_of(server: Mapping[str, str], password: str) -> str:
    """A line of libpq's file of passwords. What the server's keywords leave open is open there too."""
    host = server.get("host") or server.get("hostaddr", "")
    fields = [host, server.get("port", ""), "", ""]
    written = ["*" if not one or "," in one else escaped(one) for one in fields]
    return ":".join([*written, escaped(password)]) + "\n"


def escaped(text: str) -> str:
    """A field of that file."""
    return text.replace("\\", "\\\\").replace(":", "\\:")


class Passfile:
    """libpq's file of passwords, in memory. It is read at each connect, so a password that is written into it later
    holds for all connections from then on."""

    def __init__(self, source: Source, servers: Sequence[Mapping[str, str]]):
        self._source, self._servers = source, servers
        self._environment = dict(os.environ)
        self._descriptor: Optional[int] = None
        self._size = 0

    def path(self) -> str:
        """The file, for this process and those that it starts. Raises BenchError: there is no password."""
        if self._descriptor is None:
            text = self._text()
            self._size, self._descriptor = len(text), in_memory(text)
            os.environ.pop("PGPASSWORD", None)  # libpq would believe it more
            if self._source.lasting:
                threading.Thread(target=self._keep, daemon=True).start()
        return f"/proc/{os.getpid()}/fd/{self._descriptor}"

    def _text(self) -> bytes:
        environments = [{**self._environment, **told_of(one)} for one in self._servers]
        if self._source.command is None:
            passwords = [self._source.read(self._environment)] * len(environments)
        else:
            passwords = [self._source.read(one) for one in environments]
        return b"".join(line_of(one, word or "").encode() for one, word in zip(self._servers, passwords))

    def _keep(self) -> None:
        """Renews it, as long as we live."""
        while True:
            sleep(RENEW_SECONDS)
            self._renew()

    def _renew(self) -> None:
        """Where that fails, the last password stays."""
        try:
            text = self._text()
        except BenchError as error:
            if not interrupted():
                print(f"shopbench: {error}; the password that was there is kept", file=sys.stderr)
            return
        # In one write, for somebody may read it just now, over all that was there. Empty lines say nothing.
        self._size = max(self._size, len(text))
        assert self._descriptor is not None
        os.pwrite(self._descriptor, text.ljust(self._size, b"\n"), 0)


def told_of(server: Mapping[str, str]) -> dict[str, str]:
    """What a command finds in its environment: a token is of one server and one role."""
    names = {"PGHOST": "host", "PGPORT": "port", "PGUSER": "user", "PGDATABASE": "dbname"}
    found = {name: server[keyword] for name, keyword in names.items() if keyword in server}
    return {"PGPORT": "5432", **found}
