"""A run of the load engine, and what it printed."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Json = dict[str, Any]
PROGRAM = os.environ.get("SHOPLOAD", "")
LONGEST_S = 240


@dataclass
class Run:
    """What a run printed: all its lines, and those that matter by themselves."""

    exit_code: int
    complaint: str
    lines: list[Json] = field(default_factory=list)

    def of(self, kind: str) -> list[Json]:
        return [line for line in self.lines if line["type"] == kind]

    @property
    def result(self) -> Json:
        assert self.of("result"), self.complaint
        return self.of("result")[-1]


def read(process: subprocess.Popen[str], commands: str | None = None) -> Run:
    printed, complaint = process.communicate(commands, timeout=LONGEST_S)
    return Run(process.returncode, complaint, [json.loads(line) for line in printed.splitlines()])


@dataclass
class Engine:
    """The program, with the servers of the launcher: `ini` and `conninfo` are its files."""

    folder: Path

    @property
    def ini(self) -> Path:
        return self.folder / "shop.ini"

    @property
    def conninfo(self) -> Path:
        return self.folder / "conninfo"

    def start(self, *arguments: str, primary_only: bool = False) -> subprocess.Popen[str]:
        """A slow moment of a busy machine shall not drop requests, unless the arguments say otherwise."""
        ini = self.folder / "primary.ini" if primary_only else self.ini
        return subprocess.Popen([PROGRAM, "run", "--config", str(ini), "--patience", "300", *arguments], text=True,
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def run(self, *arguments: str, commands: str | None = None, primary_only: bool = False) -> Run:
        return read(self.start(*arguments, primary_only=primary_only), commands)
