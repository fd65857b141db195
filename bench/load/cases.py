"""What a report compares: configurations under the same load, and what must be said before anybody believes it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Optional

import figures
from histogram import Interval
from merging import after_one_another
from results import Result, Results, Run, Second, Varied

STYLES = 8
SHORT_S = 30.0
FEW = 10
FILLING = 0.03
"""So much does the hit ratio of a cache not rise by chance while it is measured."""
MOST_PLACES = 2
SOURCES = ("local", "cache", "stale", "replica", "primary")
PERCENTILES = (50.0, 90.0, 99.0, 99.9, 99.99)
Load = tuple[Optional[float], str]


@dataclass(frozen=True)
class Case:
    """One configuration under one load, or in one phase: all its rounds."""

    name: str
    """The configuration's; with its phase, or with settings, where those differ."""
    style: str
    runs: Sequence[Run]

    @property
    def configuration(self) -> str:
        """Its configuration's name alone."""
        return self.runs[0].configuration

    @property
    def workload(self) -> str:
        """What visitors did."""
        return self.runs[0].workload

    @property
    def rate(self) -> Optional[float]:
        """What was intended, requests a second; none in a closed loop."""
        return self.runs[0].rate

    @property
    def nodes(self) -> dict[str, int]:
        """The servers that it needs."""
        return self.runs[0].nodes

    @cached_property
    def result(self) -> Result:
        """All rounds as one."""
        return after_one_another([run.result for run in self.runs])

    @property
    def seconds(self) -> Iterator[tuple[float, Second, bool]]:
        """Each second of all rounds after one another, when it began, and whether it counts."""
        at = 0.0
        for run in self.runs:
            for second in run.seconds:
                yield at, second, second.phase == run.result.phase and run.kind != "phase"
                at += second.length_s

    def interval(self, percent: float) -> Interval:
        """Where a percentile of its latency may lie: by chance alone, and at least as wide as its rounds differ."""
        low, high = self.result.latency.interval(percent)
        rounds = [run.result.latency.percentile(percent) for run in self.runs if run.result.latency.count]
        return Interval(min([low, *rounds]), max([high, *rounds]))

    @property
    def throughput(self) -> float:
        """Requests a second that were answered."""
        return self.result.requests / self.result.length_s if self.result.length_s else 0.0

    @property
    def reads(self) -> int:
        """Statements that were reads and were answered."""
        return sum(self.result.sources.values())

    @property
    def hit_ratio(self) -> Optional[float]:
        """Of the statements that a cache keeps; none where nothing is kept."""
        asked = self.result.hits + self.result.misses
        return self.result.hits / asked if asked else None

    @property
    def saved(self) -> float:
        """Which share of the reads no database had to answer."""
        return self.result.saved / self.reads if self.reads else 0.0

    @property
    def queries_per_request(self) -> float:
        """Statements that the databases ran for each request."""
        return self.result.database_statements / self.result.requests if self.result.requests else 0.0

    @property
    def has_phases(self) -> bool:
        """Is it the story of several phases?"""
        return len(self.runs) > 1 and is_phase(self.runs[0])

    @property
    def heading(self) -> str:
        """The name, with the load."""
        return f"{self.name}, {self.load}"

    @property
    def load(self) -> str:
        """What was asked of it, in words."""
        run = self.runs[0]
        if run.rate is not None:
            return f"{figures.rate(run.rate)} requests/s"
        if run.result.loop == "closed":
            return f"closed loop of {figures.whole(run.result.clients)}"
        return f"{run.result.rate} requests/s"


@dataclass(frozen=True)
class Comparison:
    """All that was measured of one workload."""

    workload: str
    cases: Sequence[Case]
    """One for each configuration: under the same load where there is one that all had."""
    all_cases: Sequence[Case]
    """Every load of every configuration, steps of searches among them."""
    sweeps: Sequence[Run]
    """Runs in which something else than the load was varied."""
    stories: Sequence[Case]
    """What is drawn over time: the cases, or, where a configuration went through phases, all of them in order."""

    @property
    def same_load(self) -> bool:
        """Can the latencies of ``cases`` be held against each other? In a closed loop each has what load it bears."""
        rates = {case.rate for case in self.cases}
        return len(self.cases) == 1 or (len(rates) == 1 and rates != {None})

    @property
    def judged(self) -> list[Case]:
        """What a target of latency may be held against: no closed loop, whose latency is flattered, where there are
        open ones, and no step of a search that was not measured again."""
        open_loops = any(case.result.loop != "closed" for case in self.all_cases)
        return [case for case in self.all_cases if not (open_loops and case.result.loop == "closed")
                and (case.runs[0].kind != "search" or case.runs[0].found)]

    @property
    def has_rates(self) -> bool:
        """Was some configuration measured under several loads?"""
        return max(Counter(case.name for case in self.all_cases).values(), default=0) > 1

    @property
    def searched(self) -> bool:
        """Are ``cases`` what a search for the highest rate settled on?"""
        return any(run.found for case in self.cases for run in case.runs)

    @property
    def has_cache(self) -> bool:
        """Did any configuration keep anything?"""
        return any(case.hit_ratio is not None for case in self.all_cases)


