"""The report of a run: one HTML file that needs no network and no script, to be read, printed and kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple, Optional

import cost
import figures
import page
import plots
import sheets
from cases import SOURCES, Case, Comparison, boxes_of, comparisons_of, settings_of, warnings_of
from cost import Cost, Prices
from histogram import hgrm, merged
from markup import Markup, element, joined
from page import CellOrText, Cells
from results import Asked, ReportError, Results, Run, Start, Target, write_whole
from svg import Bar

MOST_WARNINGS = 2
"""Lines of one kind of warning that everybody sees; the others are folded."""
STYLE = Path(__file__).with_name("report.css")

OTHER_LOADS = (
    "The configurations were not under the same load (see answered/s): their latencies cannot be held against "
    "each other.")
INTENDED = (
    "Timed from when a request was meant to be sent, so that a server that stalls is charged for all who had to "
    "wait. The lower the better. To the right are the slowest: each nine leaves a tenth as many as the one before.")
KNEE = (
    "Each dot is one load. Where a line turns up, the configuration is full; left of that more load costs little. A "
    "filled dot is a closed loop: it tells the most that was answered, and its latency is flattered. The line through "
    "a dot is where it may be.")
RANGES = (
    "“May be” is the range in which a percentile would lie 95 times in 100 had it been measured for ever, if requests "
    "had nothing to do with one another; they have, so it is rather too narrow. Where rounds differed more it is as "
    "wide.")
MAY_BE = (
    "In brackets and as a whisker: where it may be, by chance and by how rounds differed. Where two of these overlap, "
    "chance may have made the difference.")
STALE = (
    "Every write counts up its row's version. A read that began after a write had returned and brought an older "
    "version is stale; by how much counts from the return of the first write that it lacked.")
SWEPT = (
    "Each dot was measured, from an empty cache on; lines between them only lead the eye. Beyond the last nothing is "
    "known.")
STAMPEDE = (
    "A stampede is many readers asking the database for the same missing product at once. One database read each "
    "time is the least there can be.")
OWN_DELAY = (
    "Own delay: from the intended time to the sending, where a thread was free. The last column is what a "
    "benchmark would have told that starts its clock only when it sends.")
ONLY_INSTANCES = (
    "Instances alone, at the rate that was measured, all day: no traffic between zones, storage, backups, nor the "
    "servers of the shop itself. Under one load for all, the cheapest is simply the smallest fleet that keeps up; "
    f"what each could carry is found with `shopbench find`. A month has {cost.HOURS_A_MONTH} hours.")
READING = (
    "Latency counts from the moment at which a request was meant to be sent. Percentiles are of all requests of all"
    " rounds together; none is an average of percentiles.",
    "A percentile needs requests beyond it: the 99.99th of 10,000 is one single request. Grey figures rest on fewer"
    " than ten.",
    "Failed and dropped requests are in no percentile. They do count against a target.",
    "Hit ratio is of the statements that a cache keeps; reads saved are of all reads.",
    "Two runs differ by chance: before you choose between two configurations that are a few per cent apart, measure"
    " longer, and in several rounds.")


def items(words: Iterable[str], style: Optional[str] = None) -> Markup:
    """A list."""
    return element("ul", *(element("li", one) for one in words), class_=style)


def paragraph(words: str, style: Optional[str] = None) -> Markup:
    """Some sentences."""
    return element("p", words, class_=style)


# The head of the page.


def lines_of(says: Sequence[str]) -> Markup:
    """So many as somebody reads, and the others for who asks for them."""
    rest = says[MOST_WARNINGS:]
    return joined(items(says[:MOST_WARNINGS]), page.folded(f"and {len(rest)} more", items(rest)) if rest else None)


def warnings(results: Results, comparisons: Sequence[Comparison]) -> Markup:
    """What limits the figures, before any figure."""
    found = boxes_of(warnings_of(results, comparisons))
    if not found:
        return paragraph("No warnings: the client kept up, nothing failed, nothing was dropped, no read was stale.",
                         "calm")
    boxes = (element("div", element("h2", f"{'Warning' if one.grave else 'Note'}: {one.what}"),
                     paragraph(one.advice) if one.advice else None, lines_of(one.lines),
                     class_="warning grave" if one.grave else "warning") for one in found)
    return element("div", *boxes, id="warnings")


def found_told(counted: Sequence[Case], target: Target) -> Iterator[str]:
    """What searches settled on."""
    return (f"“{case.name}” kept {target} up to {case.load}" for case in counted if target.met_by(case.result))


def best_told(comparison: Comparison, counted: Sequence[Case], percent: float) -> str:
    """Who was quickest, or, where loads differed, who answered most."""
    if not comparison.same_load:
        most = max(counted, key=lambda case: case.throughput)
        return f"“{most.name}” answered most, {figures.rate(most.throughput)} requests a second"
    best = min(counted, key=lambda case: case.result.latency.percentile(percent))
    told = figures.duration(best.result.latency.percentile(percent))
    name = figures.percentile_name(percent)
    had = f"the lowest {name}, {told}" if len(counted) > 1 else f"a {name} of {told}"
    near = [f"“{case.name}”" for case in counted
            if case is not best and case.interval(percent).low_us <= best.interval(percent).high_us]
    chance = f", but chance may have put it before {plots.listed(near)}" if near else ""
    return f"at {best.load} “{best.name}” had {had}{chance}"


def spared_told(counted: Sequence[Case]) -> str:
    """Who spared the databases most, if anybody did."""
    saving = max(counted, key=lambda case: case.saved)
    return f"; “{saving.name}” spared the databases {figures.share(saving.saved)} of the reads" if saving.saved else ""


def met_told(comparison: Comparison, target: Optional[Target]) -> str:
    """Who kept the latency that was aimed at, and how far up."""
    if not target:
        return ""
    most: dict[str, Case] = {}
    for case in sorted(comparison.judged, key=lambda case: case.throughput):
        if target.met_by(case.result):
            most[case.name] = case
    told = plots.listed(f"“{name}” (up to {case.load})" for name, case in most.items())
    return f"; {target} was kept by {told or 'none'}"


def verdicts(comparisons: Sequence[Comparison], target: Optional[Target]) -> Iterator[str]:
    """What each comparison comes to, a sentence each."""
    for comparison in comparisons:
        counted = [case for case in comparison.cases if case.result.latency.count]
        if counted and comparison.searched and target:
            yield from (f"{comparison.workload}: {told}." for told in found_told(counted, target))
        elif counted:
            best = best_told(comparison, counted, target.percent if target else 99.0)
            yield f"{comparison.workload}: {best}{met_told(comparison, target)}{spared_told(counted)}."


def head(results: Results, comparisons: Sequence[Comparison]) -> Markup:
    """What this is, when it was, and what came of it."""
    names = dict.fromkeys(run.configuration for run in results.runs)
    measured = sum(run.result.length_s for run in results.runs)
    about = (f"{len(names)} configuration{'s' if len(names) != 1 else ''}, {figures.seconds(measured)} measured in all,"
             f" {results.started_at or 'at a time that was not noted'}")
    return element("header", paragraph("libshopdata load benchmark", "over"),
                   element("h1", f"What this fleet carries{': ' + results.title if results.title else ''}"),
                   paragraph(about, "about"), items(verdicts(comparisons, results.target), "verdict"))


class Part(NamedTuple):
    """A section of the page."""

    group: str
    """The workload that it is of, where there are several."""
    name: str
    heading: str
    content: Markup
    folded: bool = False
    """Is it there for who looks something up?"""

    @property
    def markup(self) -> Markup:
        """The section with its heading."""
        heading = element("h2", f"{self.group}: {self.heading}" if self.group else self.heading)
        inside = page.folded(heading, self.content) if self.folded else joined(heading, self.content)
        return element("section", inside, id=self.name)


def contents(parts: Sequence[Part]) -> Markup:
    """Links to the sections, those of a workload in a line of their own."""
    lists = []
    for group, same in groupby(parts, key=lambda part: part.group):
        links = (element("li", element("a", part.heading, href=f"#{part.name}")) for part in same)
        lists.append(element("ul", element("li", f"{group}:") if group else None, *links))
    return element("nav", *lists, aria_label="Contents")


# One workload.


def overview(comparison: Comparison, target: Optional[Target]) -> Markup:
    """The figures that most people look for."""
    percent = target.percent if target else 99.0
    name = figures.percentile_name(percent)
    slow = plots.slow_bars(comparison.cases, percent)
    asked = plots.bars_of(comparison.cases, lambda case: 1000 * case.queries_per_request, figures.rate)
    return joined(None if comparison.same_load else paragraph(OTHER_LOADS, "caveat"), sheets.glance(comparison, target),
                  page.bars(f"{name} latency", f"Shorter is better. {MAY_BE}", slow),
                  page.bars("Database statements per 1,000 requests", "What the databases are left with.", asked))


def tails(comparison: Comparison, target: Optional[Target]) -> Markup:
    """Latency by percentile."""
    return joined(page.plot(plots.latencies(comparison.cases, target), INTENDED), sheets.latencies(comparison.cases),
                  sheets.tails(comparison.cases),
                  paragraph(f"A grey figure {sheets.THIN}. {RANGES}", "note"))


def rising(comparison: Comparison, target: Optional[Target]) -> Markup:
    """Throughput over latency."""
    return joined(page.plot(plots.throughputs(comparison, target), KNEE), sheets.loads(comparison, target))


def timelines(comparison: Comparison) -> Markup:
    """What happened while it ran."""
    cases = [case for case in comparison.stories if any(case.seconds)]
    veiled = " What lies under a veil (cold, warm-up) is in no figure." if any(map(plots.spans, cases)) else ""
    rounds = " Rounds follow one another." if any(len(one.runs) > 1 and not one.has_phases for one in cases) else ""
    used = [source for source in SOURCES if any(case.result.sources.get(source) for case in cases)]
    parts: list[Optional[Markup]] = [page.small_multiples(
        "Who answered the reads, over time", f"Share of each source.{rounds}{veiled}",
        [plots.shares(case) for case in cases], [(source, source) for source in used])]
    if comparison.has_cache:
        parts.append(page.plot(plots.hit_ratios(cases), f"Of the statements that a cache keeps.{veiled}"))
    parts.append(page.plot(plots.waits(cases), f"{plots.coarseness(cases)}{veiled}".strip()))
    if any(map(plots.has_lag, cases)):
        parts.append(page.plot(plots.lags(cases), "As the library knows it."))
    return joined(*parts, sheets.answered(comparison.cases))


def swept(comparison: Comparison) -> Markup:
    """What TTL and memory change."""
    return joined(*(page.plot(one, SWEPT) for one in plots.sweeps(comparison)), sheets.sweeps(comparison.sweeps))


def fresh(comparison: Comparison) -> Markup:
    """Freshness, and what happens when a product is missing."""
    missing = [paragraph(STAMPEDE), sheets.stampedes(comparison.cases)] if comparison.has_cache else []
    return joined(paragraph(STALE), sheets.freshness(comparison.cases), *missing)


def doubts(comparison: Comparison) -> Markup:
    """Errors, and what the client did."""
    return joined(sheets.losses(comparison.cases), sheets.clients(comparison.cases),
                  paragraph(OWN_DELAY, "note"), sheets.traffic(comparison.cases))


def parts_of(comparison: Comparison, target: Optional[Target]) -> Iterator[tuple[str, str, Markup]]:
    """The sections of one workload: name, heading, content."""
    if comparison.cases:
        yield "overview", "At a glance", overview(comparison, target)
        yield "latency", "Latency", tails(comparison, target)
    if comparison.has_rates:
        yield "load", "Latency under rising load", rising(comparison, target)
    if comparison.cases:
        yield "time", "While it ran", timelines(comparison)
    if comparison.sweeps:
        yield "sweeps", "TTL and memory", swept(comparison)
    if comparison.cases:
        yield "fresh", "Freshness", fresh(comparison)
        yield "client", "Errors and the client", doubts(comparison)


# Cost.


def best(comparison: Comparison, target: Optional[Target]) -> list[Case]:
    """Of each configuration the highest throughput that met the target; the one compared if none did."""
    found = []
    for case in comparison.cases:
        good = [one for one in comparison.judged if one.name == case.name and target and target.met_by(one.result)]
        found.append(max(good, key=lambda one: one.throughput, default=case))
    return found


def cost_table(found: Sequence[Cost], currency: str, target: Optional[Target]) -> Markup:
    """Each configuration's price."""
    columns = ["configuration", "instances", "answered/s", f"{currency} an hour", f"{currency} a month",
               f"{currency} per million page views"]
    rows: list[Cells] = []
    for one in found:
        parts = ", ".join(f"{role}: {count} x {kind}" for role, count, kind, _ in one.parts)
        row: list[CellOrText] = [
            one.case.name, parts, figures.rate(one.case.throughput), f"{one.an_hour:,.3f}",
            f"{cost.HOURS_A_MONTH * one.an_hour:,.0f}", figures.digits(one.a_million)]
        rows.append([*row, sheets.verdict(one.case, target)] if target else row)
    columns += [sheets.heading(target)] if target else []
    return page.table("Cost of each configuration", columns, rows, texts=2)


