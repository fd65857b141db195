"""Tells what a check saw, and whether that is good."""

from dataclasses import dataclass, field

from .buyers import CROWD
from .metrics import Between
from .record import Record
from .workers import Workers

# Less than this a second means that hardly anything was checked.
REQUESTS_A_SECOND = 20
EDITS_A_SECOND = 1
ORDERS_A_SECOND = 0.5
RACES_A_SECOND = 0.2
# A share of all.
MOST_IN_DOUBT = 0.7


@dataclass
class Outcome:
    seconds: float
    trace: str
    cache: str
    record: Record
    workers: Workers
    metrics: Between
    recovered: Between          # what was counted after the last fault
    faults_wanted: int
    faults_done: int
    failures: list[str] = field(default_factory=list)   # faults that did not happen, a server that did not end well

    def edits(self) -> int:
        return self.record["edits by form"] + self.record["edits by JSON"]


def shares(metrics: Between) -> str:
    """Who answered, as "cache 91.2 %, replicas 7.1 % (replica1 4.0 %, replica2 3.1 %), primary 1.7 %"."""
    counts = {source: metrics.answers(source) for source in ("cache", "replica", "primary")}
    whole = max(sum(counts.values()), 1)

    def share(count: float) -> str:
        return f"{100 * count / whole:.1f} %"
    nodes = ", ".join(f"{node} {share(metrics.node_answers(node))}" for node in metrics.after.replicas())
    return (f"cache {share(counts['cache'])}, replicas {share(counts['replica'])} ({nodes}), "
            f"primary {share(counts['primary'])}")


def lines(outcome: Outcome) -> list[str]:
    record, metrics = outcome.record, outcome.metrics
    rows = [
        ("ran", f"{outcome.seconds:.0f} s on {outcome.trace}, cache {outcome.cache}"),
        ("requests", f"{record['requests']:,} ({record['requests'] / outcome.seconds:,.0f} a second; the slowest page took "
                     f"{1000 * record.slowest:,.0f} ms)"),
        ("errors", f"{record['errors']:,}"),
        ("hit ratio", f"{100 * metrics.hit_ratio():.1f} %"),
        ("answered by", shares(metrics)),
        ("edits", f"{outcome.edits():,} ({record['edits by form']:,} by form, {record['edits by JSON']:,} by JSON; "
                  f"{record['edits without cache']:,} while the cache could not be told)"),
        ("price checks", f"{record['probes']:,} pages asked right after an edit; {record['prices']:,} prices read, "
                         f"{record['edited prices']:,} of them of edited products"),
        ("wrong prices", f"{record['wrong']:,}"),
        ("orders", f"{record['orders']:,} of {record['pieces']:,} pieces ({record['double clicks']:,} clicked twice, "
                   f"{record['sold out']:,} refused as sold out; {record['orders without cache']:,} while the cache could not "
                   f"be told); {record['stock probes']:,} pages asked right after"),
        ("last pieces", f"{record['races']:,} wanted by {CROWD} at once; {record['oversold']:,} did not go to just one"),
        ("books", f"{record['audited']:,} products; {record['unbalanced']:,} do not balance; "
                  f"{record['ordered twice']:,} ordered twice"),
        ("faults", f"{outcome.faults_done} of {outcome.faults_wanted} happened"),
    ]
    if outcome.workers.wanted > 1:
        rows.append(("workers", str(outcome.workers)))
        rows.append(("in doubt", f"{record['prices in doubt']:,} of the prices, while the cache was out of reach: with neither the "
                                 "process nor the token of an edit, they may be those from before the outage"))
    examples = [f"  {what}: {example}" for what, kept in record.examples.items() for example in kept]
    return [f"{name + ':':<15}{text}" for name, text in rows] + examples


def failures(outcome: Outcome) -> list[str]:
    """Why the check failed; empty if all is good and something was really checked."""
    record = outcome.record
    found = list(outcome.failures)
    if record["errors"]:
        found.append(f"{record['errors']} requests failed")
    if record["wrong"]:
        found.append(f"{record['wrong']} wrong prices were shown")
    for what in ("oversold", "ordered twice", "unbalanced"):
        if record[what]:
            found.append(f"{record[what]} {what}")
    if record["requests"] < REQUESTS_A_SECOND * outcome.seconds:
        found.append(f"only {record['requests']} requests were made")
    if outcome.edits() < EDITS_A_SECOND * outcome.seconds or record["probes"] < outcome.edits():
        found.append(f"only {outcome.edits()} edits were made, and {record['probes']} pages asked after them")
    if record["prices in doubt"] > MOST_IN_DOUBT * record["prices"]:
        found.append(f"{record['prices in doubt']} of {record['prices']} prices were in doubt: too few were really judged")
    if record["orders"] < ORDERS_A_SECOND * outcome.seconds or record["races"] < RACES_A_SECOND * outcome.seconds:
        found.append(f"only {record['orders']} orders were made, and {record['races']} last pieces wanted")
    if not record["double clicks"] or not record["audited"]:
        found.append("nobody clicked twice, or no books were read")
    if outcome.faults_done < outcome.faults_wanted:
        found.append(f"only {outcome.faults_done} of {outcome.faults_wanted} faults happened")
    return found + outcome.workers.failures() + silent_sources(outcome)


def silent_sources(outcome: Outcome) -> list[str]:
    """Everybody must have answered during the run, and every node again after the faults."""
    cached = ["cache"] if outcome.cache != "none" else []
    found = [f"the {source} never answered" for source in [*cached, "replica", "primary"]
             if not outcome.metrics.answers(source)]
    found += [f"the {source} did not answer after the faults" for source in cached
              if not outcome.recovered.answers(source)]
    found += [f"{node} did not answer after the faults" for node in outcome.metrics.after.replicas()
              if not outcome.recovered.node_answers(node)]
    return found if outcome.metrics.after.replicas() else [*found, "the metrics name no replica"]
