#!/usr/bin/env python3
"""Counts the instructions of what happens most often, and compares them with bench/instructions.txt.

    tests/launcher/launch run --replicas 1 --redis -- bench/count.py build/bench/instructions [--update]

Unlike times, instructions are the same on a busy machine: a path that grew by a twentieth is found here before anybody
could measure it. Exit code 1 if any count moved by more than that, up or down; --update writes the new counts down.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

SKIPPED = 77
CALLS = 1000  # of each: COUNTED_CALLS in instructions.c
SLACK = 0.05
COUNTS = Path(__file__).with_name("instructions.txt")
FUNCTION = re.compile(r"(c?)fn=\((\d+)\)(?: counted_(\w+))?")
COST = re.compile(r"[+\-*\d]\S* (\d+)$")


def inclusive(profile: str) -> dict[str, float]:
    """The instructions of one call of each counted function with all that it calls, by callgrind's profile."""
    names: dict[str, str] = {}
    costs: dict[str, float] = {}
    counted = ""
    for line in profile.splitlines():
        function = FUNCTION.match(line)
        if function:
            called, number, name = function.groups()
            if name:  # told where it is met first
                names[number] = name
            if not called:
                counted = names.get(number, "")
            continue
        cost = COST.match(line)
        if cost and counted:
            costs[counted] = costs.get(counted, 0) + int(cost[1]) / CALLS
    return costs


def count(program: str) -> tuple[int, dict[str, float]]:
    """The program's exit code, and the instructions of one call of each."""
    with tempfile.TemporaryDirectory() as folder:
        profile = Path(folder) / "profile"
        command = ["valgrind", "-q", "--tool=callgrind", "--toggle-collect=counted_*",
                   f"--callgrind-out-file={profile}", program]
        code = subprocess.run(command, check=False).returncode
        return code, inclusive(profile.read_text()) if code == 0 else {}


def compiler_of(program: str) -> str:
    """Who compiled the program, as its sections tell."""
    text = subprocess.run(["readelf", "-p", ".comment", program], check=True, capture_output=True, text=True).stdout
    found = re.search(r"((?:GCC|clang)\b.*)", text)
    return " ".join(found[1].split()) if found else "unknown"


def read_counts() -> tuple[str, dict[str, float]]:
    """What was written down, and which compiler's work it was."""
    lines = COUNTS.read_text().splitlines()
    return lines[0], {name: float(number) for name, number in (line.split() for line in lines[1:])}


def write_counts(compiler: str, counts: dict[str, float]) -> None:
    """Writes them down, for this and other machines."""
    COUNTS.write_text("".join([f"{compiler}\n", *(f"{name} {number:.0f}\n" for name, number in counts.items())]))


def moved(before: dict[str, float], now: dict[str, float]) -> list[str]:
    """Prints both, and returns the names of those that differ by more than the slack."""
    lines = []
    for name in sorted({*before, *now}):
        old, new = before.get(name, 0), now.get(name, 0)
        far = abs(new - old) > SLACK * old
        print(f"{name:20} {old:8.0f} {new:8.0f}  {'moved' if far else ''}".rstrip())
        if far:
            lines.append(name)
    return lines


def main(program: str, update: str = "") -> int:
    """Counts, and compares or writes down; returns the exit code."""
    code, counts = count(program)
    if code:
        return code
    compiler = compiler_of(program)
    if update == "--update":
        write_counts(compiler, counts)
        return 0
    usual, before = read_counts()
    if compiler != usual:
        print(f"skipped: {COUNTS.name} was counted of what {usual} made, and this is by {compiler}")
        return SKIPPED
    found = moved(before, counts)
    if found:
        print(f"by more than {SLACK:.0%}: {', '.join(found)}. If it is meant, count.py --update writes it down")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
