#!/usr/bin/env python3
"""C files are as .clang-format wants them. Exit code 77 (skipped) where clang-format is not installed."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import house

SKIPPED = 77
COMPLAINT = re.compile(r"[^:\s]+:\d+:\d+: (?:error|warning):")
FOLDERS = ("bench", "bindings", "doc", "examples", "include", "src", "tests")


def differences(root: Path, paths: list[Path]) -> list[str]:
    """The first place of each file that is not as it should be, and the command that mends it."""
    names = [str(path.relative_to(root)) for path in paths]
    done = subprocess.run(["clang-format", "--dry-run", "--Werror", "--style=file", *names], cwd=root,
                          capture_output=True, text=True, check=False)
    places = [line for line in done.stderr.splitlines() if COMPLAINT.match(line)]
    first = {place.split(":")[0]: place for place in reversed(places)}
    if done.returncode and not first:
        return [f"clang-format failed: {done.stderr.strip()}"]
    return [f"{first[name]}\n    mend it: clang-format -i {name}" for name in sorted(first)]


def main(arguments: list[str]) -> int:
    parser = house.parser(__doc__)
    parser.add_argument("folders", nargs="*", metavar="FOLDER", help="folders of the tree to look into (default: all)")
    given = parser.parse_args(arguments)
    root = given.root.resolve()
    if not shutil.which("clang-format"):
        print("skipped: clang-format is not installed (apt-get install clang-format)")
        return SKIPPED
    paths = house.sources(root, *(given.folders or FOLDERS))
    return house.finish(differences(root, paths) if paths else [], len(paths), "files")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
