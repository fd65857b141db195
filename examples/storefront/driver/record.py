"""What happened in a run, counted by many threads."""

import threading
from collections import Counter

SHOWN = 5


class Record:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.counts: Counter[str] = Counter()
        self.examples: dict[str, list[str]] = {}
        self.slowest = 0.0

    def add(self, what: str, count: int = 1) -> None:
        with self.lock:
            self.counts[what] += count

    def complain(self, what: str, example: str) -> None:
        """Counts, and keeps the first few examples for the report."""
        with self.lock:
            self.counts[what] += 1
            kept = self.examples.setdefault(what, [])
            if len(kept) < SHOWN:
                kept.append(example)

    def took(self, seconds: float) -> None:
        self.slowest = max(self.slowest, seconds)

    def __getitem__(self, what: str) -> int:
        return self.counts[what]
