#!/usr/bin/env python3
"""Runs an example and holds what it prints against a file, in which a line "..." stands for any lines.

usage: expect.py FILE PROGRAM [ARGUMENT...], under `tests/launcher/launch run`; exit code 77 (skipped) without servers.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

SKIPPED = 77
ANY_LINES = "...\n"


def pattern(expected: str) -> str:
    return "(?:.*\n)*".join(map(re.escape, expected.split(ANY_LINES)))


def main(expected: str, *command: str) -> int:
    if "SHOPDATA_PRIMARY" not in os.environ:
        print("needs the servers of tests/launcher/launch run --replicas 1 --redis")
        return SKIPPED
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    print(done.stdout, end="")
    if done.returncode != 0:
        print(f"expect: {command[0]} ended with {done.returncode}")
    elif re.fullmatch(pattern(Path(expected).read_text()), done.stdout):
        return 0
    else:
        print(f"expect: that is not what {expected} says")
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
