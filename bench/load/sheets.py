"""The tables of a report: every figure that a plot shows, and those that none does."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Optional

import figures
import page
import plots
from cases import FEW, PERCENTILES, SOURCES, Case, Comparison
from histogram import Histogram, merged
from markup import Markup
from page import Cell, CellOrText, Cells
from results import Run, Target

THIN = "rests on fewer than ten requests"
FLATTERED = "a closed loop, whose latency is flattered, or a step of a search that was not measured again"
NAMES = [*map(figures.percentile_name, PERCENTILES), "longest"]
"""What :func:`quantiles` tells."""


def quantile(histogram: Histogram, percent: float) -> Cell:
    """A percentile; one that rests on a handful of requests looks it."""
    if not histogram.count:
        return Cell(figures.NOTHING)
    thin = histogram.beyond(percent) < FEW
    return Cell(figures.duration(histogram.percentile(percent)), "thin" if thin else "", THIN if thin else "")


def quantiles(histogram: Histogram, percents: Sequence[float] = PERCENTILES) -> list[Cell]:
    """Percentiles and the longest."""
    longest = figures.duration(histogram.max_us) if histogram.count else figures.NOTHING
    return [*(quantile(histogram, percent) for percent in percents), Cell(longest)]


def share(value: Optional[float]) -> str:
    """A share, or that there is none."""
    return figures.NOTHING if value is None else figures.share(value)


def heading(target: Target) -> str:
    """A column's, in one line."""
    return str(target).replace(" ", "\u00a0")


def verdict(case: Case, target: Target) -> Cell:
    """Was the latency kept?"""
    within = figures.share(target.share_within(case.result))
    return Cell(f"yes, {within}", "good") if target.met_by(case.result) else Cell(f"no, {within}", "bad")


def glance(comparison: Comparison, target: Optional[Target]) -> Markup:
    """The configurations in one table."""
    columns = ["configuration", "load", "answered/s", "p50", "p99", "p99.9", "hit ratio", "reads saved",
               "database statements per request", "stale reads"]
    rows: list[Cells] = []
    for case in comparison.cases:
        result = case.result
        row: list[CellOrText] = [case.name, case.load, figures.rate(case.throughput),
               *(quantile(result.latency, percent) for percent in (50, 99, 99.9)), share(case.hit_ratio),
               figures.share(case.saved), figures.digits(case.queries_per_request),
               Cell(figures.whole(result.staleness.stale), "bad" if result.staleness.stale else "")]
        rows.append([*row, verdict(case, target)] if target else row)
    columns += [heading(target)] if target else []
    return page.table("The configurations at a glance", columns, rows, texts=2)


def latencies(cases: Sequence[Case]) -> Markup:
    """What the plot of percentiles shows."""
    columns = ["configuration", "requests", "mean", *NAMES, "p99 may be"]
    rows: list[Cells] = []
    for case in cases:
        whole = case.result.latency
        rows.append([case.name, figures.whole(whole.count), figures.duration(whole.mean_us),
                     *quantiles(whole), plots.between(case, 99)])
    return page.table("Latency of requests, from the intended time of sending", columns, rows)


def slowest(case: Case) -> Counter[str]:
    """How many requests of each interaction are among the slowest hundredth."""
    limit = case.result.latency.percentile(99)
    found: Counter[str] = Counter()
    for row in case.result.requests_by:
        found[row.interaction] += sum(count for value, count in row.latency.buckets_ns.items() if value / 1000 > limit)
    return found


def by_whom(case: Case, interaction: str, sources: Sequence[str]) -> str:
    """How many requests of an interaction had to go so far, and how long half of them took."""
    whole = merged(row.latency for row in case.result.requests_by
                   if row.interaction == interaction and row.source in sources)
    return f"{figures.whole(whole.count)}, {figures.duration(whole.percentile(50))}" if whole.count else figures.NOTHING


def tail_of(cases: Sequence[Case]) -> tuple[list[str], list[Cells]]:
    """What the slowest requests are: columns and rows."""
    rows: list[Cells] = []
    for case in cases:
        found = slowest(case)
        if sum(found.values()):
            (name, count), = found.most_common(1)
            rows.append([case.name, name, f"{figures.whole(count)} of {figures.whole(sum(found.values()))}",
                         by_whom(case, name, ("local", "cache", "stale")), by_whom(case, name, ("replica", "primary"))])
    return ["configuration", "most of the slowest hundredth", "so many", "those of it from a cache, p50",
            "those from a database, p50"], rows


