"""Several configurations under the same load, taking turns."""

from __future__ import annotations

import math
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Optional

from configurations import Configuration
from interrupts import interrupted
from measuring import Bench
from results import Run

STEPS = 4
"""Rates of a ladder."""
STARVED = 0.25
"""Who carries less than this share of what is usual may have had a bad moment."""
LEAST_S = 0.5
"""What is shorter tells no rate."""


@dataclass(frozen=True)
class Pace:
    """How much time there is: for each configuration ``seconds`` of measurement in all."""

    seconds: float
    rounds: int = 3
    warmup: Optional[float] = None

    def warmup_of(self, slice_s: float) -> float:
        """How long to warm up before a measurement of so many seconds."""
        return self.warmup if self.warmup is not None else min(10.0, max(1.0, slice_s / 4))


def turns(configurations: Sequence[Configuration], number: int) -> list[Configuration]:
    """The order of one round: each begins one place further, so that none is always the first."""
    at = number % len(configurations)
    return [*configurations[at:], *configurations[:at]]


def compare(bench: Bench, configurations: Sequence[Configuration], pace: Pace, rate: Optional[str]) -> None:
    """All of them at one rate (None: in a closed loop), in rounds."""
    seconds = pace.seconds / pace.rounds
    for number in range(pace.rounds):
        for one in turns(configurations, number):
            if not interrupted():
                bench.measure(one, seconds, rate, warmup=pace.warmup_of(seconds), round_number=number + 1)


def ladder(capacities: Sequence[float], steps: int = STEPS) -> list[float]:
    """Rates from half of what the weakest carries to nine tenths of what the strongest does, each by the same factor
    above the one before. Everybody meets at the lowest."""
    lowest, highest = 0.5 * min(capacities), 0.9 * max(capacities)
    factor = (highest / lowest) ** (1 / (steps - 1))
    return [float(f"{lowest * factor ** number:.3g}") for number in range(steps)]


def carried(run: Run) -> float:
    """Requests a second of its middle second: one stall, or a last answer that took long, says little about a fleet."""
    each = [one.requests / one.length_s for one in run.seconds if one.phase == run.result.phase
            and one.length_s >= LEAST_S]
    whole = run.result.requests / run.result.length_s if run.result.length_s else 0.0
    return statistics.median(each) if each else whole


def capacities_of(bench: Bench, configurations: Sequence[Configuration], pace: Pace) -> dict[str, float]:
    """As much as each carries, in a closed loop. Where all meet hangs on the weakest: it has a second chance."""
    found: dict[str, float] = {}

    def measure(one: Configuration) -> float:
        seconds = pace.seconds / (STEPS + 1)
        return carried(bench.measure(one, seconds, None, warmup=pace.warmup_of(seconds), label="as much as it carries"))
    for one in configurations:
        if not interrupted():
            found[one.name] = measure(one)
    usual = statistics.median(found.values()) if found else 0.0
    for one in configurations:
        if found.get(one.name, usual) < STARVED * usual and not interrupted():
            found[one.name] = max(found[one.name], measure(one))
            if found[one.name] < STARVED * usual:
                print(f"shopbench: {one.title} carried {found[one.name]:,.0f} requests a second, where {usual:,.0f} are"
                      " usual: the rates that all share begin at half of that", file=sys.stderr)
    return found


def climb(bench: Bench, configurations: Sequence[Configuration], pace: Pace) -> None:
    """First as much as each carries, in a closed loop; then open loops at rates that all of them share, as far as each
    carries them. So there are figures at equal load, and latency over throughput."""
    seconds = pace.seconds / (STEPS + 1)
    capacities = capacities_of(bench, configurations, pace)
    able = [one for one in configurations if capacities.get(one.name, 0) > 0]
    if not able or interrupted():
        return
    for number, rate in enumerate(ladder([capacities[one.name] for one in able])):
        for one in turns(able, number):
            if rate <= capacities[one.name] and not interrupted():
                bench.measure(one, seconds, str(math.ceil(rate)), warmup=pace.warmup_of(seconds),
                              label=f"step {number + 1} of {STEPS}")
