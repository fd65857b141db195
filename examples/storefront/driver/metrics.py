"""The shop's own counters, read from /metrics: of all its processes, whichever answers."""

import re

from .http import Connection
from .reading import ReadingError

LINE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)
LABEL = re.compile(r'(\w+)="([^"]*)"')


class Metrics:
    def __init__(self, text: str):
        self.values = [(name, dict(LABEL.findall(labels)), float(value))
                       for name, labels, value in LINE.findall(text)]

    @classmethod
    def fetch(cls, connection: Connection) -> "Metrics":
        response = connection.get("/metrics")
        if response.status != 200:
            raise ReadingError(f"GET /metrics: status {response.status}")
        return cls(response.body.decode())

    def total(self, wanted: str, **labels: str) -> float:
        return sum(value for name, has, value in self.values
                   if name == wanted and labels.items() <= has.items())

    def replicas(self) -> list[str]:
        """Their names begin so: see demo.configuration."""
        return sorted({has["node"] for name, has, _ in self.values
                       if name == "shopdata_node_queries_total" and has["node"].startswith("replica")})


class Between:
    """What was counted between two moments."""

    def __init__(self, before: Metrics, after: Metrics):
        self.before = before
        self.after = after

    def total(self, name: str, **labels: str) -> float:
        return self.after.total(name, **labels) - self.before.total(name, **labels)

    def answers(self, source: str) -> float:
        """What the process keeps itself counts as the cache."""
        sources = ("cache", "local") if source == "cache" else (source,)
        return sum(self.total("shopdata_queries_total", source=each) for each in sources)

    def node_answers(self, node: str) -> float:
        return self.total("shopdata_node_queries_total", node=node)

    def hit_ratio(self) -> float:
        hits, misses = self.total("shopdata_cache_hits_total"), self.total("shopdata_cache_misses_total")
        return hits / (hits + misses) if hits + misses else 0.0
