"""Ctrl-C: what is under way ends early and tells what it has; and programs that are asked do not outlive us."""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Optional, Union

from faults import BenchError

INTERRUPTED = 130
"""The exit code."""

_stops: list[Callable[[], None]] = []
_interrupted = threading.Event()


def interrupt() -> None:
    """Has what runs end early and tell what it has, now and from now on. For a signal handler. To ask again adds
    nothing: for the engine a second signal is the end."""
    if _interrupted.is_set():
        return
    _interrupted.set()
    for stop in list(_stops):
        stop()


def interrupted() -> bool:
    """Was `interrupt` called?"""
    return _interrupted.is_set()


@contextlib.contextmanager
def stopped_by(stop: Callable[[], None]) -> Iterator[None]:
    """While this lasts, `interrupt` calls ``stop``."""
    _stops.append(stop)
    try:
        if interrupted():  # just before
            stop()
        yield
    finally:
        _stops.remove(stop)


@contextlib.contextmanager
def killed_by_the_end(process: subprocess.Popen[str]) -> Iterator[None]:
    """Ctrl-C, our exit, and what ends this block before the process has ended: all of it is killed."""
    def kill() -> None:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    atexit.register(kill)
    try:
        with stopped_by(kill):
            yield
    finally:
        atexit.unregister(kill)
        kill()


def asked(command: Union[str, Sequence[str]], seconds: float, *, environment: Optional[Mapping[str, str]] = None,
          complaints: Optional[int] = None, descriptors: Sequence[int] = ()) -> subprocess.CompletedProcess[str]:
    """Runs a program (a text: by the shell) to its end: what it printed. ``complaints``: subprocess.PIPE to have them
    too. It has no terminal. Raises OSError, TimeoutExpired, and BenchError if we are interrupted meanwhile."""
    with subprocess.Popen(command, shell=isinstance(command, str), env=environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=complaints, text=True, errors="replace",
                          pass_fds=descriptors, start_new_session=True) as process, killed_by_the_end(process):
        said, complained = process.communicate(timeout=seconds)
    if interrupted():
        raise BenchError("stopped", INTERRUPTED)
    return subprocess.CompletedProcess(command, process.returncode, said, complained)
