#!/usr/bin/env python3
"""Reports how long functions and files of src/ are; fails when the median is over 15 lines or nine in ten exceed 40.

A function is counted from its opening brace's line to its closing brace's, both in the first column as .clang-format
puts them. Functions over 100 lines and files over 600 are listed as outliers.
"""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

import house

MEDIAN, NINTH_DECILE, LONG_FUNCTION, LONG_FILE = 15, 40, 100, 600
NAME = re.compile(r"([A-Za-z_]\w*)\s*\(")
NOT_A_FUNCTION = re.compile(r"^\s*(?:typedef|enum|struct|union|extern\s+\")|=\s*$")


@dataclass
class Function:
    path: Path
    line: int
    name: str
    length: int


def head_of(lines: list[str], brace: int) -> str:
    """The declaration before an opening brace: back to the blank line or the end of what came before."""
    first = brace
    while first > 0 and lines[first - 1].strip() and not lines[first - 1].startswith(("}", "#", " */", "/*", "//")):
        first -= 1
        if lines[first].rstrip().endswith(";"):
            first += 1
            break
    return " ".join(line.strip() for line in lines[first:brace])


def functions_of(path: Path) -> list[Function]:
    found, opened, name = [], 0, ""
    lines = path.read_text().splitlines()
    for number, line in enumerate(lines):
        if line.startswith("{"):
            head = head_of(lines, number)
            called = NAME.search(head)
            name = called[1] if called and not NOT_A_FUNCTION.search(head) else ""
            opened = number
        elif line.startswith("}") and name:
            found.append(Function(path, opened + 1, name, number - opened + 1))
            name = ""
    return found


def quantile(lengths: list[int], share: float) -> int:
    """The smallest length that this share of the functions does not exceed."""
    ordered = sorted(lengths)
    return ordered[max(0, -(-int(share * 1000) * len(ordered) // 1000) - 1)]


def outliers(root: Path, paths: list[Path], functions: list[Function]) -> list[str]:
    listed = [f"long function: {one.path.relative_to(root)}:{one.line} {one.name}, {one.length} lines"
              for one in sorted(functions, key=lambda one: -one.length) if one.length > LONG_FUNCTION]
    for path in paths:
        length = len(path.read_text().splitlines())
        if length > LONG_FILE:
            listed.append(f"long file: {path.relative_to(root)}, {length} lines")
    return listed


def main(arguments: list[str]) -> int:
    root = house.parser(__doc__).parse_args(arguments).root.resolve()
    paths = house.sources(root, "src", "include", "bindings")
    functions = [one for path in paths for one in functions_of(path)]
    print("\n".join(outliers(root, paths, functions) or ["no outliers"]))
    lengths = [one.length for one in functions]
    findings = []
    for title, share, limit in ("median", 0.5, MEDIAN), ("ninth decile", 0.9, NINTH_DECILE):
        length = quantile(lengths, share) if lengths else 0
        print(f"{title} {length} lines (at most {limit})")
        if length > limit:
            findings.append(f"{title} of function lengths is {length} lines, over {limit}: split the longest")
    return house.finish(findings, len(functions), "functions")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
