"""Plots as SVG without scripts: lines, stacked shares, bars from zero. Colours and dashes are report.css's.

Each plot has a title and a description for who does not see it, and its axes name their units. A line is told by its
name at its end and by its dashes, not by its colour alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Optional

from markup import Markup, element, joined
from scales import Scale, Tick

EM = 7.5
"""The width of a letter, near enough, of the size that report.css gives to text in plots."""
BOLD_EM = 8.4
LONGEST_NAME = 26
LINE = 16.0
"""The height of a line of text."""


@dataclass(frozen=True)
class Size:
    """What a plot is drawn for: a desk shows names beside the lines, a phone has them in a legend above."""

    width: float
    height: float
    named: bool


DESK = Size(960, 400, named=True)
WIDE = Size(960, 320, named=False)
HALF = Size(470, 270, named=False)
PHONE = Size(360, 290, named=False)
SMALL_PHONE = Size(360, 220, named=False)
WIDE_BARS = Size(960, 0, named=True)
"""Bars are as many rows high as there are."""


class Span(NamedTuple):
    """A stretch of the x axis that has a name, and lies under a veil where it does not count."""

    low: float
    high: float
    name: str
    veiled: bool


class Mark(NamedTuple):
    """A point that a dot shows, and what is said when it is pointed at."""

    x: float
    y: float
    says: str
    filled: bool = False
    low: Optional[float] = None
    high: Optional[float] = None
    """Between which it may lie."""


@dataclass(frozen=True)
class Series:
    """One line, or one band of stacked shares."""

    name: str
    style: str
    """Its class in report.css."""
    points: Sequence[tuple[float, float]]
    marks: Sequence[Mark] = ()


@dataclass(frozen=True)
class Axis:
    """A scale, and what it measures, with the unit."""

    name: str
    scale: Scale


@dataclass(frozen=True)
class Plot:
    """What is drawn, for whatever size."""

    title: str
    description: str
    x: Axis
    y: Axis
    series: Sequence[Series]
    limit: Optional[tuple[float, str]] = None
    """A value of the y axis that was aimed at, and its name."""
    spans: Sequence[Span] = field(default=())
    stacked: bool = False
    """The points of each series are shares that begin where the series before ends."""


@dataclass(frozen=True)
class Frame:
    """Where the values are, within the drawing."""

    left: float
    top: float
    width: float
    height: float

    def x(self, share: float) -> float:
        """From the left."""
        return self.left + self.width * share

    def y(self, share: float) -> float:
        """From below."""
        return self.top + self.height * (1 - share)


def text(x: float, y: float, words: str, style: str) -> Markup:
    """Words at a place; the class says which end of them stands there."""
    return element("text", words, x=round(x, 1), y=round(y, 1), class_=style)


def short(name: str) -> str:
    """A name that leaves room for what is drawn; the table beside it has the whole."""
    return name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME - 1]}…"


def framed(title: str, description: str, size: Size, parts: Iterable[Markup]) -> Markup:
    """The drawing around its parts."""
    return element("svg", element("title", title), element("desc", description), *parts,
                   xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {size.width:g} {size.height:g}", role="img",
                   aria_label=f"{title}. {description}")


def frame_of(plot: Plot, size: Size) -> Frame:
    """What is left for the values between the names of the ticks and of the lines."""
    left = 14 + EM * max((len(tick.name) for tick in plot.y.scale.ticks), default=1)
    right = 16 + BOLD_EM * max((len(short(one.name)) for one in plot.series), default=0) if size.named else 22
    return Frame(left, 36, size.width - left - right, size.height - 36 - 48)


def y_axis(plot: Plot, frame: Frame) -> list[Markup]:
    """A line across for each tick, and the name above them, where it is read without turning the head."""
    parts = [text(4, 13, plot.y.name, "name")]
    for tick in plot.y.scale.ticks:
        y = round(frame.y(plot.y.scale.at(tick.value)), 1)
        parts.append(element("line", x1=frame.left, x2=frame.left + frame.width, y1=y, y2=y, class_="grid"))
        parts.append(text(frame.left - 7, y + 4.5, tick.name, "tick end"))
    return parts


def apart(ticks: Sequence[Tick], scale: Scale, frame: Frame) -> list[tuple[float, Tick]]:
    """The ticks whose names do not run into one another, from the left."""
    kept: list[tuple[float, Tick]] = []
    free = 0.0
    for tick in ticks:
        x, half = frame.x(scale.at(tick.value)), EM * len(tick.name) / 2
        if x - half >= free:
            kept.append((x, tick))
            free = x + half + 8
    return kept


def x_axis(plot: Plot, frame: Frame, size: Size) -> list[Markup]:
    """A short line for each tick, its name below, the axis' name below them."""
    bottom = frame.top + frame.height
    parts = [element("line", x1=frame.left, x2=frame.left + frame.width, y1=bottom, y2=bottom, class_="axis")]
    for x, tick in apart(plot.x.scale.ticks, plot.x.scale, frame):
        parts.append(element("line", x1=round(x, 1), x2=round(x, 1), y1=bottom, y2=bottom + 5, class_="axis"))
        # The last one's name must not stand out of the drawing.
        end = x + EM * len(tick.name) / 2 > size.width
        parts.append(text(size.width - 1 if end else x, bottom + 20, tick.name, "tick end" if end else "tick middle"))
    parts.append(text(frame.left + frame.width / 2, size.height - 5, plot.x.name, "name middle"))
    return parts


