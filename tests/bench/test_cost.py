"""The file of prices, and what a page view costs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Optional

import cases
import cost
import pytest
import report
import samples
import sheets
from buckets import Buckets
from histogram import Histogram
from results import ReportError, Results, Run, Target, object_of

FILE = """\
# on demand, an hour
currency = EUR

[prices]
db.r7g.large    = 0.50   ; as the bill has it
cache.r7g.large = 0.20
cache.small     = 0.05

[roles]
primary = 2 x db.r7g.large   # with its standby
replica = db.r7g.large
cache   = cache.r7g.large

[roles with local cache]
cache = cache.small
"""


def compared(results: Results) -> list[cases.Case]:
    return list(cases.comparisons_of(results)[0].cases)


def test_a_configuration_costs_what_its_servers_cost(demo: Results) -> None:
    prices = cost.parse(FILE, "prices")
    found = cost.costs(prices, compared(demo), demo.target)
    assert prices.currency == "EUR"
    assert [round(one.an_hour, 6) for one in found] == [1.0, 2.0, 1.2, 2.2, 2.05]
    for one in found:
        views = 3600 * one.case.result.requests / one.case.result.length_s
        assert one.a_million == pytest.approx(one.an_hour / views * 1e6)
    assert found[3].parts == [("primary", 2, "db.r7g.large", 1.0), ("replica", 2, "db.r7g.large", 1.0),
                              ("cache", 1, "cache.r7g.large", 0.2)]


def test_sums_by_hand() -> None:
    """A primary with its standby, two replicas and a cache: 2 x 0.50 + 2 x 0.50 + 0.20 = 2.20 an hour. 600 requests in
    3 s are 200 a second, 720,000 an hour: 2.20 / 0.72 = 3.0556 for a million. A month is 730 hours: 1,606."""
    told = samples.results([samples.run("cache + replicas", samples.random.Random(1), seconds=1, rate=200)])
    whole = object_of(Results, told)
    run = replace(whole.runs[0], result=replace(whole.runs[0].result, requests=600, length_s=3.0))
    (one,) = cost.costs(cost.parse(FILE, "prices"), compared(Results([run])), None)
    assert one.an_hour == pytest.approx(2.20) and one.a_million == pytest.approx(3.0556, abs=1e-4)
    page = report.html(Results([run]), cost.parse(FILE.split("[roles with")[0], "prices"))
    assert "EUR 3.06 per million page views at 200 a second" in page
    for cell in ("2.200", "1,606", "3.06"):
        assert f">{cell}</td>" in page


def test_a_target_is_held_against_what_may_be_held_against_it(demo: Results) -> None:
    quick = Histogram(Buckets({1_000_000: 1000}), 1000.0, 1000.0, 1000.0)
    def measured(rate: Optional[float], **more: Any) -> Run:
        result = replace(demo.runs[0].result, latency=quick, requests=1000, length_s=1000 / (rate or 9000))
        return replace(demo.runs[0], rate=rate, result=replace(result, loop="open" if rate else "closed"), **more)
    target = Target(99, 5000)
    closed = measured(None, rate_label="as much as it carries")
    (comparison,) = cases.comparisons_of(Results([closed, measured(2000.0), measured(1000.0)]))
    assert [case.throughput for case in report.best(comparison, target)] == [2000]
    page = report.html(Results([closed, measured(2000.0), measured(1000.0)], target=target))
    assert "; p99 ≤ 5 ms was kept by “primary only” (up to 2,000 requests/s)" in page
    assert page.count(sheets.FLATTERED) == 1
    assert "; p100 ≤ 1 µs was kept by none" in report.html(Results([replace(closed, rate=9.0)], target=Target(100, 1)))
    steps = [measured(rate, kind="search", found=rate == 1000) for rate in (1000.0, 2000.0)]
    (comparison,) = cases.comparisons_of(Results(steps))  # 2,000 was met once, and not when it was measured again
    assert [case.throughput for case in report.best(comparison, target)] == [1000]
    (comparison,) = cases.comparisons_of(Results([closed]))
    assert [case.throughput for case in report.best(comparison, target)] == [9000]


def test_the_cheapest_must_meet_the_target(demo: Results) -> None:
    late = Histogram(Buckets({9_000_000: 10}), 9000.0, 9000.0, 9000.0)
    slow = replace(demo.runs[0].result, latency=late, requests=10, length_s=0.005)
    runs = [replace(demo.runs[0], result=slow), *demo.runs[1:5]]
    prices = cost.parse(FILE, "prices")
    for target, cheapest in ((None, "primary only"), (Target(99, 5000), "cache"), (Target(99, 0.001), None)):
        found = cost.cheapest(cost.costs(prices, compared(Results(runs)), target))
        assert (found and found.case.configuration) == cheapest
    page = report.html(Results(runs, target=Target(99, 5000)), prices)
    assert "Cheapest that met p99 ≤ 5 ms: “cache”, EUR" in page and "misses the target" in page
    assert "No configuration met p99 ≤ 0.001 µs." not in page
    assert "No configuration met p99" in report.html(Results(runs, target=Target(99, 0.001)), prices)


def test_each_is_priced_at_the_highest_rate_that_met_the_target(sweep: Results) -> None:
    (comparison,) = cases.comparisons_of(sweep)
    assert [case.rate for case in report.best(comparison, Target(99, 5000))] == [3000, 5000, 8000, 8000, 8000]
    assert [case.rate for case in report.best(comparison, None)] == [3000] * 5


@pytest.mark.parametrize(("text", "says"), [
    ("[prices]\ndb\n", "f:2: wants `name = value` or `[section]`, not `db`"),
    ("[price]\n", "f:1: no section [price]: there are [prices], [roles] and [roles CONFIGURATION]"),
    ("[prices\n", "f:1: wants `name = value` or `[section]`, not `[prices`"),
    ("a = 1\n", "f:1: `a` is in no section: only `currency` stands before them"),
    ("[prices]\n\na = cheap\n", "f:3: a: wants a price an hour, as 0.276, not `cheap`"),
    ("[prices]\na = -1\n", "f:2: a: wants a price an hour, as 0.276, not `-1`"),
    ("[prices]\na = nan\n", "f:2: a: wants a price an hour, as 0.276, not `nan`"),
    ("[prices]\na = inf\n", "f:2: a: wants a price an hour, as 0.276, not `inf`"),
    ("[prices]\na =\n", "f:2: a: wants a price an hour, as 0.276, not ``"),
    ("[prices]\na = 1\na = 2\n", "f:3: `a` was given in f:2 already"),
    ("[prices]\na = 1\n[roles]\nmaster = a\n", "f:4: no role `master`: there are primary, replica, cache"),
    ("[prices]\na = 1\n[roles]\ncache = b\n", "f:4: cache: no price of `b`: [prices] has a"),
    ("[roles]\ncache = b\n", "f:2: cache: no price of `b`: [prices] has none"),
    ("[prices]\na = 1\n[roles]\ncache = 0 x a\n", "f:4: cache: wants an instance's name, or `2 x NAME`, not `0 x a`"),
    ("[prices]\na = 1\n[roles]\ncache = a and b\n", "f:4: cache: wants an instance's name, or `2 x NAME`, not"),
])
def test_a_fault_is_told_with_its_line(text: str, says: str) -> None:
    with pytest.raises(ReportError) as caught:
        cost.parse(text, "f")
    assert says in str(caught.value) and "\n" not in str(caught.value)


def test_a_role_that_is_missing_is_told(demo: Results) -> None:
    prices = cost.parse("[prices]\na = 1\n[roles]\nprimary = a\n", "f")
    with pytest.raises(ReportError, match="f: \\[roles\\] has no `replica`, which `replicas` was measured with: add"):
        cost.costs(prices, compared(demo), None)
    with pytest.raises(ReportError, match="do not tell which servers `primary only` had"):
        cost.costs(prices, compared(Results([replace(demo.runs[0], nodes={})])), None)


def test_a_configuration_that_was_not_measured_is_told(demo: Results) -> None:
    with pytest.raises(ReportError, match="\\[roles fast\\]: no such configuration was measured: there are"):
        report.html(demo, cost.parse("[prices]\na = 1\n[roles fast]\ncache = a\n", "f"))


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="No such file"):
        cost.read(tmp_path / "none")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    with pytest.raises(ReportError, match="is no text in UTF-8"):
        cost.read(tmp_path / "bytes")
    (tmp_path / "prices").write_text(FILE)
    assert cost.read(tmp_path / "prices").overrides["with local cache"]["cache"] == (1, "cache.small")
