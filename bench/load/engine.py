"""The engine's process, shopload: started, spoken to, read and ended. FORMAT.md is what is said."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Optional

import conninfo
from faults import BenchError
from interrupts import INTERRUPTED, interrupted, stopped_by
from passwords import in_memory

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(os.environ.get("SHOPLOAD", ROOT / "build-bench" / "bench" / "load" / "engine" / "shopload"))
PATIENCE_S = 30
Line = dict[str, Any]


class Process:
    """shopload with a subcommand. What is secret is handed over in memory that has no name: neither the process list
    nor a disk ever has it."""

    def __init__(self, arguments: Sequence[str], secrets: Mapping[str, str], program: Path = PROGRAM):
        """``secrets``: options whose value is a file, and what is to stand in it."""
        self._said: queue.SimpleQueue[Optional[str]] = queue.SimpleQueue()
        self._complaints: deque[str] = deque(maxlen=20)
        with contextlib.ExitStack() as files:
            command, descriptors = [str(program), *arguments], []
            for option, text in secrets.items():
                descriptor = in_memory(text.encode())
                files.callback(os.close, descriptor)
                descriptors.append(descriptor)
                command += [option, f"/dev/fd/{descriptor}"]
            self._process = started(command, descriptors)
        self._readers = [self._read(self._process.stdout, self._said.put), self._read(
            self._process.stderr, self._complaints.append)]

    @staticmethod
    def _read(stream: Optional[IO[str]], take: Callable[[str], None]) -> threading.Thread:
        def read() -> None:
            for line in stream or ():
                take(line)
        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        return thread

    def lines(self) -> Iterator[Line]:
        """What it prints, as it comes. Ends with the process, whose exit code tells whether all went well."""
        while True:
            try:
                text = self._said.get(timeout=0.1)
            except queue.Empty:
                if self._readers[0].is_alive() or not self._said.empty():
                    continue
                return
            yield parsed(str(text))

    def say(self, command: str) -> None:
        """A line on its standard input."""
        assert self._process.stdin
        try:
            self._process.stdin.write(command + "\n")
            self._process.stdin.flush()
        except OSError:
            raise self.fault() from None

    def send_interrupt(self) -> None:
        """As Ctrl-C would."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGINT)

    def kill(self) -> None:
        """Before it has anything to tell."""
        self._process.kill()

    def send_stop(self) -> None:
        """Ends a phase. No signal, because who has started us may have sent it one too, and two are the end. Past the
        buffer, because this is for a signal handler."""
        assert self._process.stdin
        with contextlib.suppress(OSError, ValueError):
            os.write(self._process.stdin.fileno(), b"stop\n")

    def end(self) -> int:
        """Closes its input, waits, and is its exit code. One that does not end is killed."""
        with contextlib.suppress(OSError):
            if self._process.stdin:
                self._process.stdin.close()
        try:
            code = self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        for reader in self._readers:
            reader.join(PATIENCE_S)
        return code

    def fault(self) -> BenchError:
        """Why it ended: its last words."""
        code = self.end()
        words = [line.strip() for line in self._complaints if line.strip()]
        if interrupted():
            return BenchError(words[-1].removeprefix("shopload: ") if words else "stopped", INTERRUPTED)
        said = words[-1].removeprefix("shopload: ") if words else f"the engine ended with exit code {code} and no word"
        return BenchError(conninfo.advised(said), 2 if code == 2 else 1)


def started(command: list[str], descriptors: list[int]) -> subprocess.Popen[str]:
    """The process, in a group of its own: Ctrl-C is the front's to pass on. Should the front be killed, so is the
    engine: nobody would read what it measures, and it would go on to burden the servers."""
    if not Path(command[0]).is_file():
        raise BenchError(f"{command[0]}: no such file; bench/shopbench builds it")
    try:
        return subprocess.Popen(["setpriv", "--pdeathsig", "TERM", *command], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
                                pass_fds=descriptors, start_new_session=True)
    except OSError as error:
        raise BenchError(f"setpriv, of the package util-linux: {error.strerror}") from None


def parsed(text: str) -> Line:
    """A line of JSON."""
    try:
        line = json.loads(text)
        if isinstance(line, dict):
            return line
    except ValueError:
        pass
    raise BenchError(f"the engine printed what is no object of JSON: {text[:60]}")


class Engine:
    """`shopload run`: one client of the library, which is told phase by phase what to do."""

    def __init__(self, options: Sequence[str], configuration: str, program: Path = PROGRAM):
        """``configuration`` is the library's file, which holds passwords. Raises BenchError: it cannot start."""
        self._process = Process(["run", *options, "--commands"], {"--config": configuration}, program)
        self._lines = self._process.lines()
        with stopped_by(self._process.kill):
            self.start = self._until("start")

    def _until(self, kind: str, seen: Callable[[Line], None] = lambda line: None) -> Line:
        """The next line of that type; the others are handed to ``seen``."""
        for line in self._lines:
            if line.get("type") == kind:
                return line
            if line.get("type") == "error":
                raise BenchError(str(line.get("message")))
            seen(line)
        raise self._process.fault()

    def phase(self, name: str, options: Mapping[str, object], seen: Callable[[Line], None]) -> Line:
        """Runs a phase: its result. ``seen`` is given every line before that."""
        self._process.say(f"phase {name} " + " ".join(f"{key}={value}" for key, value in options.items()))
        with stopped_by(self._process.send_stop):
            result = self._until("result", seen)
        return {**result, "ended": "interrupted"} if result.get("ended") == "stopped" else result

    def flush(self) -> None:
        """Nothing that was cached before is answered from now on."""
        self._process.say("flush")
        self._until("flushed")

    def close(self) -> None:
        """Ends it."""
        self._process.end()

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
