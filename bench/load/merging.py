"""Several results as one: agents that sent at the same time, or rounds that followed one another.

Counts and buckets add up, so nothing is lost and nothing is averaged that may not be. Either way the worst bottleneck
is the whole's: one agent that could not keep up spoils the figures of all.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any, TypeVar

from histogram import Histogram, merged
from results import (
    Client,
    Moment,
    Octets,
    ReportError,
    Requests,
    Result,
    Results,
    Run,
    Second,
    Staleness,
    Stampedes,
    Statements,
)

BOTTLENECKS = ("none", "threads", "wake_up", "cpu")
SUMS = ("intended", "requests", "failed", "late", "dropped", "hits", "misses", "stale_reads", "database_statements")
"""What adds up of seconds, whether they were at once or followed one another."""
Number = TypeVar("Number", int, float)
Row = TypeVar("Row")


def added(mappings: Iterable[Mapping[str, Number]]) -> dict[str, Number]:
    """The sum of each name."""
    total: dict[str, Number] = {}
    for one in mappings:
        for name, value in one.items():
            total[name] = total[name] + value if name in total else value
    return total


def highest(mappings: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """The highest of each name."""
    most: dict[str, float] = {}
    for one in mappings:
        for name, value in one.items():
            most[name] = max(most.get(name, value), value)
    return most


def histograms(results: Sequence[Row], of: Callable[[Row], Histogram]) -> Histogram:
    """One histogram of each, merged."""
    return merged(of(one) for one in results)


def requests_of(results: Sequence[Result]) -> list[Requests]:
    """The rows of each interaction and source."""
    rows: dict[tuple[str, str], list[Requests]] = defaultdict(list)
    for row in (row for one in results for row in one.requests_by):
        rows[row.interaction, row.source].append(row)
    return [Requests(interaction, source, sum(row.failed for row in same), histograms(same, lambda row: row.latency),
                     histograms(same, lambda row: row.service)) for (interaction, source), same in rows.items()]


def statements_of(results: Sequence[Result]) -> list[Statements]:
    """The rows of each statement, source and outcome."""
    rows: dict[tuple[str, str, str], list[Statements]] = defaultdict(list)
    for row in (row for one in results for row in one.statements_by):
        rows[row.statement, row.source, row.cached].append(row)
    return [Statements(*key, sum(row.rows for row in same), histograms(same, lambda row: row.service))
            for key, same in rows.items()]


def staleness_of(results: Sequence[Result]) -> Staleness:
    """All that was held against the newest version known."""
    each = [one.staleness for one in results]
    return Staleness(sum(one.checked for one in each), sum(one.stale for one in each), sum(one.writes for one in each),
                     histograms(each, lambda one: one.age))


def stampedes_of(results: Sequence[Result]) -> Stampedes:
    """All expiries, and the worst of them."""
    each = [one.stampedes for one in results]
    return Stampedes(sum(one.expiries for one in each), sum(one.readers for one in each),
                     sum(one.joined for one in each), max(one.most_readers for one in each),
                     sum(one.crowded for one in each))


def octets_of(results: Sequence[Result]) -> Octets:
    """All bytes."""
    each = [one.bytes for one in results]
    return Octets(sum(one.answers for one in each), sum(one.cache_read for one in each),
                  sum(one.cache_written for one in each))


def samples_of(results: Sequence[Result]) -> dict[str, str]:
    """The first message of each kind of error."""
    return {kind: message for one in reversed(results) for kind, message in one.error_samples.items()}


def worst(results: Sequence[Result]) -> Result:
    """The one whose client was the bottleneck most."""
    return max(results, key=lambda one: BOTTLENECKS.index(one.bottleneck) if one.bottleneck in BOTTLENECKS else 9)


def client_of(results: Sequence[Result], length_s: float) -> Client:
    """What all their processes used: of several machines the busiest tells."""
    each = [one.client for one in results]
    cpu_s, requests = sum(one.cpu_s for one in each), sum(one.requests + one.failed for one in results)
    return Client(cpu_s, cpu_s / length_s if length_s else 0.0, 1e6 * cpu_s / requests if requests else 0.0,
                  max(one.machine_busy for one in each), max(one.memory_bytes for one in each),
                  max(one.cores for one in each))


def ended(results: Sequence[Result]) -> str:
    """How the whole ended: as done, only if all of them did."""
    return next((one.ended for one in results if one.ended != "done"), "done")


def combined(results: Sequence[Result], length_s: float) -> Result:
    """All that adds up, over a length that the caller knows."""
    slowest = worst(results)
    return replace(
        results[0], ended=ended(results), began_unix_s=min(one.began_unix_s for one in results), length_s=length_s,
        intended=sum(one.intended for one in results), requests=sum(one.requests for one in results),
        failed=sum(one.failed for one in results), dropped=sum(one.dropped for one in results),
        late=sum(one.late for one in results), late_busy=sum(one.late_busy for one in results),
        late_free=sum(one.late_free for one in results), latency=histograms(results, lambda one: one.latency),
        service=histograms(results, lambda one: one.service),
        failed_latency=histograms(results, lambda one: one.failed_latency),
        start_delay=histograms(results, lambda one: one.start_delay), requests_by=requests_of(results),
        statements_by=statements_of(results), sources=added(one.sources for one in results),
        hits=sum(one.hits for one in results), misses=sum(one.misses for one in results),
        saved=sum(one.saved for one in results),
        database_statements=sum(one.database_statements for one in results), staleness=staleness_of(results),
        stampedes=stampedes_of(results), errors=added(one.errors for one in results),
        error_samples=samples_of(results), library=added(one.library for one in results),
        gauges=highest(one.gauges for one in results), bytes=octets_of(results),
        lag_ms=highest(one.lag_ms for one in results), connections=highest(one.connections for one in results),
        client=client_of(results, length_s), bottleneck=slowest.bottleneck, bottleneck_why=slowest.bottleneck_why,
        trace_passes=max(one.trace_passes for one in results))


def after_one_another(results: Sequence[Result]) -> Result:
    """Rounds of the same configuration under the same load, as one long phase."""
    return combined(results, sum(one.length_s for one in results)) if len(results) > 1 else results[0]


def at_once(results: Sequence[Result]) -> Result:
    """Agents that sent at the same time: their rates and connections add up too."""
    if len(results) == 1:
        return results[0]
    whole = combined(results, max(one.length_s for one in results))
    return replace(whole, clients=sum(one.clients for one in results),
                   rate=" + ".join(one.rate for one in results if one.rate),
                   connections=added(one.connections for one in results))


# Seconds of several agents.


def moment_of(moments: Sequence[Moment]) -> Moment:
    """Of several seconds: percentiles of the whole cannot be had from theirs, so the worst one's stand for all."""
    count = sum(one.count for one in moments)
    if not count:
        return Moment()
    return Moment(count, sum(one.mean_us * one.count for one in moments) / count,
                  *(max(getattr(one, name) for one in moments)
                    for name in ("p50_us", "p90_us", "p99_us", "p999_us", "max_us")))


