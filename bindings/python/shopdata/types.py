"""What Python has no type of its own for: a value that is to be JSON for PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Optional

__all__ = ["Json"]

# NaN and infinities are no JSON, though Python would write them; PostgreSQL would refuse them later, and less clearly.
dump_json = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


class Json:
    """A parameter that PostgreSQL gets as JSON, whatever it is: ``Json([1, 2])`` for a ``jsonb`` column.

    A ``dict`` is passed as JSON anyway; a ``list`` without this is an array, a ``str`` is text. `dumps` makes the text
    in place of :mod:`json`, for values that it does not know: ``Json(order, dumps=order_to_json)``.
    """

    __slots__ = ("_dumps", "value")

    def __init__(self, value: Any, *, dumps: Optional[Callable[[Any], str]] = None) -> None:
        self.value = value
        self._dumps = dumps

    def _text(self) -> str:
        return (self._dumps or dump_json)(self.value)

    def __repr__(self) -> str:
        return f"Json({self.value!r})"

    def __eq__(self, other: object) -> bool:
        return self.value == other.value if isinstance(other, Json) else NotImplemented

    __hash__ = None  # type: ignore[assignment]
