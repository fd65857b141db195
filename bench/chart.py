"""Throughput and latency over threads, ours and the raw clients, as one SVG."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape

from rows import Part

WIDTH, PANEL, TOP, LEFT, GAP, BOTTOM = 1120, 400, 124, 78, 96, 64
HEIGHT = TOP + PANEL + BOTTOM
COLOURS = {"Redis": "#c0392b", "PostgreSQL": "#1f5fa8", "memcached": "#2e7d4f", "local": "#8e44ad"}
TICKS = [digit * 10.0 ** exponent for exponent in range(-6, 12) for digit in (1, 3)]
FONT = "font-family='DejaVu Sans, Helvetica, Arial, sans-serif'"


@dataclass(frozen=True)
class Line:
    """One way of asking: what each number of threads came to."""

    label: str
    colour: str
    ours: bool
    points: list[tuple[int, float]]


@dataclass(frozen=True)
class Panel:
    """One drawing: its place, its title, and its lines; both axes are logarithmic."""

    left: float
    width: float
    title: str
    lines: list[Line]

    @property
    def values(self) -> list[float]:
        """All that is drawn."""
        return [value for line in self.lines for _, value in line.points]

    @property
    def bottom(self) -> float:
        """The tick below everything."""
        return max(tick for tick in TICKS if tick <= min(self.values))

    @property
    def top(self) -> float:
        """The one above everything."""
        return min(tick for tick in TICKS if tick > max(self.values))

    def y(self, value: float) -> float:
        """Where a value stands."""
        share = math.log(value / self.bottom) / math.log(self.top / self.bottom)
        return TOP + PANEL * (1 - share)

    def x(self, threads: int, most: int) -> float:
        """Where so many threads stand."""
        return self.left + self.width * math.log2(threads) / max(math.log2(most), 1)


def lines_of(report: Part, figure: str) -> list[Line]:
    """The curves of roundtrips that were measured, in the order of COLOURS."""
    found: list[Line] = []
    for name, colour in COLOURS.items():
        curves = sorted((curve for curve in report["curves"] if curve["name"] == name and "missing" not in curve),
                        key=lambda curve: int(curve["threads"]))
        for who in ("ours", "bare"):
            points = [(curve["threads"], curve[who][figure]["median"]) for curve in curves if who in curve]
            if points:
                label = next(curve[who]["what"] for curve in curves if who in curve)
                found.append(Line(label, colour, who == "ours", points))
    return found


def amount(value: float) -> str:
    """A tick on the axis of throughput."""
    for size, unit in ((1e6, " M"), (1e3, " k")):
        if value >= size:
            return f"{round(value / size, 0):g}{unit}"
    return f"{round(value):g}"


def duration(value: float) -> str:
    """Microseconds, on the axis of latency."""
    if value < 1:
        return f"{round(value * 1000):g} ns"
    return f"{round(value):g} µs" if value < 1000 else f"{round(value / 1000):g} ms"


def text(x: float, y: float, words: str, more: str = "") -> str:
    """A piece of text."""
    return f"<text x='{x:.1f}' y='{y:.1f}' {FONT} {more}>{escape(words)}</text>"


def grid(panel: Panel, most: int, threads: list[int], name: str) -> list[str]:
    """Axes: a line for each power of ten, a tick for each number of threads."""
    parts = [text(panel.left, TOP - 14, panel.title, "font-size='15' font-weight='bold' fill='#222'")]
    for tick in (tick for tick in TICKS if panel.bottom <= tick <= panel.top):
        y = panel.y(tick)
        parts.append(f"<line x1='{panel.left}' x2='{panel.left + panel.width}' y1='{y:.1f}' y2='{y:.1f}'"
                     " stroke='#e4e4e4'/>")
        shown = amount(tick) if name == "rate" else duration(tick)
        parts.append(text(panel.left - 8, y + 4, shown, "font-size='12' text-anchor='end' fill='#444'"))
    for count in threads:
        x = panel.x(count, most)
        parts.append(f"<line x1='{x:.1f}' x2='{x:.1f}' y1='{TOP}' y2='{TOP + PANEL + 5}' stroke='#f0f0f0'/>")
        parts.append(text(x, TOP + PANEL + 20, str(count), "font-size='12' text-anchor='middle' fill='#444'"))
    parts.append(f"<path d='M{panel.left},{TOP} v{PANEL} h{panel.width}' fill='none' stroke='#444'/>")
    parts.append(text(panel.left + panel.width / 2, TOP + PANEL + 44, "threads",
                      "font-size='13' text-anchor='middle' fill='#222'"))
    return parts


def curve(panel: Panel, line: Line, most: int) -> list[str]:
    """Ours drawn through, the raw client dashed."""
    at = [(panel.x(threads, most), panel.y(value)) for threads, value in line.points]
    style = "stroke-width='2.6'" if line.ours else "stroke-width='1.8' stroke-dasharray='6 4'"
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in at)
    parts = [f"<polyline points='{path}' fill='none' stroke='{line.colour}' {style}/>"]
    fill = line.colour if line.ours else "white"
    parts += [f"<circle cx='{x:.1f}' cy='{y:.1f}' r='3.2' fill='{fill}' stroke='{line.colour}'/>" for x, y in at]
    return parts


def legend(lines: list[Line]) -> list[str]:
    """Above both panels: ours in one row, and under each what it is held against."""
    parts = []
    columns = list(dict.fromkeys(line.colour for line in lines))
    for line in lines:
        x = LEFT + columns.index(line.colour) * (WIDTH - LEFT) / 4
        y = 50 if line.ours else 72
        label = f"libshopdata: {line.label}" if line.ours else line.label
        style = "stroke-width='2.6'" if line.ours else "stroke-width='1.8' stroke-dasharray='6 4'"
        parts.append(f"<line x1='{x:.1f}' x2='{x + 30:.1f}' y1='{y}' y2='{y}' stroke='{line.colour}' {style}/>")
        parts.append(text(x + 37, y + 4, label, "font-size='12.5' fill='#222'"))
    return parts


def svg(report: Part) -> str:
    """The drawing; a line of words if nothing was measured."""
    rates, times = lines_of(report, "calls_per_second"), lines_of(report, "microseconds")
    machine = report["machine"]
    head = (f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {HEIGHT}' width='{WIDTH}' height='{HEIGHT}'>"
            f"<rect width='100%' height='100%' fill='white'/>")
    parts = [text(LEFT, 28, f"libshopdata and the raw clients: {machine['cores']} cores, servers on the same machine",
                  "font-size='12.5' fill='#444'")]
    threads = sorted({count for line in rates for count, _ in line.points})
    if threads:
        width = (WIDTH - LEFT - GAP - 24) / 2
        panels = [("rate", Panel(LEFT, width, "calls a second, all threads (more is better)", rates)),
                  ("time", Panel(LEFT + width + GAP, width, "time of a call, median (less is better)", times))]
        for name, panel in panels:
            parts += grid(panel, threads[-1], threads, name)
            for line in panel.lines:
                parts += curve(panel, line, threads[-1])
        parts += legend(rates)
    return head + "\n".join(parts) + "</svg>\n"
