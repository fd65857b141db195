"""The report: that it tells every figure, says what limits them, escapes, and needs nothing but itself."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import cases
import cost
import figures
import pytest
import report
import results
import samples
from buckets import Buckets
from results import ReportError, Results, Run

HTML, SVG = "{http://www.w3.org/1999/xhtml}", "{http://www.w3.org/2000/svg}"
PRICES = cost.parse("[prices]\nbig = 0.5\nsmall = 0.1\n[roles]\nprimary = big\nreplica = big\ncache = small\n", "p.ini")


def parsed(text: str) -> Element:
    """The page, by a parser that forgives nothing."""
    return ElementTree.fromstring(text.split("\n", 1)[1])


@pytest.fixture(scope="module")
def page(demo: Results) -> Element:
    return parsed(report.html(demo, PRICES))


@pytest.fixture(scope="module")
def swept(sweep: Results) -> Element:
    return parsed(report.html(sweep))


def words(element: Element) -> str:
    return " ".join(" ".join(element.itertext()).split())


def tables(page: Element, label: str) -> list[dict[str, dict[str, str]]]:
    """The tables of that label: rows by their first cell, cells by their column."""
    found = []
    for table in page.iter(f"{HTML}table"):
        if table.get("aria-label", "").startswith(label):
            columns = [words(one) for one in table.iterfind(f"{HTML}thead/{HTML}tr/{HTML}th")]
            rows = [[words(cell) for cell in row] for row in table.iterfind(f"{HTML}tbody/{HTML}tr")]
            found.append({row[0]: dict(zip(columns, row)) for row in rows})
    return found


def only(page: Element, label: str) -> dict[str, dict[str, str]]:
    (table,) = tables(page, label)
    return table


def runs_of(demo: Results, name: str) -> list[Run]:
    return [run for run in demo.runs if run.configuration == name]


def exact_percentile(runs: list[Run], percent: float) -> str:
    """Of all rounds' buckets, added up here by hand."""
    values = sorted(value for run in runs for value, count in run.result.latency.buckets_ns.items()
                    for _ in range(count))
    most = max(run.result.latency.max_us for run in runs)
    return figures.duration(min(most, values[math.ceil(round(percent * len(values) / 100, 6)) - 1] / 1000))


def test_every_configuration_has_its_latencies(page: Element, demo: Results) -> None:
    table = only(page, "Latency of requests")
    assert list(table) == list(samples.CONFIGURATIONS)
    for name, row in table.items():
        runs = runs_of(demo, name)
        assert row["requests"] == f"{sum(run.result.requests for run in runs):,}"
        for percent in (50, 90, 99, 99.9, 99.99):
            assert row[f"p{percent:g}"] == exact_percentile(runs, percent)
        assert row["longest"] == figures.duration(max(run.result.latency.max_us for run in runs))


def test_the_glance_has_what_was_counted(page: Element, demo: Results) -> None:
    for name, row in only(page, "The configurations at a glance").items():
        runs = [run.result for run in runs_of(demo, name)]
        reads, saved = sum(sum(one.sources.values()) for one in runs), sum(one.saved for one in runs)
        hits, misses = sum(one.hits for one in runs), sum(one.misses for one in runs)
        assert row["load"] == "2,000 requests/s" and row["stale reads"] == "0"
        throughput = sum(one.requests for one in runs) / sum(one.length_s for one in runs)
        assert row["answered/s"] == f"{throughput:,.0f}"
        assert row["reads saved"] == figures.share(saved / reads)
        assert row["hit ratio"] == (figures.share(hits / (hits + misses)) if hits + misses else "–")
        within = sum(count for one in runs for value, count in one.latency.buckets_ns.items() if value <= 5_000_000)
        share = within / sum(one.requests for one in runs)
        assert row["p99 ≤ 5 ms"] == f"{'yes' if share >= 0.99 else 'no'}, {figures.share(share)}"