def tails(cases: Sequence[Case]) -> Markup:
    """The same as a table."""
    return page.table("What the slowest hundredth is", *tail_of(cases), texts=2)


def loads(comparison: Comparison, target: Optional[Target]) -> Markup:
    """Every load of every configuration."""
    columns = ["configuration", "load", "answered/s", *map(figures.percentile_name, PERCENTILES[:4]), "failed",
               "dropped", "client"]
    rows: list[Cells] = []
    names = list(dict.fromkeys(case.name for case in comparison.all_cases))
    for case in sorted(comparison.all_cases, key=lambda case: (names.index(case.name), case.rate or 0)):
        result = case.result
        row: list[CellOrText] = [
            case.name, case.load, figures.rate(case.throughput),
            *quantiles(result.latency, PERCENTILES[:4])[:-1], figures.whole(result.failed),
            figures.whole(result.dropped), Cell(result.bottleneck, "bad" if result.bottleneck != "none" else "")]
        judged = verdict(case, target) if target and case in comparison.judged else Cell(figures.NOTHING, "", FLATTERED)
        rows.append([*row, judged] if target else row)
    columns += [heading(target)] if target else []
    return page.table("Every load that was measured", columns, rows, texts=2)


def answered(cases: Sequence[Case]) -> Markup:
    """Who answered the reads."""
    rows = [[case.name, figures.whole(case.reads),
             *(figures.share(case.result.sources.get(source, 0) / case.reads) if case.reads else figures.NOTHING
               for source in SOURCES), share(case.hit_ratio), figures.whole(case.result.saved),
             figures.whole(case.result.database_statements)] for case in cases]
    return page.table("Who answered the reads", ["configuration", "reads", *SOURCES, "hit ratio", "reads saved",
                                                 "database statements"], rows)


def sweeps(runs: Sequence[Run]) -> Markup:
    """What the plots of hit ratio by TTL and by memory show."""
    rows: list[Cells] = []
    for run in runs:
        asked = run.result.hits + run.result.misses
        ttl, memory = run.varied.ttl_s, run.varied.memory_bytes
        rows.append([run.configuration, figures.seconds(ttl) if ttl is not None else "as configured",
                     figures.size(memory) if memory is not None else "as configured",
                     share(run.result.hits / asked if asked else None), quantile(run.result.latency, 99),
                     figures.digits(run.result.database_statements / max(1, run.result.requests))])
    columns = ["configuration", "TTL", "memory of the cache", "hit ratio", "p99", "database statements per request"]
    return page.table("Hit ratio by TTL and by memory", columns, rows)


def freshness(cases: Sequence[Case]) -> Markup:
    """Reads held against what had been written before them."""
    rows: list[Cells] = []
    for case in cases:
        stale = case.result.staleness
        lag = max(case.result.lag_ms.values(), default=None)
        rows.append([case.name, figures.whole(stale.checked), figures.whole(stale.writes),
                     Cell(figures.whole(stale.stale), "bad" if stale.stale else ""),
                     *(quantiles(stale.age, (50, 99)) if stale.stale else [figures.NOTHING] * 3),
                     figures.NOTHING if lag is None else figures.duration(1000 * lag)])
    return page.table("Stale reads and replica lag", ["configuration", "rows checked", "writes", "stale reads",
                                                      "stale by, p50", "p99", "most", "highest lag"], rows)


def missing_of(cases: Sequence[Case]) -> tuple[list[str], list[Cells]]:
    """What happened each time that a product was missing from the caches: columns and rows."""
    rows: list[Cells] = []
    for case in cases:
        one = case.result.stampedes
        if case.hit_ratio is not None:
            each = (one.readers - one.joined) / one.expiries if one.expiries else None
            rows.append([case.name, figures.whole(one.expiries), figures.whole(one.readers),
                         figures.whole(one.joined), figures.NOTHING if each is None else figures.digits(each),
                         figures.whole(one.crowded), figures.whole(one.most_readers)])
    return ["configuration", "times missing", "readers that found it missing", "joined another's read",
            "database reads each time", "times with several readers", "most readers at once"], rows


def stampedes(cases: Sequence[Case]) -> Markup:
    """The same as a table."""
    return page.table("Stampedes", *missing_of(cases))


