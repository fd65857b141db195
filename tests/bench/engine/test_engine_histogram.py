"""The engine's histograms against HdrHistogram's own: the same buckets, the same percentiles."""

from __future__ import annotations

import json
import os
import random
import subprocess
from collections import Counter

import pytest
from hdrh.histogram import HdrHistogram

PERCENTILES = {"p50_us": 50, "p90_us": 90, "p99_us": 99, "p999_us": 99.9, "p9999_us": 99.99}


def values_of(kind: str) -> list[int]:
    chance = random.Random(kind)
    if kind == "edges":
        return [max(1, 2 ** power + off) for power in range(42) for off in (-1, 0, 1) if 2 ** power < 3.6e12]
    if kind == "even":
        return [chance.randint(1, 3_000_000) for _ in range(20_000)]
    if kind == "one":
        return [123_456_789]
    return [1 + int(chance.lognormvariate(12, 1.7)) for _ in range(50_000)]


@pytest.mark.parametrize("kind", ["edges", "even", "one", "tail"])
def test_buckets_and_percentiles_are_hdrhistograms(kind: str) -> None:
    values = values_of(kind)
    done = subprocess.run([os.environ["PERCENTILES"]], input="\n".join(map(str, values)), text=True,
                          capture_output=True, check=True)
    ours = json.loads(done.stdout)["times"]
    theirs = HdrHistogram(1, 3_600_000_000_000, 3)
    for value in values:
        theirs.record_value(value)
    buckets = Counter(theirs.get_highest_equivalent_value(value) for value in values)
    assert [tuple(pair) for pair in ours["buckets_ns"]] == sorted(buckets.items())
    for key, percentile in PERCENTILES.items():
        told = min(theirs.get_value_at_percentile(percentile), max(values))
        assert ours[key] == pytest.approx(told / 1000, abs=0.001), key
    assert ours["count"] == theirs.get_total_count() == len(values)
    assert ours["min_us"] == pytest.approx(min(values) / 1000, abs=0.001)
    assert ours["max_us"] == pytest.approx(max(values) / 1000, abs=0.001)
    assert ours["mean_us"] == pytest.approx(sum(values) / len(values) / 1000, abs=0.001)


def test_nothing_recorded() -> None:
    done = subprocess.run([os.environ["PERCENTILES"]], input="", text=True, capture_output=True, check=True)
    assert json.loads(done.stdout) == {"times": {"count": 0}}