def test_every_other_table_is_there(page: Element) -> None:
    for label, columns in {
            "Who answered": {"local", "cache", "stale", "replica", "primary", "hit ratio", "database statements"},
            "Stale reads": {"rows checked", "writes", "stale reads", "most", "highest lag"},
            "Stampedes": {"times missing", "joined another's read", "database reads each time", "most readers at once"},
            "Errors": {"errors by kind", "failed", "dropped", "late: no thread free"},
            "The client": {"bottleneck", "processors used", "machine busy", "own delay, p99"},
            "Connections": {"connections, at most", "answers", "read from the cache"},
            "Cost": {"instances", "USD an hour", "USD per million page views"},
            "Settings": {"servers", "settings"}, "Workloads": {"load", "keys", "interactions"}}.items():
        table = only(page, label)
        assert table and all(columns <= set(row) for row in table.values()), label


def test_stampedes_tell_what_reached_the_database(page: Element) -> None:
    assert only(page, "Stampedes")["cache"]["database reads each time"] == "1.02"  # (131 - 9) / 120, in both rounds


def test_every_histogram_is_in_the_appendix(page: Element, demo: Results) -> None:
    text = words(page)
    for run in demo.runs[:5]:
        for kind in ("By source, hit or miss", "Interactions", "Statements"):
            assert f"{kind}: {run.configuration}, 2,000 requests/s" in text
    rows = [row for table in page.iter(f"{HTML}table") for row in table.iter(f"{HTML}tr")
            if table.get("aria-label", "").startswith("Interactions: cache + replicas")]
    told = {(row.interaction, row.source) for row in runs_of(demo, "cache + replicas")[0].result.requests_by}
    assert len(rows) == 1 + len(told)


def test_what_repeats_it_is_told(page: Element, demo: Results) -> None:
    run = next(one for one in page.iter(f"{HTML}section") if one.get("id") == "run")
    for told in ("bench/shopbench demo --seconds 60", "2026-01-02T03:04:05Z", "Seed 7", "postgres 15.14", "0.1.0",
                 "buildtype release", "bench1: 4 cores", "A processor, 2.5 GHz", "10,000 products", "zipf 0.82",
                 "open loop: poisson arrivals, 2000 a second", "policy.default.ttl = 60s", "cache.mode = fenced",
                 "home 29 %", "2 x replica", "scale 1", "product product yes SELECT name FROM products",
                 "reprice product no UPDATE products SET price = $1"):
        assert told in words(run)


def test_rising_load_and_sweeps_are_drawn_and_told(swept: Element) -> None:
    titles = [title.text for title in swept.iter(f"{SVG}title")]
    for title in ("Latency over throughput, p99", "Hit ratio by TTL", "Hit ratio by memory"):
        assert titles.count(title) == 2  # for a desk and for a phone
    assert any((title or "").startswith("cache + replicas, 5,000 requests/s: 5,000 answered a second, p99 ")
               for title in titles)
    (loads,) = [one for one in swept.iter(f"{HTML}table") if one.get("aria-label", "").startswith("Every load")]
    assert len(list(loads.iter(f"{HTML}tr"))) == 1 + 3 + 4 + 5 + 5 + 5
    assert "10 min" in words(swept) and "128 MiB" in words(swept)


def test_a_closed_loop_is_a_dot_beside_the_line(sweep: Results) -> None:
    closed = [replace(run, rate=None, rate_label="as much as it carries",
                      result=replace(run.result, loop="closed", rate="")) for run in sweep.runs[:1]]
    (comparison,) = cases.comparisons_of(replace(sweep, runs=[*closed, *sweep.runs]))
    line = report.plots.throughputs(comparison, None).series[0]
    assert (len(line.points), len(line.marks), sum(mark.filled for mark in line.marks)) == (3, 4, 1)


def test_a_sweep_alone_is_a_report_too(sweep: Results) -> None:
    runs = [run for run in sweep.runs if run.varied != results.Varied()]
    failed = replace(runs[0], result=replace(runs[0].result, failed=3))
    page = parsed(report.html(replace(sweep, runs=[failed, *runs[1:]]), PRICES))
    assert only(page, "Hit ratio by TTL and by memory") and "Warning: Requests failed" in words(page)
    test_links_lead_somewhere(page)


# What a plot must be.


def drawings(page: Element) -> Iterator[Element]:
    return (svg for svg in page.iter(f"{SVG}svg") if svg.get("role") == "img")


