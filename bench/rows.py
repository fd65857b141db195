"""The table of targets: what is compared, what it came to, and whether that is enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional

LOCAL_HITS = 100_000  # during which roundtrips counts allocations
LOCAL_AT_LEAST = 0.99  # of Python's calls that this process answered
UNDER_LRU = -0.5  # points
PAGE_SHARES = (1, 5)  # percent of the keys at which product pages must be above LRU

Part = dict[str, Any]


@dataclass(frozen=True)
class Figure:
    """The median of the rounds, and between which two eight in ten of them lie."""

    median: float
    p10: float
    p90: float

    @classmethod
    def of(cls, spread: Part) -> Figure:
        """Out of JSON."""
        return cls(spread["median"], spread["p10"], spread["p90"])


@dataclass(frozen=True)
class Row:
    """One target. `ours` and `theirs` are for people; `figure` is judged: at most, or at least, `limit` `unit`."""

    what: str
    against: str
    limit: float
    at_most: bool
    unit: str = "x"
    ours: str = ""
    theirs: str = ""
    figure: Optional[Figure] = None
    remark: str = ""
    missing: str = ""
    also: bool = True  # what else the target demands

    @property
    def met(self) -> bool:
        """Is it there, and good enough?"""
        if self.figure is None or self.missing or not self.also:
            return False
        return self.figure.median <= self.limit if self.at_most else self.figure.median >= self.limit

    @property
    def verdict(self) -> str:
        """What stands at the end of its line."""
        if self.figure is None:
            return "[MISSED] not there" + (f": {self.missing}" if self.missing else "")
        return ("[ok]" if self.met else "[MISSED]") + (f" {self.remark}" if self.remark else "")

    def as_json(self) -> Part:
        """For programs."""
        figure = self.figure
        return {"what": self.what, "against": self.against, "target": {"limit": self.limit, "at_most": self.at_most},
                "unit": self.unit, "ours": self.ours, "theirs": self.theirs, "met": self.met, "remark": self.remark,
                "missing": None if figure else self.missing or "not there",
                "figure": vars(figure) if figure else None}


def microseconds(value: float) -> str:
    """A time, as a person reads it."""
    return f"{value * 1000:.0f} ns" if value < 1 else f"{value:.1f} us" if value < 1000 else f"{value / 1000:.2f} ms"


def a_second(value: float) -> str:
    """A rate, as a person reads it."""
    return f"{value / 1e6:.2f} M/s" if value >= 1e6 else f"{value / 1000:.1f} k/s"


def side(contest: Part, who: str) -> str:
    """What the table shows of one side: a call's time where that is compared, else calls a second."""
    if who not in contest:
        return "-"
    alone = contest["ratio_of"] == "time" or contest["threads"] == 1
    if alone:
        return microseconds(contest[who]["microseconds"]["median"])
    return a_second(contest[who]["calls_per_second"]["median"])


def find(report: Part, name: str, threads: Optional[int] = None) -> Optional[Part]:
    """A contest of roundtrips."""
    for contest in report.get("contests", []):
        if contest["name"] == name and threads in (None, contest["threads"]):
            return dict(contest)
    return None


def ratio_row(report: Part, name: str, threads: Optional[int], row: Row) -> Row:
    """The row with the figures of a contest of roundtrips."""
    contest = find(report, name, threads)
    if contest is None or "missing" in contest:
        return replaced(row, missing=contest["missing"] if contest else report.get("missing", "not measured"))
    return replaced(row, ours=side(contest, "ours"), theirs=side(contest, "bare"), figure=Figure.of(contest["ratio"]))


def replaced(row: Row, **changes: Any) -> Row:
    """A copy with these fields changed."""
    return Row(**{**vars(row), **changes})


def local_hit_row(report: Part) -> Row:
    """Nanoseconds of a hit, and no allocation in any."""
    row = Row("local hit, 1 thread, key derivation included, 0 allocations", "-", 250, True, "ns")
    contest = find(report, "local hit", 1)
    if contest is None or "missing" in contest:
        return replaced(row, missing=contest["missing"] if contest else report.get("missing", "not measured"))
    times = contest["ours"]["microseconds"]
    allocations = report["allocations"]
    return replaced(row, ours=microseconds(times["median"]), theirs="-", also=allocations == 0,
                    figure=Figure(*(1000 * times[name] for name in ("median", "p10", "p90"))),
                    remark=f"{allocations / LOCAL_HITS:g} allocations a hit" if allocations >= 0 else "not counted")


