"""Which of the shop's processes did what. An answer names its process in X-Worker; that of a shop of one need not."""

import threading
from collections import Counter

DEEDS = ("reads", "edits", "orders")


class Workers:
    """`wanted` is how many processes the shop has; all of them must do a part of everything."""

    def __init__(self, wanted: int):
        self.wanted = wanted
        self.lock = threading.Lock()
        self.deeds: Counter[tuple[str, str]] = Counter()     # what was done, by whom
        self.seen: Counter[tuple[str, str]] = Counter()      # who took an edit, who showed it to those who asked next

    def did(self, deed: str, worker: str) -> None:
        with self.lock:
            self.deeds[deed, worker] += 1

    def showed(self, editor: str, worker: str) -> None:
        with self.lock:
            self.seen[editor, worker] += 1

    def names(self) -> list[str]:
        return sorted({worker for _, worker in self.deeds})

    def across(self) -> int:
        """How often another worker than the one that took an edit was asked next, and showed it."""
        return sum(count for (editor, worker), count in self.seen.items() if editor != worker)

    def __str__(self) -> str:
        each = [f"{worker} " + ", ".join(f"{self.deeds[deed, worker]:,} {deed}" for deed in DEEDS)
                for worker in self.names()]
        return f"{'; '.join(each)}; {self.across():,} times the next to be asked was another, and had the edit"

    def failures(self) -> list[str]:
        if self.wanted == 1:
            return []
        names = self.names()
        found = [f"worker {worker} did no {deed}" for worker in names for deed in DEEDS if not self.deeds[deed, worker]]
        found += [f"no edit that worker {editor} took was seen through {worker}"
                  for editor in names for worker in names if not self.seen[editor, worker]]
        if len(names) != self.wanted:
            found.append(f"{len(names)} workers answered, not {self.wanted}: {' '.join(names)}")
        return found
