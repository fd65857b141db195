"""Tables for a page, and that the page on benchmarking has what they are today."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import cases
import markdown
import sheets
from results import Results, Run, Target

PAGE = Path(__file__).resolve().parents[2] / "doc" / "benchmarking.md"
MARK = "<!-- measured -->\n"


def tables(text: str) -> list[list[list[str]]]:
    """Rows of cells."""
    found = re.findall(r"(?:^\|.*\|\n)+", text, re.M)
    return [[[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()] for table in found]


def closed(run: Run) -> Run:
    return replace(run, rate=None, result=replace(run.result, loop="closed", requests=9000, length_s=3.0))


def test_the_figures_are_the_report_s(demo: Results) -> None:
    runs = [closed(demo.runs[0]), *demo.runs]
    first, tail, client, missing = tables(markdown.text(replace(demo, runs=runs)))
    assert [row[0] for row in first[2:]] == [f"`{name}`" for name in dict.fromkeys(run.configuration for run in runs)]
    case = cases.comparisons_of(demo)[0].cases[0]
    cells = dict(zip(first[0], first[2]))
    assert cells["p99"] == sheets.quantile(case.result.latency, 99).text and cells["most, closed loop"] == "3,000"
    assert cells["p99 ≤ 5 ms"] == sheets.verdict(case, Target(99, 5000)).text
    assert cells["stale reads"] == f"0 of {case.result.staleness.checked:,}"
    assert len(tail) == len(client) == 2 + 5 and len(missing) == 2 + 3  # three have a cache
    assert all(len(row) == len(table[0]) for table in (first, tail, client, missing) for row in table)


def test_the_tail_is_what_is_beyond_the_percentile(demo: Results) -> None:
    case = cases.comparisons_of(demo)[0].cases[0]
    limit = 1000 * case.result.latency.percentile(99)
    beyond = [row.interaction for row in case.result.requests_by
              for value, count in row.latency.buckets_ns.items() if value > limit for _ in range(count)]
    most = max(beyond, key=beyond.count)
    _, rows = sheets.tail_of([case])
    assert rows[0][1:3] == [most, f"{beyond.count(most)} of {len(beyond)}"]


def test_nothing_of_the_machine_s_folders_is_told(demo: Results) -> None:
    command = "bench/shopbench demo --out=/var/x --data '/a b/c d' --prices /p.ini --failover 'a /b/c'"
    told = markdown.about(replace(demo, command=command))
    assert "`bench/shopbench demo --out=x --data 'c d' --prices p.ini --failover 'a /b/c'`" in told


def test_the_page_has_the_tables_of_today(demo: Results) -> None:
    parts = PAGE.read_text(encoding="utf-8").split(MARK)
    assert len(parts) == 3, f"two marks {MARK.strip()} in {PAGE.name}"
    made = [table[0] for table in tables(markdown.text(demo))]
    had = [table[0] for table in tables(parts[1])]
    # The target and its figures are the run's.
    cut = [[name for name in row if "≤" not in name] for row in had]
    assert cut == [[name for name in row if "≤" not in name] for row in made] * (len(had) // len(made)) and had
    assert not re.search(r"\d", re.sub(r"`[^`]*`|p\d+(\.\d+)?", "", parts[2].split("\n## ")[0])), \
        "figures of the run outside the marks: they would stay when the tables are made anew"
