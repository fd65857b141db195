"""Pieces of the page: sections, tables that scroll by themselves, figures in two sizes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Union

import svg
from markup import Child, Markup, element, joined
from svg import Bar, Plot, Series

BRIEF = 28
"""So few letters stay in one line."""


class Cell(NamedTuple):
    """A table's cell that is more than its text."""

    text: str
    style: str = ""
    says: str = ""


CellOrText = Union[str, Cell]
Cells = Sequence[CellOrText]


def cell(one: Cell, first: bool) -> Markup:
    """A cell; the first of a row is its heading."""
    return element("th" if first else "td", one.text, scope="row" if first else None, class_=one.style or None,
                   title=one.says or None)


def table(caption: str, columns: Sequence[str], rows: Sequence[Cells], texts: int = 1) -> Markup:
    """A table: its first ``texts`` columns hold words, all others figures. It scrolls by itself where it is wider than
    the page."""
    styles = ["word" if number < texts else "figure" for number in range(len(columns))]
    firsts = [number == 0 for number in range(len(columns))]
    head = element("tr", *(element("th", name, scope="col", class_=style) for name, style in zip(columns, styles)))
    body = (element("tr", *(cell(styled(one, style), first) for one, style, first in zip(row, styles, firsts)))
            for row in rows)
    whole = element("table", element("thead", head), element("tbody", *body), aria_label=caption)
    return joined(element("p", caption, class_="caption"),
                  element("div", whole, class_="scroll", tabindex="0", role="region", aria_label=f"Table: {caption}"))


def styled(content: CellOrText, style: str) -> Cell:
    """A cell with its column's class added."""
    one = content if isinstance(content, Cell) else Cell(content)
    brief = "brief" if len(one.text) <= BRIEF else ""
    return one._replace(style=" ".join(filter(None, (style, brief, one.style))))


def legend(entries: Sequence[tuple[str, str]], kind: str) -> Markup:
    """Names with their colours, where they are not beside the lines."""
    swatch = '<svg viewBox="0 0 26 10" aria-hidden="true" xmlns="http://www.w3.org/2000/svg">{}</svg>'
    drawn = {"line": '<line class="line" x1="0" x2="26" y1="5" y2="5"/>', "band": '<rect width="26" height="10"/>'}
    items = (element("li", Markup(swatch.format(drawn[kind])), " ", name,
                     class_=f"{'series' if kind == 'line' else 'band'} {style}") for name, style in entries)
    return element("ul", *items, class_="legend")


def named(series: Sequence[Series]) -> list[tuple[str, str]]:
    """What a legend of these has."""
    return [(one.name, one.style) for one in series]


def figure(title: str, note: Child, *drawing: Child) -> Markup:
    """A drawing with its heading and what one should know about it."""
    return element("figure", element("figcaption", element("strong", title), " ", note), *drawing)


def plot(drawn: Plot, note: Child = None) -> Markup:
    """A plot of lines over the page's width, or a phone's with a legend."""
    narrow = joined(legend(named(drawn.series), "line"), svg.draw(drawn, svg.PHONE))
    return figure(drawn.title, note, svg.both(svg.draw(drawn, svg.DESK), narrow))


def bars(title: str, note: str, rows: Sequence[Bar]) -> Markup:
    """Bars over the page's width, or a phone's; nothing where there is nothing to compare."""
    if len(rows) < 2:
        return Markup("")  # one bar alone compares nothing
    told = "; ".join(f"{row.name} {row.shown}" for row in rows) + "."
    return figure(title, note, svg.both(svg.bars(title, told, rows, svg.WIDE_BARS),
                                        svg.bars(title, told, rows, svg.PHONE)))


def small_multiples(title: str, note: str, drawn: Sequence[Plot], entries: Sequence[tuple[str, str]]) -> Markup:
    """Several plots of the same kind, beside one another where there is room, under one legend."""
    desk, phone = (svg.WIDE, svg.PHONE) if len(drawn) == 1 else (svg.HALF, svg.SMALL_PHONE)
    each = (element("div", element("h3", one.title), svg.both(svg.draw(one, desk), svg.draw(one, phone)))
            for one in drawn)
    return figure(title, note, legend(entries, "band"),
                  element("div", *each, class_="multiples" if len(drawn) > 1 else None))


def folded(heading: Child, *children: Child) -> Markup:
    """What few want to read: a line that opens it. On paper it is open."""
    return element("details", element("summary", heading), *children)


def facts(pairs: Sequence[tuple[str, Child]]) -> Markup:
    """Names and what they are."""
    return element("dl", *(element("div", element("dt", name), element("dd", value)) for name, value in pairs if value),
                   class_="facts")
