#!/usr/bin/env python3
"""No trailing blanks, no tabs in C, no banned calls in C, no paths of one machine in any file."""

import re
import subprocess
import sys
from pathlib import Path

import house

BANNED = {"strcpy": "memcpy with a known length", "strcat": "a buffer", "sprintf": "snprintf", "vsprintf": "vsnprintf",
          "gets": "fgets", "strtok": "strtok_r or strcspn", "atoi": "strtol", "atol": "strtol", "atof": "strtod"}
BANNED_IN_LIBRARY = {"system": "nothing: a library starts no programs"}
# Written in pieces, so that this file does not find itself.
MACHINE_PATHS = re.compile("|".join((r"(?<![\w.<])/" + "work/", r"(?<![\w.<])/" + "root/", r"(?<![\w.<])/" + r"home/\w")))
STRINGS_AND_COMMENTS = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'|//[^\n]*|/\*.*?\*/', re.DOTALL)
# Patch files and inputs for fuzz targets have blanks at line ends by their nature.
FREE_OF_BLANKS = (".patch", ".diff", ".seed")


def listed(root: Path) -> list[Path]:
    """What git tracks or would track; in a tree without git all files that are not built."""
    done = subprocess.run(["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                          capture_output=True, check=False)
    if done.returncode == 0:
        names = done.stdout.decode().split("\0")
        return sorted({root / name for name in names if name and (root / name).is_file()})
    return sorted(path for path in root.rglob("*") if path.is_file() and
                  not any(part.startswith((".", "build", "__pycache__")) for part in path.relative_to(root).parts))


def without_comments(text: str) -> str:
    """The C code alone; line numbers stay."""
    return STRINGS_AND_COMMENTS.sub(lambda found: '""' + "\n" * found[0].count("\n"), text)


def check_lines(text: str, suffix: str) -> list[tuple[int, str]]:
    findings = []
    for number, line in enumerate(text.split("\n"), 1):
        if line != line.rstrip() and suffix not in FREE_OF_BLANKS:
            findings.append((number, "blank at the end of the line"))
        if "\t" in line and suffix in house.C_SUFFIXES:
            findings.append((number, "tab: indent with four blanks"))
        if found := MACHINE_PATHS.search(line):
            findings.append((number, f"path of one machine ({found[0]}...): name it relative to the tree"))
    return findings


def check_calls(text: str, in_library: bool) -> list[tuple[int, str]]:
    banned = {**BANNED, **(BANNED_IN_LIBRARY if in_library else {})}
    calls = re.compile(r"(?<![\w.>])(" + "|".join(banned) + r")\s*\(")
    return [(number, f"{found[1]} is banned: use {banned[found[1]]}")
            for number, line in enumerate(without_comments(text).split("\n"), 1) for found in calls.finditer(line)]


def check_file(root: Path, path: Path) -> list[str]:
    try:
        text = path.read_text()
    except UnicodeDecodeError:
        return []  # an image, or a sample of bytes
    findings = check_lines(text, path.suffix)
    if path.suffix in house.C_SUFFIXES:
        findings += check_calls(text, path.is_relative_to(root / "src"))
    return [f"{path.relative_to(root)}:{number}: {what}" for number, what in sorted(findings)]


def main(arguments: list[str]) -> int:
    root = house.parser(__doc__).parse_args(arguments).root.resolve()
    paths = listed(root)
    return house.finish([finding for path in paths for finding in check_file(root, path)], len(paths), "files")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
