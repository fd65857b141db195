"""Measurements: engines of several configurations kept ready, of which one measures at a time."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import datetime
import os
import platform
import secrets
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

import results
from configurations import Configuration
from engine import ROOT, Engine, Line
from faults import BenchError, UsageError
from fleet import SECRET, Fleet
from interrupts import INTERRUPTED, interrupted
from live import View
from pieces import Pieces

WORKLOADS = ("browse", "shop", "order", "point", "mixed", "write", "trace")
OPTIONS_WITH_SECRETS = ("--password-command", "--cache-password-command")


@dataclass(frozen=True)
class Load:
    """What is asked, and by how many: the engine's options, and those of its phases."""

    workload: str = "browse"
    keys: Optional[str] = None
    trace: Optional[Path] = None
    seed: int = 1
    threads: int = 64
    patience_s: float = 10.0
    arrivals: str = "poisson"
    clients: Optional[int] = None
    think_us: Optional[int] = None
    label: str = ""
    """How the workload is called where its name would be a path."""

    @property
    def name(self) -> str:
        """For people."""
        return self.label or Path(self.workload).stem

    def options(self) -> list[str]:
        """The engine's command line."""
        options = ["--workload", self.workload, "--seed", str(self.seed), "--threads", str(self.threads), "--patience",
                   str(self.patience_s)]
        if self.keys:
            options += ["--keys", self.keys]
        return options + (["--trace", str(self.trace)] if self.trace else [])

    def phase(self, seconds: float, rate: Optional[str]) -> dict[str, object]:
        """Options of a phase: an open loop at a rate, or without one a closed loop."""
        options: dict[str, object] = {"seconds": f"{seconds:g}"}
        if rate is not None:
            return {**options, "rate": rate, "arrivals": self.arrivals}
        if self.clients is not None:
            options["clients"] = self.clients
        if self.think_us is not None:
            options["think_us"] = self.think_us
        return options


def add_load_options(parser: argparse.ArgumentParser) -> None:
    """What is asked, and how often."""
    load = parser.add_argument_group("load")
    load.add_argument("--workload", default="browse", metavar="NAME",
                      help=f"{', '.join(WORKLOADS)}, or a file with a mix (default browse)")
    load.add_argument("--keys", metavar="SPEC",
                      help="zipf:0.82 (default), uniform, latest:0.82, hotspot:0.2:0.8, trace")
    load.add_argument("--trace", type=Path, metavar="FILE", help="recorded keys, one a line; for the workload `trace`")
    load.add_argument("--arrivals", choices=("poisson", "constant"), default="poisson", help="of an open loop")
    load.add_argument("--clients", type=int, metavar="N", help="a closed loop of N visitors in place of a rate")
    load.add_argument("--think", type=float, metavar="MS", help="how long each of them thinks, on average (default 0)")
    load.add_argument("--threads", type=int, default=64, metavar="N", help="as many requests at once (default 64)")
    load.add_argument("--patience", type=float, default=10.0, metavar="S",
                      help="what waited so long for a thread is dropped, and counted (default 10)")
    load.add_argument("--random", type=int, default=1, metavar="N", dest="seed",
                      help="the seed of arrivals and keys (default 1)")


def load_of(given: argparse.Namespace) -> Load:
    """The load that a command line asks for. Raises UsageError."""
    if given.workload not in WORKLOADS and not Path(given.workload).is_file():
        raise UsageError(f"--workload {given.workload}: there are {', '.join(WORKLOADS)}; or name a file with a mix")
    if given.workload == "trace" and not given.trace:
        raise UsageError("--workload trace needs --trace FILE")
    if given.trace and not given.trace.is_file():
        raise UsageError(f"--trace {given.trace}: no such file")
    for option, value, least, most in (("--threads", given.threads, 1, 4096), ("--clients", given.clients, 1, 4096),
                                       ("--think", given.think, 0, 3.6e6), ("--patience", given.patience, 0.001, 3600)):
        if value is not None and not least <= value <= most:
            raise UsageError(f"{option} {value:g}: must be from {least:g} to {most:g}")
    return Load(given.workload, given.keys, given.trace, given.seed, given.threads, given.patience, given.arrivals,
                given.clients, None if given.think is None else round(given.think * 1000))


