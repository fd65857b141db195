"""The search for the highest rate that meets a target: bracketed, halved, confirmed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

TAIL_LEAST = 10
"""So few answers above the percentile say little about it."""


@dataclass(frozen=True)
class Probe:
    """What was measured at one rate."""

    rate: float
    met: bool
    tail: float = math.inf
    """How many answers lay above the percentile that was aimed at."""
    limited: bool = False
    """The client itself was the bottleneck."""


@dataclass(frozen=True)
class Search:
    """How to search."""

    first: float = 500.0
    precision: float = 0.05
    """The bracket is this narrow in the end: a share of the rate."""
    confirmations: int = 3
    most: float = 1e7
    least: float = 1.0


@dataclass
class Found:
    """Where a search has come to. ``rate`` 0: none meets the target."""

    rate: float = 0.0
    missed_at: float = math.inf
    confirmed: int = 0
    probes: list[Probe] = field(default_factory=list)
    stopped: bool = False

    @property
    def limited(self) -> bool:
        """May it have been the client that missed above, and not the servers?"""
        return any(probe.limited and not probe.met for probe in self.probes if probe.rate == self.missed_at)

    @property
    def thin(self) -> bool:
        """Did the probes at that rate have too few answers above the percentile to tell it?"""
        return any(probe.rate == self.rate and probe.met and probe.tail < TAIL_LEAST for probe in self.probes)

    def sureness(self) -> str:
        """How sure that is, for people."""
        if self.rate == 0:
            return "no rate that was tried meets it"
        at = [probe for probe in self.probes if probe.rate == self.rate]
        said = [f"met in {sum(probe.met for probe in at)} of {len(at)} measurements at {self.rate:,.0f}/s"]
        if self.missed_at < math.inf:
            misses = [probe for probe in self.probes if probe.rate == self.missed_at]
            missed = sum(not probe.met for probe in misses)
            said.append(f"missed in {missed} of {len(misses)} at {self.missed_at:,.0f}/s")
        if self.limited:
            said.append("there the client was the bottleneck, so the servers may carry more")
        if self.thin:
            said.append(f"under {TAIL_LEAST} answers lay above the percentile: measure longer")
        if self.stopped:
            said.append("stopped before it was done")
        return "; ".join(said)


class Stopped(Exception):
    """The one who measures was told to stop."""


def find(measure: Callable[[float, bool], Probe], search: Search = Search()) -> Found:
    """The highest rate that meets the target. ``measure`` measures at a rate, and is told whether that is to confirm
    what was found (which may take longer); it raises Stopped to end the search with what is known."""
    found = Found()
    try:
        bracket(measure, search, found)
        while found.rate > 0:
            halve(measure, search, found)
            if confirm(measure, search, found):
                break
    except Stopped:
        found.stopped = True
    return found


def tried(measure: Callable[[float, bool], Probe], found: Found, rate: float, confirming: bool = False) -> Probe:
    """One measurement, remembered."""
    probe = measure(rate, confirming)
    found.probes.append(probe)
    return probe


def meets(measure: Callable[[float, bool], Probe], found: Found, rate: float) -> bool:
    """Is the target met at a rate? One miss may be chance (a checkpoint, a neighbour): then two of three count."""
    if tried(measure, found, rate).met:
        return True
    return tried(measure, found, rate).met and tried(measure, found, rate).met


def bracket(measure: Callable[[float, bool], Probe], search: Search, found: Found) -> None:
    """Doubles the rate until it is too much, or halves it until it is not."""
    rate = search.first
    while rate <= search.most and meets(measure, found, rate):
        found.rate = rate
        rate *= 2
    if rate > search.most:
        return
    found.missed_at = rate
    while found.rate == 0 and rate / 2 >= search.least:
        rate /= 2
        if meets(measure, found, rate):
            found.rate = rate
        else:
            found.missed_at = rate


def halve(measure: Callable[[float, bool], Probe], search: Search, found: Found) -> None:
    """Narrows the bracket; by its geometric middle, because what counts is the ratio."""
    while found.missed_at < math.inf and found.missed_at / found.rate > 1 + search.precision:
        middle = float(f"{math.sqrt(found.rate * found.missed_at):.4g}")
        if not found.rate < middle < found.missed_at:
            return
        if meets(measure, found, middle):
            found.rate = middle
        else:
            found.missed_at = middle


def confirm(measure: Callable[[float, bool], Probe], search: Search, found: Found) -> bool:
    """Measures what was found again; all must meet the target. Else it was too much, and the search goes on below."""
    for _ in range(search.confirmations):
        if not tried(measure, found, found.rate, True).met:
            lower = float(f"{found.rate / (1 + 2 * search.precision):.4g}")
            found.missed_at, found.rate, found.confirmed = found.rate, 0.0, 0
            while found.rate == 0 and lower >= search.least:
                if meets(measure, found, lower):
                    found.rate = lower
                else:
                    found.missed_at, lower = lower, float(f"{lower / (1 + 2 * search.precision):.4g}")
            return False
        found.confirmed += 1
    return True
