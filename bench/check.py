#!/usr/bin/env python3
"""A benchmark runs for two seconds and its report holds a figure for everything. Says nothing about speed."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

SKIPPED = 77
CONTESTS = {("hit", 1), ("miss", 1), ("hit", 8), ("miss", 8), ("first fill", 1), ("write", 1), ("fenced hit", 1), ("fenced hit", 8)}


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
    return faults


def main(program: str) -> int:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.json"
        code = subprocess.run([program, "--seconds", "2", "--json", str(path)], check=False).returncode
        if code == SKIPPED:
            return SKIPPED
        faults = [f"exit code {code}"] if code else []
        faults += faults_of(json.loads(path.read_text())) if path.exists() else ["no report"]
    print("\n".join(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
