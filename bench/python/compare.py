"""Contenders that do the same thing in turns, so that what the machine does meanwhile meets both; and the table."""

from __future__ import annotations

import json
import random
import statistics
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Callable, Optional

AT_A_TIME = 20  # calls between two looks at the clock

Read = Callable[[int], Any]


@dataclass(frozen=True)
class Contender:
    """Who, and what makes the function by which one of its threads reads a product: a row that begins with its key."""

    name: str
    reader: Callable[[], Read]


@dataclass(frozen=True)
class Contest:
    """How long, over how many products and in how many rounds; `targets`: ours/theirs by peer and threads."""

    seconds: float
    products: int
    rounds: int
    targets: dict[tuple[str, int], float]


@dataclass(frozen=True)
class Line:
    """Ours against one peer: calls a second of all threads (medians of the rounds), and the ratio in each round."""

    peer: str
    threads: int
    ours: float
    theirs: float
    ratios: list[float]
    target: Optional[float]

    @property
    def ratio(self) -> float:
        """The median of the rounds."""
        return statistics.median(self.ratios)

    @property
    def spread(self) -> tuple[float, float]:
        """Between which two eight in ten rounds lie."""
        deciles = statistics.quantiles(self.ratios, n=10, method="inclusive")
        return deciles[0], deciles[-1]

    @property
    def missed(self) -> bool:
        """Is it below its target?"""
        return self.target is not None and self.ratio < self.target


def read_on(read: Read, products: int, seconds: float) -> list[float]:
    """Reads products at random for so long, and checks each; how many seconds each AT_A_TIME of them took."""
    took: list[float] = []
    keys = random.choices(range(1, products + 1), k=50 * AT_A_TIME)
    now = time.perf_counter()
    end = now + seconds
    while now < end:
        begin = len(took) * AT_A_TIME % len(keys)
        for key in keys[begin : begin + AT_A_TIME]:
            if read(key)[0] != key:
                raise RuntimeError(f"product {key} was asked for, and another came")
        before, now = now, time.perf_counter()
        took.append(now - before)
    return took


class Crew:
    """One contender's threads, each with what it reads by; they run when they are told to."""

    def __init__(self, contender: Contender, threads: int, products: int) -> None:
        self.products = products
        self.readers = [contender.reader() for _ in range(threads)]
        self.calls = 0
        for read in self.readers:  # then connections and plans are made, and all entries are there
            for key in range(1, products + 1):
                read(key)

    def rate(self, seconds: float) -> float:
        """Calls a second of all threads together. One alone: by the time that half of its calls stay below, so that
        calls during which the machine did something else do not move it."""
        took: list[list[float]] = [[] for _ in self.readers]
        ready = threading.Barrier(len(self.readers) + 1)

        def work(number: int, read: Read) -> None:
            ready.wait()
            took[number] = read_on(read, self.products, seconds)

        crew = [threading.Thread(target=work, args=pair) for pair in enumerate(self.readers)]
        for thread in crew:
            thread.start()
        ready.wait()
        begin = time.perf_counter()
        for thread in crew:
            thread.join()
        elapsed = time.perf_counter() - begin
        if [] in took:
            raise RuntimeError("a thread has failed; why is told above")
        calls = AT_A_TIME * sum(map(len, took))
        self.calls += calls
        return calls / elapsed if len(took) > 1 else AT_A_TIME / statistics.median(took[0])


def compare(ours: Contender, peers: list[Contender], threads: int, contest: Contest) -> tuple[list[Line], int]:
    """Rounds of turns: ours and one peer, who begins changes. A line for each peer, and how often ours was called."""
    own = Crew(ours, threads, contest.products)
    crews = {peer.name: Crew(peer, threads, contest.products) for peer in peers}
    rates: dict[str, list[tuple[float, float]]] = {name: [] for name in crews}
    turn = contest.seconds / (contest.rounds * len(peers) * 2)
    for number in range(contest.rounds):
        for name, crew in crews.items():
            if number % 2:
                rates[name].append((own.rate(turn), crew.rate(turn)))
            else:
                theirs = crew.rate(turn)
                rates[name].append((own.rate(turn), theirs))
    lines = [line_of(name, threads, rates[name], contest) for name in crews]
    return lines, own.calls


def line_of(peer: str, threads: int, rates: list[tuple[float, float]], contest: Contest) -> Line:
    """What the rounds against one peer came to."""
    ours, theirs = zip(*rates)
    return Line(peer, threads, statistics.median(ours), statistics.median(theirs), [a / b for a, b in rates],
                contest.targets.get((peer, threads)))


def table(lines: list[Line]) -> str:
    """The lines, for people."""
    rows = [f"{'':24}{'threads':>8}{'ours 1/s':>11}{'theirs 1/s':>12}{'ours/theirs':>13}{'8 of 10 rounds':>17}  target"]
    for line in lines:
        low, high = line.spread
        verdict = "" if line.target is None else f"  {line.target:.1f} {'[MISSED]' if line.missed else '[ok]'}"
        rows.append(f"{line.peer:24}{line.threads:8}{line.ours:11,.0f}{line.theirs:12,.0f}{line.ratio:13.2f}"
                    f"{low:9.2f} - {high:5.2f}{verdict}")
    return "\n".join(rows)


def write_report(path: Path, lines: list[Line], hits: float) -> None:
    """The same, for programs. `hits`: the share of our calls that the shared cache answered."""
    entries = [{**asdict(line), "ratio": line.ratio, "spread": line.spread, "missed": line.missed} for line in lines]
    path.write_text(json.dumps({"hits": hits, "lines": entries}, indent=1) + "\n")
