#!/usr/bin/env python3
"""Compiles every C example of a Markdown page, as a reader would who copied it.

    readme.py COMPILER PAGE INCLUDE_DIR...
"""
import re
import subprocess
import sys
from pathlib import Path


def examples(page: str) -> list[str]:
    return re.findall(r"^```c\n(.*?)^```", page, re.S | re.M)


def compiles(compiler: str, code: str, include_dirs: list[str]) -> bool:
    flags = ["-std=c11", "-pedantic", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-x", "c", "-"]
    includes = [flag for folder in include_dirs for flag in ("-I", folder)]
    return subprocess.run([compiler, *includes, *flags], input=code, text=True).returncode == 0


def main() -> int:
    if len(sys.argv) < 4:
        print(__doc__)
        return 0 if "--help" in sys.argv else 2
    compiler, page, include_dirs = sys.argv[1], Path(sys.argv[2]), sys.argv[3:]
    found = examples(page.read_text())
    good = [compiles(compiler, code, include_dirs) for code in found]
    print(f"{page.name}: {sum(good)} of {len(found)} C examples compile")
    return 0 if found and all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
