"""PostgreSQL with read replicas behind a shared cache that is never stale: libshopdata for Python.

    import shopdata

    client = shopdata.open("shop.ini")
    products = client.statement("SELECT name, price FROM products WHERE category = $1", policy="catalog")
    with client.session() as s:
        for p in s.query(products, "shoes"):
            print(p.name, p["price"])
"""

from __future__ import annotations

from shopdata import _native
from shopdata._native import Row
from shopdata.client import Client, open
from shopdata.errors import (
    AmbiguousCommit,
    Busy,
    Cancelled,
    Closed,
    ConfigError,
    DatabaseError,
    DataError,
    Error,
    Forked,
    IntegrityError,
    InterfaceError,
    InternalError,
    ManyRows,
    NoRow,
    NotSupportedError,
    OperationalError,
    ParameterError,
    ProgrammingError,
    Refused,
    Timeout,
    TooLarge,
    TransactionError,
    Unavailable,
    Warning,
)
from shopdata.metrics import Metric, Metrics
from shopdata.result import Result
from shopdata.session import Session, Transaction
from shopdata.statement import Statement
from shopdata.types import Json

__version__ = _native.version()

__all__ = [
    "AmbiguousCommit",
    "Busy",
    "Cancelled",
    "Client",
    "Closed",
    "ConfigError",
    "DataError",
    "DatabaseError",
    "Error",
    "Forked",
    "IntegrityError",
    "InterfaceError",
    "InternalError",
    "Json",
    "ManyRows",
    "Metric",
    "Metrics",
    "NoRow",
    "NotSupportedError",
    "OperationalError",
    "ParameterError",
    "ProgrammingError",
    "Refused",
    "Result",
    "Row",
    "Session",
    "Statement",
    "Timeout",
    "TooLarge",
    "Transaction",
    "TransactionError",
    "Unavailable",
    "Warning",
    "__version__",
    "open",
]