def costs(comparison: Comparison, prices: Prices, target: Optional[Target]) -> Markup:
    """What a million page views cost, and what is the cheapest that is good enough."""
    found = cost.costs(prices, best(comparison, target), target)
    winner = cost.cheapest(found)
    if winner is None:
        says = f"No configuration met {target}."
    else:
        says = (f"Cheapest{f' that met {target}' if target else ''}: “{winner.case.name}”, {prices.currency}"
                f" {figures.digits(winner.a_million)} per million page views at"
                f" {figures.rate(winner.case.throughput)} a second.")
    bars = [Bar(one.case.name, one.case.style, one.a_million,
                f"{figures.digits(one.a_million)}{'' if one.good_enough else ' (misses the target)'}")
            for one in found if one.case.throughput]
    return joined(paragraph(says, "winner"),
                  page.bars(f"{prices.currency} per million page views", "A page view is one request.", bars),
                  cost_table(found, prices.currency, target),
                  paragraph(ONLY_INSTANCES, "note"))


# What was run.


def keys_told(start: Start) -> str:
    """Which products were asked for, in words."""
    if start.trace:
        return (f"recorded: {Path(start.trace.file).name}, {figures.whole(start.trace.accesses)} accesses of"
                f" {figures.whole(start.trace.distinct)} keys")
    keys = start.keys
    told = f"{keys.kind} {keys.exponent:g}" if keys.exponent is not None else keys.kind
    if keys.hot_keys is not None and keys.hot_accesses is not None:
        told += f": {keys.hot_keys:.0%} of the keys take {keys.hot_accesses:.0%} of the accesses"
    return f"{told}, of {figures.whole(keys.count)} (invented, not recorded)" if keys.kind else ""


