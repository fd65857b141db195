"""The storefront's product page under wrk, against a server that has that page in memory."""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rows import Part

CONNECTIONS, WRK_THREADS = 64, 2
NOT_SENT = {"content-length", "date", "connection", "transfer-encoding"}  # evhttp makes them itself


class BenchError(Exception):
    """Something needed is not there, or does not do what it should: one line."""


@contextmanager
def server(command: list[str]) -> Iterator[str]:
    """Runs it; it prints its address first. What it logs stays with the servers' logs."""
    name = Path(command[0]).name
    with (Path(os.environ["SHOPDATA_SERVERS"]) / f"{name}.log").open("w") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        assert process.stdout
        address = process.stdout.readline().strip()
        if not address.startswith("http://"):
            raise BenchError(f"{name} did not start")
        yield address
    finally:
        process.terminate()
        process.communicate()


def fetch(url: str) -> tuple[dict[str, str], bytes]:
    """Headers and body."""
    with urllib.request.urlopen(url, timeout=10) as answer:
        return dict(answer.headers.items()), answer.read()


def keep_page(url: str, path: Path) -> int:
    """Writes the page as bench/page wants it; how many bytes its body has."""
    headers, body = fetch(url)
    lines = [f"{name}: {value}" for name, value in headers.items() if name.lower() not in NOT_SENT]
    path.write_bytes("\n".join(lines + ["", ""]).encode() + body)
    return len(body)


def rate(url: str, seconds: int) -> float:
    """Requests a second, by wrk. Any that is not answered by 200 is a failure."""
    done = subprocess.run(["wrk", f"-t{WRK_THREADS}", f"-c{CONNECTIONS}", f"-d{seconds}s", url], text=True, check=True,
                          capture_output=True)
    found = re.search(r"Requests/sec:\s*([\d.]+)", done.stdout)
    if not found or "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
        raise BenchError(f"wrk: {' / '.join(done.stdout.split(chr(10))[-6:])}")
    return float(found[1])


def answered(address: str) -> dict[str, float]:
    """How many reads the shop's library has had answered so far, by whom."""
    _, body = fetch(f"{address}/metrics")
    pattern = re.compile(r'^shopdata_queries_total\{.*?source="(\w+)".*?\} (\S+)$', re.MULTILINE)
    return {source: float(value) for source, value in pattern.findall(body.decode())}


def spread(values: list[float]) -> Part:
    """As roundtrips writes it."""
    if len(values) < 2:
        return {"median": values[0], "p10": values[0], "p90": values[0]}
    deciles = statistics.quantiles(values, n=10, method="inclusive")
    return {"median": statistics.median(values), "p10": deciles[0], "p90": deciles[-1]}


def take_turns(ours: str, theirs: str, rounds: int, seconds: int) -> tuple[list[float], list[float]]:
    """Requests a second of both in each round; who begins changes."""
    rates: dict[str, list[float]] = {ours: [], theirs: []}
    for number in range(rounds):
        for url in (ours, theirs) if number % 2 else (theirs, ours):
            rates[url].append(rate(url, seconds))
    return rates[ours], rates[theirs]


def load_shop(root: Path) -> list[str]:
    """Makes the shop's tables and files, as its demo does; the storefront's options."""
    sys.path.insert(0, str(root / "examples" / "storefront"))
    import catalogue
    import demo
    import generate

    catalogue.load(os.environ["SHOPDATA_PRIMARY"], *generate.catalogue())
    return ["--config", str(demo.write_configuration("redis")), "--keys", str(demo.write_keys()), "--port", "0"]


def measure(root: Path, build: Path, rounds: int, seconds: int) -> Part:
    """Figures of both, and the share of the reads meanwhile that the shop's own process answered."""
    folder = Path(os.environ["SHOPDATA_SERVERS"])
    threads = str(os.cpu_count() or 1)
    options = load_shop(root)
    page = folder / "page"
    with server([str(build / "examples/storefront/storefront"), *options, "--threads", threads]) as shop:
        url = f"{shop}/product/1"
        rate(url, 1)  # fills the caches
        size = keep_page(url, page)
        with server([str(build / "bench/page"), str(page), threads]) as bare:
            if len(fetch(f"{bare}/product/1")[1]) != size:
                raise BenchError("the page from memory is another")
            before = answered(shop)
            ours, theirs = take_turns(url, f"{bare}/product/1", rounds, seconds)
            reads = {source: count - before.get(source, 0.0) for source, count in answered(shop).items()}
    share = reads.get("local", 0.0) / max(sum(reads.values()), 1.0)
    return {"ours": spread(ours), "theirs": spread(theirs), "ratio": spread([a / b for a, b in zip(ours, theirs)]),
            "rounds": rounds, "bytes": size, "local": share, "reads": reads}
