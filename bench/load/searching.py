"""`shopbench find`: the search of finding.py, on engines."""

from __future__ import annotations

import dataclasses
import re
import sys

import finding
import results
from configurations import Configuration
from faults import BenchError, UsageError
from interrupts import interrupted
from measuring import Bench

TARGET = re.compile(r"p([0-9]{1,2}(?:\.[0-9]{1,3})?)=([0-9]+(?:\.[0-9]+)?)(us|ms|s)")
BACKLOG = 0.05
"""So many of all arrivals may be waiting when the last has come."""
ROUNDING_S = 0.1
UNITS = {"us": 1.0, "ms": 1e3, "s": 1e6}


def target_of(text: str) -> results.Target:
    """What ``p99=5ms`` says. Raises UsageError."""
    match = TARGET.fullmatch(text)
    if not match or not 0 < float(match[1]) < 100 or float(match[2]) <= 0:
        raise UsageError(f"--target {text}: right is a percentile and a time, as p99=5ms, p99.9=20ms or p50=800us")
    return results.Target(float(match[1]), float(match[2]) * UNITS[match[3]])


def tail_of(run: results.Run, target: results.Target) -> float:
    """How many requests lay above the percentile."""
    result = run.result
    return (result.requests + result.failed + result.dropped) * (1 - target.percent / 100)


def keeps_up(run: results.Run) -> bool:
    """Was what arrived answered as it came? Servers that fall ever further behind would meet a target of seconds in a
    short measurement, and none in a long one."""
    until = 0.0
    for one in run.seconds:
        until += one.length_s if one.phase == run.result.phase else 0.0
        if until >= run.result.seconds - ROUNDING_S:
            return one.waiting <= BACKLOG * run.result.intended
    return True


def starved(run: results.Run, target: results.Target) -> bool:
    """Did requests wait for a thread until the target was missed, which the servers met once they were asked?"""
    asked = dataclasses.replace(run.result, latency=run.result.service, dropped=0)
    return run.result.bottleneck == "threads" and target.met_by(asked)


def search(bench: Bench, configuration: Configuration, target: results.Target, seconds: float,
           wanted: finding.Search) -> finding.Found:
    """The highest rate of one configuration that meets the target; its runs are marked in the bench."""
    first = len(bench.runs)

    def measure(rate: float, confirming: bool) -> finding.Probe:
        if interrupted():
            raise finding.Stopped
        try:
            run = bench.measure(configuration, seconds, f"{rate:.6g}", warmup=max(1.0, seconds / 4), kind="search",
                                label=f"{'confirming' if confirming else 'trying'} {rate:,.0f}/s for {target}")
        except BenchError as error:
            if not interrupted() and len(bench.runs) == first:
                raise
            if not interrupted():
                print(f"shopbench: {error}", file=sys.stderr)
            raise finding.Stopped from None
        if run.result.ended == "interrupted":
            raise finding.Stopped
        limited = run.result.bottleneck in ("cpu", "wake_up")
        met = keeps_up(run) and target.met_by(run.result)
        return finding.Probe(rate, met, tail_of(run, target), limited, starved(run, target))

    found = finding.find(measure, wanted)
    for number in range(first, len(bench.runs)):
        run = bench.runs[number]
        if run.rate == found.rate:
            bench.runs[number] = dataclasses.replace(run, found=True)
    return found
