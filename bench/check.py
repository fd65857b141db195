#!/usr/bin/env python3
"""The benchmark runs for a round or two, and its report is whole. Says nothing about speed, and judges no target."""

import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

ACCESSES = 1000  # of the trace, for a second
chance = random.Random(4)
ROWS = 15
CONTESTS = {("hit", 1), ("hit", 8), ("hit", 64), ("batch hit", 1), ("fenced hit", 1), ("fenced hit", 8),
            ("memcached hit", 1), ("memcached hit", 16), ("miss", 1), ("miss", 8), ("miss", 64), ("batch miss", 1),
            ("first fill", 1), ("write", 1), ("strict write", 1), ("local hit", 1), ("pages", 64),
            ("pages, reads only", 64)}
CORES = "local hit a core"
MODES = ("fenced", "ttl", "none")
LAGS = (0, 10, 1000)


def contest_faults(one: dict) -> list[str]:
    """What was measured has figures; what was not says why."""
    if "missing" in one:
        return [] if one["missing"] else [f"{one['name']}: missing without a reason"]
    sides = [who for who in ("ours", "bare") if who in one]
    faults = [f"{one['name']}: {who} made no calls" for who in sides if one[who]["calls"] == 0]
    faults += [f"{one['name']}: {who} had errors" for who in sides if one[who]["errors"] > 0]
    ratio = one["ratio"]
    if len(sides) == 2 and not 0 < ratio["p10"] <= ratio["median"] <= ratio["p90"]:
        faults.append(f"{one['name']}: no ratio: {ratio}")
    return faults


def shares_faults(shares: list[dict]) -> list[str]:
    """Empty where nobody may make the replicas lag."""
    seen = [(one["lag_ms"], one["mode"]) for one in shares]
    faults = [] if not seen or seen == [(lag, mode) for lag in LAGS for mode in MODES] else [f"shares of {seen}"]
    for one in shares:
        if not 0 < one["reads"] == one["cache"] + one["replica"] + one["primary"]:
            faults.append(f"reads that nobody answered: {one}")
    return faults


def hit_ratio_faults(ratio: dict) -> list[str]:
    """Of the trace that was given, each share lies between none and all."""
    faults = [f"no ratio: {name}" for name in ("ours", "perfect", "perfect_roomier") if not 0 < ratio[name] < 1]
    faults += [f"none: {name}" for name in ("writes", "evicted", "entries", "fences") if not ratio[name] > 0]
    if ratio["accesses"] != ACCESSES or not ratio["bytes"] > ratio["bytes_without_fence"] > 0:
        faults.append(f"not this trace, or no sizes: {ratio}")
    return faults


def row_faults(row: dict) -> list[str]:
    """Every target has a figure, or a word on why there is none; what is not there is not met."""
    if bool(row["figure"]) == bool(row["missing"]) or (row["met"] and not row["figure"]):
        return [f"neither a figure nor a reason, or both: {row}"]
    return []


def faults_of(report: dict) -> list[str]:
    """Everything that is missing from the report, or cannot be true."""
    faults = [] if report["errors"] == 0 else [f"{report['errors']} errors"]
    seen = {(one["name"], one["threads"]) for one in report["contests"] if one["name"] != CORES}
    if seen != CONTESTS or CORES not in {one["name"] for one in report["contests"]}:
        faults.append(f"contests {sorted(seen)} in place of {sorted(CONTESTS)}")
    if len(report["rows"]) != ROWS or not report["curves"]:
        faults.append(f"{len(report['rows'])} rows, {len(report['curves'])} points of curves")
    for one in report["contests"] + report["curves"]:
        faults += contest_faults(one)
    for row in report["rows"]:
        faults += row_faults(row)
    return faults + shares_faults(report["primary_shares"]) + hit_ratio_faults(report["hit_ratio"])


def main(program: str, build: str) -> int:
    """Runs the benchmark on a trace that is made up and prints what is wrong with its report; returns the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        path, drawing, trace = (Path(folder) / name for name in ("report.json", "drawing.svg", "trace"))
        trace.write_text("".join(f"{int(5000 * chance.random() ** 2)}\n" for _ in range(2 * ACCESSES)))
        code = subprocess.run([sys.executable, "-B", program, "--smoke", "--build", build, "--json", str(path), "--svg",
                               str(drawing), "--database-objects", str(trace)], check=False).returncode
        faults = [f"exit code {code}"] if code else []
        faults += faults_of(json.loads(path.read_text())) if path.exists() else ["no report"]
        if not drawing.exists() or drawing.read_text().count("<polyline") < 4:
            faults.append("no drawing, or nothing in it")
    print("\n".join(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
