"""How bench/run judges, prints and draws, on figures that were made up. Says nothing about speed."""

from __future__ import annotations

import sys
from pathlib import Path
from xml.etree import ElementTree

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))

import chart  # noqa: E402
import tables  # noqa: E402
from rows import Figure, Part, Row, rows_of  # noqa: E402

NONE: Part = {"missing": "not built"}


def spread(median: float) -> Part:
    return {"p10": median * 0.9, "median": median, "p90": median * 1.1}


def contest(name: str, threads: int, ratio: float, alone: bool = False) -> Part:
    side = {"what": "GET", "calls": 9, "errors": 0, "microseconds": spread(0.2), "tail": spread(0.3),
            "calls_per_second": spread(5e6)}
    return {"name": name, "threads": threads, "ratio_of": "time", "ratio": spread(ratio), "ours": side,
            **({} if alone else {"bare": side})}


def report_of(*contests: Part, allocations: int = 0) -> Part:
    return {"contests": list(contests), "allocations": allocations, "curves": [], "machine": {"cores": 4}}


def row_of(report: Part, beginning: str, **parts: Part) -> Row:
    given = {"local": NONE, "page": NONE, "python": NONE, **parts}
    return next(row for row in rows_of(report, **given) if row.what.startswith(beginning))


def test_a_target_is_at_most_or_at_least() -> None:
    for median, at_most, met in ((1.2, True, True), (1.21, True, False), (2.5, False, True), (2.49, False, False)):
        row = Row("", "", 1.2 if at_most else 2.5, at_most, figure=Figure(median, median, median))
        assert row.met is met and row.verdict == ("[ok]" if met else "[MISSED]")


def test_what_is_not_there_is_missed() -> None:
    rows = rows_of({"missing": "no roundtrips"}, NONE, NONE, NONE)
    assert len(rows) == 15 and not any(row.met for row in rows)
    assert all(row.verdict.startswith("[MISSED] not there: ") for row in rows)
    assert tables.of_targets(rows).count("[MISSED]") == 15


def test_a_contest_is_found_by_its_threads() -> None:
    report = report_of(contest("hit", 1, 1.1), contest("hit", 8, 9.0), contest("hit", 64, 2.0))
    assert row_of(report, "shared hit with its fences").verdict == "[ok]"
    assert row_of(report, "the same, 64 threads, throughput").verdict == "[MISSED]"


def test_a_local_hit_that_allocates_is_missed() -> None:
    for allocations, met in ((0, True), (1, False), (-1, False)):
        report = report_of(contest("local hit", 1, 0, alone=True), allocations=allocations)
        assert row_of(report, "local hit, 1 thread").met is met


def test_hit_ratios_are_judged_by_the_worst() -> None:
    def ratios(pages: float, objects: float) -> Part:
        return {"ratios": [{"trace": "product-pages", "percent": 1, "ours": 40.0 + pages, "lru": 40.0},
                           {"trace": "database-objects", "percent": 20, "ours": 92.0 + objects, "lru": 92.0}]}
    for pages, objects, met in ((0.1, -0.4, True), (0.1, -0.6, False), (-0.1, 0.0, False)):
        assert row_of(report_of(), "hit ratio", local=ratios(pages, objects)).met is met


def test_pages_and_rows_of_others_are_missed() -> None:
    page = {"ours": spread(8e4), "theirs": spread(1e5), "ratio": spread(0.8), "local": 1.0}
    assert row_of(report_of(), "storefront", page=page).met
    assert not row_of(report_of(), "storefront", page={**page, "local": 0.5}).met
    assert row_of(report_of(), "Python", python={**spread(2.5), "local": 1.0}).met
    assert not row_of(report_of(), "Python", python={**spread(2.5), "local": 0.9}).met


def test_the_drawing_has_a_line_for_each_side() -> None:
    curves = [contest(name, threads, 1.0, alone=name == "local") for name in chart.COLOURS for threads in (1, 2, 4)]
    drawn = ElementTree.fromstring(chart.svg({**report_of(), "curves": curves}))
    lines = drawn.findall("{http://www.w3.org/2000/svg}polyline")
    assert len(lines) == 2 * (2 * len(chart.COLOURS) - 1)
    assert ElementTree.fromstring(chart.svg(report_of())) is not None
