"""Are the servers there, and what they should be? Asked of the operator's program, `shopdata check`, before anything is
measured: the library does without a cache that it cannot reach, and a benchmark would not notice what it measures."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import conninfo
from configurations import Configuration, quoted
from engine import ROOT
from faults import BenchError
from fleet import Fleet
from interrupts import asked
from passwords import in_memory

PROGRAM = Path(os.environ.get("SHOPDATA_TOOL", ROOT / "build-bench" / "src" / "tool" / "shopdata"))
CHECK_SECONDS = 120
FILE = re.compile(r"^(shopdata check: |/dev/fd/[0-9]+:[0-9]*:? ?)+", re.MULTILINE)
"""Where a fault stands in a file that the user never saw."""


def whole(fleet: Fleet, chosen: Sequence[Configuration]) -> Configuration:
    """All servers that one of the configurations uses."""
    return Configuration("all", "all servers", any(one.replicas for one in chosen), any(one.cache for one in chosen),
                         any(one.local for one in chosen))


def sections(settings: Mapping[str, str]) -> str:
    """Keys as the library's file has them."""
    texts = []
    for name, value in settings.items():
        section, key = name.rsplit(".", 1)
        texts.append(f"[{section.replace('.', ' ', 1)}]\n{key} = {quoted(value)}\n")
    return "\n".join(texts)


def said(fleet: Fleet, chosen: Sequence[Configuration]) -> tuple[bool, str]:
    """Whether all is well, and what the program printed. Raises BenchError: it could not look."""
    everything = whole(fleet, chosen)
    text = everything.file(fleet) + "\n" + sections(everything.settings(fleet, "shopbench-check"))
    descriptor = in_memory(text.encode())
    try:
        done = asked([str(PROGRAM), "check", f"/dev/fd/{descriptor}"], CHECK_SECONDS, complaints=subprocess.PIPE,
                     descriptors=[descriptor])
    except OSError as error:
        raise BenchError(f"{PROGRAM}: {error.strerror}; bench/shopbench builds it") from None
    except subprocess.TimeoutExpired:
        raise BenchError(f"the servers were not looked at within {CHECK_SECONDS} s") from None
    finally:
        os.close(descriptor)
    if done.returncode != 0 and not problems(done.stdout):
        raise BenchError(FILE.sub("", done.stderr) or f"shopdata check ended with exit code {done.returncode}", 2)
    return done.returncode == 0, done.stdout


def problems(text: str) -> list[str]:
    """The problems, each with the server that it is of."""
    found, of = [], ""
    for line in text.splitlines():
        if line and not line.startswith(" "):
            of = line.split(":", 1)[0]
        elif line.startswith("  PROBLEM"):
            found.append(f"{of}: {line.removeprefix('  PROBLEM').strip()}")
    return found


def require(fleet: Fleet, chosen: Sequence[Configuration]) -> None:
    """Raises BenchError if a server is not there, or not what it should be."""
    well, text = said(fleet, chosen)
    if not well:
        first, *more = problems(text)
        others = f"; and {len(more)} more" if more else ""
        raise BenchError(f"{conninfo.advised(first)}{others} (`shopbench check` tells all, --unchecked goes on)")
