"""Elements of HTML and SVG, written so that an HTML and an XML parser read them. All text is escaped here, once."""

from __future__ import annotations

import math
import re
from html import escape
from typing import Union

FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
EMPTY = frozenset(("br", "circle", "line", "meta", "path", "polygon", "polyline", "rect"))


class Markup(str):
    """Text that is markup already; any other text is escaped where it goes into an element."""


Child = Union[str, None]
Value = Union[str, float, None]


def escaped(text: str) -> Markup:
    """A text as content or as an attribute's value. What XML has no character for becomes a question mark in a box."""
    return text if isinstance(text, Markup) else Markup(escape(FORBIDDEN.sub("\ufffd", text)))


def number(value: float) -> str:
    """A coordinate: a tenth of a pixel is enough."""
    if not math.isfinite(value):
        raise ValueError(f"a coordinate that is {value}")
    return f"{value:.1f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def attribute(name: str, value: Value) -> str:
    """One of them, with a blank before it; nothing for None."""
    if value is None:
        return ""
    written = escaped(value) if isinstance(value, str) else number(value)
    return f' {name.rstrip("_").replace("_", "-")}="{written}"'


def element(name: str, *children: Child, **attributes: Value) -> Markup:
    """One element. ``class_`` is ``class``, ``aria_label`` is ``aria-label``; children and attributes that are None are
    left out."""
    opening = name + "".join(attribute(key, value) for key, value in attributes.items())
    inside = joined(*children)
    return Markup(f"<{opening}>{inside}</{name}>" if inside or name not in EMPTY else f"<{opening}/>")


def joined(*parts: Child, between: str = "") -> Markup:
    """Pieces after one another."""
    return Markup(between.join(escaped(part) for part in parts if part is not None))