def loop_told(run: Run) -> str:
    """How the load was made, in words."""
    result = run.result
    if result.loop == "closed":
        think = (f", think time {figures.duration(result.think_us)} on average ({result.think})" if result.think_us
                 else " without think time")
        return f"closed loop: {result.clients} clients{think}"
    return f"open loop: {result.arrivals} arrivals, {result.rate} a second"


def run_facts(results: Results) -> Markup:
    """What everybody needs to repeat it."""
    run = results.runs[0]
    start, host = run.start, run.start.host
    scale = ", ".join(f"{figures.whole(count)} {name}" for name, count in (
        ("products", start.scale.products), ("customers", start.scale.customers), ("orders", start.scale.orders)))
    servers = ", ".join(dict.fromkeys(f"{name} {version}" for one in results.runs
                                      for name, version in one.start.servers.items() if version != "none"))
    hosts = dict.fromkeys(one.start.host.name for one in results.runs)
    return page.facts([
        ("Repeat it", element("code", results.command) if results.command else None),
        ("From, to", f"{results.started_at} – {results.ended_at}" if results.started_at else None),
        ("Seed", str(start.seed)), ("Threads", f"{figures.whole(start.threads)}, patience {start.patience_s:g} s"),
        ("Agents", figures.whole(max(one.agents for one in results.runs))), ("Data", scale),
        ("Servers", servers),
        ("Library, engine", f"{start.library}, {start.version}; {start.build}; compiler {start.compiler}"),
        ("Client", f"{', '.join(hosts)}: {host.cores} cores, {host.cpu_model}, {figures.size(host.memory_bytes)};"
                   f" {host.kernel}"),
        ("Target", str(results.target) if results.target else None)])


