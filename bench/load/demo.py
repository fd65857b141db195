"""`shopbench demo`: the five configurations, measured on the servers of tests/launcher."""

from __future__ import annotations

import argparse
import contextlib
import lzma
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Optional

import comparing
import configurations
import loading
import results
from faults import BenchError, UsageError
from fleet import Cache, Fleet
from interrupts import interrupted
from measuring import Bench, Load

TRACE = Path("traces") / "product-pages.keys.xz"
PRODUCTS = 20_000
"""More than the trace has."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """What a demo takes."""
    parser.add_argument("--seconds", type=float, default=60.0, metavar="N",
                        help="how long each configuration is measured under each workload (default 60)")
    parser.add_argument("--data", type=Path, metavar="DIR",
                        help="the products of DIR/catalogue, and the visitors of DIR/traces as a second workload")


def check(given: argparse.Namespace) -> None:
    """Raises UsageError."""
    if not 2 <= given.seconds <= 86400:
        raise UsageError(f"--seconds {given.seconds:g}: must be from 2 to 86400")
    if given.data and not (given.data / "catalogue").is_dir():
        raise UsageError(f"--data {given.data}: there is no folder catalogue in it")
    if given.data and not (given.data / TRACE).is_file():
        raise UsageError(f"--data {given.data}: there is no {TRACE} in it")


@contextlib.contextmanager
def unpacked(packed: Path) -> Iterator[Path]:
    """The recorded visitors, as a file for so long."""
    with tempfile.TemporaryDirectory(prefix="shopbench-") as folder:
        path = Path(folder) / packed.name.removesuffix(".xz")
        try:
            with lzma.open(packed) as source, path.open("wb") as target:
                while block := source.read(1 << 20):
                    target.write(block)
        except (OSError, lzma.LZMAError, EOFError) as error:
            raise BenchError(f"{packed}: cannot be unpacked: {error}") from None
        yield path


def fill(fleet: Fleet, data: Optional[Path]) -> str:
    """Loads the shop, as large as the trace needs it: a sentence about it."""
    options = ["--products", str(PRODUCTS), *(["--data", str(data.resolve())] if data else [])]
    return loading.sentence(loading.load(fleet, options))


def measure(fleet: Fleet, load: Load, given: argparse.Namespace, runs: list[results.Run]) -> None:
    """All configurations under one workload."""
    chosen, _ = configurations.possible(list(configurations.ALL), fleet)
    with Bench(fleet, load, not given.quiet, runs) as bench:
        comparing.climb(bench, chosen, comparing.Pace(given.seconds))


def run(fleet: Fleet, given: argparse.Namespace, runs: list[results.Run]) -> None:
    """Everything, into ``runs``: both workloads, or one without recorded visitors."""
    if not isinstance(fleet.cache, Cache) or not fleet.replicas:
        raise BenchError("the demo's servers are not there: start it by bench/shopbench demo")
    print(fill(fleet, given.data), flush=True)
    measure(fleet, Load("browse"), given, runs)
    if given.data and not interrupted():
        with unpacked(given.data / TRACE) as trace:
            measure(fleet, Load("trace", trace=trace, label="trace of product pages"), given, runs)
