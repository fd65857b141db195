"""The search for the highest rate, on curves that are known."""

from __future__ import annotations

import itertools

import finding
import pytest
from finding import Probe, Search, Stopped


@pytest.mark.parametrize("capacity", [3.3, 47.0, 500.0, 501.0, 3000.0, 98765.0])
@pytest.mark.parametrize("precision", [0.01, 0.05, 0.2])
def test_finds_the_edge(capacity: float, precision: float) -> None:
    found = finding.find(lambda rate, _: Probe(rate, rate <= capacity), Search(500, precision))
    assert capacity / (1 + precision) * 0.999 <= found.rate <= capacity < found.missed_at
    assert found.confirmed == 3 and not found.limited
    assert len(found.probes) < 60


def test_nothing_meets_it() -> None:
    found = finding.find(lambda rate, _: Probe(rate, False))
    assert found.rate == 0 and "no rate" in found.sureness()


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


def test_stopped_tells_what_is_known() -> None:
    def measure(rate: float, _: bool) -> Probe:
        if rate > 1500:
            raise Stopped
        return Probe(rate, True)
    found = finding.find(measure)
    assert found.stopped and found.rate == 1000 and "stopped" in found.sureness()