def limit(plot: Plot, frame: Frame) -> list[Markup]:
    """The value that was aimed at, as a dashed line with its name."""
    if plot.limit is None:
        return []
    value, name = plot.limit
    y = round(frame.y(plot.y.scale.at(value)), 1)
    return [element("line", x1=frame.left, x2=frame.left + frame.width, y1=y, y2=y, class_="limit"),
            text(frame.left + 6, y - 6, name, "limit-name")]


def spans(plot: Plot, frame: Frame) -> list[Markup]:
    """Stretches that have a name; it is left out where it has no room, and what does not count lies under a veil."""
    parts = []
    for span in plot.spans:
        left, right = frame.x(plot.x.scale.at(span.low)), frame.x(plot.x.scale.at(span.high))
        if right <= left:
            continue
        area = element("rect", element("title", span.name), x=left, y=frame.top, width=right - left,
                       height=frame.height, class_="span") if span.veiled else None
        edge = element("line", x1=left, x2=left, y1=frame.top, y2=frame.top + frame.height, class_="edge")
        name = text(left + 3, frame.top - 3, span.name, "span-name")
        parts.append(element("g", area, edge, name if right - left > EM * len(span.name) + 8 else None))
    return parts


def path(points: Iterable[tuple[float, float]]) -> str:
    """Points as an attribute has them."""
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def placed(plot: Plot, frame: Frame, points: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Points of the data as places in the drawing."""
    return [(frame.x(plot.x.scale.at(x)), frame.y(plot.y.scale.at(y))) for x, y in points]


def curve(plot: Plot, frame: Frame, series: Series) -> Markup:
    """A line with its dots; what has one point only is a dot."""
    dots = [element("circle", element("title", mark.says), cx=x, cy=y, r=4.0,
                    class_="dot filled" if mark.filled else "dot")
            for mark, (x, y) in zip(series.marks, placed(plot, frame, [(mark.x, mark.y) for mark in series.marks]))]
    whiskers = [element("path", d=f"M{x:.1f} {low:.1f}V{high:.1f}", class_="whisker")
                for mark in series.marks if mark.low is not None and mark.high is not None
                for (x, low), (_, high) in [placed(plot, frame, [(mark.x, mark.low), (mark.x, mark.high)])]]
    places = placed(plot, frame, series.points)
    line = element("polyline", points=path(places), class_="line") if len(places) > 1 else Markup("")
    if len(places) == 1 and not dots:
        dots = [element("circle", cx=places[0][0], cy=places[0][1], r=4.0, class_="dot")]
    return element("g", element("title", series.name), line, *whiskers, *dots, class_=f"series {series.style}")


def band(plot: Plot, frame: Frame, series: Series, below: Sequence[float]) -> Markup:
    """One share, on top of what is below it at each of its points."""
    lower = placed(plot, frame, [(x, under) for (x, _), under in zip(series.points, below)])
    upper = placed(plot, frame, [(x, under + y) for (x, y), under in zip(series.points, below)])
    return element("g", element("title", series.name), element("polygon", points=path([*upper, *reversed(lower)])),
                   class_=f"band {series.style}")


def bands(plot: Plot, frame: Frame) -> list[Markup]:
    """All shares; where one is nothing throughout it is not drawn."""
    parts: list[Markup] = []
    below = [0.0] * max((len(one.points) for one in plot.series), default=0)
    for one in plot.series:
        if any(y > 0 for _, y in one.points):
            parts.append(band(plot, frame, one, below))
        below = [under + y for under, (_, y) in zip(below, one.points)]
    return parts


def spread(heights: Sequence[float], low: float, high: float) -> list[float]:
    """The same heights, ascending, moved as little as need be so that lines of text do not touch."""
    moved = list(heights)
    for number in range(1, len(moved)):
        moved[number] = max(moved[number], moved[number - 1] + LINE)
    if moved and moved[-1] > high:
        moved[-1] = high
        for number in range(len(moved) - 2, -1, -1):
            moved[number] = min(moved[number], moved[number + 1] - LINE)
    return [max(low, height) for height in moved]


def names(plot: Plot, frame: Frame) -> list[Markup]:
    """Each line's name at its end."""
    ends = sorted(((frame.y(plot.y.scale.at(one.points[-1][1])), one) for one in plot.series if one.points),
                  key=lambda end: end[0])
    heights = spread([y for y, _ in ends], frame.top + 4, frame.top + frame.height)
    right = frame.left + frame.width
    parts = []
    for height, (y, one) in zip(heights, ends):
        x = frame.x(plot.x.scale.at(one.points[-1][0]))
        leader = element("path", d=f"M{x + 5:.1f},{y:.1f} L{right + 6:.1f},{height:.1f}", class_="leader")
        name = text(right + 10, height + 4.5, short(one.name), "series-name")
        parts.append(element("g", leader if abs(height - y) > 3 or right - x > 8 else None, name,
                             class_=f"series {one.style}"))
    return parts


def draw(plot: Plot, size: Size) -> Markup:
    """The plot in one size."""
    frame = frame_of(plot, size)
    parts = y_axis(plot, frame)
    parts += bands(plot, frame) if plot.stacked else []
    parts += [] if plot.stacked else [curve(plot, frame, one) for one in plot.series]
    parts += [*spans(plot, frame), *x_axis(plot, frame, size), *limit(plot, frame)]
    if size.named and not plot.stacked:
        parts += names(plot, frame)
    return framed(plot.title, plot.description, size, parts)


class Bar(NamedTuple):
    """One bar: as long as its value, which is written behind it."""

    name: str
    style: str
    value: float
    shown: str
    low: Optional[float] = None
    high: Optional[float] = None
    """Between which it may lie."""


def whisker(row: Bar, y: float, left: float, scale: float) -> Optional[Markup]:
    """Between which values a bar may end: a line, on a broader one of paper, so that it is seen on the bar too."""
    if row.low is None or row.high is None:
        return None
    low, high = left + scale * row.low, left + scale * row.high
    drawn = f"M{low:.1f} {y:.1f}H{high:.1f}M{low:.1f} {y - 5:.1f}v10M{high:.1f} {y - 5:.1f}v10"
    return joined(*(element("path", d=drawn, class_=style) for style in ("range halo", "range")))


def bars(title: str, description: str, rows: Sequence[Bar], size: Size) -> Markup:
    """Bars from zero, each as long as its value against the highest; names above them where there is no room beside."""
    beside = 16 + EM * max((len(short(row.name)) for row in rows), default=0) if size.named else 0.0
    room = size.width - beside - 14 - BOLD_EM * max((len(row.shown) for row in rows), default=0)
    most = max((max(row.value, row.high or 0.0) for row in rows), default=0.0) or 1.0
    each = 30 if size.named else 44
    parts = []
    for number, row in enumerate(rows):
        y = number * each + (0 if size.named else 18)
        label = (text(beside - 10, y + 18, short(row.name), "bar-name end") if size.named
                 else text(0, y - 4, short(row.name), "bar-name"))
        length = max(1.0, room * row.value / most)
        end = max(length, room * (row.high or 0.0) / most)
        parts.append(element("g", element("title", f"{row.name}: {row.shown}"), label,
                             element("rect", x=beside, y=float(y + 2), width=length, height=22, rx=2),
                             whisker(row, float(y + 13), beside, room / most),
                             text(beside + end + 7, y + 18, row.shown, "bar-value"), class_=f"bar {row.style}"))
    return framed(title, description, Size(size.width, max(1, len(rows)) * each + 4, size.named), parts)


def both(wide: Markup, narrow: Markup) -> Markup:
    """One of the two is shown, by the page's width."""
    return joined(element("div", wide, class_="wide"), element("div", narrow, class_="narrow"))