def test_every_plot_says_what_it_shows(page: Element, swept: Element) -> None:
    found = [*drawings(page), *drawings(swept)]
    assert len(found) > 30
    for svg in found:
        title, description = svg.find(f"{SVG}title"), svg.find(f"{SVG}desc")
        assert title is not None and description is not None and (title.text or "").strip()
        assert (description.text or "").strip(" .") and svg.get("aria-label") == f"{title.text}. {description.text}"
        assert "nan" not in ElementTree.tostring(svg, encoding="unicode").lower().replace("nano", "")


def test_bars_begin_at_zero(page: Element) -> None:
    for svg in drawings(page):
        bars = [group for group in svg if (group.get("class") or "").startswith("bar ")]
        widths = [float(bar.find(f"{SVG}rect").get("width", 0)) for bar in bars]  # type: ignore[union-attr]
        shown = [words(bar).split(": ")[1].split(" ")[0].replace(",", "") for bar in bars]
        for width, value in zip(widths, map(float, shown)):
            assert width / max(widths) == pytest.approx(value / max(map(float, shown)), abs=0.01)
    assert sum("bar " in (group.get("class") or "") for svg in drawings(page) for group in svg) == 2 * 3 * 5


def test_links_lead_somewhere(page: Element) -> None:
    names = [one.get("id") for one in page.iter() if one.get("id")]
    links = [one.get("href", "") for one in page.iter(f"{HTML}a")]
    assert len(names) == len(set(names)) and links and all(link.startswith("#") and link[1:] in names for link in links)


def test_nothing_is_fetched(demo: Results) -> None:
    text = report.html(demo, PRICES)
    for name in (HTML, SVG):
        text = text.replace(name[1:-1], "")
    assert not re.search(r"https?:|url\(|@import|<link|<script|<img|<iframe|\ssrc=|\son\w+=|javascript:", text)


# What limits the figures.


def changed(run: Run, **changes: Any) -> Results:
    return Results([replace(run, result=replace(run.result, **{"length_s": 60.0, "requests": 120_000, **changes}))])


@pytest.mark.parametrize(("changes", "heading", "says"), [
    ({"bottleneck": "cpu", "bottleneck_why": "All 4 processors were used up."},
     "Warning: The client was the bottleneck", "All 4 processors were used up (browse"),
    ({"bottleneck": "wake_up", "bottleneck_why": "3 in 100 late."}, "Warning: The client was the bottleneck",
     "3 in 100"),
    ({"bottleneck": "threads", "bottleneck_why": "All 64."}, "Note: All threads were busy", "All 64 (browse"),
    ({"failed": 3, "errors": {"sql:40001": 3}, "error_samples": {"sql:40001": "could not serialize"}},
     "Warning: Requests failed", "3 of 120,003 (3 sql:40001). could not serialize"),
    ({"dropped": 7}, "Warning: Requests were never sent", "7 of 120,007 (browse, primary only, 2,000 requests/s)"),
    ({"staleness": results.Staleness(100, 2, 9, results.Histogram(Buckets({4_000_000: 2}), 3900.0, 4000.0, 3950.0))},
     "Warning: Stale reads", "2 of 100 rows that were checked, by up to 4.00 ms (browse"),
    ({"ended": "interrupted"}, "Note: Ended early", "interrupted after 1 min of"),
    ({"length_s": 12.0, "requests": 24_000}, "Note: Measured for a short time", "12 s"),
    ({"requests": 60_000}, "Note: Fewer requests than were intended", "1,000 answered a second"),
    ({"library": {'shopdata_cache_errors_total{kind="timeout"}': 3.0}}, "Warning: The cache failed at times",
     "3 failures (browse"),
    ({"errors": {"unfenced": 4}}, "Note: Writes that the cache was not told of", "4 writes (browse"),
])
def test_warnings_stand_before_everything(demo: Results, changes: dict[str, Any], heading: str, says: str) -> None:
    page = parsed(report.html(changed(demo.runs[0], **changes)))
    text = words(page)
    assert heading in text and says in text
    assert text.index(heading) < text.index("At a glance")