def workloads_table(results: Results) -> Markup:
    """What visitors did, how often, and with which products."""
    rows = []
    for name in dict.fromkeys(run.workload for run in results.runs):
        runs = [run for run in results.runs if run.workload == name]
        loads = list(dict.fromkeys(map(loop_told, runs)))
        more = f", and {len(loads) - 1} other loads (every load is in its table)" if len(loads) > 1 else ""
        mix = ", ".join(f"{one} {percent:g} %" for one, percent in runs[0].start.workload.mix.items())
        rows.append([name, loads[0] + more, keys_told(runs[0].start), mix])
    return page.table("Workloads", ["workload", "load", "keys", "interactions"], rows, texts=4)


def asked_table(results: Results) -> Markup:
    """The SQL of every statement."""
    asked: dict[str, Asked] = {}
    for name, one in (pair for run in results.runs for pair in run.start.statements.items()):
        if one.cached or name not in asked:  # a configuration without a cache keeps none
            asked[name] = one
    rows = [[name, one.policy or figures.NOTHING, "yes" if one.cached else "no", element("code", one.sql)]
            for name, one in sorted(asked.items())]
    return page.folded(f"The {len(rows)} statements and their SQL", page.table(
        "The statements", ["statement", "policy", "kept in a cache", "SQL"], rows, texts=4))


