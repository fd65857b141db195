"""Which rates the configurations share, whatever befalls one of them meanwhile."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Optional

import comparing
import pytest
import results
from configurations import ALL, Configuration
from measuring import Bench, Load


class FakeBench(Bench):
    """Each configuration answers so many requests in each second of a closed loop, each time those of its next list."""

    def __init__(self, like: results.Run, carried: dict[str, list[Sequence[int]]]):
        self.runs, self.load, self._like, self._carried = [], Load(), like, carried
        self.rates: dict[str, list[float]] = defaultdict(list)

    def measure(self, configuration: Configuration, seconds: float, rate: Optional[str] = None,
                **_: object) -> results.Run:
        if rate is not None:
            self.rates[configuration.name].append(float(rate))
            return self._like
        each = self._carried[configuration.name].pop(0)
        told = [results.Second("measure", requests=count) for count in each]
        cold = [results.Second("warmup", requests=1) for _ in each]
        result = replace(self._like.result, phase="measure", requests=sum(each), length_s=float(len(each)))
        return replace(self._like, result=result, seconds=[*cold, *told])


def climbed(like: results.Run, **carried: list[Sequence[int]]) -> FakeBench:
    bench = FakeBench(like, carried)
    comparing.climb(bench, [one for one in ALL if one.name in carried], comparing.Pace(15))
    assert not any(carried.values())
    return bench


def test_all_share_the_lowest_rates(demo: results.Results) -> None:
    bench = climbed(demo.runs[0], primary=[[1000] * 3], cache=[[4000] * 3])
    assert bench.rates["primary"] == [500, 965] and bench.rates["cache"] == [500, 965, 1860, 3600]


def test_a_stall_does_not_pull_the_shared_rate_down(demo: results.Results) -> None:
    bench = climbed(demo.runs[0], primary=[[1000, 0, 1000]], cache=[[4000, 4000, 40]])
    assert bench.rates["primary"] == [500, 965] and bench.rates["cache"][-1] == 3600


def test_who_is_starved_is_measured_again(demo: results.Results, capsys: pytest.CaptureFixture[str]) -> None:
    bench = climbed(demo.runs[0], primary=[[10, 0, 0, 10], [1000] * 4], cache=[[4000] * 4], local=[[4000] * 4])
    assert bench.rates["primary"] == [500, 965] and not capsys.readouterr().err
    bench = climbed(demo.runs[0], primary=[[10] * 4, [12] * 4], cache=[[4000] * 4], local=[[4000] * 4])
    assert bench.rates["primary"][0] == 6 and "primary only carried 12 requests a second" in capsys.readouterr().err
