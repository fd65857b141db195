"""Percentiles against exact ones and HdrHistogram's own, and the file that its plotter reads."""

from __future__ import annotations

import math
import random

import histogram
import pytest
import samples
from buckets import Buckets, decoded, encoded
from hdrh.histogram import HdrHistogram
from histogram import Histogram

PERCENTS = (50, 90, 99, 99.9, 99.99, 100)


def values_of(kind: str, count: int) -> list[int]:
    chance = random.Random(f"{kind}{count}")
    if kind == "edges":
        edges = [2 ** power + off for power in range(1, 38) for off in (-1, 0, 1)]
        return [edges[number % len(edges)] for number in range(count)]
    if kind == "even":
        return [chance.randint(1, 3_000_000) for _ in range(count)]
    return [1 + int(chance.lognormvariate(13, 1.5)) for _ in range(count)]


def made(values: list[int]) -> Histogram:
    return Histogram.from_json(samples.times(values))


def reference(values: list[int]) -> HdrHistogram:
    theirs = HdrHistogram(1, 3_600_000_000_000, 3)
    for value in values:
        theirs.record_value(value)
    return theirs


@pytest.mark.parametrize("kind", ["edges", "even", "tail"])
@pytest.mark.parametrize("count", [1, 2, 999, 10_000])
def test_percentiles_are_the_exact_ones_to_a_thousandth(kind: str, count: int) -> None:
    values = values_of(kind, count)
    ours = made(values)
    for percent in PERCENTS:
        exact = sorted(values)[max(1, math.ceil(round(percent * count / 100, 6))) - 1]
        assert exact <= 1000 * ours.percentile(percent) + 1e-3 and 1000 * ours.percentile(percent) <= exact * 1.001


@pytest.mark.parametrize("kind", ["edges", "even", "tail"])
def test_percentiles_are_those_of_hdrhistogram(kind: str) -> None:
    values = values_of(kind, 20_000)  # so many that its rounding of ranks and ours agree
    ours, theirs = made(values), reference(values)
    for percent in PERCENTS[:-1]:
        assert 1000 * ours.percentile(percent) == pytest.approx(
            min(theirs.get_value_at_percentile(percent), max(values)), abs=1e-3)
    assert ours.percentile(100) == max(values) / 1000


def test_without_values_everything_is_nothing() -> None:
    empty = Histogram.from_json({"count": 0})
    assert (empty.count, empty.percentile(99), empty.deviation_us, empty.beyond(99)) == (0, 0, 0, 0)
    assert empty.to_json() == {"count": 0} and list(empty.points()) == []
    assert histogram.merged([]) == histogram.merged([empty, empty]) == Histogram()


def test_merging_is_recording_in_one() -> None:
    parts = [values_of("tail", 500), [], values_of("even", 300), values_of("edges", 111)]
    whole, joined = made([value for part in parts for value in part]), histogram.merged(map(made, parts))
    assert joined.buckets_ns == whole.buckets_ns
    assert (joined.min_us, joined.max_us) == (whole.min_us, whole.max_us)
    assert joined.mean_us == pytest.approx(whole.mean_us)
    assert histogram.merged(map(made, reversed(parts))).to_json()["p99_us"] == whole.percentile(99)


def test_what_lies_beyond() -> None:
    ours = made(list(range(1, 1001)))
    assert [ours.beyond(percent) for percent in PERCENTS] == [500, 100, 10, 1, 0, 0]


@pytest.mark.parametrize("percent", [50, 90, 99])
def test_an_interval_holds_the_percentile_of_all_as_often_as_it_says(percent: float) -> None:
    chance = random.Random(7)
    whole = sorted(values_of("tail", 20_000))
    exact = whole[math.ceil(percent * len(whole) / 100) - 1] / 1000
    tries = [made([chance.choice(whole) for _ in range(1000)]).interval(percent) for _ in range(200)]
    held = sum(low <= exact * 1.001 and exact <= high * 1.001 for low, high in tries)
    assert 180 <= held <= 199  # 95 of 100: 190 and three deviations; and not so wide as to hold all


def test_too_few_values_have_no_upper_bound() -> None:
    ours = made(list(range(1_000_000, 1_000_100)))
    assert ours.interval(99) == (pytest.approx(1000.096, abs=0.6), math.inf) and ours.interval(50).high_us < 1000.7
    assert made([5]).interval(99) == (0.005, math.inf) and Histogram().interval(99) == (0.0, math.inf)