def is_phase(run: Run) -> bool:
    """Is it one of several phases of one run (cold, a flush, a replica that stops)?"""
    return run.rate_label.startswith("phase ")


def load_of(run: Run) -> Load:
    """What tells one load of a configuration from another."""
    return run.rate, "" if run.rate is not None else run.rate_label


def settings_of(run: Run) -> dict[str, str]:
    """How the library was configured, but for what is another in each run anyway."""
    return {name: value for name, value in {**run.start.settings, **run.settings}.items() if name != "cache.key_prefix"}


def names_of(runs: Sequence[Run]) -> list[str]:
    """What each run is called: by its configuration, by the settings in which it differs from others of that, and by
    its phase."""
    kinds: dict[str, list[dict[str, str]]] = defaultdict(list)
    for run in runs:
        kinds[run.configuration].append(settings_of(run))
    names = []
    for run in runs:
        mine, others = settings_of(run), kinds[run.configuration]
        differing = [f"{name} = {mine.get(name, 'default')}" for name in sorted({key for one in others for key in one})
                     if any(one.get(name) != mine.get(name) for one in others)]
        parts = [run.configuration, *differing, *([run.rate_label] if is_phase(run) else [])]
        names.append(", ".join(parts))
    return names


def cases_of(runs: Sequence[Run], names: Sequence[str], styles: dict[str, str]) -> list[Case]:
    """Rounds under the same load together; a search's steps apart from what was measured."""
    groups: dict[tuple[object, ...], list[Run]] = defaultdict(list)
    for run, name in zip(runs, names):
        if run.kind != "phase":
            groups[name, load_of(run), run.kind, run.found].append(run)
    return [Case(str(key[0]), styles[str(key[0])], same) for key, same in groups.items()]


def stories_of(runs: Sequence[Run], cases: Sequence[Case]) -> list[Case]:
    """What is drawn over time."""
    phased: dict[str, list[Run]] = defaultdict(list)
    for run in filter(is_phase, runs):
        phased[run.configuration].append(run)
    stories = [Case(name, f"s{number % STYLES}", same) for number, (name, same) in enumerate(phased.items())]
    return stories or list(cases)


def chosen(cases: Sequence[Case]) -> list[Case]:
    """The case of each configuration that is compared: what its search found, or the highest rate that all had, or,
    where there is none, its own highest."""
    by_name: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        by_name[case.name].append(case)
    common = set.intersection(*({case.rate for case in same} for same in by_name.values()))
    rates = [rate for rate in common if rate is not None]
    picked = []
    for same in by_name.values():
        found = [case for case in same if any(run.found for run in case.runs)]
        at_common = [case for case in same if case.rate == max(rates)] if rates else []
        picked.append((found or at_common or sorted(same, key=lambda case: case.rate or 0))[-1])
    return picked


def comparisons_of(results: Results) -> list[Comparison]:
    """One for each workload, in the order in which they were measured."""
    steady = [run for run in results.runs if run.varied == Varied()]
    names = names_of(steady)
    styles = {name: f"s{number % STYLES}" for number, name in enumerate(dict.fromkeys(names))}
    found = []
    for workload in dict.fromkeys(run.workload for run in results.runs):
        mine = [(run, name) for run, name in zip(steady, names) if run.workload == workload]
        runs = [run for run, _ in mine]
        cases = cases_of(runs, [name for _, name in mine], styles)
        compared = chosen(cases) if cases else []
        sweeps = [run for run in results.runs if run.workload == workload and run.varied != Varied()]
        found.append(Comparison(workload, compared, cases, sweeps, stories_of(runs, compared)))
    return found


# What must be said first.


@dataclass(frozen=True)
class Caveat:
    """Something that limits what the figures mean."""

    what: str
    grave: bool
    where: str
    """Of which configuration and load it is told; empty of all."""
    says: str
    advice: str = ""


def about(case: Case) -> Callable[..., Caveat]:
    """Makes caveats about a case: of what, whether it is grave, what it says, and what to do."""
    def warn(what: str, grave: bool, says: str, advice: str = "") -> Caveat:
        return Caveat(what, grave, f"{case.workload}, {case.heading}", says, advice)
    return warn


