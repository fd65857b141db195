"""Phases of one run: cold, warm-up, measure, a flush of the cache, a replica that stops, a failover."""

from __future__ import annotations

import dataclasses
import os
import re
import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Optional

import loading
import results
from configurations import Configuration
from faults import UsageError
from fleet import Fleet
from interrupts import interrupted
from measuring import Bench

ACTIONS = ("flush", "replica-stop", "replica-start", "failover")
KINDS = ("load", "cold", "warmup", "measure", *ACTIONS)
COMMAND_SECONDS = 60
PHASE = re.compile(r"([a-z-]+)(?::([0-9]+(?:\.[0-9]+)?))?")
EXAMPLE = "cold:5,warmup:10,measure:60,flush,measure:30,replica-stop:30,replica-start:30"


@dataclass(frozen=True)
class Phase:
    """One part. ``seconds`` 0: only what is done at its beginning."""

    kind: str
    seconds: float

    @property
    def measured(self) -> bool:
        """Does it count?"""
        return self.kind not in ("cold", "warmup")


@dataclass(frozen=True)
class Operator:
    """The commands that may do what a client cannot: only those that were given."""

    commands: Mapping[str, str] = field(default_factory=dict)

    def require(self, phases: list[Phase]) -> None:
        """Is there a command for all that the phases want? Raises UsageError."""
        for one in phases:
            if one.kind in ACTIONS[1:] and one.kind not in self.commands:
                raise UsageError(f"--phases: {one.kind} needs --{one.kind} COMMAND: what does that here")

    def begin(self, kind: str) -> Running:
        """Runs its command beside the measurement; what comes of it is told on standard error too."""
        return Running(kind, self.commands[kind])


class Running:
    """A command of the operator's, on its way."""

    def __init__(self, kind: str, command: str) -> None:
        self._began = time.time()
        self._operation = results.Operation(kind, self._began)
        self._thread = threading.Thread(target=self._run, args=(command,), daemon=True)
        self._thread.start()

    def _run(self, command: str) -> None:
        done = subprocess.run(command, shell=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True, errors="replace", check=False)
        self._operation = dataclasses.replace(
            self._operation, took_s=round(time.time() - self._began, 1), exit_code=done.returncode,
            says=(done.stderr.strip().splitlines() or [""])[-1])
        print(f"shopbench: {self._operation}", file=sys.stderr)

    def ended(self, patience_s: float) -> results.Operation:
        """What came of it, so far as it is known after so many seconds more."""
        self._thread.join(patience_s)
        if self._operation.exit_code is None:
            self._operation = dataclasses.replace(self._operation, took_s=round(time.time() - self._began, 1))
            print(f"shopbench: {self._operation}", file=sys.stderr)
        return self._operation


def read(text: str) -> list[Phase]:
    """The phases of --phases. Raises UsageError."""
    found = []
    for part in text.split(","):
        match = PHASE.fullmatch(part.strip())
        if not match or match[1] not in KINDS:
            raise UsageError(f"--phases: `{part.strip()}` is none of {', '.join(KINDS)}, each with :SECONDS; "
                             f"as {EXAMPLE}")
        seconds = float(match[2] or 0)
        if seconds == 0 and match[1] not in ("load", *ACTIONS):
            raise UsageError(f"--phases: {match[1]} needs its seconds, as {match[1]}:30")
        found.append(Phase(match[1], seconds))
    if not any(one.measured and one.seconds > 0 for one in found):
        raise UsageError(f"--phases: nothing is measured in it; as {EXAMPLE}")
    return found


def launcher_commands(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The test launcher's own servers may be made ill: nobody else has them."""
    if "SHOPDATA_LAUNCH" not in environment or "SHOPDATA_REPLICA1" not in environment:
        return {}
    steer = f"{shlex.quote(environment['SHOPDATA_LAUNCH'])} ctl"
    return {"replica-stop": f"{steer} stop replica1", "replica-start": f"{steer} start replica1",
            "failover": f"{steer} kill primary && {steer} promote replica1"}


def require_flush(fleet: Fleet, configuration: Configuration, phases: list[Phase]) -> None:
    """Can caches be emptied where that is wanted? The first phase begins with empty ones. Raises UsageError."""
    for number, one in enumerate(phases):
        if one.kind == "flush" and not (configuration.cache or configuration.local):
            raise UsageError(f"--phases: flush: there is nothing to empty in the configuration {configuration.name}")
        if (one.kind == "flush" or (one.kind == "cold" and number > 0)) and fleet.settings.get("cache.mode") == "ttl":
            raise UsageError(f"--phases: {one.kind} cannot empty a cache in cache.mode ttl, in which nothing that is"
                             " cached hears of a write")


def run(bench: Bench, configuration: Configuration, phases: list[Phase], operator: Operator,
        rate: Optional[str]) -> None:
    """Does them in order, in one process, so that each finds what the one before has left in the caches."""
    running: list[Running] = []
    try:
        go_through(bench, configuration, phases, operator, rate, running)
    finally:
        bench.operations += [one.ended(COMMAND_SECONDS) for one in running]


def go_through(bench: Bench, configuration: Configuration, phases: list[Phase], operator: Operator,
               rate: Optional[str], running: list[Running]) -> None:
    """The phases in order; the commands that they begin with go into ``running``."""
    for number, one in enumerate(phases, 1):
        if interrupted():
            break
        if one.kind == "load":
            print(loading.filled(bench.fleet))
        if one.kind == "flush" or (one.kind == "cold" and number > 1):
            bench.flush(configuration)
        if one.kind in ACTIONS[1:]:
            running.append(operator.begin(one.kind))
        if one.seconds > 0:
            bench.measure(configuration, one.seconds, rate, label=f"phase {number}: {one.kind}", phase=one.kind,
                          kind="measure" if one.measured else "phase")
