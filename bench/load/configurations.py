"""What is compared: which of a fleet's servers take part, as a configuration of the library."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from faults import UsageError
from fleet import Fleet


@dataclass(frozen=True)
class Configuration:
    """Which servers answer."""

    name: str
    title: str
    replicas: bool = False
    cache: bool = False
    local: bool = False

    def lacks(self, fleet: Fleet) -> str:
        """What it needs and the fleet does not have; "" if nothing."""
        if self.replicas and not fleet.replicas:
            return "a replica (--replica)"
        return "a cache (--redis or --memcached)" if self.cache and not fleet.cache else ""

    def nodes(self, fleet: Fleet) -> dict[str, int]:
        """The servers that must stand for it: what it costs."""
        found = {"primary": 1}
        if self.replicas:
            found["replica"] = len(fleet.replicas)
        if self.cache and fleet.cache:
            found["cache"] = len(fleet.cache.keys["address"].split(","))
        return found

    def settings(self, fleet: Fleet, prefix: str) -> dict[str, str]:
        """The library's keys that may be shown; what the fleet's own say goes above."""
        keys = {"cache.kind": fleet.cache.kind if self.cache and fleet.cache else "none"}
        if self.cache and fleet.cache:
            keys.update({f"cache.{name}": value for name, value in fleet.cache.keys.items()})
            keys["cache.key_prefix"] = prefix
        if not self.local:
            keys["local.bytes"] = "0"
        return {**keys, **{name: value for name, value in fleet.settings.items() if self.takes(name)}}

    def takes(self, key: str) -> bool:
        """Does one of the user's keys change it? What it does without stays away."""
        return (self.cache or not key.startswith("cache.")) and (self.local or not key.startswith("local."))

    def file(self, fleet: Fleet) -> str:
        """The library's file with what is secret: the nodes, and the cache's password."""
        nodes = {"primary": fleet.primary}
        if self.replicas:
            nodes.update({f"replica{number}": one for number, one in enumerate(fleet.replicas, 1)})
        sections = [f"[node {name}]\nconninfo = {quoted(fleet.conninfo(one))}\n" for name, one in nodes.items()]
        if self.cache and fleet.cache and fleet.cache.password:
            sections.append(f"[cache]\npassword = {quoted(fleet.cache.password)}\n")
        return "\n".join(sections)


def quoted(text: str) -> str:
    """A value of the library's file."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


ALL = (
    Configuration("primary", "primary only"),
    Configuration("replicas", "replicas only", replicas=True),
    Configuration("cache", "cache only", cache=True),
    Configuration("cache+replicas", "cache and replicas", replicas=True, cache=True),
    Configuration("local", "with local cache", replicas=True, cache=True, local=True),
)
NAMES = tuple(one.name for one in ALL)


def named(names: Iterable[str], option: str) -> list[Configuration]:
    """The configurations of these names. Raises UsageError."""
    by_name = {one.name: one for one in ALL}
    for name in names:
        if name not in by_name:
            raise UsageError(f"{option}: there is no configuration `{name}`; there are {', '.join(NAMES)}")
    return [by_name[name] for name in names]


def best(fleet: Fleet) -> Configuration:
    """The one with everything that the fleet has."""
    if fleet.cache:
        return ALL[4] if fleet.replicas else Configuration("local", ALL[4].title, cache=True, local=True)
    return ALL[1] if fleet.replicas else ALL[0]


def possible(chosen: list[Configuration], fleet: Fleet) -> tuple[list[Configuration], list[str]]:
    """Those that the fleet can do, and a line for each that it cannot."""
    able = [one for one in chosen if not one.lacks(fleet)]
    return able, [f"{one.title}: left out, for there is not {one.lacks(fleet)}" for one in chosen if one.lacks(fleet)]
