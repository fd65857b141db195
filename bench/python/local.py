"""A row out of the cache in this process, through Python: how long `session.query(...).one()` takes, with its columns
read. Prints JSON; bench/run makes a row of its table of it."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from typing import Any

import shopdata

PRODUCTS = 1000
AT_A_TIME = 500
TRIES = 500
TABLE = "bench_python_product"
READ = f"SELECT product_id, name, description, price, stock FROM {TABLE} WHERE product_id = $1"


def open_client() -> shopdata.Client:
    """All tiers, everything at its default."""
    nodes = {name: os.environ[f"SHOPDATA_{name.upper()}"] for name in ("primary", "replica1", "replica2")}
    return shopdata.open(node=nodes, cache={"kind": "redis", "address": os.environ["SHOPDATA_REDIS"],
                                            "key_prefix": "bench-python"})


def make_table(session: shopdata.Session) -> None:
    """The products of bench/roundtrips, about 250 bytes each."""
    for sql in (f"DROP TABLE IF EXISTS {TABLE}",
                f"CREATE TABLE {TABLE} (product_id bigint PRIMARY KEY, name text NOT NULL, description text NOT NULL,"
                " price numeric(10,2) NOT NULL, stock integer NOT NULL)",
                f"INSERT INTO {TABLE} SELECT n, 'Product number ' || n, repeat(md5(n::text), 6), (n % 10000) / 100.0,"
                f" n % 1000 FROM generate_series(1, {PRODUCTS}) n"):
        session.execute(sql)


def is_kept(session: shopdata.Session, read: shopdata.Statement, key: int) -> bool:
    """Asks until this process answers; False if it does not within about a second."""
    for _ in range(TRIES):
        if session.query(read, key).source == "local":
            return True
        time.sleep(0.002)
    return False


def rounds(session: shopdata.Session, read: shopdata.Statement, seconds: float) -> list[float]:
    """Microseconds a call, of each AT_A_TIME calls. A product's five columns are read as Python's objects."""
    took: list[float] = []
    end = time.perf_counter() + seconds
    key, row = 0, None
    while time.perf_counter() < end:
        begin = time.perf_counter()
        for _ in range(AT_A_TIME):
            key = key % PRODUCTS + 1
            row = tuple(session.query(read, key).one())
        took.append((time.perf_counter() - begin) * 1e6 / AT_A_TIME)
        if row is None or row[0] != key:
            raise RuntimeError(f"product {key} was asked for, and {row} came")
    return took


def local_count(client: shopdata.Client) -> float:
    """How many reads this process has answered so far."""
    return client.metrics().get("shopdata_queries_total", source="local")


def measure(client: shopdata.Client, seconds: float) -> dict[str, Any]:
    """What bench/run wants to know."""
    session = client.session()
    make_table(session)
    read = client.statement(READ)
    if not is_kept(session, read, 1):
        return {"missing": "no answer came from the cache in this process"}
    for key in range(1, PRODUCTS + 1):
        is_kept(session, read, key)
    before = local_count(client)
    took = rounds(session, read, seconds)
    deciles = statistics.quantiles(took, n=10, method="inclusive")
    return {"median": statistics.median(took), "p10": deciles[0], "p90": deciles[-1], "rounds": len(took),
            "local": (local_count(client) - before) / (len(took) * AT_A_TIME), "python": sys.version.split()[0]}


def main() -> int:
    """Measures for so many seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="how long (default %(default)s)")
    wanted = parser.parse_args()
    with open_client() as client:
        client.ready(30.0)
        print(json.dumps(measure(client, wanted.seconds)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