def second_of(same: Sequence[Second]) -> Second:
    """One second of all agents."""
    counts = {name: sum(getattr(one, name) for one in same) for name in (*SUMS, "waiting", "busy_threads")}
    client = Client(cpu_cores=sum(one.client.cpu_cores for one in same),
                    machine_busy=max(one.client.machine_busy for one in same),
                    memory_bytes=max(one.client.memory_bytes for one in same))
    return replace(same[0], latency=moment_of([one.latency for one in same]),
                   sources=added(one.sources for one in same), errors=added(one.errors for one in same),
                   lag_ms=highest(one.lag_ms for one in same), connections=added(one.connections for one in same),
                   client=client, **counts)


def seconds_of(agents: Sequence[Sequence[Second]]) -> list[Second]:
    """Those that belong together: the n-th after the first agent began its phase, by the clock."""
    phases = [[list(same) for _, same in groupby(seconds, key=lambda one: (one.phase, one.number))]
              for seconds in agents]
    began: dict[tuple[str, int], float] = {}
    for first in (same[0] for agent in phases for same in agent):
        began[first.phase, first.number] = min(first.unix_s, began.get((first.phase, first.number), first.unix_s))
    together: dict[tuple[str, int, int], list[Second]] = defaultdict(list)
    for same in (same for agent in phases for same in agent):
        key = same[0].phase, same[0].number
        behind = round((same[0].unix_s - began[key]) / (same[0].length_s or 1))
        for at, one in enumerate(same, behind):
            together[(*key, at)].append(one)
    return [second_of(same) for _, same in sorted(together.items(), key=lambda pair: (pair[0][1], pair[0][2]))]


