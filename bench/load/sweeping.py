"""The same load again and again, with another TTL or another size of the cache: what the hit ratio hangs on."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Optional

import results
from configurations import Configuration
from faults import UsageError
from fleet import for_all_policies
from interrupts import interrupted
from measuring import Bench

AMOUNT = re.compile(r"([0-9]+(?:\.[0-9]+)?)([A-Za-z]+)")
SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
BYTES = {"B": 1.0, "KiB": 1024.0, "MiB": 1024.0 ** 2, "GiB": 1024.0 ** 3}


@dataclass(frozen=True)
class Setting:
    """One of the values to try: the library's keys for it, and the value as a number."""

    label: str
    keys: dict[str, str]
    varied: results.Varied


def of_ttl(value: str, seconds: float) -> Setting:
    """Every answer is kept so long."""
    return Setting(f"ttl {value}", for_all_policies({"policy.default.ttl": value}), results.Varied(ttl_s=seconds))


def of_memory(value: str, size: float) -> Setting:
    """A cache of that size in the engine's own process stands for the shared one, which is not ours to shrink."""
    keys = {"cache.kind": "memory", "cache.memory_bytes": value, "cache.max_entry_bytes": str(min(int(size), 1 << 20)),
            "local.bytes": "0"}
    return Setting(f"memory {value}", keys, results.Varied(memory_bytes=size))


def amounts(text: str, option: str, units: dict[str, float], example: str) -> list[tuple[str, float]]:
    """Values with their units, and as numbers. Raises UsageError."""
    found = []
    for part in text.split(","):
        match = AMOUNT.fullmatch(part.strip())
        if not match or match[2] not in units or float(match[1]) == 0:
            raise UsageError(f"{option}: `{part.strip()}` is no number over 0 with one of the units "
                             f"{', '.join(units)}; as {example}")
        found.append((part.strip(), float(match[1]) * units[match[2]]))
    return found


def settings(ttl: Optional[str], memory: Optional[str]) -> list[Setting]:
    """What --ttl and --memory ask for. Raises UsageError."""
    found = [of_ttl(*one) for one in (amounts(ttl, "--ttl", SECONDS, "1s,10s,1m") if ttl else [])]
    sizes = amounts(memory, "--memory", BYTES, "1MiB,8MiB,64MiB") if memory else []
    return found + [of_memory(*one) for one in sizes]



def sweep(bench: Bench, configurations: Sequence[Configuration], chosen: Sequence[Setting], seconds: float,
          warmup: float, rate: Optional[str]) -> None:
    """Measures each value on each configuration that has a cache, into the bench's runs. Each begins with empty caches:
    the process is its own, and so are its keys."""
    for setting in chosen:
        fleet = dataclasses.replace(bench.fleet, settings={**bench.fleet.settings, **setting.keys})
        for one in configurations:
            if one.cache and not interrupted():
                with Bench(fleet, bench.load, bench.watched, bench.runs) as varied:
                    varied.measure(one, seconds, rate, warmup=warmup, label=setting.label)
                    bench.runs[-1] = dataclasses.replace(bench.runs[-1], varied=setting.varied)