def test_a_cache_that_was_still_filling_is_told(demo: Results) -> None:
    def run(*hits: int) -> Run:
        seconds = [results.Second("measure", hits=count, misses=100 - count) for count in hits]
        return replace(demo.runs[0], seconds=[results.Second("warmup", hits=0, misses=100), *seconds])
    note = "Note: The caches were still filling"
    text = words(parsed(report.html(Results([run(50, 60, 70, 70, 80, 80)]))))
    assert note in text and "the hit ratio rose from 55.0 % to 80.0 %" in text
    assert note not in words(parsed(report.html(Results([run(70, 71, 70, 72, 71, 71)]))))


def test_a_build_that_is_not_for_speed_is_told(demo: Results) -> None:
    slow = replace(demo.runs[0], start=replace(demo.runs[0].start, build="buildtype debug, sanitizer address"))
    assert "Warning: Not built for speed" in report.html(Results([slow]))


def test_what_ended_it_early_is_told_first(demo: Results) -> None:
    page = words(parsed(report.html(replace(demo, broken_off="127.0.0.1:5433: connection refused", operations=[
        results.Operation("failover", 1.0, 61.0), results.Operation("replica-stop", 2.0, 1.5, 0)]))))
    assert "Warning: Not all was measured" in page and "5433: connection refused" in page
    assert "failover: not done after 61.0 s" in page and "replica-stop" not in page
    assert page.index("failover: not done") < page.index("At a glance")


def test_what_an_agent_has_to_remark_is_told(demo: Results) -> None:
    told = replace(demo.runs[0], remarks=["2 agents had the same seed, 7"])
    text = words(parsed(report.html(Results([told]))))
    assert "Warning: Not as planned" in text and "2 agents had the same seed" in text


@pytest.mark.parametrize(("settings", "told"), [
    ({"primary": "127.0.0.1:5432/shop", "cache": "redis [::1]:6379"}, "one another. primary, cache"),
    ({"primary": "a.rds:5432", "replicas": "b.rds:5432, localhost:5433"}, "one another. replicas"),
    ({"primary": "local:5432"}, "one another. primary"), ({"cache": "redis 127.0.0.1:6379"}, "one another. cache"),
    ({"primary": "shop.abc.rds.amazonaws.com:5432/shop", "cache": "redis cache.abc:6379", "scale": "127.0.0.1"}, "")])
def test_servers_beside_the_client_are_told(demo: Results, settings: dict[str, str], told: str) -> None:
    page = words(parsed(report.html(replace(demo, settings=settings))))
    assert ("Servers and client shared one machine" in page) == bool(told) and told in page


def test_a_ttl_that_was_not_reached_is_told(sweep: Results) -> None:
    runs = [run for run in sweep.runs if run.varied.ttl_s]  # of 1, 5, 30, 120 and 600 s, each for 13 s
    page = words(parsed(report.html(replace(sweep, runs=runs))))
    assert "Note: TTLs that were not reached" in page
    assert "30 s, in 13 s from an empty cache" in page and "5 s, in 13 s" not in page


def test_what_chance_may_have_made_is_told(demo: Results) -> None:
    one = demo.runs[0]
    other = replace(one, configuration="cache")
    slow = replace(one, configuration="replicas", result=replace(one.result, latency=results.Histogram(
        Buckets({9_000_000_000: 100}), 9e6, 9e6, 9e6)))
    page = words(parsed(report.html(Results([one, other, slow]))))
    assert "“primary only” had the lowest p99" in page and ", but chance may have put it before “cache”" in page
    low, high = one.result.latency.interval(99)
    row = only(parsed(report.html(Results([one, other, slow]))), "Latency of requests")["primary only"]["p99 may be"]
    assert row.split(" to ")[0] == figures.digits(low / 1000) and row.split(" to ")[1] == figures.duration(high)


def test_rounds_that_differ_widen_the_interval(demo: Results) -> None:
    one = demo.runs[0]
    slow = replace(one, result=replace(one.result, latency=results.Histogram(Buckets({900_000_000: 9}), 9e5, 9e5, 9e5)))
    ((case,),) = (comparison.cases for comparison in cases.comparisons_of(Results([one, slow])))
    assert case.interval(99).low_us <= one.result.latency.percentile(99) and case.interval(99).high_us == 9e5


