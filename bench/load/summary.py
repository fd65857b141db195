"""What was measured, as a table for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

import figures
import merging
import results

LABELS = ("phase ", "ttl ", "memory ")
"""Beginnings of labels that tell runs of one rate apart."""
BOTTLENECKS = {
    "cpu": "this machine's processors were used up, so more load needs more machines to send it from",
    "wake_up": "this machine was late in waking threads up, so times are longer than the servers make them",
    "threads": "all threads were at a request while others waited: more --threads, or the servers carry no more",
}
COLUMNS = ("configuration", "workload", "rate", "done/s", "p50", "p99", "p99.9", "max", "hits", "saved", "stale",
           "failed", "late")


def rows_of(runs: Sequence[results.Run]) -> list[tuple[str, ...]]:
    """A row for each configuration, workload and load, those of one load beside one another; the rounds of one are
    taken together."""
    together: dict[tuple[str, str, str], list[results.Run]] = {}
    for run in runs:
        rate = figures.whole(run.rate) if run.rate is not None else run.result.rate or "closed"
        label = run.rate_label if run.rate_label.startswith(LABELS) else ""
        together.setdefault((run.configuration, run.workload, f"{rate} {label}".strip()), []).append(run)
    first = [list(dict.fromkeys(key[part] for key in together)) for part in range(3)]
    keys = sorted(together, key=lambda key: (first[1].index(key[1]), first[2].index(key[2]), first[0].index(key[0])))
    return [(*key, *figures_of(merging.after_one_another([run.result for run in together[key]]))) for key in keys]


def figures_of(result: results.Result) -> tuple[str, ...]:
    """The columns of one result."""
    arrived = result.requests + result.failed + result.dropped
    asked = result.hits + result.misses
    reads = sum(result.sources.values())
    times = [figures.duration(result.latency.percentile(percent)) for percent in (50, 99, 99.9, 100)]
    share = result.staleness.stale / result.staleness.checked if result.staleness.checked else 0.0
    return (figures.whole(result.requests / result.length_s if result.length_s else 0), *times,
            figures.share(result.hits / asked) if asked else figures.NOTHING,
            figures.share(result.saved / reads) if reads else figures.NOTHING, figures.share(share),
            figures.whole(result.failed + result.dropped),
            figures.share(result.late / arrived) if arrived else figures.NOTHING)


def table(runs: Sequence[results.Run]) -> str:
    """All rows under their heads, the words to the left and the figures to the right."""
    rows = [COLUMNS, *rows_of(runs)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    return "\n".join("  ".join(cell.ljust(width) if column < 2 else cell.rjust(width)
                               for column, (cell, width) in enumerate(zip(row, widths))).rstrip() for row in rows)


def remarks(runs: Sequence[results.Run]) -> list[str]:
    """What makes figures mean less than they seem to: each once, for all configurations that it is true of."""
    found: dict[str, list[str]] = {}
    for run in runs:
        where = f"{run.configuration} ({run.workload})"
        if run.result.bottleneck != "none" and run.rate is not None and run.kind == "measure":
            found.setdefault(BOTTLENECKS.get(run.result.bottleneck, run.result.bottleneck), []).append(where)
        for kind, message in run.result.error_samples.items():
            found.setdefault(f"{kind}: {message}" if message else kind, []).append(where)
        if run.result.ended == "interrupted":
            found.setdefault("interrupted, so shorter than it was to be", []).append(where)
    return [f"{what}: {', '.join(dict.fromkeys(places))}" for what, places in found.items()]
