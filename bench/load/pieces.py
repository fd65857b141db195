"""The seconds of a run, so many at most however long it lasts: what a front keeps, a file has and a plot draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from merging import SUMS, added, highest, moment_of
from results import Client, Second

MOST = 1024
"""Pieces of one phase: no round number, so that agents which measure the same round number of seconds, and one of them
a moment longer, cut them alike."""


def on_average(values: Sequence[tuple[float, float]]) -> float:
    """Of values, each with the seconds that it held for."""
    whole = sum(length for _, length in values)
    return sum(value * length for value, length in values) / whole if whole else 0.0


def client_of(seconds: Sequence[Second]) -> Client:
    """What the client used, on average; of its memory the most."""
    return Client(cpu_cores=on_average([(one.client.cpu_cores, one.length_s) for one in seconds]),
                  machine_busy=on_average([(one.client.machine_busy, one.length_s) for one in seconds]),
                  memory_bytes=max(one.client.memory_bytes for one in seconds))


def piece_of(seconds: Sequence[Second]) -> Second:
    """Seconds that followed one another as one: counts added up, of gauges the highest, of times the worst second's."""
    if len(seconds) == 1:
        return seconds[0]
    sums = {name: sum(getattr(one, name) for one in seconds) for name in SUMS}
    return replace(seconds[-1], length_s=sum(one.length_s for one in seconds),
                   waiting=max(one.waiting for one in seconds), busy_threads=max(one.busy_threads for one in seconds),
                   latency=moment_of([one.latency for one in seconds]), sources=added(one.sources for one in seconds),
                   errors=added(one.errors for one in seconds), lag_ms=highest(one.lag_ms for one in seconds),
                   connections=highest(one.connections for one in seconds), client=client_of(seconds), **sums)


class Pieces:
    """Takes the seconds of phases one by one. When a phase has :data:`MOST` pieces, neighbours become one, and from
    then on each has twice as many seconds."""

    def __init__(self) -> None:
        self._whole: list[Second] = []
        """Those of phases that have ended."""
        self._phase: list[Second] = []
        self._open: list[Second] = []
        """The beginning of the next piece."""
        self._each = 1

    def add(self, second: Second) -> None:
        """The next second."""
        before = (self._open or self._phase)[-1:]
        if before and (before[0].phase, before[0].number) != (second.phase, second.number):
            self._whole, self._phase, self._open, self._each = self.all(), [], [], 1
        self._open.append(second)
        if len(self._open) == self._each:
            self._phase.append(piece_of(self._open))
            self._open = []
        if len(self._phase) == MOST:
            self._phase = [piece_of(self._phase[at:at + 2]) for at in range(0, MOST, 2)]
            self._each *= 2

    def all(self) -> list[Second]:
        """All pieces so far, in order; the last of a phase may be shorter."""
        return [*self._whole, *self._phase, *([piece_of(self._open)] if self._open else [])]
