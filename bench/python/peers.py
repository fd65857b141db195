"""A hit of the shared cache through Python, ours against its peers. bench/README.md tells what is compared."""

from __future__ import annotations

import argparse
import os
import sys
from importlib.metadata import version
from pathlib import Path

import shopdata

import contenders
from compare import Contest, Line, compare, table, write_report

PEERS = ("dogpile.cache", "redis", "hiredis", "Flask-Caching", "psycopg")
THREADS = (1, 8)
ROUNDS, QUICK_ROUNDS = 25, 9
TARGETS = {("dogpile.cache", 1): 2.0, ("dogpile.cache", 8): 5.0}
SECONDS = 60.0
HITS_AT_LEAST = 0.99


def options() -> argparse.Namespace:
    """What the caller wants."""
    parser = argparse.ArgumentParser(prog="bench/python/run", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a quarter of the time")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="how long to measure (default %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures into a file too")
    return parser.parse_args()


def tell_conditions(rounds: int) -> None:
    """What the figures were measured on."""
    peers = ", ".join(f"{name} {version(name)}" for name in PEERS)
    print(f"Python {sys.version.split()[0]}, {peers}")
    print(f"{os.cpu_count()} cores, load before the run {os.getloadavg()[0]:.1f}; servers on the same machine")
    print(f"{rounds} rounds: one row of {contenders.PRODUCTS}, by its key, as Python's objects", flush=True)


def hit_count(client: shopdata.Client) -> float:
    """How often the shared cache answered us so far."""
    return float(sum(metric.value for metric in client.metrics() if metric.name == "shopdata_cache_hits_total"))


def measure(seconds: float, rounds: int) -> tuple[list[Line], float]:
    """The lines, and the share of our calls that were hits."""
    contest = Contest(seconds / len(THREADS), contenders.PRODUCTS, rounds, TARGETS)
    database = contenders.psycopg3().reader()
    peers = [contenders.dogpile(database, hiredis=False), contenders.dogpile(database, hiredis=True),
             contenders.redis_pickle(database), contenders.flask_caching(database), contenders.psycopg3()]
    with contenders.open_ours() as client:
        client.ready(30.0)
        lines: list[Line] = []
        calls = 0
        for threads in THREADS:
            some, measured = compare(contenders.ours(client), peers, threads, contest)
            lines += some
            calls += measured + threads * contest.products
        return lines, hit_count(client) / (calls - contest.products)  # at first there is nothing to hit


def main() -> int:
    """Measures, and tells; 1 where a target is missed."""
    wanted = options()
    seconds, rounds = (wanted.seconds / 4, QUICK_ROUNDS) if wanted.quick else (wanted.seconds, ROUNDS)
    tell_conditions(rounds)
    contenders.make_table(os.environ["SHOPDATA_PRIMARY"])
    lines, hits = measure(seconds, rounds)
    print(table(lines))
    print(f"of our calls the shared cache answered {hits:.2%}")
    if wanted.json:
        write_report(wanted.json, lines, hits)
    if hits < HITS_AT_LEAST:
        print(f"peers: fewer than {HITS_AT_LEAST:.0%} were hits", file=sys.stderr)
    return 1 if hits < HITS_AT_LEAST or any(line.missed for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main())
