"""A report's most important tables in Markdown, to stand in a page: doc/benchmarking.md has one."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from typing import Optional

import figures
import plots
import sheets
from cases import Case, Comparison, boxes_of, comparisons_of, warnings_of
from page import Cell, Cells
from results import Results, Target

FOLDERS = re.compile(r"(^|=)/(?:.*/)?")
"""Where a path leads that begins at the root, in a word of a command: nobody else has that."""


def table(columns: Sequence[str], rows: Sequence[Cells]) -> str:
    """Rows under their heads; the first column is code."""
    texts = [[one.text if isinstance(one, Cell) else one for one in row] for row in rows]
    lines = [columns, ["---"] * len(columns), *([f"`{first}`", *rest] for first, *rest in texts)]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines) + "\n"


def about(results: Results) -> str:
    """What was run, when and where; no names of machines or folders."""
    start = results.runs[0].start
    servers = ", ".join(dict.fromkeys(f"{name} {version}" for run in results.runs
                                      for name, version in run.start.servers.items() if version != "none"))
    command = shlex.join(FOLDERS.sub(r"\1", word) for word in shlex.split(results.command))
    each = sorted({round(run.result.seconds) for run in results.runs})
    return (f"`{command}`, {results.started_at[:10]}: {start.host.cores} processors"
            f" ({start.host.cpu_model}), {figures.size(start.host.memory_bytes)}; {servers};"
            f" {figures.whole(start.scale.products)} products; {len(results.runs)} loads,"
            f" {plots.listed(f'{seconds} s' for seconds in each)} each.\n")


def most_of(comparison: Comparison, case: Case) -> str:
    """What a configuration carried in a closed loop."""
    closed = [one.throughput for one in comparison.all_cases if one.name == case.name and one.result.loop == "closed"]
    return figures.rate(max(closed)) if closed else figures.NOTHING


def overview(comparison: Comparison, target: Optional[Target]) -> str:
    """The configurations at the load that is compared."""
    columns = ["", "load", "p50", "p99", "p99 may be", "hit ratio", "database statements per request", "stale reads",
               "most, closed loop", *([str(target)] if target else [])]
    rows = [[case.name, case.load, *(figures.duration(case.result.latency.percentile(percent)) for percent in (50, 99)),
             plots.between(case, 99), sheets.share(case.hit_ratio), figures.digits(case.queries_per_request),
             f"{figures.whole(case.result.staleness.stale)} of {figures.whole(case.result.staleness.checked)}",
             most_of(comparison, case), *([sheets.verdict(case, target).text] if target else [])]
            for case in comparison.cases]
    return table(columns, rows)


def warned(results: Results, comparisons: Sequence[Comparison]) -> str:
    """What the report says first."""
    lines = []
    for box in boxes_of(warnings_of(results, comparisons)):
        more = f", and {len(box.lines) - 1} more" if len(box.lines) > 1 else ""
        lines.append(f"- {box.what}: {box.lines[0].split(' (')[0]}{more}.\n")
    return "".join(lines)


def pieces(results: Results) -> Iterator[str]:
    """The paragraphs, in order."""
    comparisons = comparisons_of(results)
    yield about(results)
    yield warned(results, comparisons)
    for one in (one for one in comparisons if one.cases):
        yield f"**`{one.workload}`**\n"
        yield overview(one, results.target)
        for columns, rows in (sheets.tail_of(one.cases), sheets.clients_of(one.cases), sheets.missing_of(one.cases)):
            if rows:
                yield table(["", *columns[1:]], rows)


def text(results: Results) -> str:
    """All of it."""
    return "\n".join(filter(None, pieces(results)))