def plotted(text: str) -> list[list[float]]:
    """What HdrHistogram's plotFiles.html takes of a file: lines of four columns, the fourth across, the first up."""
    rows = [line.split() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]
    return [list(map(float, row)) for row in rows if len(row) == 4 and row[0] != "Value"]


def test_the_plotter_s_file_has_the_distribution() -> None:
    values = values_of("tail", 20_000)
    ours, theirs = made(values), reference(values)
    points = plotted(histogram.hgrm(ours))
    assert points[0][3] == 1.0 and points[-1][3] >= 20_000 and len(points) > 60
    assert points == sorted(points, key=lambda row: row[3])
    for milliseconds, share, count, across in points:
        percent = 100 * share
        assert across == pytest.approx(1 / (1 - share), abs=0.006) and count >= 20_000 * share - 1e-6
        # A rank beside this one: theirs and ours need not round it the same way.
        low, high = (theirs.get_value_at_percentile(min(100, percent + off)) / 1e6 for off in (-0.006, 0.006))
        assert percent == 0 or low * 0.999 - 6e-4 <= milliseconds <= high * 1.001 + 6e-4
    last = histogram.hgrm(ours).splitlines()[-3].split()
    assert last == [f"{max(values) / 1e6:.3f}", "1.000000000000", "20000"]


def test_the_plotter_s_file_has_hdrhistogram_s_summary() -> None:
    values = values_of("tail", 20_000)
    mean, most = histogram.hgrm(made(values)).splitlines()[-2:]
    assert float(mean.split("=")[1].split(",")[0]) == pytest.approx(reference(values).get_mean_value() / 1e6, rel=1e-3)
    assert float(mean.split("=")[2].rstrip("]")) == pytest.approx(reference(values).get_stddev() / 1e6, rel=1e-2)
    assert float(most.split("=")[1].split(",")[0]) == pytest.approx(max(values) / 1e6, abs=1e-3)
    assert most.split("=")[2].rstrip("]").strip() == "20000"


@pytest.mark.parametrize("kind", ["edges", "even", "tail"])
@pytest.mark.parametrize("count", [0, 1, 999, 20_000])
def test_what_a_file_has_is_read_by_us_and_by_hdrhistogram(kind: str, count: int) -> None:
    values = values_of(kind, count)
    text = encoded(made(values).buckets_ns)
    assert decoded(text) == made(values).buckets_ns
    theirs = HdrHistogram.decode(text)
    assert theirs.get_total_count() == count
    assert all(theirs.get_count_at_value(value) == ours
               for value, ours in made(values).buckets_ns.items())


def test_what_hdrhistogram_has_encoded_is_read() -> None:
    values = values_of("tail", 2_000)
    assert decoded(reference(values).encode().decode("ascii")) == made(values).buckets_ns


def test_counts_of_any_size_are_kept() -> None:
    buckets = Buckets({1: 1, 2047: 2 ** 40, 4095: 2 ** 62, 2 ** 63 - 1: 127})
    assert decoded(encoded(buckets)) == buckets


def test_a_file_s_histogram_is_short() -> None:
    ours = made(values_of("tail", 20_000))
    assert len(encoded(ours.buckets_ns)) < 2 * sum(1 for _ in ours.points())


@pytest.mark.parametrize("text", ["", "x", "AAAA", "AAAAAAAAAAAAAAAA", encoded(Buckets({5: 1}))[:-8],
                                  HdrHistogram(1, 9000, 2).encode().decode("ascii")])
def test_what_is_no_encoding_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="its histogram is no V2 encoding of HdrHistogram"):
        Histogram.from_json({"count": 0, "hdr": text})


@pytest.mark.parametrize("value", [
    {"count": 1, "hdr": encoded(Buckets())}, {"count": 0, "hdr": 7}, {"count": 1, "buckets_ns": [[2 ** 64, 1]]},
    {"count": 2, "buckets_ns": [[5, 1]]}, {"count": -1, "buckets_ns": [[5, -1]]}, {"buckets_ns": []},
    {"count": 1, "buckets_ns": [5]}, {"count": 1, "buckets_ns": [["x", 1]]}])
def test_what_is_no_object_of_times(value: samples.Json) -> None:
    with pytest.raises((KeyError, OverflowError, TypeError, ValueError)):
        Histogram.from_json(value)
