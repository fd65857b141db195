"""The report of a `meson test`: a line of JSON for each test."""

import json
from pathlib import Path


def read(testlog: Path) -> list[dict]:
    """The tests in it; none if there is no report."""
    return [json.loads(line) for line in testlog.read_text().splitlines()] if testlog.exists() else []


def suites_of(test: dict) -> list[str]:
    """They stand in the name: "project:unit+threads / base_map"."""
    label, slash, _ = test["name"].partition(" / ")
    return label.split(":")[-1].split("+") if slash else []
