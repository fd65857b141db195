"""PostgreSQL with read replicas behind a shared cache that is never stale: libshopdata for Python.

    import shopdata

    client = shopdata.open("shop.ini")
    products = client.statement("SELECT name, price FROM products WHERE category = $1", policy="catalog")
    with client.session() as s:
        for p in s.query(products, "shoes"):
            print(p.name, p["price"])
"""

from __future__ import annotations

from shopdata import _native, errors
from shopdata._native import Row
from shopdata.client import Client, open
from shopdata.errors import *  # noqa: F403 (its __all__ is part of ours)
from shopdata.metrics import Metric, Metrics
from shopdata.result import Result
from shopdata.session import Session, Transaction
from shopdata.statement import Statement
from shopdata.types import Json

__version__ = _native.version()

__all__ = [
    "Client",
    "Json",
    "Metric",
    "Metrics",
    "Result",
    "Row",
    "Session",
    "Statement",
    "Transaction",
    "__version__",
    "open",
]
__all__ += errors.__all__
