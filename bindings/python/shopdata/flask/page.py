"""What ``flask shopdata top`` shows: two looks at a service as a page of text, as the program ``shopdata top`` does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Optional

from .exposition import Exposition

__all__ = ["Look", "page"]

_BREAKERS = ("closed", "half open", "open")
_ROLES = ("unknown", "replica", "primary")


class Look:
    """What a service told at one moment."""

    def __init__(self, text: str, taken_at: float) -> None:
        self.taken_at = taken_at  # seconds, of a clock that only the difference to another look is taken of
        told = Exposition()
        told.read(text)
        self._samples: dict[str, list[tuple[str, float]]] = {}
        for family in told.families.values():
            for (name, labels), value in family.values.items():
                self._samples.setdefault(name, []).append((labels, value))

    def values(self, name: str, label: str = "") -> list[float]:
        """The values of that name whose labels contain ``label`` (``policy="default"``)."""
        return [value for labels, value in self._samples.get(name, []) if label in labels]

    def sum(self, name: str, label: str = "") -> float:
        """These values added up."""
        return sum(self.values(name, label))

    def most(self, name: str, label: str = "") -> float:
        """The greatest of them, 0 if there are none: a state that several processes tell of one thing."""
        return max(self.values(name, label), default=0.0)

    def labels(self, name: str, label: str) -> list[str]:
        """The values that a label has among samples of that name, each once."""
        found = (_label(labels, label) for labels, _ in self._samples.get(name, []))
        return list(dict.fromkeys(value for value in found if value is not None))


def _label(labels: str, name: str) -> Optional[str]:
    for pair in labels.split('",'):
        key, _, value = pair.partition('="')
        if key == name:
            return value.rstrip('"')
    return None


@dataclass(frozen=True)
class _Frame:
    """The time between two looks."""

    before: Look
    now: Look
    seconds: float

    def added(self, name: str, label: str = "") -> float:
        """By how much a counter grew. One that is smaller than before was begun anew: its process was restarted."""
        then, value = self.before.sum(name, label), self.now.sum(name, label)
        return value if value < then else value - then

    def rate(self, name: str, label: str = "") -> float:
        return self.added(name, label) / self.seconds

    def quantile(self, name: str, label: str, quantile: float) -> Optional[float]:
        """Taken within its bucket in proportion, as Prometheus does; ``None`` if nothing was added."""
        bounds = self.now.labels(f"{name}_bucket", "le")
        counts = [self.added(f"{name}_bucket", _both(label, f'le="{bound}"')) for bound in bounds]
        if not counts or counts[-1] <= 0:
            return None
        rank, low, below = quantile * counts[-1], 0.0, 0.0
        for bound, count in zip(bounds[:-1], counts):
            if count >= rank and count > below:
                return low + (float(bound) - low) * (rank - below) / (count - below)
            low, below = float(bound), count
        return low  # over the last bound: no more is known


def _both(label: str, other: str) -> str:
    return f"{label},{other}" if label else other


def _rate(value: float) -> str:
    return f"{value:.1f}" if value < 100 else f"{value:.0f}"


def _percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.1f} %" if whole > 0 else "-"


def _ms(seconds: Optional[float]) -> str:
    if seconds is None:
        return "-"
    return f"{seconds * 1000:.2f} ms" if seconds < 0.01 else f"{seconds * 1000:.0f} ms"


def _bytes(value: float) -> str:
    units = ["B", "KiB", "MiB", "GiB", "TiB"]
    while value >= 1024 and len(units) > 1:
        value /= 1024
        del units[0]
    return f"{value:.0f} B" if units[0] == "B" else f"{value:.1f} {units[0]}"


def _breaker(value: float) -> str:
    return _BREAKERS[int(value)] if value in (0, 1) else "open"


def _reads(frame: _Frame) -> Iterator[str]:
    everything = frame.added("shopdata_queries_total")
    shares = (
        f"  {source} {_percent(frame.added('shopdata_queries_total', _is('source', source)), everything)}"
        for source in frame.now.labels("shopdata_queries_total", "source")
    )
    yield f"reads     {_rate(everything / frame.seconds):>8}/s {''.join(shares)}"
    yield (
        f"writes    {_rate(frame.rate('shopdata_writes_total')):>8}/s "
        f"  errors {_rate(frame.rate('shopdata_errors_total'))}/s"
        f"  slow {_rate(frame.rate('shopdata_slow_queries_total'))}/s"
        f"  transactions {_rate(frame.rate('shopdata_transactions_total'))}/s"
    )


def _is(label: str, value: str) -> str:
    return f'{label}="{value}"'


def _latency(frame: _Frame) -> Iterator[str]:
    sources = frame.now.labels("shopdata_query_seconds_count", "source")
    wanted = [(source, "shopdata_query_seconds", _is("source", source)) for source in sources]
    wanted.append(("write", "shopdata_write_seconds", ""))
    wanted.append(("round trip to the cache", "shopdata_cache_roundtrip_seconds", ""))
    parts = []
    for title, name, label in wanted:
        median = frame.quantile(name, label, 0.5)
        if median is not None:
            parts.append(f"  {title} {_ms(median)}/{_ms(frame.quantile(name, label, 0.99))}")
    yield "p50/p99 " + ("".join(parts) or "  -")


def _cache(frame: _Frame) -> Iterator[str]:
    hits, misses = "shopdata_cache_hits_total", "shopdata_cache_misses_total"
    ratio = _percent(frame.added(hits), frame.added(hits) + frame.added(misses))
    since = _percent(frame.now.sum(hits), frame.now.sum(hits) + frame.now.sum(misses))
    yield (
        f"hit ratio {ratio:>8}    since the start {since}"
        f"  stampedes prevented {_rate(frame.rate('shopdata_flights_joined_total'))}/s"
    )
    yield (
        f"cache     breaker {_breaker(frame.now.most('shopdata_cache_breaker_state'))}"
        f"  errors {_rate(frame.rate('shopdata_cache_errors_total'))}/s"
        f"  read {_bytes(frame.rate('shopdata_cache_read_bytes_total'))}/s"
        f"  written {_bytes(frame.rate('shopdata_cache_written_bytes_total'))}/s"
        f"  unfenced {frame.now.sum('shopdata_unfenced_writes_total'):.0f},"
        f" waiting {frame.now.sum('shopdata_unfenced_pending_tags'):.0f}"
    )


def _policies(frame: _Frame) -> Iterator[str]:
    yield ""
    yield f"{'POLICY':<16} {'HITS/S':>10} {'MISSES/S':>10} {'FILLS/S':>10} {'RATIO':>10}"
    for policy in frame.now.labels("shopdata_cache_hits_total", "policy"):
        label = _is("policy", policy)
        if frame.now.sum("shopdata_cache_hits_total", label) + frame.now.sum("shopdata_cache_misses_total", label):
            yield _policy(frame, policy, label)


def _policy(frame: _Frame, policy: str, label: str) -> str:
    hits, misses = (frame.added(f"shopdata_cache_{name}_total", label) for name in ("hits", "misses"))
    fills = frame.rate("shopdata_cache_fills_total", label)
    return (
        f"{policy:<16.16} {_rate(hits / frame.seconds):>10} {_rate(misses / frame.seconds):>10}"
        f" {_rate(fills):>10} {_percent(hits, hits + misses):>10}"
    )


def _nodes(frame: _Frame) -> Iterator[str]:
    yield ""
    yield (
        f"{'NODE':<16} {'ROLE':<8} {'BREAKER':<9} {'LAG':>10} {'BUSY':>8} {'WAITING':>8}"
        f" {'QUERIES/S':>10} {'FAILURES/S':>10}"
    )
    for node in frame.now.labels("shopdata_node_role", "node"):
        yield _node(frame, node, _is("node", node))


def _node(frame: _Frame, node: str, label: str) -> str:
    now = frame.now
    role = now.most("shopdata_node_role", label)
    lag = _ms(now.most("shopdata_node_lag_seconds", label)) if role == 1 else "-"
    busy, size = (now.sum(f"shopdata_pool_{name}_connections", label) for name in ("busy", "size"))
    return (
        f"{node:<16.16} {_ROLES[int(role)] if role in (1, 2) else _ROLES[0]:<8}"
        f" {_breaker(now.most('shopdata_node_breaker_state', label)):<9} {lag:>10} {f'{busy:.0f}/{size:.0f}':>8}"
        f" {now.sum('shopdata_pool_waiting_callers', label):>8.0f}"
        f" {_rate(frame.rate('shopdata_node_queries_total', label)):>10}"
        f" {_rate(frame.rate('shopdata_node_failures_total', label)):>10}"
    )


_PARTS: tuple[Callable[[_Frame], Iterator[str]], ...] = (_reads, _latency, _cache, _policies, _nodes)


def page(before: Look, now: Look) -> str:
    """The page: rates over the time between the two looks, states as of ``now``."""
    passed = now.taken_at - before.taken_at
    frame = _Frame(before, now, passed if passed > 0 else 1.0)
    return "".join(f"{line}\n" for part in _PARTS for line in part(frame))
