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
    starved: bool = False
    """It was missed for want of the client's threads: the servers answered in time what they were asked."""


@dataclass(frozen=True)
class Search:
    """How to search."""

    first: float = 500.0
    precision: float = 0.05
    """The bracket is this narrow in the end: a share of the rate."""
    confirmations: int = 3
    most: float = 1e7
    least: float = 1.0
    probes_most: int = 80
    """Answers that contradict each other could be searched for ever."""


@dataclass
class Found:
    """Where a search has come to. ``rate`` 0: none meets the target."""

    rate: float = 0.0
    missed_at: float = math.inf
    confirmed: int = 0
    probes: list[Probe] = field(default_factory=list)
    settled: set[float] = field(default_factory=set)
    """Rates that have been measured again, and stay too much."""
    stopped: bool = False
    unsteady: bool = False

    @property
    def misses(self) -> list[Probe]:
        """The measurements at the lowest rate that is too much."""
        return [probe for probe in self.probes if probe.rate == self.missed_at]

    @property
    def limited(self) -> bool:
        """May it have been the client that missed above, and not the servers?"""
        return any(probe.limited and not probe.met for probe in self.misses)

    @property
    def starved(self) -> bool:
        """May it have been for want of the client's threads?"""
        return any(probe.starved and not probe.met for probe in self.misses)

    @property
    def thin(self) -> bool:
        """Did the probes at that rate have too few answers above the percentile to tell it?"""
        return any(probe.rate == self.rate and probe.met and probe.tail < TAIL_LEAST for probe in self.probes)

    def sureness(self) -> str:
        """How sure that is, for people."""
        said = [self.counts()]
        if self.limited:
            said.append("there the client was the bottleneck, so the servers may carry more")
        elif self.starved:
            said.append("there requests waited for the client's threads and the servers answered in time, so they may"
                        " carry more: try more --threads")
        if self.rate > 0 and self.thin:
            said.append(f"under {TAIL_LEAST} answers lay above the percentile: measure longer")
        if self.unsteady:
            said.append(f"given up after {len(self.probes)} measurements that contradict each other: measure longer")
        if self.stopped:
            said.append("stopped before it was done")
        return "; ".join(said)

    def counts(self) -> str:
        """What it rests on."""
        if self.rate == 0:
            return "no rate is known to meet it" if self.stopped or self.unsteady else "no rate that was tried meets it"
        at = [probe for probe in self.probes if probe.rate == self.rate]
        told = f"met in {sum(probe.met for probe in at)} of {len(at)} measurements at {self.rate:,.0f}/s"
        if self.missed_at == math.inf:
            return f"{told}, the highest rate that was tried"
        missed = sum(not probe.met for probe in self.misses)
        return f"{told}; missed in {missed} of {len(self.misses)} at {self.missed_at:,.0f}/s"


class Stopped(Exception):
    """The one who measures was told to stop."""


class Unsteady(Exception):
    """There is no end to it."""


def find(measure: Callable[[float, bool], Probe], search: Search = Search()) -> Found:
    """The highest rate that meets the target. ``measure`` measures at a rate, and is told whether that is to confirm
    what was found (which may take longer); it raises Stopped to end the search with what is known."""
    found = Found()

    def counted(rate: float, confirming: bool) -> Probe:
        if len(found.probes) >= search.probes_most:
            raise Unsteady
        return measure(rate, confirming)
    try:
        bracket(counted, search, found)
        while found.rate > 0:
            halve(counted, search, found)
            if confirm(counted, search, found) and misses_again(counted, search, found):
                break
    except Unsteady:
        found.unsteady = True
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
    climb(measure, search, found, rate, 2)
    while found.rate == 0 and rate / 2 >= search.least:
        rate /= 2
        if meets(measure, found, rate):
            found.rate = rate
        else:
            found.missed_at = rate


def climb(measure: Callable[[float, bool], Probe], search: Search, found: Found, rate: float, factor: float) -> None:
    """Raises the rate until it is too much: by a factor that grows too, up to 2."""
    found.missed_at = math.inf
    while rate <= search.most:
        if not meets(measure, found, rate):
            found.missed_at = rate
            return
        found.rate = rate
        rate, factor = rate * factor, min(2.0, factor ** 2)


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
            descend(measure, search, found)
            return False
        found.confirmed += 1
    return True


def descend(measure: Callable[[float, bool], Probe], search: Search, found: Found) -> None:
    """Steps down from a rate that was too much after all, to one that is not."""
    rate, found.rate, found.confirmed = found.rate, 0.0, 0
    found.settled.add(rate)
    while found.rate == 0:
        found.missed_at, rate = rate, float(f"{rate / (1 + 2 * search.precision):.4g}")
        if rate < search.least:
            return
        if meets(measure, found, rate):
            found.rate = rate


def misses_again(measure: Callable[[float, bool], Probe], search: Search, found: Found) -> bool:
    """Measures again at what was too much: if the target is met there now, twice, that was chance, and the search goes
    on above. Once for each rate."""
    rate, step = found.missed_at, 1 + 2 * search.precision
    if rate == math.inf or rate in found.settled:
        return True
    found.settled.add(rate)
    if not (tried(measure, found, rate, True).met and tried(measure, found, rate, True).met):
        return True
    found.rate, found.confirmed = rate, 0
    climb(measure, search, found, float(f"{rate * step:.4g}"), step)
    return False
