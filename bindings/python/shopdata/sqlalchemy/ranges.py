"""PostgreSQL's ranges as text, read into SQLAlchemy's Range."""

from __future__ import annotations

import datetime
import decimal
import re
from typing import Any, Callable

from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.dialects.postgresql.ranges import MultiRange

_BOUND = r'("(?:[^"\\]|""|\\.)*"|[^,")\]]*)'
_RANGE = re.compile(rf"([\[(]){_BOUND},{_BOUND}([\])])")


def _moment(text: str) -> datetime.datetime:
    moment = datetime.datetime.fromisoformat(re.sub(r"(\.\d+)", _microseconds, re.sub(r"([+-]\d\d)$", r"\1:00", text)))
    return moment if moment.tzinfo is None else moment.astimezone(datetime.timezone.utc)


def _microseconds(match: re.Match[str]) -> str:
    return match[1].ljust(7, "0")  # Python 3.10 and older want three or six digits


# The OIDs of ranges, then of multiranges: int4, num, ts, tstz, date, int8.
_READERS: dict[int, Callable[[str], Any]] = {
    **dict.fromkeys((3904, 4451, 3926, 4536), int),
    **dict.fromkeys((3906, 4532), decimal.Decimal),
    **dict.fromkeys((3908, 4533, 3910, 4534), _moment),
    **dict.fromkeys((3912, 4535), datetime.date.fromisoformat),
}


def _made(match: re.Match[str], read: Callable[[str], Any]) -> Range[Any]:
    lower, upper = (_read(match[i], read) for i in (2, 3))
    return Range(lower, upper, bounds=match[1] + match[4])  # type: ignore[arg-type]


def _read(bound: str, read: Callable[[str], Any]) -> Any:
    if not bound:
        return None
    return read(re.sub(r'\\(.)|"(")', r"\1\2", bound[1:-1]) if bound.startswith('"') else bound)


def parse_range(text: str, oid: int) -> Range[Any]:
    """`[1,5)` or `empty`, of the range type with that OID."""
    if text == "empty":
        return Range(empty=True)
    match = _RANGE.fullmatch(text)
    if match is None:
        raise ValueError(f"not a range: {text!r}")
    return _made(match, _READERS.get(oid, str))


def parse_multirange(text: str, oid: int) -> MultiRange[Any]:
    """`{[1,5),[7,9)}`, of the multirange type with that OID."""
    read = _READERS.get(oid, str)
    return MultiRange(_made(match, read) for match in _RANGE.finditer(text))