@dataclass
class Bench:
    """A fleet under one load: engines by configuration, and the runs that were measured. A context manager."""

    fleet: Fleet
    load: Load
    watched: bool = True
    runs: list[results.Run] = field(default_factory=list)
    operations: list[results.Operation] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._engines: dict[str, Engine] = {}
        self._files = contextlib.ExitStack()
        # Nothing that another run has left in the cache is answered: its rows may be those of another shop.
        self._prefix = f"shopbench-{secrets.token_hex(4)}"

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, *_: object) -> None:
        self._files.close()

    def engine(self, configuration: Configuration) -> Engine:
        """The engine of a configuration, started when it is wanted first."""
        if configuration.name not in self._engines:
            settings = configuration.settings(self.fleet, f"{self._prefix}-{configuration.name.replace('+', '-')}")
            options = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
            options += ["--label", configuration.name, *self.load.options()]
            engine = Engine(options, configuration.file(self.fleet))
            self._engines[configuration.name] = self._files.enter_context(engine)
        return self._engines[configuration.name]

    def measure(self, configuration: Configuration, seconds: float, rate: Optional[str] = None, *, warmup: float = 0.0,
                label: str = "", round_number: int = 1, kind: str = "measure", phase: str = "measure",
                start_unix_s: Optional[float] = None) -> results.Run:
        """Warms up for some seconds, then measures for some: a run, which is also kept in `runs`."""
        engine = self.engine(configuration)
        kept = Pieces()
        heading = f"{configuration.title}, {self.load.name}" + (f", {label}" if label else "")
        with watching(heading, self.watched) as show:
            def seen(line: Line) -> None:
                if line.get("type") == "second":
                    second = results.object_of(results.Second, line, "second")
                    kept.add(second)
                    show(second)
            if warmup > 0 and not interrupted():
                engine.phase("warmup", self.load.phase(warmup, first_rate(rate)), seen)
            if interrupted():
                raise BenchError("stopped before anything was measured", INTERRUPTED)
            options = self.load.phase(seconds, rate)
            if start_unix_s is not None:
                options["start_unix_s"] = f"{start_unix_s:.3f}"
            result = engine.phase(phase, options, seen)
        run = self._run(configuration, engine, result, kept.all())
        run = dataclasses.replace(run, round=round_number, rate=numeric(rate), rate_label=label, kind=kind)
        self.runs.append(run)
        return run

    def flush(self, configuration: Configuration) -> None:
        """Empties its cache."""
        if configuration.cache or configuration.local:
            self.engine(configuration).flush()

    def _run(self, configuration: Configuration, engine: Engine, result: Line,
             seconds: list[results.Second]) -> results.Run:
        settings = {name: value for name, value in
                    configuration.settings(self.fleet, self._prefix).items() if not SECRET.search(name)}
        return results.Run(
            configuration=configuration.name, workload=self.load.name,
            start=results.object_of(results.Start, engine.start, "start"),
            result=results.object_of(results.Result, result, "result"),
            seconds=seconds, started_at=utc(result.get("began_unix_s", 0.0)), nodes=configuration.nodes(self.fleet),
            settings=settings)


def first_rate(rate: Optional[str]) -> Optional[str]:
    """What to warm up with: the rate that a ramp or a row of steps begins with."""
    return None if rate is None else rate.split(",")[0].split("@")[0].split("..")[0]


def numeric(rate: Optional[str]) -> Optional[float]:
    """A rate that does not change, as a number."""
    try:
        return None if rate is None else float(rate)
    except ValueError:
        return None


def utc(unix_s: float) -> str:
    """A moment as ISO 8601 has it."""
    moment = datetime.datetime.fromtimestamp(unix_s, datetime.timezone.utc)
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


@contextlib.contextmanager
def watching(heading: str, wanted: bool) -> Iterator[Callable[[results.Second], None]]:
    """The live view of one measurement, on standard error."""
    if not wanted:
        yield lambda second: None
        return
    view = View(sys.stderr, heading)
    try:
        yield view.show
    finally:
        view.close()


def command_line(arguments: Sequence[str]) -> str:
    """The command as it was given, for a shell: a command that prints a password is not told."""
    told, hidden = ["bench/shopbench"], False
    for word in arguments:
        option = word.split("=", 1)[0]
        if hidden:
            told.append("...")
        elif option in OPTIONS_WITH_SECRETS and "=" in word:
            told.append(f"{option}=...")
        else:
            told.append(word)
        hidden = not hidden and word in OPTIONS_WITH_SECRETS
    return shlex.join(told)


def versions() -> dict[str, str]:
    """Of what the front itself is."""
    found = {"python": platform.python_version()}
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(["git", "-C", str(ROOT), "describe", "--always", "--dirty"], capture_output=True,
                              text=True, timeout=5, check=True)
        found["tree"] = done.stdout.strip()
    return found


def host() -> dict[str, str]:
    """Where this was."""
    return {"name": platform.node(), "kernel": f"{platform.system()} {platform.release()} {platform.machine()}",
            "cores": str(len(os.sched_getaffinity(0)))}
