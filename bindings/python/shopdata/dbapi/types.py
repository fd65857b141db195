"""PEP 249's type objects and constructors. A column's type code is PostgreSQL's OID of its type, and a type object is
equal to each OID of its group: `cursor.description[0][1] == NUMBER`."""

from __future__ import annotations

import datetime
import time
from typing import Any

Date = datetime.date
Time = datetime.time
Timestamp = datetime.datetime
Binary = bytes


def DateFromTicks(ticks: float) -> datetime.date:
    """The local date of `ticks` seconds since 1970."""
    return datetime.date(*time.localtime(ticks)[:3])


def TimeFromTicks(ticks: float) -> datetime.time:
    """The local time of day of `ticks` seconds since 1970."""
    return datetime.time(*time.localtime(ticks)[3:6])


def TimestampFromTicks(ticks: float) -> datetime.datetime:
    """The local date and time of `ticks` seconds since 1970, without a zone."""
    return datetime.datetime(*time.localtime(ticks)[:6])


class TypeObject:
    """A group of PostgreSQL's types, equal to the OID of each of them."""

    __slots__ = ("name", "oids")

    def __init__(self, name: str, *oids: int) -> None:
        self.name = name
        self.oids = frozenset(oids)

    def __eq__(self, other: Any) -> bool:
        return self is other if isinstance(other, TypeObject) else other in self.oids

    def __hash__(self) -> int:
        return hash(self.oids)

    def __repr__(self) -> str:
        return f"shopdata.dbapi.{self.name}"


STRING = TypeObject("STRING", 18, 19, 25, 705, 1042, 1043)
"""char, name, text, a constant of no type, character(n), varchar."""
BINARY = TypeObject("BINARY", 17)
"""bytea."""
NUMBER = TypeObject("NUMBER", 20, 21, 23, 700, 701, 1700)
"""int8, int2, int4, float4, float8, numeric."""
DATETIME = TypeObject("DATETIME", 1082, 1083, 1114, 1184, 1186, 1266)
"""date, time, timestamp, timestamptz, interval, timetz."""
ROWID = TypeObject("ROWID", 26)
"""oid."""