def test_warnings_of_many_loads_are_folded_and_all_there(sweep: Results) -> None:
    runs = [replace(run, result=replace(run.result, failed=number)) for number, run in enumerate(sweep.runs[:12], 1)]
    page = parsed(report.html(Results(runs)))
    (box,) = [one for one in page.iter(f"{HTML}div") if "Warning: Requests failed" in words(one)
              and "warning" in (one.get("class") or "")]
    (folded,) = box.iter(f"{HTML}details")
    assert len(list(box.iter(f"{HTML}li"))) == 12 and words(folded).startswith("and 10 more 3 of")


def test_what_it_cannot_tell_is_told(page: Element, demo: Results) -> None:
    (section,) = [one for one in page.iter(f"{HTML}section") if one.get("id") == "cannot"]
    assert "The longest load was measured for" in words(section) and "One client process asked" in words(section)
    several = [replace(run, agents=3) for run in demo.runs]
    assert "3 client processes asked" in report.html(Results(several))


def test_without_faults_there_is_no_warning(demo: Results) -> None:
    text = report.html(changed(demo.runs[0]))
    assert "No warnings:" in text and "Warning:" not in text and "Note:" not in text


def test_configurations_under_different_loads_are_not_compared_silently(demo: Results) -> None:
    runs = [replace(demo.runs[0], rate=100.0), replace(demo.runs[1], rate=200.0)]
    assert report.OTHER_LOADS in words(parsed(report.html(Results(runs))))


# Hostile and odd input.

HOSTILE = "</style><script>alert('x')</script>\"&\x00\x1b[31m\ud800 ✓"


def test_names_are_escaped(demo: Results) -> None:
    run = demo.runs[0]
    start = replace(run.start, host=replace(run.start.host, name=HOSTILE), settings={HOSTILE: HOSTILE})
    bad = replace(run, configuration=HOSTILE, workload=HOSTILE, start=start, settings={HOSTILE: HOSTILE},
                  result=replace(run.result, failed=1, errors={HOSTILE: 1}, error_samples={HOSTILE: HOSTILE}))
    text = report.html(Results([bad], title=HOSTILE, command=HOSTILE, settings={HOSTILE: HOSTILE}))
    page = parsed(text)
    assert "<script" not in text and text.count("</style>") == 1
    assert "</style><script>alert('x')</script>\"&" in words(page)
    text.encode("utf-8")


@pytest.mark.parametrize("changes", [
    {"requests": 0, "latency": results.Histogram(), "service": results.Histogram(), "length_s": 0.0, "sources": {},
     "requests_by": [], "statements_by": [], "hits": 0, "misses": 0, "saved": 0, "database_statements": 0},
    {"sources": {"primary": 1}, "latency": results.Histogram(Buckets({999: 1}), 0.9, 0.999, 0.95), "requests": 1},
    {"latency": results.Histogram(Buckets({0: 5}), 0.0, 0.0, 0.0), "requests": 5},
])
def test_a_run_with_hardly_anything_is_drawn_too(demo: Results, changes: dict[str, Any]) -> None:
    bare = changed(replace(demo.runs[2], seconds=[]), **changes)
    assert parsed(report.html(bare)) is not None
    assert parsed(report.html(bare, PRICES)) is not None
    silent = [replace(second, sources={}, hits=0, misses=0, latency=results.Moment(), lag_ms={})
              for second in demo.runs[2].seconds[:1]]
    assert parsed(report.html(replace(bare, runs=[replace(bare.runs[0], seconds=silent)]))) is not None


def test_without_runs_there_is_no_report() -> None:
    with pytest.raises(ReportError, match="nothing was measured"):
        report.html(Results([]))


def test_hours_are_summed_up(demo: Results) -> None:
    run = demo.runs[4]
    long = Results([replace(run, seconds=[replace(run.seconds[9], second=at + 1) for at in range(5 * 3600)])])
    text = report.html(long)
    assert len(text) < 400_000 and "hours" in text and "Each point is the worst second of 1 min 15 s." in text


def test_two_workloads_have_sections_of_their_own(demo: Results) -> None:
    runs = [*demo.runs, *(replace(run, workload="trace") for run in demo.runs)]
    page = parsed(report.html(replace(demo, runs=runs), PRICES))
    headings = [words(one) for one in page.iter(f"{HTML}h2")]
    assert "browse: Latency" in headings and "trace: Latency" in headings
    assert len(tables(page, "Cost")) == 2
    test_links_lead_somewhere(page)


