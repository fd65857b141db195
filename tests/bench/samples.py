"""Results as the engine would print them, made up: for tests of what reads them. None of it was measured."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

Json = dict[str, Any]
HALF_BITS = 10
CONFIGURATIONS: dict[str, Json] = {
    "primary only": {"nodes": {"primary": 1}, "sources": {"primary": 1.0}},
    "replicas": {"nodes": {"primary": 1, "replica": 2}, "sources": {"primary": 0.08, "replica": 0.92}},
    "cache": {"nodes": {"primary": 1, "cache": 1}, "sources": {"primary": 0.17, "cache": 0.83}},
    "cache + replicas": {"nodes": {"primary": 1, "replica": 2, "cache": 1},
                         "sources": {"primary": 0.02, "replica": 0.15, "cache": 0.83}},
    "with local cache": {"nodes": {"primary": 1, "replica": 2, "cache": 1},
                         "sources": {"primary": 0.02, "replica": 0.12, "cache": 0.31, "local": 0.55}}}
MEDIANS_US = {"local": 9, "cache": 160, "replica": 520, "primary": 610}
MIX = {"home": 29.0, "new_products": 11.0, "best_sellers": 11.0, "product_detail": 21.0, "search_results": 23.0,
       "shopping_cart": 2.0, "buy_confirm": 0.69, "admin_confirm": 2.31}
WRITES = ("shopping_cart", "buy_confirm", "admin_confirm")
BEGAN = 1_764_000_000.0


def highest_of(nanoseconds: int) -> int:
    """The highest value of the bucket that HdrHistogram puts this one into, at three significant digits."""
    power = max(0, nanoseconds.bit_length() - HALF_BITS - 1)
    return ((nanoseconds >> power) + 1 << power) - 1


def times(nanoseconds: Iterable[int]) -> Json:
    """An object of times of these."""
    listed = sorted(nanoseconds)
    if not listed:
        return {"count": 0}
    buckets = Counter(map(highest_of, listed))
    return {"count": len(listed), "mean_us": sum(listed) / len(listed) / 1000, "min_us": listed[0] / 1000,
            "max_us": listed[-1] / 1000, "p50_us": listed[len(listed) // 2] / 1000,
            "buckets_ns": [[value, buckets[value]] for value in sorted(buckets)]}


def drawn(chance: random.Random, source: str, count: int, load: float) -> list[int]:
    """Latencies that look like a server's: a long tail, longer under load."""
    median = 1000 * MEDIANS_US[source] * (1 + load)
    return [int(chance.lognormvariate(0, 0.45 + load / 4) * median * (40 if chance.random() < 0.0015 else 1))
            for _ in range(count)]


def cached(source: str, interaction: str, kept: bool) -> str:
    if interaction in WRITES or not kept:
        return "none"
    return "hit" if source in ("local", "cache") else "miss"


def second(phase: str, number: int, at: int, sources: Json, rate: float, ramp: float, chance: random.Random) -> Json:
    """One second: what a cache answers grows from nothing to its share while ``ramp`` goes from 0 to 1."""
    kept = {name: share * ramp for name, share in sources.items() if name in ("local", "cache")}
    behind = "replica" if "replica" in sources else "primary"
    shares = {**{name: share for name, share in sources.items() if name not in kept}, **kept}
    shares[behind] = shares.get(behind, 0) + sum(sources[name] - share for name, share in kept.items())
    done = int(rate * chance.uniform(0.96, 1.04))
    counts = {name: int(2.4 * done * share) for name, share in shares.items()}
    hits = sum(count for name, count in counts.items() if name in kept)
    p99 = 1000 * MEDIANS_US[behind] / 300 * chance.uniform(0.8, 1.5)
    return {"type": "second", "unix_s": BEGAN + at, "phase": phase, "number": number, "second": at + 1, "length_s": 1.0,
            "intended": done, "requests": done, "failed": 0, "late": 0, "dropped": 0, "waiting": 0,
            "busy_threads": chance.randint(1, 9), "hits": hits, "misses": sum(counts.values()) - hits if kept else 0,
            "latency": {"count": done, "mean_us": p99 / 4, "p50_us": p99 / 5, "p90_us": p99 / 2, "p99_us": p99,
                        "p999_us": 2 * p99, "max_us": 5 * p99},
            "sources": {"local": 0, "cache": 0, "stale": 0, "replica": 0, "primary": 0, **counts},
            "stale_reads": 0, "database_statements": sum(counts.values()) - hits, "errors": {},
            "lag_ms": {"replica1": chance.uniform(0.1, 2), "replica2": chance.uniform(0.1, 9)} if "replica" in sources
            else {}, "connections": {"primary": 8},
            "client": {"cpu_cores": 0.6, "machine_busy": 0.7, "memory_bytes": 30_000_000}}