def hit_ratio_row(local: Part) -> Row:
    """Never more than half a point under LRU, above it on product pages in little room."""
    row = Row("hit ratio at 1, 5, 10, 20 % of the keys, recorded accesses", "LRU of the same bytes", UNDER_LRU, False,
              "points")
    ratios = local.get("ratios")
    if not ratios:
        return replaced(row, missing=local.get("missing", "not measured"))
    gains = [one["ours"] - one["lru"] for one in ratios]
    pages = [one["ours"] - one["lru"] for one in ratios
             if one["trace"] == "product-pages" and one["percent"] in PAGE_SHARES]
    worst = ratios[gains.index(min(gains))]
    remark = f"worst: {worst['trace']} at {worst['percent']} %"
    if pages:
        remark += f"; product pages at 1, 5 %: {', '.join(f'{gain:+.2f}' for gain in pages)}"
    else:
        remark += "; no recorded product pages (--data DIR)"
    return replaced(row, ours=f"{worst['ours']:.2f} %", theirs=f"{worst['lru']:.2f} %", remark=remark,
                    figure=Figure(min(gains), min(gains), max(gains)), also=all(gain > 0 for gain in pages))


def memory_row(local: Part) -> Row:
    """What an entry takes beyond its bytes."""
    row = Row("memory that a cached entry takes beyond its bytes", "-", 100, True, "bytes")
    beyond = local.get("beyond_bytes")
    if beyond is None:
        return replaced(row, missing=local.get("missing", "not measured"))
    return replaced(row, ours=f"{beyond:.0f} bytes", theirs="-", figure=Figure(beyond, beyond, beyond))


def page_row(page: Part) -> Row:
    """The storefront against a page that is there already."""
    row = Row("storefront's product page, local hits, wrk -c64", "evhttp sending that page from memory", 0.7, False)
    if "ratio" not in page:
        return replaced(row, missing=page.get("missing", "not measured"))
    remark = "" if page["local"] >= LOCAL_AT_LEAST else f"local hits: {page['local']:.0%}"
    ours, theirs = (a_second(page[who]["median"]) for who in ("ours", "theirs"))
    return replaced(row, ours=ours, theirs=theirs, remark=remark,
                    figure=Figure.of(page["ratio"]), also=page["local"] >= LOCAL_AT_LEAST)


def python_row(python: Part) -> Row:
    """A row through Python."""
    row = Row("Python local hit, decoded row", "-", 3, True, "us")
    if "median" not in python:
        return replaced(row, missing=python.get("missing", "not measured"))
    share = python["local"]
    return replaced(row, ours=microseconds(python["median"]), theirs="-", figure=Figure.of(python),
                    also=share >= LOCAL_AT_LEAST, remark="" if share >= LOCAL_AT_LEAST else f"local hits: {share:.0%}")


def rows_of(report: Part, local: Part, page: Part, python: Part) -> list[Row]:
    """All of them, in the order in which they were set."""
    trips = [
        ("hit", 1, Row("shared hit with its fences, Redis, 1 thread, time", "hiredis GET", 1.2, True)),
        ("hit", 64, Row("the same, 64 threads, throughput", "hiredis, a connection a thread", 2.5, False)),
        ("batch hit", 1, Row("query_many of 50 hits, throughput", "hiredis pipelining 50 GETs", 0.5, False)),
        ("memcached hit", 1, Row("shared hit, memcached, 1 thread, time", "libmemcached get", 1.25, True)),
        ("memcached hit", 16, Row("the same, 16 threads, throughput", "libmemcached, a handle a thread", 0.9, False)),
        ("miss", 1, Row("replica read without cache, 1 thread, time", "libpq, prepared", 1.15, True)),
        ("miss", 64, Row("the same, 64 threads, 8 connections a node", "libpq, a connection a thread", 2, False)),
        ("batch miss", 1, Row("query_many of 16 replica reads, throughput", "16 libpq queries in a row", 4, False)),
    ]
    found = [ratio_row(report, name, threads, row) for name, threads, row in trips]
    found.append(local_hit_row(report))
    found.append(ratio_row(report, "local hit a core", None,
                           Row("local hits of the trace, a thread a core, each", "one thread alone", 0.8, False)))
    found.append(ratio_row(report, "pages", 64,
                           Row("product page mix of the trace, 64 threads", "pgpool-II, its query cache", 4, False)))
    return [*found, hit_ratio_row(local), memory_row(local), page_row(page), python_row(python)]
