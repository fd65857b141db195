"""What a measured configuration costs: prices of instances from a file of the user's.

    currency = USD

    [prices]                            # an hour, as your bill has them
    db.r7g.large    = 0.276
    cache.r7g.large = 0.247

    [roles]                             # what each server of the measured configurations is
    primary = 2 x db.r7g.large          # with its standby
    replica = db.r7g.large              # each replica
    cache   = cache.r7g.large

    [roles with local cache]            # where one configuration was measured on others
    cache   = cache.r7g.large
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Optional

from cases import Case
from results import ReportError, Target

ROLES = ("primary", "replica", "cache")
HOURS_A_MONTH = 730
LINE = re.compile(r"\[(?P<section>[^\]]*)\]|(?P<name>[^=\[\]]+?)\s*=\s*(?P<value>.*)")
COUNTED = re.compile(r"(?:(\d+)\s*x\s+)?(\S+)")


class Entry(NamedTuple):
    """One `name = value`, and where it stands."""

    section: str
    name: str
    value: str
    where: str


class Instances(NamedTuple):
    """What one server of a role is made of."""

    number: int
    kind: str


@dataclass(frozen=True)
class Prices:
    """What a file of prices says."""

    currency: str
    an_hour: Mapping[str, float]
    roles: Mapping[str, Instances]
    overrides: Mapping[str, Mapping[str, Instances]] = field(default_factory=dict)
    """Other instances for a configuration, by its name."""
    path: str = ""

    def instances(self, configuration: str, role: str) -> Instances:
        """What a role's server is in a configuration. Raises ReportError: the file does not say."""
        found = self.overrides.get(configuration, {}).get(role) or self.roles.get(role)
        if not found:
            raise ReportError(f"{self.path}: [roles] has no `{role}`, which `{configuration}` was measured with: add"
                              f" `{role} = NAME OF AN INSTANCE`")
        return found

    def parts(self, case: Case) -> list[tuple[str, int, str, float]]:
        """What a configuration needs: role, how many instances, of which kind, and their price an hour."""
        if not case.nodes:
            raise ReportError(f"the results do not tell which servers `{case.configuration}` had: no cost of it")
        found = []
        for role, servers in case.nodes.items():
            one = self.instances(case.configuration, role)
            if servers:
                found.append((role, servers * one.number, one.kind, servers * one.number * self.an_hour[one.kind]))
        return found


@dataclass(frozen=True)
class Cost:
    """A measured configuration's price."""

    case: Case
    parts: Sequence[tuple[str, int, str, float]]
    good_enough: bool

    @property
    def an_hour(self) -> float:
        """All its instances."""
        return sum(price for *_, price in self.parts)

    @property
    def a_million(self) -> float:
        """For a million page views (a page view is a request) at the rate that was measured."""
        return self.an_hour / (3600 * self.case.throughput) * 1e6 if self.case.throughput else math.inf


def entries(text: str, path: str) -> list[Entry]:
    """The lines of an ini file. Raises ReportError."""
    found: list[Entry] = []
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
        line, where = re.split(r"(?:^|\s)[#;]", line)[0].strip(), f"{path}:{number}"
        if not line:
            continue
        match = LINE.fullmatch(line)
        if not match:
            raise ReportError(f"{where}: wants `name = value` or `[section]`, not `{line}`")
        if match["section"] is not None:
            section = " ".join(match["section"].split())
            check_section(section, where)
        else:
            found.append(Entry(section, match["name"].strip(), match["value"].strip(), where))
    return found


def check_section(section: str, where: str) -> None:
    """Raises ReportError for a section that means nothing."""
    if section != "prices" and section.split(" ")[0] != "roles":
        raise ReportError(f"{where}: no section [{section}]: there are [prices], [roles] and [roles CONFIGURATION]")


def price(entry: Entry) -> float:
    """A price an hour. Raises ReportError."""
    try:
        value = float(entry.value)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise ReportError(f"{entry.where}: {entry.name}: wants a price an hour, as 0.276, not `{entry.value}`")
    return value


def instances(entry: Entry, an_hour: Mapping[str, float]) -> Instances:
    """What a role is. Raises ReportError."""
    if entry.name not in ROLES:
        raise ReportError(f"{entry.where}: no role `{entry.name}`: there are {', '.join(ROLES)}")
    match = COUNTED.fullmatch(entry.value)
    if not match or match[1] == "0":
        raise ReportError(f"{entry.where}: {entry.name}: wants an instance's name, or `2 x NAME`, not `{entry.value}`")
    if match[2] not in an_hour:
        known = ", ".join(an_hour) or "none"
        raise ReportError(f"{entry.where}: {entry.name}: no price of `{match[2]}`: [prices] has {known}")
    return Instances(int(match[1] or 1), match[2])


def check_twice(found: Sequence[Entry]) -> None:
    """Raises ReportError where something is said twice."""
    seen: dict[tuple[str, str], str] = {}
    for entry in found:
        first = seen.setdefault((entry.section, entry.name), entry.where)
        if first != entry.where:
            raise ReportError(f"{entry.where}: `{entry.name}` was given in {first} already")


def parse(text: str, path: str) -> Prices:
    """Prices of a file's text. Raises ReportError, with file and line."""
    found = entries(text, path)
    check_twice(found)
    currency = "USD"
    roles: dict[str, dict[str, Instances]] = {}
    an_hour = {entry.name: price(entry) for entry in found if entry.section == "prices"}
    for entry in found:
        if entry.section.startswith("roles"):
            roles.setdefault(entry.section[6:], {})[entry.name] = instances(entry, an_hour)
        elif entry.section == "":
            if entry.name != "currency":
                raise ReportError(f"{entry.where}: `{entry.name}` is in no section: only `currency` stands before them")
            currency = entry.value
    return Prices(currency, an_hour, roles.pop("", {}), roles, path)


def read(path: Path) -> Prices:
    """Prices of a file. Raises ReportError: not there, no text, or wrong in a line."""
    try:
        return parse(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise ReportError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ReportError(f"{path}: is no text in UTF-8") from None


def check_configurations(prices: Prices, names: Sequence[str]) -> None:
    """Raises ReportError where the file speaks of a configuration that was not measured."""
    stranger = next((name for name in prices.overrides if name not in names), None)
    if stranger is not None:
        raise ReportError(f"{prices.path}: [roles {stranger}]: no such configuration was measured: there are"
                          f" {', '.join(names)}")


def costs(prices: Prices, cases: Sequence[Case], target: Optional[Target]) -> list[Cost]:
    """What each case costs. Raises ReportError where the file lacks what one needs."""
    return [Cost(case, prices.parts(case), target is None or target.met_by(case.result)) for case in cases]


def cheapest(found: Sequence[Cost]) -> Optional[Cost]:
    """Of those that are good enough the one whose page views cost least; none if none is."""
    return min((one for one in found if one.good_enough and math.isfinite(one.a_million)),
               key=lambda one: one.a_million, default=None)
