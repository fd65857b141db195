#!/usr/bin/env python3
"""Includes point down: a room of src/ may include its own files and those of lower floors, no others."""

import re
import sys
from pathlib import Path

import house

FLOORS = {"base": 0, "model": 1, "cache": 2, "local": 2, "postgres": 2, "route": 3, "fresh": 3, "client": 4, "api": 5, "tool": 6}
BACKENDS = ("memory", "redis", "memcached")
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]*)"|<([^>]*)>)')


def refusal(room: str, backend: str, included: str) -> str:
    """Why a file of this room (and backend folder, if in one) may not include that path; empty if it may."""
    parts = included.split("/")
    if ".." in parts:
        return "'..' hides where it points: name it from src/"
    if len(parts) > 1 and parts[0] in FLOORS and parts[0] != room and FLOORS[parts[0]] >= FLOORS[room]:
        return f"{parts[0]} is not below {room}"
    inside = parts[1:] if parts[0] == "cache" else parts
    if backend and inside[0] in BACKENDS and len(inside) > 1 and inside[0] != backend:
        return f"backend {backend} must not know backend {inside[0]}"
    return ""


def check_file(root: Path, path: Path) -> list[str]:
    parts = path.relative_to(root / "src").parts
    room = parts[0]
    if room not in FLOORS or len(parts) < 2:
        return [f"{path.relative_to(root)}:1: not in a room of src/ ({', '.join(FLOORS)})"]
    backend = parts[1] if room == "cache" and parts[1] in BACKENDS else ""
    findings = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        found = INCLUDE.match(line)
        reason = refusal(room, backend, found[1] or found[2]) if found else ""
        if reason:
            findings.append(f"{path.relative_to(root)}:{number}: {line.strip()}: {reason}")
    return findings


def main(arguments: list[str]) -> int:
    root = house.parser(__doc__).parse_args(arguments).root.resolve()
    paths = house.sources(root, "src")
    return house.finish([finding for path in paths for finding in check_file(root, path)], len(paths), "files")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