def bottleneck_warnings(case: Case) -> Iterator[Caveat]:
    """The generator, not the servers, set the pace."""
    result, warn = case.result, about(case)
    if result.bottleneck in ("cpu", "wake_up"):
        yield warn("The client was the bottleneck", True, result.bottleneck_why,
                   "The latencies are the client's as well as the servers': use a larger client, or several.")
    elif result.bottleneck != "none":
        yield warn("All threads were busy", False, result.bottleneck_why,
                   "Arrivals waited for a thread; their latency has that in it.")


def loss_warnings(case: Case) -> Iterator[Caveat]:
    """Requests that have no latency, and so are in no percentile."""
    result, warn = case.result, about(case)
    arrived = figures.whole(result.requests + result.failed + result.dropped)
    if result.failed:
        kinds = ", ".join(f"{figures.whole(count)} {kind}" for kind, count in result.errors.items() if count)
        sample = next(iter(result.error_samples.values()), "")
        longest = result.failed_latency.max_us
        waited = f", after up to {figures.duration(longest)}" if longest else ""
        yield warn("Requests failed", True,
                   f"{figures.whole(result.failed)} of {arrived} ({kinds or 'of no kind'}){waited}. {sample}".rstrip(),
                   "They are in no percentile, however long their visitors waited.")
    if result.dropped:
        yield warn("Requests were never sent", True, f"{figures.whole(result.dropped)} of {arrived}",
                   "They waited longer than the patience for a free thread. They are in no percentile: the true ones"
                   " are worse.")
    if result.errors.get("unfenced"):
        yield warn("Writes that the cache was not told of", False, f"{figures.whole(result.errors['unfenced'])} writes",
                   "They returned SHOPDATA_UNFENCED: they stand, and the cache learnt of them later.")


def stale_warnings(case: Case) -> Iterator[Caveat]:
    """What the library promises not to do."""
    stale = case.result.staleness
    if stale.stale:
        yield about(case)("Stale reads", True, f"{figures.whole(stale.stale)} of {figures.whole(stale.checked)} rows"
                          f" that were checked, by up to {figures.duration(stale.age.max_us)}",
                          "They were older than a write that had returned before the read began.")


def plan_warnings(case: Case) -> Iterator[Caveat]:
    """Something else was measured than what was wanted."""
    for remark in dict.fromkeys(remark for run in case.runs for remark in run.remarks):
        yield about(case)("Not as planned", True, remark)


def cache_warnings(case: Case) -> Iterator[Caveat]:
    """The library goes on without its cache: then that is what was measured."""
    failures = sum(count for name, count in case.result.library.items()
                   if name.startswith("shopdata_cache_errors_total"))
    if failures:
        yield about(case)("The cache failed at times", True, f"{figures.whole(round(failures))} failures",
                          "The database answered instead, until the cache was asked again.")


def ratio_of(seconds: Sequence[Second]) -> Optional[float]:
    """The hit ratio: of the statements that a cache keeps."""
    hits, asked = sum(one.hits for one in seconds), sum(one.hits + one.misses for one in seconds)
    return hits / asked if asked else None


def filling_warnings(case: Case) -> Iterator[Caveat]:
    """What is kept for minutes has not all been asked for in seconds. A phase that begins empty is meant to."""
    first: list[Second] = []
    last: list[Second] = []
    for run in case.runs:
        seconds = [] if is_phase(run) else [one for one in run.seconds if one.phase == run.result.phase]
        third = len(seconds) // 3
        first, last = first + seconds[:third], last + seconds[len(seconds) - third:]
    before, after = ratio_of(first), ratio_of(last)
    if before is not None and after is not None and after - before > FILLING:
        yield about(case)("The caches were still filling", False,
                          f"the hit ratio rose from {figures.share(before)} to {figures.share(after)} while it was"
                          " measured", "In the long run it is higher, and the latency lower: give a longer --warmup.")


def trust_warnings(case: Case) -> Iterator[Caveat]:
    """Too little of it to trust the tail, or not all of it."""
    result, warn = case.result, about(case)
    if result.ended != "done":
        yield warn("Ended early", False, f"{result.ended} after {figures.seconds(result.length_s)} of"
                   f" {figures.seconds(result.seconds * len(case.runs))}")
    if result.length_s < SHORT_S:
        thin = next((percent for percent in PERCENTILES if result.latency.beyond(percent) < FEW), None)
        tail = f": {figures.percentile_name(thin)} and beyond rest on fewer than {FEW} requests" if thin else ""
        yield warn("Measured for a short time", False, f"{figures.seconds(round(result.length_s))}{tail}",
                   f"Under {SHORT_S:.0f} s chance has much to say.")
    if case.rate and case.throughput < 0.97 * case.rate and not result.dropped and result.ended == "done":
        yield warn("Fewer requests than were intended", False, f"{figures.rate(case.throughput)} answered a second")


