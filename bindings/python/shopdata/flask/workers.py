"""The metrics of all processes of a service, whichever of them is asked.

Each process publishes its snapshot in a directory that they share: ``worker-N.prom``, replaced as a whole once a
second and when the process ends. N is the first number whose lock nobody holds. Who takes a number over from a process
that has ended goes on from what that had counted: the file holds both, so that no sum ever falls and no file is left
behind.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import logging
import os
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Optional

from .exposition import Exposition

__all__ = ["Publisher", "total"]

_ADDED_UP = frozenset({"counter", "histogram"})
_GAUGES = frozenset({"gauge"})
_INTERVAL = 1.0  # seconds
_log = logging.getLogger("shopdata.flask")


def _data(directory: Path, number: int) -> Path:
    return directory / f"worker-{number}.prom"


# flock, not lockf: a lock that is the descriptor's is not lost when this process looks at the file once more.
def _try_lock(directory: Path, number: int, how: int) -> Optional[int]:
    descriptor = os.open(directory / f"worker-{number}.lock", os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _is_live(directory: Path, number: int) -> bool:
    descriptor = _try_lock(directory, number, fcntl.LOCK_SH)
    if descriptor is None:
        return True
    os.close(descriptor)
    return False


def total(directory: Path) -> str:
    """What all processes that ever published in ``directory`` counted, added up, and what holds of those that live.

    Gauges have the label ``worker`` with the process's number; ``shopdata_workers`` tells how many processes there are.
    """
    told, live = Exposition(), 0
    for path in sorted(directory.glob("worker-*.prom"), key=lambda path: (len(path.name), path.name)):
        number = path.name[len("worker-") : -len(".prom")]
        if not number.isdigit():
            continue
        text = path.read_text()
        told.read(text, types=_ADDED_UP)
        if _is_live(directory, int(number)):
            told.read(text, types=_GAUGES, label=f'worker="{number}"')
            live += 1
    told.gauge("shopdata_workers", "Processes that publish their metrics.", live)
    return told.write()


class Publisher:
    """Publishes the metrics of this process, from a thread of its own, until it is stopped or nobody wants it any more.

    The thread asks for that: a finalizer might run in any thread, with any lock held, and could wait for nothing.
    """

    def __init__(self, directory: Path, take: Callable[[], str]) -> None:
        self._directory = directory
        self._take = take
        self._writing = threading.Lock()  # the file is also written by who is asked for the metrics
        self._ended = threading.Event()
        directory.mkdir(parents=True, exist_ok=True)
        self._number, lock = self._take_number()
        self._unlock = weakref.finalize(self, os.close, lock)
        self._unlock.atexit = False  # not before what is published then
        self._base = self._counted_before()
        self.publish()
        self._thread = threading.Thread(
            target=_publish_often, args=(weakref.ref(self), self._ended), name="shopdata-metrics", daemon=True
        )
        self._thread.start()

    def _take_number(self) -> tuple[int, int]:
        for number in itertools.count(1):
            descriptor = _try_lock(self._directory, number, fcntl.LOCK_EX)
            if descriptor is not None:
                return number, descriptor
        raise AssertionError("there is always a next number")

    def _counted_before(self) -> str:
        before = Exposition()
        with contextlib.suppress(FileNotFoundError):
            before.read(_data(self._directory, self._number).read_text(), types=_ADDED_UP)
        return before.write()

    def publish(self) -> None:
        """Replaces what this process published before."""
        with self._writing:
            fresh = _data(self._directory, self._number).with_suffix(".new")
            fresh.write_text(self._take() + self._base)
            fresh.replace(_data(self._directory, self._number))

    def publish_quietly(self) -> None:
        """The same, for those who cannot do anything about it."""
        try:
            self.publish()
        except Exception as error:  # whatever it is, the service goes on
            _log.warning("the metrics of this process were not published in %s: %s", self._directory, error)

    def stop(self) -> None:
        """Publishes for the last time, and gives the number back."""
        self._ended.set()
        self._thread.join()
        self.publish_quietly()
        self._unlock()

    def abandon(self) -> None:
        """In a forked child: the number stays the parent's, and its thread is not here."""
        self._unlock()


def _publish_often(reference: weakref.ref[Publisher], ended: threading.Event) -> None:
    while not ended.wait(_INTERVAL):
        publisher = reference()
        if publisher is None:
            return
        publisher.publish_quietly()
        del publisher  # while it waits it holds nobody