def settings_table(comparisons: Sequence[Comparison]) -> Markup:
    """How the library was configured in each."""
    rows: dict[tuple[str, str, str], None] = {}
    for case in (case for one in comparisons for case in one.all_cases):
        nodes = ", ".join(f"{count} x {role}" for role, count in case.nodes.items() if count)
        settings = "; ".join(f"{name} = {value}" for name, value in settings_of(case.runs[0]).items())
        rows[case.name, nodes, settings] = None
    return page.table("Settings of each configuration", ["configuration", "servers", "settings"], list(rows), texts=3)


def repeat(results: Results, comparisons: Sequence[Comparison]) -> Markup:
    """What was run."""
    extra = {**results.settings, **results.versions, **results.host}
    return joined(run_facts(results), workloads_table(results),
                  settings_table(comparisons), asked_table(results),
                  sheets.pairs("More settings, versions, and the machine", extra.items()) if extra else None)


def cannot_tell(results: Results) -> Iterator[str]:
    """What nobody should conclude from this page."""
    longest = figures.seconds(max(run.result.length_s for run in results.runs))
    yield (f"A day. The longest load was measured for {longest}: no nightly backup, no autovacuum after an import, no"
           " burst credits that are used up, no neighbour that wakes up.")
    agents = max(run.agents for run in results.runs)
    one = "One client process" if agents == 1 else f"{agents} client processes"
    yield (f"Many service processes. {one} asked: each has one pool of connections, one local cache with misses of its"
           " own, and one share of the stampedes.")
    if any(run.start.trace is None for run in results.runs):
        yield "Your visitors. Which products they asked for was invented, unless a trace was replayed."
    yield "Your statements, indexes and rows: they are a shop's, listed above. No report that scans a table is in it."
    yield "What a page costs outside the database: rendering, TLS to the browser, the network to the visitor."


