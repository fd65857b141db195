"""What a report draws: which values, on which axes, in which words for those who do not see it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, Optional

import figures
from cases import PERCENTILES, SOURCES, Case, Comparison, ratio_of
from histogram import Histogram, distribution
from merging import added
from results import Run, Second, Target
from scales import Linear, Percentiles, around, from_zero, of_shares, spanning, through
from svg import Axis, Bar, Mark, Plot, Series, Span

POINTS = 240
"""So many points at most over time: a run of hours is summed up to them."""
TICKS_PER_HALF_DISTANCE = 10
MOST_SHARE = 0.999999
LEAST_S = 0.5
"""What is left of a second at a phase's end is no point: so few requests tell nothing."""


def listed(names: Iterable[str]) -> str:
    """``a, b and c``."""
    *before, last = list(names) or [""]
    return f"{', '.join(before)} and {last}" if before else last


# Latency.


def reach(histogram: Histogram) -> float:
    """The highest percentile, as a share, that a distribution of so many values knows."""
    return min(MOST_SHARE, 1 - 1 / max(2, histogram.count))


def tail_of(case: Case) -> Series:
    """A configuration's latency by percentile, as far as its requests tell."""
    histogram = case.result.latency
    end = reach(histogram)
    steps = [(step.percent / 100, step.point.us) for step in distribution(histogram, TICKS_PER_HALF_DISTANCE)]
    points = [point for point in steps if point[0] < end] + [(end, histogram.percentile(100 * end))]
    marks = [Mark(percent / 100, histogram.percentile(percent),
                  f"{case.name}: {figures.percentile_name(percent)}"
                  f" {figures.duration(histogram.percentile(percent))}")
             for percent in PERCENTILES if percent / 100 <= end]
    return Series(case.name, case.style, points, marks)


def latency_limit(target: Optional[Target]) -> Optional[tuple[float, str]]:
    """The latency that was aimed at."""
    return (target.latency_us, f"target: {target}") if target else None


def latencies(cases: Sequence[Case], target: Optional[Target]) -> Plot:
    """Latency by percentile, on HdrHistogram's axis."""
    series = [tail_of(case) for case in cases if case.result.latency.count]
    end = max((reach(case.result.latency) for case in cases), default=0.5)
    values = [us for one in series for _, us in one.points] + aimed(target)
    told = "; ".join(f"{case.name} {figures.duration(case.result.latency.percentile(99))}" for case in cases)
    return Plot("Latency by percentile", f"Lines for {listed(one.name for one in series)}. 99th percentiles: {told}.",
                Axis("share of requests that took at most so long", Percentiles(end)),
                Axis("latency (logarithmic)", around(values, figures.tick)), series, limit=latency_limit(target))


def aimed(target: Optional[Target]) -> list[float]:
    """Values that an axis needs for the target and its name above it."""
    return [target.latency_us, 1.2 * target.latency_us] if target else []


def between(case: Case, percent: float) -> str:
    """Where a percentile may lie, in words: ``4.1 to 5.2 ms``."""
    low, high = map(figures.duration, case.interval(percent))
    if math.isinf(case.interval(percent).high_us):
        return f"{low} or more"
    return f"{low.split()[0] if low.split()[1] == high.split()[1] else low} to {high}"


def drawn_interval(case: Case, percent: float) -> tuple[float, float]:
    """The same as an axis can have it: where nobody knows how high, up to the slowest of all."""
    low, high = case.interval(percent)
    return low, case.result.latency.max_us if math.isinf(high) else high


def under_load(cases: Sequence[Case], percent: float) -> Series:
    """One configuration under rising load. A closed loop is a dot beside the line: its latency is another thing."""
    answered = sorted((case for case in cases if case.result.latency.count), key=lambda case: case.throughput)
    marks = [Mark(case.throughput, us, f"{case.heading}: {figures.rate(case.throughput)} answered a second,"
                  f" {figures.percentile_name(percent)} {figures.duration(us)} ({between(case, percent)})",
                  case.result.loop == "closed", *drawn_interval(case, percent))
             for case in answered for us in [case.result.latency.percentile(percent)]]
    line = [mark for mark in marks if not mark.filled] or marks
    return Series(cases[0].name, cases[0].style, [(mark.x, mark.y) for mark in line], marks)


