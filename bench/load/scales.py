"""Axes: where a value stands between 0 and 1, and which values are written beside it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

NINES = (0.0, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999)


class Tick(NamedTuple):
    """A value that an axis names."""

    value: float
    name: str


class Scale(Protocol):
    """One axis."""

    @property
    def ticks(self) -> Sequence[Tick]:
        """What is named on it, upwards."""

    def at(self, value: float) -> float:
        """Where a value stands: 0 at the axis' beginning, 1 at its end; what lies outside is held at the edge."""


def held(share: float) -> float:
    """Not outside the axis."""
    return min(1.0, max(0.0, share))


@dataclass(frozen=True)
class Linear:
    """As far apart as the values are."""

    low: float
    high: float
    ticks: Sequence[Tick]

    def at(self, value: float) -> float:
        """Where a value stands."""
        return held((value - self.low) / (self.high - self.low))


@dataclass(frozen=True)
class Log:
    """As far apart as their ratio is; all of them over 0."""

    low: float
    high: float
    ticks: Sequence[Tick]

    def at(self, value: float) -> float:
        """Where a value stands."""
        if value <= self.low:
            return 0.0
        return held(math.log(value / self.low) / math.log(self.high / self.low))


@dataclass(frozen=True)
class Percentiles:
    """HdrHistogram's axis: each further nine takes as much room as the one before it, so that the tail can be seen."""

    most: float
    """The highest share on it, under 1."""

    @property
    def ticks(self) -> Sequence[Tick]:
        """The nines up to there."""
        return [Tick(share, f"{100 * share:.6g} %") for share in NINES if share <= self.most]

    def at(self, value: float) -> float:
        """Where a share (0 to 1) stands."""
        if value >= self.most:
            return 1.0
        return held(math.log(1 - value) / math.log(1 - self.most))


Naming = Callable[[float], str]


def step_of(span: float, wanted: int) -> float:
    """The round step, 1, 2 or 5 times a power of ten, that cuts a span into about so many."""
    power = 10.0 ** math.floor(math.log10(span / wanted))
    return next(power * factor for factor in (1, 2, 5, 10) if span / (power * factor) <= wanted)


def from_zero(values: Iterable[float], name: Naming, wanted: int = 5) -> Linear:
    """A linear axis from 0 to the round value above all of these."""
    most = max(values, default=0.0)
    if not most > 0:
        return Linear(0, 1, [Tick(0, name(0))])
    step = step_of(most, wanted)
    count = math.ceil(most / step - 1e-9)
    return Linear(0, count * step, [Tick(number * step, name(number * step)) for number in range(count + 1)])


def of_shares(name: Naming) -> Linear:
    """From nothing to all of it."""
    return Linear(0, 1, [Tick(part / 4, name(part / 4)) for part in range(5)])


def spanning(low: float, high: float, name: Naming, wanted: int = 6) -> Linear:
    """A linear axis that begins and ends with its data: time."""
    if not high > low:
        return Linear(low, low + 1, [Tick(low, name(low))])
    step = step_of(high - low, wanted)
    first = math.ceil(low / step - 1e-9)
    ticks = [Tick(number * step, name(number * step)) for number in range(first, math.floor(high / step + 1e-9) + 1)]
    return Linear(low, high, ticks)


def through(values: Iterable[float], name: Naming) -> Log:
    """A logarithmic axis that names these very values, all over 0: what somebody chose to measure."""
    chosen = sorted(set(values))
    return Log(chosen[0] / 1.15, chosen[-1] * 1.15, [Tick(value, name(value)) for value in chosen])


def around(values: Iterable[float], name: Naming) -> Log:
    """A logarithmic axis between round values around those of these that are over 0."""
    over = [value for value in values if value > 0] or [1.0]
    factors = (1, 2, 5) if max(over) / min(over) < 500 else (1,)
    steps = [factor * 10.0 ** power for power in range(-3, 16) for factor in factors]
    low = max(step for step in steps if step <= min(over) * (1 + 1e-9))
    high = min(step for step in steps if step >= max(over) * (1 - 1e-9) and step > low)
    return Log(low, high, [Tick(step, name(step)) for step in steps if low <= step <= high])