def appendix(comparison: Comparison) -> Markup:
    """Every histogram, as figures."""
    return joined(*(joined(sheets.outcomes(case), sheets.interactions(case), sheets.statements(case))
                    for case in comparison.cases))


def body(results: Results, prices: Optional[Prices]) -> Markup:
    """The page's sections, with what links to them."""
    comparisons = comparisons_of(results)
    several = len(comparisons) > 1
    listed: list[Part] = []
    for number, one in enumerate(comparisons):
        parts = list(parts_of(one, results.target))
        if prices and one.cases:
            parts.append(("cost", "Cost", costs(one, prices, results.target)))
        group, after = (one.workload, f"-{number}") if several else ("", "")
        listed += [Part(group, name + after, heading, content) for name, heading, content in parts]
    listed.append(Part("", "run", "What was run", repeat(results, comparisons)))
    listed += [Part("", "reading", "How to read it", items(READING)),
               Part("", "cannot", "What it cannot tell", items(cannot_tell(results)))]
    listed += [Part("", f"all-{number}", f"Every figure: {one.workload}", appendix(one), folded=True)
               for number, one in enumerate(comparisons) if one.cases]
    return joined(head(results, comparisons), warnings(results, comparisons), contents(listed),
                  element("main", *(part.markup for part in listed)))


def html(results: Results, prices: Optional[Prices] = None) -> str:
    """The page. Raises ReportError: nothing was measured, or the prices lack what a configuration needs."""
    if not results.runs:
        raise ReportError("the results have no runs: nothing was measured")
    if prices:
        cost.check_configurations(prices, list(dict.fromkeys(run.configuration for run in results.runs)))
    title = f"Load benchmark{': ' + results.title if results.title else ''}"
    top = element("head", element("meta", charset="utf-8"),
                  element("meta", name_="viewport", content="width=device-width, initial-scale=1"),
                  element("meta", name_="color-scheme", content="light dark"), element("title", title),
                  element("style", Markup(STYLE.read_text(encoding="utf-8"))))
    return "<!DOCTYPE html>\n" + element("html", top, element("body", body(results, prices)), lang="en",
                                         xmlns="http://www.w3.org/1999/xhtml") + "\n"


def write(results: Results, path: Path, prices: Optional[Prices] = None) -> None:
    """Writes the report, whole or not at all. Raises ReportError: prices that lack something, no right, disk full."""
    write_whole(path, html(results, prices))


# For HdrHistogram's plotter.


def file_name(*words: str) -> str:
    """Words as a file's name: nothing in it that a shell or a file system takes otherwise."""
    return "-".join(re.sub(r"[^A-Za-z0-9.]+", "_", word).strip("_.") or "x" for word in words if word) + ".hgrm"


def write_hgrm(results: Results, folder: Path) -> list[Path]:
    """Writes the latency distributions of each configuration, all requests and each interaction's, into a folder that
    is there, and tells their names. Raises ReportError."""
    written: dict[Path, str] = {}
    for case in (case for one in comparisons_of(results) for case in one.all_cases):
        load = f"{case.rate:g}" if case.rate else case.runs[0].rate_label or "closed"
        mine = (case.workload, case.name, load, "search" if case.runs[0].kind == "search" else "")
        written[folder / file_name(*mine)] = hgrm(case.result.latency)
        for name in dict.fromkeys(row.interaction for row in case.result.requests_by):
            whole = merged(row.latency for row in case.result.requests_by if row.interaction == name)
            written[folder / file_name(*mine, name)] = hgrm(whole)
    for path, text in written.items():
        write_whole(path, text)
    return list(written)
