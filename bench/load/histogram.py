"""The engine's histograms of times: merged, asked for percentiles, written out for HdrHistogram's plotter.

They are HdrHistogram's, three significant digits. A bucket is known by the highest value that falls into it, so nobody
here need know how buckets are cut. Adding counts loses nothing, which is why agents' results merge exactly and why
percentiles are taken last: the mean of two 99th percentiles is nobody's 99th percentile.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from buckets import Buckets, decoded, encoded

TICKS_PER_HALF_DISTANCE = 5
SIGMAS_OF_95 = 1.96
PERCENTILES = {"p50_us": 50.0, "p90_us": 90.0, "p99_us": 99.0, "p999_us": 99.9, "p9999_us": 99.99}


class Point(NamedTuple):
    """One step of a distribution: so many of the values, this share of them, are at most so long."""

    us: float
    share: float
    values: int


class Interval(NamedTuple):
    """Where a percentile may lie that a sample tells of."""

    low_us: float
    high_us: float
    """Infinite where the sample is too small to tell."""


@dataclass(frozen=True)
class Histogram:
    """Counted times, in microseconds unless a name says otherwise."""

    buckets_ns: Buckets = field(default_factory=Buckets)
    """The highest value of each bucket, in nanoseconds, and how many values it holds."""
    min_us: float = 0.0
    """The exact lowest value; 0 without values."""
    max_us: float = 0.0
    mean_us: float = 0.0

    @property
    def count(self) -> int:
        """How many values there are."""
        return self.buckets_ns.total

    @property
    def deviation_us(self) -> float:
        """The standard deviation, as far as buckets tell it."""
        if not self.buckets_ns:
            return 0.0
        squares = ((value / 1000 - self.mean_us) ** 2 * count for value, count in self.buckets_ns.items())
        return math.sqrt(sum(squares) / self.count)

    def points(self) -> Iterator[Point]:
        """A point for each bucket, upwards; the last one's share is 1, and its time the exact longest."""
        for (value, _), below in zip(self.buckets_ns.items(), self.buckets_ns.running()):
            yield Point(min(value / 1000, self.max_us), below / self.count, below)

    def percentile(self, percent: float) -> float:
        """The shortest time that at least ``percent`` of all (0 to 100) do not exceed; 0 without values."""
        return self._at(self._rank(percent)) if self.buckets_ns else 0.0

    def beyond(self, percent: float) -> int:
        """How many values lie above this percentile: what it rests on."""
        return self.count - self._rank(percent) if self.buckets_ns else 0

    def interval(self, percent: float) -> Interval:
        """Where this percentile would lie 95 times in 100 if endless many were measured: by the ranks between which the
        binomial distribution puts it, whatever the shape. Values that hang on one another make it too narrow."""
        expected = percent / 100 * self.count
        off = SIGMAS_OF_95 * math.sqrt(expected * (1 - percent / 100))
        low, high = math.floor(expected - off), math.ceil(expected + off) + 1
        return Interval(self._at(low) if low >= 1 else self.min_us, self._at(high) if high <= self.count else math.inf)

    def _at(self, rank: int) -> float:
        """The n-th lowest value, counted from 1."""
        return min(self.buckets_ns.at(rank) / 1000, self.max_us)

    def _rank(self, percent: float) -> int:
        """Which of all values a percentile is, counted from 1."""
        # 99.9 % of 1,000 must be 999 of them, though 99.9 is a little more than itself in binary.
        return max(1, math.ceil(round(percent * self.count / 100, 6)))

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Histogram:
        """Of an object of times, as the engine prints it or as a file has it. Raises ValueError, TypeError, KeyError
        or OverflowError where it is none."""
        pairs = ((int(highest), int(count)) for highest, count in value.get("buckets_ns", ()))
        buckets = decoded(value["hdr"]) if "hdr" in value else Buckets(pairs)
        made = cls(buckets, *(float(value.get(name, 0.0)) for name in ("min_us", "max_us", "mean_us")))
        if made.count != int(value["count"]) or any(count < 0 for _, count in buckets.items()):
            raise ValueError(f"the buckets hold {made.count} values, and count is {value['count']}")
        return made

    def to_json(self) -> dict[str, Any]:
        """The object of times, its buckets encoded: it is a tenth as long so."""
        if not self.buckets_ns:
            return {"count": 0}
        return {"count": self.count, "mean_us": self.mean_us, "min_us": self.min_us, "max_us": self.max_us,
                **{name: self.percentile(percent) for name, percent in PERCENTILES.items()},
                "hdr": encoded(self.buckets_ns)}


def merged(histograms: Iterable[Histogram]) -> Histogram:
    """All their values in one: exact, however many are merged and in whatever order."""
    filled = [one for one in histograms if one.buckets_ns]
    if not filled:
        return Histogram()
    buckets: Counter[int] = Counter()
    for one in filled:
        for value, count in one.buckets_ns.items():
            buckets[value] += count
    total = math.fsum(one.mean_us * one.count for one in filled)
    return Histogram(Buckets(buckets), min(one.min_us for one in filled), max(one.max_us for one in filled),
                     total / sum(one.count for one in filled))


def ticks(per_half_distance: int = TICKS_PER_HALF_DISTANCE) -> Iterator[float]:
    """The percentiles that HdrHistogram prints: so many steps for each halving of what lies above, without end."""
    left = 100.0
    while left > 0:
        yield 100 - left
        halvings = int(math.log2(100 / left)) + 1
        left -= 100 / (per_half_distance * 2 ** halvings)


class Step(NamedTuple):
    """One row of a percentile distribution."""

    percent: float
    point: Point


def distribution(histogram: Histogram, per_half_distance: int = TICKS_PER_HALF_DISTANCE) -> Iterator[Step]:
    """Percentiles, ever closer to 100, until all values are told; without the last step to 100."""
    points = list(histogram.points())
    at = 0
    for percent in ticks(per_half_distance) if points else ():
        while points[at].share * 100 < percent:
            at += 1
        yield Step(percent, points[at])
        if points[at].values == points[-1].values:
            break


def hgrm(histogram: Histogram) -> str:
    """The percentile distribution in milliseconds, as HdrHistogram's plotter reads it."""
    lines = [f"{'Value':>12} {'Percentile':>14} {'TotalCount':>10} {'1/(1-Percentile)':>14}", ""]
    for percent, point in distribution(histogram):
        lines.append(f"{point.us / 1000:12.3f} {percent / 100:2.12f} {point.values:10} {100 / (100 - percent):14.2f}")
    if histogram.buckets_ns:
        lines.append(f"{histogram.max_us / 1000:12.3f} {1:2.12f} {histogram.count:10}")
    lines += [f"#[Mean    = {histogram.mean_us / 1000:12.3f}, StdDeviation   = {histogram.deviation_us / 1000:12.3f}]",
              f"#[Max     = {histogram.max_us / 1000:12.3f}, Total count    = {histogram.count:12}]"]
    return "\n".join(lines) + "\n"
