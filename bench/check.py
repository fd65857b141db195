#!/usr/bin/env python3
"""A benchmark runs for two seconds and its report holds a figure for everything. Says nothing about speed."""

import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

SKIPPED = 77
ACCESSES = 2000  # of the trace, for two seconds
chance = random.Random(4)
CONTESTS = {("hit", 1), ("miss", 1), ("hit", 8), ("miss", 8), ("first fill", 1), ("write", 1), ("strict write", 1), ("fenced hit", 1), ("fenced hit", 8)}


MODES = ("fenced", "ttl", "none")
LAGS = (0, 10, 1000)


def shares_faults(shares: list[dict]) -> list[str]:
    """Empty where nobody may make the replicas lag."""
    seen = [(one["lag_ms"], one["mode"]) for one in shares]
    faults = [] if not seen or seen == [(lag, mode) for lag in LAGS for mode in MODES] else [f"shares of {seen}"]
    for one in shares:
        if not 0 < one["reads"] == one["cache"] + one["replica"] + one["primary"]:
            faults.append(f"reads that nobody answered: {one}")
    return faults


def hit_ratio_faults(ratio: dict) -> list[str]:
    faults = [f"no ratio: {name}" for name in ("ours", "perfect", "perfect_roomier") if not 0 < ratio[name] < 1]
    faults += [f"none: {name}" for name in ("writes", "evicted", "entries", "fences") if not ratio[name] > 0]
    if ratio["accesses"] != ACCESSES or not ratio["bytes"] > ratio["bytes_without_fence"] > 0:
        faults.append(f"not this trace, or no sizes: {ratio}")
    return faults


def faults_of(report: dict) -> list[str]:
    faults = [] if report["errors"] == 0 else [f"{report['errors']} errors"]
    seen = {(one["name"], one["threads"]) for one in report["contests"]}
    if seen != CONTESTS:
        faults.append(f"contests {sorted(seen)} in place of {sorted(CONTESTS)}")
    for one in report["contests"]:
        ratio = one["ratio"]
        if not 0 < ratio["p10"] <= ratio["median"] <= ratio["p90"]:
            faults.append(f"{one['name']}: no ratio: {ratio}")
        faults += [f"{one['name']}: {who} made no calls" for who in ("ours", "bare") if one[who]["calls"] == 0]
    return faults + shares_faults(report["primary_shares"]) + hit_ratio_faults(report["hit_ratio"])


def main(program: str) -> int:
    with tempfile.TemporaryDirectory() as folder:
        path, trace = Path(folder) / "report.json", Path(folder) / "trace"
        trace.write_text("".join(f"{int(5000 * chance.random() ** 2)}\n" for _ in range(2 * ACCESSES)))
        code = subprocess.run([program, "--seconds", "2", "--json", str(path), "--trace", str(trace)],
                              check=False).returncode
        if code == SKIPPED:
            return SKIPPED
        faults = [f"exit code {code}"] if code else []
        faults += faults_of(json.loads(path.read_text())) if path.exists() else ["no report"]
    print("\n".join(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
