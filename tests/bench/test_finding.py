"""The search for the highest rate, on curves that are known."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any, Optional

import configurations
import finding
import pytest
import results
import searching
from faults import BenchError
from finding import Probe, Search, Stopped
from histogram import Buckets, Histogram
from measuring import Bench, Load


@pytest.mark.parametrize("capacity", [3.3, 47.0, 500.0, 501.0, 3000.0, 98765.0])
@pytest.mark.parametrize("precision", [0.01, 0.05, 0.2])
def test_finds_the_edge(capacity: float, precision: float) -> None:
    found = finding.find(lambda rate, _: Probe(rate, rate <= capacity), Search(500, precision))
    assert capacity / (1 + precision) * 0.999 <= found.rate <= capacity < found.missed_at
    assert found.confirmed == 3 and not found.limited
    assert len(found.probes) < 60


def test_nothing_meets_it() -> None:
    found = finding.find(lambda rate, _: Probe(rate, False))
    assert found.rate == 0 and "no rate" in found.sureness() and "client" not in found.sureness()
    found = finding.find(lambda rate, _: Probe(rate, False, limited=True))
    assert "no rate" in found.sureness() and "the client was the bottleneck" in found.sureness()


def test_a_chance_miss_is_measured_again() -> None:
    """Every fifth measurement fails for no reason of the server's."""
    number = itertools.count(1)
    found = finding.find(lambda rate, _: Probe(rate, rate <= 3000 and next(number) % 5 != 0),
                         Search(confirmations=1))
    assert 3000 / 1.25 < found.rate <= 3000


def test_what_is_not_confirmed_is_searched_below() -> None:
    """Short measurements say 3000, long ones 2000."""
    found = finding.find(lambda rate, confirming: Probe(rate, rate <= (2000 if confirming else 3000)))
    assert 1700 <= found.rate <= 2000 and found.confirmed == 3
    assert "met in 5 of 5 measurements" in found.sureness()


def test_a_miss_that_may_be_the_client_s_is_told() -> None:
    found = finding.find(lambda rate, _: Probe(rate, rate <= 3000, limited=rate >= 700))
    assert found.limited and "the client was the bottleneck" in found.sureness()
    found = finding.find(lambda rate, _: Probe(rate, rate <= 3000, limited=rate >= 7000))
    assert not found.limited and "client" not in found.sureness()


def test_what_meets_it_at_every_rate() -> None:
    found = finding.find(lambda rate, _: Probe(rate, True), Search(most=50000))
    assert found.rate == 32000 and found.missed_at == float("inf")


def test_a_thin_tail_is_told() -> None:
    found = finding.find(lambda rate, _: Probe(rate, rate <= 1000, tail=3))
    assert "measure longer" in found.sureness()


def test_a_miss_by_chance_is_no_ceiling() -> None:
    """The first rate is missed twice for no reason of the server's."""
    number = itertools.count(1)
    found = finding.find(lambda rate, _: Probe(rate, rate <= 3000 and next(number) > 2))
    assert 3000 / 1.05 * 0.999 <= found.rate <= 3000 < found.missed_at


def test_it_ends_where_nothing_is_steady() -> None:
    """What is met in short is never met in the end."""
    found = finding.find(lambda rate, confirming: Probe(rate, rate <= 1e6 and not confirming))
    assert len(found.probes) == finding.Search().probes_most
    assert found.unsteady and "contradict" in found.sureness()


def test_stopped_below_does_not_tell_that_nothing_meets_it() -> None:
    """Short measurements say 3000; while it looks for what lasts, it is stopped."""
    def measure(rate: float, confirming: bool) -> Probe:
        if stopping:
            raise Stopped
        stopping.extend([True] if confirming else [])
        return Probe(rate, rate <= 3000 and not confirming)
    stopping: list[bool] = []
    found = finding.find(measure)
    assert found.stopped and found.rate == 0 and "no rate that was tried" not in found.sureness()


def test_stopped_tells_what_is_known() -> None:
    def measure(rate: float, _: bool) -> Probe:
        if rate > 1500:
            raise Stopped
        return Probe(rate, True)
    found = finding.find(measure)
    assert found.stopped and found.rate == 1000 and "stopped" in found.sureness()


class FakeBench(Bench):
    """Answers each request in 1 ms; above 1000 a second it has too few threads, or breaks."""

    def __init__(self, like: results.Run, breaks: bool = False):
        self.runs, self.load, self._like, self._breaks = [], Load(), like, breaks

    def measure(self, configuration: configurations.Configuration, seconds: float, rate: Optional[str] = None,
                **_: object) -> results.Run:
        if self._breaks and float(rate or 0) > 1000:
            raise BenchError("the primary is gone")
        late = float(rate or 0) > 1000
        waited = 90_000 if late else 1000
        service, latency = (Histogram(Buckets({us * 1000: 1000}), us, us, us) for us in (1000, waited))
        result = replace(self._like.result, requests=1000, failed=0, dropped=0, service=service, latency=latency,
                         bottleneck="threads" if late else "none", ended="done")
        self.runs.append(replace(self._like, rate=float(rate or 0), result=result, kind="search"))
        return self.runs[-1]


def searched(bench: Bench) -> finding.Found:
    return searching.search(bench, configurations.ALL[0], results.Target(99, 5000), 10, Search(first=700))


def test_a_want_of_threads_is_told(demo: results.Results) -> None:
    found = searched(FakeBench(demo.runs[0]))
    assert 950 <= found.rate <= 1000 and not found.limited
    assert found.starved and "--threads" in found.sureness()


def test_a_queue_that_grows_is_not_carried(demo: results.Results) -> None:
    """A target of seconds is met in a short measurement by servers that fall ever further behind."""
    def run(*waiting: int) -> results.Run:
        seconds = [results.Second("measure", waiting=count) for count in waiting]
        result = replace(demo.runs[0].result, phase="measure", seconds=3.0, intended=3000)
        return replace(demo.runs[0], result=result, seconds=[results.Second("warmup", waiting=9000), *seconds])
    assert searching.keeps_up(run(0, 400, 3, 0)) and searching.keeps_up(run(0, 0, 100))
    assert not searching.keeps_up(run(400, 800, 1200, 300, 0))

    class Piling(FakeBench):
        """All is answered in time in the end, but more than 1000 a second only after the end."""

        def measure(self, *arguments: Any, **options: Any) -> results.Run:
            rate = float(arguments[2])
            told = run(0, 0, 3 * int(max(0.0, rate - 1000)))
            quick = Histogram(Buckets({1_000_000: 1000}), 1000, 1000, 1000)
            result = replace(told.result, latency=quick, requests=1000, failed=0, dropped=0, bottleneck="none")
            self.runs.append(replace(told, rate=rate, result=result))
            return self.runs[-1]
    assert 1000 <= searched(Piling(demo.runs[0])).rate <= 1060


def test_what_breaks_a_search_leaves_what_was_found(demo: results.Results, capsys: pytest.CaptureFixture[str]) -> None:
    bench = FakeBench(demo.runs[0], breaks=True)
    found = searched(bench)
    assert found.stopped and found.rate == 700 and [run.found for run in bench.runs] == [True]
    assert capsys.readouterr().err == "shopbench: the primary is gone\n"
    with pytest.raises(BenchError, match="gone"):
        searching.search(bench, configurations.ALL[0], results.Target(99, 5000), 10, Search(first=5000))
