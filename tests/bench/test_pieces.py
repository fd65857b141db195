"""The seconds of a long run: few enough to keep, and nothing lost that adds up."""

from __future__ import annotations

import random
from dataclasses import replace

import merging
import pytest
import samples
from pieces import MOST, Pieces
from results import Second, object_of


def seconds(count: int, phase: str = "measure", number: int = 2, began: float = 0.0) -> list[Second]:
    """Each with its number as its count of requests and as its 99th percentile."""
    one = object_of(Second, samples.second(phase, number, 0, {"primary": 1.0}, 50, 1, random.Random(1)))
    return [replace(one, second=at, unix_s=began + at, requests=at, waiting=at, errors={"timeout": 1},
                    latency=replace(one.latency, count=at, p99_us=float(at)), client=replace(one.client, cpu_cores=at))
            for at in range(1, count + 1)]


def kept(given: list[Second]) -> list[Second]:
    pieces = Pieces()
    for one in given:
        pieces.add(one)
    return pieces.all()


def test_a_short_run_keeps_its_seconds() -> None:
    given = [*seconds(10, "warmup", 1), *seconds(MOST - 1)]
    assert kept(given) == given


@pytest.mark.parametrize("count", [MOST, MOST + 1, 5 * MOST + 3, 4 * 3600])
def test_nothing_is_lost_of_a_long_one(count: int) -> None:
    given = seconds(count)
    found = kept(given)
    assert MOST // 2 <= len(found) <= MOST
    assert sum(one.requests for one in found) == count * (count + 1) // 2
    assert sum(one.latency.count for one in found) == count * (count + 1) // 2
    assert sum(one.length_s for one in found) == count == sum(one.errors["timeout"] for one in found)
    assert len({one.length_s for one in found[:-1]}) == 1 and found[-1].length_s <= found[0].length_s
    first = round(found[0].length_s)
    assert (found[0].waiting, found[0].latency.p99_us) == (first, first)  # the worst second of it
    assert found[0].client.cpu_cores == pytest.approx((first + 1) / 2) and found[-1].second == count


def test_phases_stay_apart() -> None:
    found = kept([*seconds(100, "cold", 1), *seconds(3 * MOST), *seconds(3, "flush", 3)])
    assert [one.length_s for one in found if one.phase == "cold"] == [1.0] * 100
    assert [one.requests for one in found if one.phase == "flush"] == [1, 2, 3]
    assert {one.length_s for one in found if one.phase == "measure"} == {4.0}


def test_agents_pieces_are_laid_over_one_another() -> None:
    early, late = kept(seconds(4 * MOST)), kept(seconds(4 * MOST, began=24.2))
    assert early[0].length_s == 8
    whole = merging.seconds_of([early, late])
    assert len(whole) == len(early) + 3
    assert [one.requests for one in whole[:3]] == [one.requests for one in early[:3]]
    assert whole[3].requests == early[3].requests + late[0].requests
    assert sum(one.requests for one in whole) == 2 * sum(one.requests for one in early)


def test_an_agent_that_wakes_up_late_is_not_added_to_itself() -> None:
    drifting = [replace(one, unix_s=1.003 * one.second) for one in seconds(900)]
    whole = merging.seconds_of([seconds(900), drifting])
    assert [one.requests for one in whole] == [2 * at for at in range(1, 901)]
