"""Where a password comes from: the environment, a file, or a command. Never from the command line, which everybody on
the machine can read."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from faults import BenchError, UsageError

COMMAND_SECONDS = 60


@dataclass(frozen=True)
class Source:
    """Where one password comes from; at most one of the three."""

    option: str
    """The options' beginning: ``--password`` for ``--password-file`` and so on."""
    variable: Optional[str] = None
    file: Optional[Path] = None
    command: Optional[str] = None

    def read(self, environment: Mapping[str, str] = os.environ) -> Optional[str]:
        """The password; None if no source is named. Raises BenchError, which never shows it."""
        named = [one for one in (self.variable, self.file, self.command) if one is not None]
        if len(named) > 1:
            raise UsageError(f"{self.option}-env, {self.option}-file and {self.option}-command: give one of them")
        if self.variable is not None:
            return self._from_environment(self.variable, environment)
        if self.file is not None:
            return self._from_file(self.file)
        return None if self.command is None else self._from_command(self.command)

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

    def _from_command(self, command: str) -> str:
        where = f"{self.option}-command"
        try:
            done = subprocess.run(command, shell=True, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
                                  timeout=COMMAND_SECONDS, check=False)
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