# Which cases are compared.


def test_the_highest_common_rate_is_compared(sweep: Results) -> None:
    (comparison,) = cases.comparisons_of(sweep)
    assert [case.rate for case in comparison.cases] == [3000] * 5 and comparison.same_load and comparison.has_rates
    assert len(comparison.sweeps) == 10


def test_what_a_search_found_is_compared(demo: Results) -> None:
    one = demo.runs[0]
    runs = [replace(one, rate=100.0, kind="search"), replace(one, rate=400.0, kind="search"),
            replace(one, rate=200.0, kind="search", found=True)]
    (comparison,) = cases.comparisons_of(Results(runs))
    assert [case.rate for case in comparison.cases] == [200] and comparison.searched
    assert len(comparison.all_cases) == 3
    page = parsed(report.html(Results(runs, target=results.Target(99, 1e6))))
    assert "browse: “primary only” kept p99 ≤ 1 s up to 200 requests/s." in words(page)


def test_rounds_of_the_same_load_are_one_case(demo: Results) -> None:
    (comparison,) = cases.comparisons_of(demo)
    assert [len(case.runs) for case in comparison.cases] == [2] * 5 and not comparison.has_rates


def test_phases_stay_apart_and_are_drawn_as_one_story() -> None:
    told = results.object_of(Results, samples.phases())
    (comparison,) = cases.comparisons_of(told)
    names = [f"with local cache, phase {number}: {phase}" for number, phase in
             ((2, "measure"), (3, "flush"), (4, "replica-stop"))]
    assert [case.name for case in comparison.cases] == names and not comparison.has_rates
    (story,) = comparison.stories
    assert [(span.name, span.veiled) for span in report.plots.spans(story)] == [
        ("cold", True), ("measure", False), ("flush", False), ("replica-stop", False)]
    page = parsed(report.html(told, PRICES))
    assert list(only(page, "Latency of requests")) == names and "replica-stop" in words(page)


def test_results_with_other_settings_are_no_rounds_of_one_another(demo: Results) -> None:
    run = demo.runs[2]
    other = replace(run, settings={**run.settings, "policy.default.ttl": "5s", "cache.key_prefix": "x"})
    (comparison,) = cases.comparisons_of(Results([replace(run, settings={"cache.key_prefix": "y"}), run, other]))
    assert [(case.name, len(case.runs)) for case in comparison.cases] == [
        ("cache, cache.mode = default, policy.default.ttl = 60s", 1),
        ("cache, cache.mode = fenced, policy.default.ttl = 60s", 1),
        ("cache, cache.mode = fenced, policy.default.ttl = 5s", 1)]


# Files.


def test_files_for_the_plotter(tmp_path: Path, demo: Results) -> None:
    written = report.write_hgrm(demo, tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert {path.name for path in written} == names and len(names) == 5 * (1 + len(samples.MIX))
    assert {"browse-cache_replicas-2000.hgrm", "browse-primary_only-2000-home.hgrm"} <= names
    whole = (tmp_path / "browse-primary_only-2000.hgrm").read_text()
    count = sum(run.result.requests for run in runs_of(demo, "primary only"))
    assert f"Total count    = {count:12}]" in whole


def test_names_of_files_are_harmless(tmp_path: Path) -> None:
    told = samples.results([samples.run("cache", random.Random(1), seconds=1, rate=100)])
    told["runs"][0]["configuration"] = "../../etc/passwd\x00;rm *"
    for path in report.write_hgrm(results.object_of(Results, told), tmp_path):
        assert path.parent == tmp_path and re.fullmatch(r"[\w.-]+\.hgrm", path.name) and ".." not in path.name


def test_the_page_is_written_whole_or_not(tmp_path: Path, demo: Results) -> None:
    path = tmp_path / "report.html"
    report.write(demo, path, PRICES)
    before = path.read_text()
    assert before.startswith("<!DOCTYPE html>")
    with pytest.raises(ReportError, match="no such configuration"):
        report.write(demo, path, cost.parse("[prices]\nx = 1\n[roles other]\ncache = x\n", "p.ini"))
    assert path.read_text() == before and len(list(tmp_path.iterdir())) == 1
