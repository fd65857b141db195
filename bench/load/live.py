"""What is happening, while it happens: one screen in a terminal, else a line a second."""

from __future__ import annotations

import math
import os
import re
import shutil
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Optional, TextIO

import figures
from cases import SOURCES
from merging import added
from results import Second

KEPT = 600
"""Seconds that are kept to be drawn: so many columns at most."""
BLOCKS = " ▁▂▃▄▅▆▇█"
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
HOME, CLEAR_LINE, CLEAR_BELOW, HIDE, SHOW, BOLD, RED, PLAIN = (
    "\x1b[H", "\x1b[K", "\x1b[J", "\x1b[?25l", "\x1b[?25h", "\x1b[1m", "\x1b[31m", "\x1b[0m")
OTHER_SCREEN, FIRST_SCREEN = "\x1b[?1049h", "\x1b[?1049l"
LABEL = 12


def spark(values: Sequence[float], width: int) -> str:
    """The last ``width`` values as blocks, from nothing to the highest of them."""
    shown = list(values)[-width:]
    most = max(shown, default=0.0)
    return "".join(BLOCKS[math.ceil((len(BLOCKS) - 1) * value / most)] if most else BLOCKS[0] for value in shown)


def ratio(hits: int, misses: int) -> Optional[float]:
    """The hit ratio; none where nothing is kept."""
    return hits / (hits + misses) if hits + misses else None


def share(value: Optional[float]) -> str:
    """A share, or that there is none."""
    return figures.NOTHING if value is None else figures.share(value)


def line(second: Second) -> str:
    """A second in one line, for a file or a pipe."""
    latency = second.latency
    parts = [f"{second.phase} {second.second:>4} s", f"{figures.rate(second.requests / (second.length_s or 1))}/s",
             f"p50 {figures.duration(latency.p50_us)}", f"p99 {figures.duration(latency.p99_us)}",
             f"longest {figures.duration(latency.max_us)}", f"hits {share(ratio(second.hits, second.misses))}"]
    parts += [f"{name} {figures.whole(count)}" for name, count in troubles(second)]
    return ", ".join(parts)


def troubles(second: Second) -> list[tuple[str, int]]:
    """What should not be, as far as there is any."""
    counts = (("failed", second.failed), ("dropped", second.dropped), ("late", second.late),
              ("waiting", second.waiting), ("stale reads", second.stale_reads))
    return [(name, count) for name, count in counts if count]


def usable(stream: TextIO) -> bool:
    """Does somebody look at it, in a terminal that can be painted anew?"""
    return stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"


class View:
    """Shows each second as it comes. Use it as a context, or call :meth:`close` at the end, whatever happened."""

    def __init__(self, stream: TextIO, heading: str) -> None:
        """:param heading: what is measured; its later changes go into :attr:`heading`."""
        self.heading = heading
        self._stream = stream
        self._screen = usable(stream)
        self._seconds: deque[Second] = deque(maxlen=KEPT)
        if self._screen:
            self._write(OTHER_SCREEN + HIDE)

    def __enter__(self) -> View:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def show(self, second: Second) -> None:
        """The next second."""
        if self._seconds and self._seconds[-1].number != second.number:
            self._seconds.clear()
        self._seconds.append(second)
        if self._screen:
            columns, rows = shutil.get_terminal_size()
            painted = "\n".join(self._line(text, columns) for text in self.lines(columns)[:max(1, rows - 1)])
            self._write(HOME + painted + CLEAR_BELOW)
        else:
            self._write(f"{CONTROL.sub(' ', self.heading)}: {line(second)}\n")

    def close(self) -> None:
        """Gives the terminal back as it was. May be called more than once."""
        if self._screen:
            self._screen = False
            self._write(SHOW + FIRST_SCREEN)

    def _write(self, text: str) -> None:
        letters = getattr(self._stream, "encoding", None) or "utf-8"  # a terminal need not have all of them
        with suppress(OSError):  # nobody looks any more: what is measured goes on
            self._stream.write(text.encode(letters, "replace").decode(letters))
            self._stream.flush()

    @staticmethod
    def _line(text: str, columns: int) -> str:
        """One line of the screen: cut to its width, and coloured by what it begins with."""
        cut = CONTROL.sub(" ", text[1:])[:max(1, columns - 1)]
        return {"*": BOLD, "!": RED}.get(text[0], "") + cut + PLAIN + CLEAR_LINE

    def lines(self, columns: int) -> list[str]:
        """The screen's lines, each after a mark: ``*`` for a heading, ``!`` for trouble, a blank for all else."""
        now = self._seconds[-1]
        width = max(8, columns - 36)
        return [f"*{self.heading}", f" {now.phase}, {now.second} s", " ",
                *self._curves(width), " ", *self._sources(now, width), " ", *self._rest(now)]

    def _curves(self, width: int) -> list[str]:
        """Throughput, latency and hit ratio of the last seconds, and what they are now."""
        now, seconds = self._seconds[-1], self._seconds
        rows = [("answered/s", [one.requests / (one.length_s or 1) for one in seconds],
                 figures.rate(now.requests / (now.length_s or 1))),
                ("p50", [one.latency.p50_us for one in seconds], figures.duration(now.latency.p50_us)),
                ("p99", [one.latency.p99_us for one in seconds], figures.duration(now.latency.p99_us)),
                ("longest", [one.latency.max_us for one in seconds], figures.duration(now.latency.max_us)),
                ("hit ratio", [ratio(one.hits, one.misses) or 0.0 for one in seconds],
                 share(ratio(now.hits, now.misses)))]
        return [f" {name:<{LABEL}}{shown:>12}  {spark(values, width)}" for name, values, shown in rows]

    @staticmethod
    def _sources(now: Second, width: int) -> list[str]:
        """Who answered the reads of this second, as bars of one whole."""
        everything = sum(now.sources.values())
        counts = [(source, now.sources.get(source, 0)) for source in SOURCES if now.sources.get(source)]
        return [f" {source:<{LABEL}}{figures.share(count / everything):>12}  {'█' * round(width * count / everything)}"
                for source, count in counts] or [" no reads"]

    def _rest(self, now: Second) -> list[str]:
        """Lag, connections, the client, and what should not be."""
        lag = ", ".join(f"{node} {figures.duration(1000 * value)}" for node, value in sorted(now.lag_ms.items()))
        nodes = ", ".join(f"{node} {figures.whole(count)}" for node, count in sorted(now.connections.items()))
        lines = [f" {'lag':<{LABEL}}{lag}" if lag else "", f" {'connections':<{LABEL}}{nodes}" if nodes else "",
                 f" {'client':<{LABEL}}{figures.digits(now.client.cpu_cores)} processors, machine"
                 f" {figures.share(now.client.machine_busy)} busy, {figures.size(now.client.memory_bytes)}"]
        lines += [f"!{name:<{LABEL}}{figures.whole(count)} in this second" for name, count in troubles(now)]
        errors = added(one.errors for one in self._seconds)
        told = ", ".join(f"{kind} {figures.whole(count)}" for kind, count in sorted(errors.items()) if count)
        return [one for one in lines if one] + ([f"!{'errors':<{LABEL}}{told}"] if told else [])
