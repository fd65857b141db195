"""Agents that sent at once, and rounds that followed one another."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import merging
import pytest
import results
import samples
from results import ReportError, Results

TOLD = samples.results([samples.run("cache", samples.random.Random(1), seconds=2),
                        samples.run("primary only", samples.random.Random(2), seconds=2)])


def agent(host: str) -> Results:
    told = deepcopy(TOLD)
    for run in told["runs"]:
        run["start"]["host"]["name"] = host
    return results.object_of(Results, told)


def test_counts_and_buckets_add_up() -> None:
    one = agent("a")
    whole = merging.merge([one, agent("b"), agent("c")], ["a", "b", "c"])
    assert [run.configuration for run in whole.runs] == ["cache", "primary only"]
    for before, after in zip(one.runs, whole.runs):
        assert after.start.host.name == "a, b, c"
        assert after.agents == 3 and after.rate == 3 * (before.rate or 0)
        assert after.result.latency.count == 3 * before.result.latency.count
        assert after.result.latency.percentile(99) == before.result.latency.percentile(99)
        assert after.result.requests == 3 * before.result.requests
        assert after.result.length_s == before.result.length_s
        assert after.result.sources == {name: 3 * count for name, count in before.result.sources.items()}
        assert after.result.connections["primary"] == 24
        assert after.result.lag_ms == before.result.lag_ms
        assert after.result.stampedes.expiries == 3 * before.result.stampedes.expiries
        assert after.result.stampedes.most_readers == before.result.stampedes.most_readers
        assert len(after.result.requests_by) == len(before.result.requests_by)
        assert len(after.seconds) == len(before.seconds)
        assert after.seconds[3].requests == 3 * before.seconds[3].requests
        assert after.seconds[3].latency.p99_us == before.seconds[3].latency.p99_us


def test_agents_that_asked_for_the_same_are_told() -> None:
    def seeded(host: str, seed: int) -> Results:
        one = agent(host)
        return replace(one, runs=[replace(run, start=replace(run.start, seed=seed)) for run in one.runs])
    same = merging.merge([seeded("a", 1), seeded("b", 7), seeded("c", 7)], ["a", "b", "c"])
    assert all("2 agents had the same seed, 7" in run.remarks[0] for run in same.runs)
    assert not any(run.remarks for run in merging.merge([seeded("a", 1), seeded("b", 7)], ["a", "b"]).runs)


def test_rounds_take_as_long_as_all_of_them() -> None:
    one = agent("a").runs[0].result
    whole = merging.after_one_another([one, one])
    assert whole.length_s == 2 * one.length_s and whole.requests == 2 * one.requests
    assert whole.connections == one.connections and whole.client.cpu_cores == pytest.approx(
        one.client.cpu_s / one.length_s)


def test_the_worst_agent_tells() -> None:
    one = agent("a").runs[0].result
    slow = replace(one, bottleneck="cpu", bottleneck_why="all 4 processors were used up", ended="interrupted",
                   errors={"timeout": 2}, error_samples={"timeout": "no answer"})
    whole = merging.at_once([replace(one, bottleneck="threads"), slow, one])
    assert (whole.bottleneck, whole.bottleneck_why, whole.ended) == ("cpu", slow.bottleneck_why, "interrupted")
    assert whole.errors == {"timeout": 2} and whole.error_samples == {"timeout": "no answer"}


def test_an_agent_that_lacks_a_run_is_told() -> None:
    short = agent("b")
    with pytest.raises(ReportError, match="b.json: lacks the run `primary only`, workload browse, round 1, which"):
        merging.merge([agent("a"), replace(short, runs=short.runs[:1])], ["a.json", "b.json"])


def test_the_same_agent_twice_is_told() -> None:
    with pytest.raises(ReportError, match="the same run of a is in them twice"):
        merging.merge([agent("a"), agent("a")], ["a.json", "a.json"])


def test_one_agent_alone_is_itself() -> None:
    assert merging.merge([agent("a")], ["a"]).runs[0].result == agent("a").runs[0].result


def test_an_agent_s_runs_of_the_same_name_stay_apart() -> None:
    told = deepcopy(TOLD)
    told["runs"].append(samples.run("cache", samples.random.Random(3), seconds=2))
    first = results.object_of(Results, told)
    for run in told["runs"]:
        run["start"]["host"]["name"] = "b"
    assert len(merging.merge([first, results.object_of(Results, told)], ["a", "b"]).runs) == 3


def test_troubles_of_all_are_kept() -> None:
    broken = replace(agent("a"), broken_off="refused", operations=[results.Operation("failover", exit_code=1)])
    for whole in (merging.merge([broken, agent("b")], ["a", "b"]), merging.beside([agent("c"), broken])):
        assert whole.broken_off == "refused" and [str(one) for one in whole.operations] == [
            "failover: failed with exit code 1 after 0.0 s"]


def test_results_beside_one_another_keep_their_runs() -> None:
    one, other = agent("a"), replace(agent("b"), command="find", target=results.Target(99, 5000), ended_at="2027")
    both = merging.beside([one, other])
    assert both.runs == [*one.runs, *other.runs] and both.command == f"{one.command}; find"
    assert both.target == one.target and both.ended_at == "2027" and merging.beside([one]) is one
