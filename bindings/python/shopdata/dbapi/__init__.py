"""PEP 249 (DB-API 2.0) over shopdata: for programs and frameworks that expect such a module.

    import shopdata.dbapi

    connection = shopdata.dbapi.connect("shop.ini")
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT name, price FROM products WHERE category = :category", {"category": "shoes"})
        for name, price in cursor:
            print(name, price)

Parameters are `:name` with a mapping, or `$1`, `$2` with a sequence. A connection is a session of a client: it takes a
connection to PostgreSQL only while it needs one. Transactions begin by themselves, as PEP 249 wants it, but not before
something is written: what that means for a program, and how to switch it off, is told in doc/sqlalchemy.md.
"""

from __future__ import annotations

from shopdata.dbapi.connection import Connection, connect
from shopdata.dbapi.cursor import Cursor
from shopdata.dbapi.types import (
    BINARY,
    DATETIME,
    NUMBER,
    ROWID,
    STRING,
    Binary,
    Date,
    DateFromTicks,
    Time,
    TimeFromTicks,
    Timestamp,
    TimestampFromTicks,
)
from shopdata.errors import (
    DatabaseError,
    DataError,
    Error,
    IntegrityError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    Warning,
)

apilevel = "2.0"
threadsafety = 1
"""Threads may share the module and a client, not a connection."""
paramstyle = "named"
"""`:name`. The numbers of the SQL itself, `$1`, are taken too, with a sequence of values."""

__all__ = [
    "BINARY",
    "Binary",
    "Connection",
    "Cursor",
    "DATETIME",
    "DataError",
    "DatabaseError",
    "Date",
    "DateFromTicks",
    "Error",
    "IntegrityError",
    "InterfaceError",
    "InternalError",
    "NUMBER",
    "NotSupportedError",
    "OperationalError",
    "ProgrammingError",
    "ROWID",
    "STRING",
    "Time",
    "TimeFromTicks",
    "Timestamp",
    "TimestampFromTicks",
    "Warning",
    "apilevel",
    "connect",
    "paramstyle",
    "threadsafety",
]