# Files of several agents.


Key = tuple[object, ...]


def keyed(results: Results) -> dict[Key, Run]:
    """Each run by what it has in common with other agents' runs of the same phase; the n-th like it is another one."""
    seen: Counter[Key] = Counter()
    found: dict[Key, Run] = {}
    for run in results.runs:
        key = run.configuration, run.workload, run.round, run.rate_label, run.varied, run.kind, run.found
        found[(*key, seen[key])] = run
        seen[key] += 1
    return found


def told(run: Run) -> str:
    """A run, for a complaint."""
    return f"`{run.configuration}`, workload {run.workload}, round {run.round}" + (
        f", {run.rate_label}" if run.rate_label else "")


def remarks_of(runs: Sequence[Run]) -> list[str]:
    """What any of them has to remark; and that they were no independent visitors."""
    seeds = Counter(run.start.seed for run in runs)
    same = [f"{count} agents had the same seed, {seed}: they asked for the same at the same moments; give each another"
            " --random" for seed, count in seeds.items() if count > 1]
    return list(dict.fromkeys([remark for run in runs for remark in run.remarks] + same))


def run_of(runs: Sequence[Run]) -> Run:
    """The same phase of all agents as one run."""
    rates = [run.rate for run in runs if run.rate is not None]
    hosts = ", ".join(dict.fromkeys(run.start.host.name for run in runs))
    start = replace(runs[0].start, host=replace(runs[0].start.host, name=hosts))
    return replace(runs[0], start=start, result=at_once([run.result for run in runs]),
                   seconds=seconds_of([run.seconds for run in runs]), rate=sum(rates) if rates else None,
                   agents=sum(run.agents for run in runs), remarks=remarks_of(runs))


def troubles_of(parts: Sequence[Results]) -> dict[str, Any]:
    """What operators did, and what ended early, of all of them."""
    return {"operations": [operation for one in parts for operation in one.operations],
            "broken_off": "; ".join(dict.fromkeys(filter(None, (one.broken_off for one in parts))))}


def merge(agents: Sequence[Results], names: Sequence[str]) -> Results:
    """The results of several agents that ran the same command at the same time, as one.

    :param names: the files they come from, for complaints.
    :raises ReportError: one of them lacks a run that another has, or the same agent is given twice.
    """
    begun = Counter((run.start.host.name, run.start.unix_s, run.result.began_unix_s)
                    for one in agents for run in one.runs)
    twice = next((key for key, count in begun.items() if count > 1), None)
    if twice:
        raise ReportError(f"{', '.join(names)}: the same run of {twice[0] or 'one host'} is in them twice")
    runs: dict[Key, list[Run]] = defaultdict(list)
    for key, run in (pair for one in agents for pair in keyed(one).items()):
        runs[key].append(run)
    for one, name in zip(agents, names):
        have = keyed(one)
        lacking = next((same[0] for key, same in runs.items() if key not in have), None)
        if lacking:
            raise ReportError(f"{name}: lacks the run {told(lacking)}, which others have: all agents must have run the"
                              " same command")
    return replace(agents[0], runs=[run_of(same) for same in runs.values()], **troubles_of(agents),
                   started_at=min(one.started_at for one in agents), ended_at=max(one.ended_at for one in agents))


def beside(parts: Sequence[Results]) -> Results:
    """Results of several commands in one report, their runs beside one another: a search for each configuration, say.
    What they were run with stays told by each run; the target is the first that one has."""
    if len(parts) == 1:
        return parts[0]
    return replace(parts[0], runs=[run for one in parts for run in one.runs], **troubles_of(parts),
                   command="; ".join(filter(None, (one.command for one in parts))),
                   target=next((one.target for one in parts if one.target), None),
                   started_at=min(one.started_at for one in parts), ended_at=max(one.ended_at for one in parts))