def losses(cases: Sequence[Case]) -> Markup:
    """Errors, and what came late or not at all."""
    rows: list[Cells] = []
    for case in cases:
        result = case.result
        kinds = ", ".join(f"{kind} {figures.whole(count)}" for kind, count in sorted(result.errors.items()) if count)
        rows.append([case.name, kinds or "none", figures.whole(result.intended or result.requests),
                     figures.whole(result.failed), figures.whole(result.dropped), figures.whole(result.late_busy),
                     figures.whole(result.late_free)])
    return page.table("Errors, late and dropped requests", ["configuration", "errors by kind", "arrivals", "failed",
                                                            "dropped", "late: no thread free", "late: woke too late"],
                      rows, texts=2)


def clients_of(cases: Sequence[Case]) -> tuple[list[str], list[Cells]]:
    """What the generator itself did, and what another benchmark would have told: columns and rows."""
    rows: list[Cells] = []
    for case in cases:
        result, client = case.result, case.result.client
        rows.append([case.name, Cell(result.bottleneck, "bad" if result.bottleneck != "none" else ""),
                     f"{figures.digits(client.cpu_cores)} of {client.cores}",
                     f"{figures.digits(client.cpu_us_per_request)} µs", figures.share(client.machine_busy),
                     figures.size(client.memory_bytes), quantile(result.start_delay, 99), quantile(result.latency, 99),
                     quantile(result.service, 99)])
    return ["configuration", "bottleneck", "processors used", "processor time per request", "machine busy", "memory",
            "own delay, p99", "latency, p99", "p99 had waiting not counted"], rows


def clients(cases: Sequence[Case]) -> Markup:
    """The same as a table."""
    return page.table("The client", *clients_of(cases), texts=2)


def traffic(cases: Sequence[Case]) -> Markup:
    """Connections and bytes."""
    rows: list[Cells] = []
    for case in cases:
        octets = case.result.bytes
        nodes = ", ".join(f"{node} {figures.whole(count)}" for node, count in case.result.connections.items())
        rows.append([case.name, nodes or "none", figures.size(octets.answers), figures.size(octets.cache_read),
                     figures.size(octets.cache_written)])
    columns = ["configuration", "connections, at most", "answers", "read from the cache", "written to the cache"]
    return page.table("Connections and bytes", columns, rows, texts=2)


def interactions(case: Case) -> Markup:
    """Every interaction by the furthest source that it had to go to."""
    rows: list[Cells] = []
    for row in sorted(case.result.requests_by, key=lambda row: (row.interaction, order(row.source))):
        rows.append([row.interaction, row.source, figures.whole(row.latency.count), figures.whole(row.failed),
                     *quantiles(row.latency)])
    columns = ["interaction", "furthest source", "requests", "failed", *NAMES]
    return page.table(f"Interactions: {case.heading}", columns, rows, texts=2)


def order(source: str) -> int:
    """From the nearest to the furthest."""
    return SOURCES.index(source) if source in SOURCES else len(SOURCES)


def statements(case: Case) -> Markup:
    """Every statement by who answered it, hit or miss."""
    rows: list[Cells] = []
    for row in sorted(case.result.statements_by, key=lambda row: (row.statement, order(row.source), row.cached)):
        rows.append([row.statement, row.source, row.cached, figures.whole(row.service.count), figures.whole(row.rows),
                     *quantiles(row.service)])
    columns = ["statement", "source", "cache", "calls", "rows", *NAMES]
    return page.table(f"Statements: {case.heading}", columns, rows, texts=3)


def outcomes(case: Case) -> Markup:
    """All statements together, by source and hit or miss."""
    groups: dict[tuple[str, str], list[Histogram]] = defaultdict(list)
    for row in case.result.statements_by:
        groups[row.source, row.cached].append(row.service)
    rows: list[Cells] = []
    for source, cached in sorted(groups, key=lambda key: (order(key[0]), key[1])):
        whole = merged(groups[source, cached])
        rows.append([source, cached, figures.whole(whole.count), *quantiles(whole)])
    columns = ["source", "cache", "statements", *NAMES]
    return page.table(f"By source, hit or miss: {case.heading}", columns, rows, texts=2)


def pairs(title: str, mapping: Iterable[tuple[str, str]]) -> Markup:
    """Names and values."""
    return page.table(title, ["what", "value"], list(mapping), texts=2)