def start(settings: Json, host: str = "bench1") -> Json:
    return {"type": "start", "format": 1, "unix_s": BEGAN, "program": "shopload", "version": "0.1.0",
            "library": "0.1.0", "build": "buildtype release, sanitizer none", "compiler": "12.2.0", "pid": 4711,
            "host": {"name": host, "kernel": "Linux 6.1.0 x86_64", "cpu_model": "A processor, 2.5 GHz", "cores": 4,
                     "memory_bytes": 16_000_000_000},
            "seed": 7, "threads": 64, "patience_s": 10, "workload": {"name": "browse", "mix": MIX},
            "keys": {"kind": "zipf", "exponent": 0.82, "count": 10000},
            "scale": {"products": 10000, "customers": 10000, "orders": 9000, "categories": 24}, "settings": settings,
            "servers": {"postgres": "15.14", "cache": "redis"},
            "statements": {"product": {"cached": True, "policy": "product", "sql": "SELECT name FROM products"},
                           "reprice": {"cached": False, "policy": "product", "sql": "UPDATE products SET price = $1"}},
            "command": ["run", "--workload", "browse"]}


def result(sources: Json, rate: float, seconds: int, load: float, chance: random.Random, kept: bool) -> Json:
    """A measured phase with a few thousand requests, whatever the rate: the rest is taken for granted."""
    rows, everything = [], []
    for interaction, percent in MIX.items():
        for source, share in ({"primary": 1.0} if interaction in WRITES else sources).items():
            drawn_ns = drawn(chance, source, max(1, int(20 * percent * share)), load)
            everything += drawn_ns
            rows.append({"interaction": interaction, "source": source, "failed": 0, "latency": times(drawn_ns),
                         "service": times(value * 9 // 10 for value in drawn_ns)})
    count = len(everything)
    statements = [{"statement": name, "source": source, "cached": cached(source, name, kept), "rows": 100,
                   "service": times(drawn(chance, source, max(1, int(100 * share)), load))}
                  for name in ("product", "category", "search") for source, share in sources.items()]
    reads = {source: int(2.4 * count * share) for source, share in sources.items()}
    hits = sum(reads.get(source, 0) for source in ("local", "cache"))
    return {"type": "result", "phase": "measure", "number": 2, "measured": True, "seconds": seconds, "loop": "open",
            "arrivals": "poisson", "rate": f"{rate:g}", "ended": "done",
            "length_s": count / rate, "intended": count, "requests": count, "failed": 0, "dropped": 0, "late": 2,
            "late_busy": 2, "late_free": 0, "latency": times(everything),
            "service": times(value * 9 // 10 for value in everything),
            "start_delay": times(chance.randint(2000, 60_000) for _ in range(count)), "requests_by": rows,
            "statements_by": statements, "sources": {"local": 0, "cache": 0, "stale": 0, "replica": 0, **reads},
            "hits": hits, "misses": sum(reads.values()) - hits if kept else 0, "saved": hits,
            "database_statements": sum(reads.values()) - hits + count // 20,
            "staleness": {"checked": count, "stale": 0, "writes": count // 20, "age": {"count": 0}},
            "stampedes": {"expiries": 120, "readers": 131, "joined": 9, "most_readers": 4, "crowded": 6}
            if kept else {},
            "errors": {}, "error_samples": {}, "library": {"shopdata_queries_total{source=\"cache\"}": hits},
            "gauges": {}, "bytes": {"answers": 900 * count, "cache_read": 500 * hits, "cache_written": 60 * hits},
            "lag_ms": {"replica1": 2.1, "replica2": 9.4} if "replica" in sources else {},
            "connections": {"primary": 8, **({"replica1": 8, "replica2": 8} if "replica" in sources else {})},
            "client": {"cpu_s": 4.2, "cpu_cores": 0.7, "cpu_us_per_request": 8.4, "machine_busy": 0.71,
                       "memory_bytes": 31_000_000, "cores": 4}, "bottleneck": "none"}


def run(name: str, chance: random.Random, *, rate: float = 2000, round: int = 1, seconds: int = 60, load: float = 0.1,
        **more: Any) -> Json:
    """A run of one of CONFIGURATIONS: 5 seconds cold, then measured."""
    about = CONFIGURATIONS[name]
    sources, kept = about["sources"], "cache" in about["nodes"]
    lines = [second("measure" if at >= 5 else "cold", 2 if at >= 5 else 1, at, sources, rate, min(1, (at + 1) / 8),
                    chance) for at in range(seconds + 5)]
    return {"configuration": name, "workload": "browse", "round": round, "started_at": "2026-01-02T03:04:05Z",
            "rate": rate, "nodes": about["nodes"], "settings": {"cache.mode": "fenced"} if kept else {},
            "start": start({"policy.default.ttl": "60s"} if kept else {}), "seconds": lines,
            "result": {**result(sources, rate, seconds, load, chance, kept), "began_unix_s": BEGAN + chance.random()},
            **more}


def results(runs: Sequence[Json], **more: Any) -> Json:
    return {"format": 1, "title": "demo", "command": "bench/shopbench demo --seconds 60",
            "started_at": "2026-01-02T03:04:05Z", "ended_at": "2026-01-02T03:24:05Z",
            "target": {"percent": 99, "latency_us": 5000}, "settings": {"scale": "1"}, "host": {}, "versions": {},
            "runs": list(runs), **more}


def demo(seed: int = 1, rounds: int = 2, seconds: int = 60) -> Json:
    """The five configurations, interleaved, at one rate."""
    chance = random.Random(seed)
    return results([run(name, chance, round=number, seconds=seconds) for number in range(1, rounds + 1)
                    for name in CONFIGURATIONS])


def sweep(seed: int = 1) -> Json:
    """The five configurations at rising rates, and one of them with other TTLs and memories."""
    chance = random.Random(seed)
    made = [run(name, chance, rate=rate, seconds=12, load=(rate / limit) ** 3, rate_label=f"step {number} of 5")
            for name, limit in zip(CONFIGURATIONS, (4000, 7000, 9000, 12000, 20000))
            for number, rate in enumerate((1000, 2000, 3000, 5000, 8000), 1) if rate <= limit]
    for number, ttl in enumerate((1, 5, 30, 120, 600)):
        made.append(run("cache", chance, seconds=8, varied={"ttl_s": ttl}))
        made[-1]["result"].update(hits=1000 + 150 * number, misses=1000 - 150 * number)
    for number in range(5):
        made.append(run("cache", chance, seconds=8, varied={"memory_bytes": 2 ** (23 + number)}))
        made[-1]["result"].update(hits=900 + 220 * number, misses=1100 - 220 * number)
    return results(made)


def phases(seed: int = 1) -> Json:
    """One configuration through a cold start, a measurement, a flush and a replica that stops."""
    chance = random.Random(seed)
    made = []
    for number, (phase, kind) in enumerate(
            (("cold", "phase"), ("measure", "measure"), ("flush", "measure"), ("replica-stop", "measure")), 1):
        run_ = run("with local cache", chance, seconds=25, kind=kind, rate_label=f"phase {number}: {phase}")
        run_["seconds"] = [{**line, "phase": phase, "number": number} for line in run_["seconds"]]
        run_["result"]["phase"] = phase
        made.append(run_)
    return results(made)