def is_here(server: str) -> bool:
    """Is it on the client's machine, as far as its address tells?"""
    host = server.split(" ")[-1]
    return host.startswith(("127.", "localhost", "[::1]", "::1", "/", "local:"))


def place_warnings(results: Results) -> Iterator[Caveat]:
    """Servers beside the client."""
    here = [role for role in ("primary", "replicas", "cache")
            if any(map(is_here, results.settings.get(role, "").split(", ")))]
    if here:
        yield Caveat("Servers and client shared one machine", True, "", ", ".join(here),
                     "They take processors from one another, and there was no network between them: choose no instances"
                     " by these figures. They are for learning to read a report, and for comparing with one another.")


def swept(run: Run) -> Case:
    """A run of a sweep by itself."""
    return Case(f"{run.configuration}, {run.rate_label}" if run.rate_label else run.configuration, "", [run])


def sweep_warnings(run: Run) -> Iterator[Caveat]:
    """A TTL that no entry reached."""
    ttl, whole = run.varied.ttl_s, sum(one.length_s for one in run.seconds) or run.result.length_s
    if ttl is not None and ttl >= whole:
        yield Caveat("TTLs that were not reached", False, f"{run.workload}, {run.configuration}",
                     f"{figures.seconds(ttl)}, in {figures.seconds(whole)} from an empty cache",
                     "No entry ran out of time, so the hit ratio is that of a cache which still fills, and the same for"
                     " each such TTL: measure for several times the longest (--seconds).")


def build_warnings(results: Results) -> Iterator[Caveat]:
    """A library that was not built for speed."""
    for build in sorted({run.start.build for run in results.runs}):
        if build and ("release" not in build or "sanitizer none" not in build):
            yield Caveat("Not built for speed", True, "", f"The library and the engine were built with: {build}")


def course_warnings(results: Results) -> Iterator[Caveat]:
    """What did not go as it was meant to."""
    if results.broken_off:
        yield Caveat("Not all was measured", True, "", results.broken_off,
                     "The report has what was measured until then.")
    for one in results.operations:
        if one.exit_code != 0:
            yield Caveat("The operator's command failed", True, "", str(one),
                         "What the phase of that name shows is something else than its name says: look at the servers.")


def warnings_of(results: Results, comparisons: Sequence[Comparison]) -> list[Caveat]:
    """All of them, the grave ones first. Steps of a search are meant to end badly, and a closed loop has no schedule to
    fall behind: of them only what is compared counts. A stale read counts always."""
    found = [*course_warnings(results), *place_warnings(results), *build_warnings(results)]
    for comparison in comparisons:
        found += [caveat for run in comparison.sweeps for caveat in sweep_warnings(run)]
        for case in [*comparison.all_cases, *map(swept, comparison.sweeps)]:
            found += [*stale_warnings(case), *plan_warnings(case)]
            if case in comparison.cases or (case.rate is not None and case.runs[0].kind == "measure"):
                for of in bottleneck_warnings, loss_warnings, cache_warnings, filling_warnings, trust_warnings:
                    found += of(case)
    return sorted(found, key=lambda warning: (not warning.grave, warning.what))


@dataclass(frozen=True)
class Box:
    """All warnings of one kind."""

    what: str
    grave: bool
    advice: str
    lines: Sequence[str]
    """What they say, each with where it is so."""


def boxes_of(warnings: Sequence[Caveat]) -> list[Box]:
    """Those of the same kind together, and in them those that say the same."""
    boxes = []
    for (what, grave, advice), same in groupby(warnings, key=lambda one: (one.what, one.grave, one.advice)):
        places: dict[str, list[str]] = defaultdict(list)
        for one in same:
            places[one.says.rstrip(".")].append(one.where)
        boxes.append(Box(what, grave, advice, [told(says, where) for says, where in places.items()]))
    return boxes


def told(says: str, places: Sequence[str]) -> str:
    """What is so, and where: some of the places, and how many more."""
    named = "; ".join(filter(None, places[:MOST_PLACES]))
    more = f"; and {len(places) - MOST_PLACES} more" if len(places) > MOST_PLACES else ""
    return f"{says} ({named}{more})" if named else says