def throughputs(comparison: Comparison, target: Optional[Target]) -> Plot:
    """Latency over throughput: where each configuration's line turns up, it is full."""
    percent = target.percent if target else 99.0
    names = dict.fromkeys(case.name for case in comparison.all_cases)
    series = [under_load([case for case in comparison.all_cases if case.name == name], percent)
              for name in names]
    series = [one for one in series if one.points]
    values = [value for one in series for mark in one.marks for value in (mark.y, mark.low, mark.high)
              if value is not None] + aimed(target)
    most = "; ".join(f"{one.name} up to {figures.rate(max(mark.x for mark in one.marks))} a second" for one in series)
    return Plot(f"Latency over throughput, {figures.percentile_name(percent)}", f"{most}.",
                Axis("requests answered a second", from_zero((mark.x for one in series for mark in one.marks),
                                                             figures.rate)),
                Axis(f"{figures.percentile_name(percent)} latency (logarithmic)", around(values, figures.tick)),
                series, limit=latency_limit(target))


# Over time.


class Stretch(NamedTuple):
    """Some seconds that are one point of a plot."""

    at_s: float
    seconds: Sequence[Second]


def lasting(case: Case) -> list[tuple[float, Second]]:
    """The seconds of a case that are worth a point, and when they began."""
    return [(at, second) for at, second, _ in case.seconds if second.length_s >= LEAST_S]


