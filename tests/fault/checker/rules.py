"""The rules of the protocol that can be dropped, as src/base/proving.h has them."""

import re
import shlex
from pathlib import Path

HEADER = Path(__file__).resolve().parents[3] / "src/base/proving.h"
# X(name, "without it", "steps", "words of tests/fault/freshness")
RULE = re.compile(r'X\((\w+), "[^"]*",\s*"[^"]*",\s*"([^"]*)"\)')


def read() -> dict[str, list[str]]:
    """Each rule, and the options that it takes to show that it was dropped."""
    text = HEADER.read_text().replace("\\\n", "")
    return {name: shlex.split(words) for name, words in RULE.findall(text)}


def names() -> list[str]:
    return list(read())
