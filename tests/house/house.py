"""What the checks of the house share: where sources are, how a finding is printed, how a check ends."""

import argparse
import sys
from pathlib import Path

sys.dont_write_bytecode = True

ROOT = Path(__file__).resolve().parents[2]
C_SUFFIXES = (".c", ".h")


def parser(description: str) -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--root", type=Path, default=ROOT, metavar="DIR", help="the tree to check (default: this one)")
    return made


def sources(root: Path, *folders: str) -> list[Path]:
    """C files below these folders. A folder that does not exist yet has none."""
    return sorted(path for folder in folders for path in (root / folder).rglob("*")
                  if path.suffix in C_SUFFIXES and path.is_file())


def finish(findings: list[str], checked: int, what: str) -> int:
    """Print findings; the exit code. To have looked at nothing is a failure: it would pass for ever."""
    for finding in findings:
        print(finding)
    if not checked:
        print(f"found no {what} to check: wrong --root?")
    elif not findings:
        print(f"{checked} {what} checked, nothing found")
    return 1 if findings or not checked else 0
