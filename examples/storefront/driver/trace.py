"""Which product is looked at next: a real shop's visitors, or made-up ones with the same law of popularity."""

import bisect
import itertools
import lzma
import random
import threading
from pathlib import Path

# Zipf's exponent as measured in page traces of real shops; the usual 0.99 overstates the skew.
EXPONENT = 0.82
SEED = 7
MADE_UP_LENGTH = 100_000


class TraceError(Exception):
    """One line that says what is wrong with the file."""


def read_keys(path: Path) -> list[int]:
    try:
        with lzma.open(path, "rt") as file:
            return [int(line) for line in file]
    except FileNotFoundError:
        raise TraceError(f"{path}: no such file") from None
    except (OSError, EOFError, ValueError, lzma.LZMAError) as error:
        raise TraceError(f"{path}: {error}") from None


def from_file(path: Path, products: list[int]) -> list[int]:
    """The trace with its ids replaced by our products: the rank of the id, modulo the number of products."""
    keys = read_keys(path)
    if not keys:
        raise TraceError(f"{path}: it is empty")
    ranks = {key: rank for rank, key in enumerate(sorted(set(keys)))}
    return [products[ranks[key] % len(products)] for key in keys]


def made_up(products: list[int]) -> list[int]:
    chance = random.Random(SEED)
    by_popularity = chance.sample(products, len(products))
    weights = list(itertools.accumulate(1 / rank ** EXPONENT for rank in range(1, len(products) + 1)))
    return [by_popularity[bisect.bisect_left(weights, chance.random() * weights[-1])] for _ in range(MADE_UP_LENGTH)]


class Trace:
    """The stream, from the beginning again when it ends; for many threads."""

    def __init__(self, products: list[int], data: Path | None):
        path = data and data / "traces" / "product-pages.keys.xz"
        self.name = "the real page trace" if path else f"a Zipf {EXPONENT} stream"
        self.keys = from_file(path, products) if path else made_up(products)
        self.lock = threading.Lock()
        self.position = 0

    def next(self) -> tuple[int, int]:
        """A running number and a product."""
        with self.lock:
            position = self.position
            self.position += 1
        return position, self.keys[position % len(self.keys)]
