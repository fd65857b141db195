"""Prometheus' text format: read, added up, written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, Optional

__all__ = ["Exposition", "Family", "Sample"]

_SAMPLE = re.compile(r"([A-Za-z_:][\w:]*)(?:\{(.*)\})? (\S+)")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Sample(NamedTuple):
    """A value and what it is of."""

    name: str
    labels: str  # as they stand between the braces; "" where there are none
    value: float

    def label(self, name: str) -> Optional[str]:
        """The value of one of its labels, as it is written; ``None`` if it has no such label."""
        return dict(_LABEL.findall(self.labels)).get(name)


@dataclass
class Family:
    """A metric: what it means, and its samples; those of a histogram have other names than it."""

    help: str = ""
    type: str = "untyped"
    values: dict[tuple[str, str], float] = field(default_factory=dict)  # by name and labels, in the order they came in

    def add(self, name: str, labels: str, value: float) -> None:
        """Adds a sample to the one of this name and these labels: as counters and histograms are added up."""
        self.values[name, labels] = self.values.get((name, labels), 0.0) + value


def number(value: float) -> str:
    """A value as Prometheus reads it."""
    return str(int(value)) if value.is_integer() else repr(value).replace("inf", "Inf")


class Exposition:
    """What one process, or several together, tell of themselves."""

    def __init__(self) -> None:
        self.families: dict[str, Family] = {}

    def read(self, text: str, *, types: Optional[frozenset[str]] = None, label: str = "") -> None:
        """Adds what ``text`` tells to what is there: only the metrics of these ``types``, with a further ``label``."""
        family = Family()  # samples before the first line about their metric belong to nobody
        for line in text.splitlines():
            if line.startswith("#"):
                family = self._about(line, family)
            elif types is None or family.type in types:
                sample = _SAMPLE.match(line)
                if sample:
                    labels = ",".join(filter(None, (sample[2], label)))
                    family.add(sample[1], labels, float(sample[3]))

    def _about(self, line: str, family: Family) -> Family:
        _, word, name, text = (line.split(" ", 3) + [""] * 3)[:4]
        if word == "HELP":
            family = self.families.setdefault(name, Family())
            family.help = text
        elif word == "TYPE":
            family = self.families.setdefault(name, Family())
            family.type = text
        return family

    def gauge(self, name: str, description: str, value: float) -> None:
        """Adds a gauge without labels."""
        self.families[name] = Family(description, "gauge", {(name, ""): float(value)})

    def write(self) -> str:
        """All of it, as Prometheus reads it; of a metric without samples nothing is said."""
        return "".join(self._lines())

    def _lines(self) -> Iterator[str]:
        for name, family in self.families.items():
            if family.values:
                yield f"# HELP {name} {family.help}\n# TYPE {name} {family.type}\n"
            for (sample, labels), value in family.values.items():
                yield f"{sample}{{{labels}}} {number(value)}\n" if labels else f"{sample} {number(value)}\n"

    def samples(self, name: str) -> Iterator[Sample]:
        """The samples of that name."""
        for family in self.families.values():
            for (sample, labels), value in family.values.items():
                if sample == name:
                    yield Sample(sample, labels, value)