def stretches(case: Case, points: int = POINTS) -> list[Stretch]:
    """The seconds of a case, at most so many pieces of them."""
    all_seconds = lasting(case)
    size = -(-len(all_seconds) // points) or 1
    pieces = (all_seconds[first:first + size] for first in range(0, len(all_seconds), size))
    return [Stretch(piece[0][0], [second for _, second in piece]) for piece in pieces]


def coarseness(cases: Sequence[Case]) -> str:
    """How much time a point of a long run is of."""
    longest = max((sum(one.length_s for one in stretch.seconds) for case in cases for stretch in stretches(case)),
                  default=0.0)
    return f"Each point is the worst second of {figures.seconds(longest)}." if longest >= 1.5 else ""


def spans(case: Case) -> list[Span]:
    """The stretches of time that are in no figure, and all phases where there are several."""
    found: list[Span] = []
    for at, second, counts in case.seconds:
        if counts and not case.has_phases:
            continue
        end, last = at + second.length_s, found[-1] if found else None
        if last and last.high >= at and (last.name, last.veiled) == (second.phase, not counts):
            found[-1] = last._replace(high=end)
        else:
            found.append(Span(at, end, second.phase, not counts))
    return found


def time_axis(cases: Sequence[Case]) -> Axis:
    """Seconds, or minutes or hours where there are many."""
    end = max((at for case in cases for at, _ in lasting(case)), default=0.0) or 1.0
    unit, name = next(((unit, name) for unit, name in ((3600, "hours"), (60, "minutes")) if end >= 4 * unit),
                      (1, "seconds"))
    # Ticks are round in the unit that they are told in.
    inner = spanning(0, end / unit, lambda value: f"{value:g}", 10)
    return Axis(name, Linear(0, end, [tick._replace(value=tick.value * unit) for tick in inner.ticks]))


Measure = Callable[[Sequence[Second]], Optional[float]]


def timeline(case: Case, measure: Measure) -> Series:
    """A value over time; where there is none the line goes on to the next that is."""
    values = ((stretch.at_s, measure(stretch.seconds)) for stretch in stretches(case))
    return Series(case.name, case.style, [(at, value) for at, value in values if value is not None])


def slowest_p99(seconds: Sequence[Second]) -> Optional[float]:
    """The worst second's 99th percentile: an hour's average would hide what a visitor had to wait for."""
    return max((one.latency.p99_us for one in seconds if one.latency.count), default=None)


def furthest_lag(seconds: Sequence[Second]) -> Optional[float]:
    """The replica that was furthest behind, in microseconds."""
    return max((1000 * lag for one in seconds for lag in one.lag_ms.values()), default=None)


def told_ends(series: Sequence[Series], name: Callable[[float], str]) -> str:
    """How each line ends, in words."""
    return "; ".join(f"{one.name} ends at {name(one.points[-1][1])}" for one in series if one.points) + "."


def hit_ratios(cases: Sequence[Case]) -> Plot:
    """The hit ratio of each configuration that has a cache, over time."""
    kept = [case for case in cases if case.hit_ratio is not None]
    series = [timeline(case, ratio_of) for case in kept]
    return Plot("Hit ratio over time", told_ends(series, figures.share), time_axis(kept),
                Axis("statements answered by a cache, of those that it keeps", of_shares(lambda value: f"{value:.0%}")),
                series, spans=spans(kept[0]) if kept else [])


def waits(cases: Sequence[Case]) -> Plot:
    """The 99th percentile of each second."""
    series = [timeline(case, slowest_p99) for case in cases]
    values = (us for one in series for _, us in one.points)
    return Plot("99th percentile of each second", told_ends(series, figures.duration), time_axis(cases),
                Axis("p99 latency (logarithmic)", around(values, figures.tick)), series,
                spans=spans(cases[0]) if cases else [])


def has_lag(case: Case) -> bool:
    """Has it replicas that tell how far they are behind? The primary is a node too, and never behind."""
    return case.nodes.get("replica", 0) > 0 and any(second.lag_ms for _, second, _ in case.seconds)


def lags(cases: Sequence[Case]) -> Plot:
    """How far the replicas were behind."""
    lagging = [case for case in cases if has_lag(case)]
    series = [timeline(case, furthest_lag) for case in lagging]
    return Plot("Replica lag over time", told_ends(series, figures.duration), time_axis(lagging),
                Axis("lag of the replica that was furthest behind",
                     from_zero((us for one in series for _, us in one.points), figures.tick)), series,
                spans=spans(lagging[0]) if lagging else [])


def sources_of(stretch: Stretch) -> dict[str, float]:
    """Which share of the reads each source answered; nothing of none."""
    counts = added(second.sources for second in stretch.seconds)
    everything = sum(counts.values())
    return {source: counts.get(source, 0) / everything if everything else 0.0 for source in SOURCES}


def shares(case: Case) -> Plot:
    """Who answered the reads of a configuration, over time."""
    at = [(stretch.at_s, sources_of(stretch)) for stretch in stretches(case)]
    series = [Series(source, source, [(x, values[source]) for x, values in at]) for source in SOURCES]
    whole = case.result.sources
    told = "; ".join(f"{source} {figures.share(count / case.reads)}" for source, count in whole.items() if count)
    return Plot(case.name, f"Who answered its reads, over the measured time: {told or 'nobody'}.",
                time_axis([case]), Axis("share of reads", of_shares(lambda value: f"{value:.0%}")), series,
                spans=spans(case), stacked=True)


# What a sweep turned.


def swept(runs: Sequence[Run], varied: Callable[[Run], Optional[float]], styles: dict[str, str]) -> list[Series]:
    """The hit ratio by what was varied, a line for each configuration."""
    found: list[Series] = []
    for name in dict.fromkeys(run.configuration for run in runs):
        at = [(value, run.result.hits / (run.result.hits + run.result.misses)) for run in runs
              for value in [varied(run)]
              if run.configuration == name and value is not None and run.result.hits + run.result.misses]
        if at:
            found.append(Series(name, styles.get(name, "s0"), sorted(at),
                                [Mark(x, y, f"{name}: {figures.share(y)}") for x, y in sorted(at)]))
    return found


def sweeps(comparison: Comparison) -> Iterator[Plot]:
    """Hit ratio by TTL and by the cache's memory, where they were varied."""
    styles = {case.name: case.style for case in comparison.all_cases}
    for title, name, varied, shown in (
            ("Hit ratio by TTL", "TTL (logarithmic)", lambda run: run.varied.ttl_s or None, figures.seconds),
            ("Hit ratio by memory", "memory of the cache (logarithmic)", lambda run: run.varied.memory_bytes or None,
             figures.size)):
        series = swept(comparison.sweeps, varied, styles)
        values = sorted({x for one in series for x, _ in one.points})
        if values:
            told = "; ".join(f"{one.name}: {shown(x)} {figures.share(y)}" for one in series for x, y in one.points)
            yield Plot(title, f"{told}.", Axis(name, through(values, shown)),
                       Axis("hit ratio", of_shares(lambda value: f"{value:.0%}")), series)


# Bars.


def slow_bars(cases: Sequence[Case], percent: float) -> list[Bar]:
    """A percentile of each configuration, and where it may lie."""
    return [Bar(case.name, case.style, us, f"{figures.duration(us)} ({between(case, percent)})",
                *drawn_interval(case, percent)) for case in cases for us in [case.result.latency.percentile(percent)]]


def bars_of(cases: Sequence[Case], value: Callable[[Case], float], shown: Callable[[float], str]) -> list[Bar]:
    """One for each configuration."""
    return [Bar(case.name, case.style, value(case), shown(value(case))) for case in cases]
