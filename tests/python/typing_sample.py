"""A user's code, for mypy --strict: what each thing is for the type checker. Never run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Optional, TypedDict

from typing_extensions import assert_type

import shopdata
from shopdata.flask import Shopdata, session, statement

PRODUCT = statement("SELECT name, price FROM products WHERE product_id = $1", policy="catalog", tags=["shelf/1"])


@dataclass
class Product:
    name: str
    price: Decimal


class Line(TypedDict):
    name: str
    pieces: int


def opened() -> Iterator[shopdata.Client]:
    assert_type(shopdata.open("shop.ini"), shopdata.Client)
    yield shopdata.open("shop.ini", cache={"kind": "none"}, policy={"catalog": "5m", "cart": {"ttl": timedelta(1)}})
    yield shopdata.open(node={"primary": "host=db", "replica1": {"conninfo": "host=db2", "weight": 2}}, threads=4)
    with shopdata.open("shop.ini") as client:
        assert_type(client, shopdata.Client)
        assert_type(client.ready(1.5), None)
        assert_type(client.invalidate("public.products"), bool)


def statements(client: shopdata.Client) -> None:
    products = client.statement("SELECT name, price FROM products", policy="catalog", tags=["shelf/1"])
    assert_type(products, shopdata.Statement)
    assert_type(products.sql, str)
    assert_type(products.is_read, bool)
    assert_type(products.parameters, tuple[str, ...])
    assert_type(products.explain(), str)


def reads(s: shopdata.Session, products: shopdata.Statement) -> None:
    rows = s.query(products, 1, id=2)
    assert_type(rows, shopdata.Result[shopdata.Row])
    for row in rows:
        assert_type(row, shopdata.Row)
        assert_type(row.name, Any)
        assert_type(row["price"], Any)
        assert_type(row.count, Any)
        assert_type(row._asdict(), dict[str, Any])
        assert_type(row[0], Any)
    assert_type(len(rows), int)
    assert_type(rows.one(), shopdata.Row)
    assert_type(rows.one_or_none(), Optional[shopdata.Row])
    assert_type(rows.all(), list[shopdata.Row])
    assert_type(rows.scalar(), Any)
    assert_type(rows.columns, tuple[str, ...])
    assert_type(rows.source, str)
    assert_type(rows.age, Optional[float])
    assert_type(rows.staleness, Optional[float])
    assert_type(s.query_many([products, (products, 1), ("SELECT 1", {"id": 1})]), list[shopdata.Result[shopdata.Row]])


def targets(s: shopdata.Session, products: shopdata.Statement) -> None:
    assert_type(s.query(products, into=Product), shopdata.Result[Product])
    assert_type(s.query(products, into=Product).one().price, Decimal)
    assert_type(s.query(products, into=Line).one_or_none(), Optional[Line])
    assert_type(s.query(products, into=as_pair)[0], tuple[str, int])


def as_pair(name: str, pieces: int) -> tuple[str, int]:
    return name, pieces


def writes(client: shopdata.Client, token: Optional[str]) -> None:
    with client.session(token=token, deadline=1.5, settings={"app.tenant": "7"}) as s:
        assert_type(s, shopdata.Session)
        with s.transaction("serializable", read_only=False):
            written = s.execute("UPDATE products SET price = :price RETURNING price", price=Decimal(1))
            assert_type(written, shopdata.Result[shopdata.Row])
            assert_type(written.changed, int)
            assert_type(written.fenced, bool)
        assert_type(s.token, str)


async def awaited(s: shopdata.Session) -> None:
    assert_type(await s.aexecute("DELETE FROM products"), shopdata.Result[shopdata.Row])
    assert_type(await s.aquery_many(["SELECT 1"]), list[shopdata.Result[shopdata.Row]])
    async with s.transaction():
        assert_type(await s.aquery("SELECT 1"), shopdata.Result[shopdata.Row])
        assert_type(await s.aquery("SELECT name, price FROM products", into=Product), shopdata.Result[Product])


def told(client: shopdata.Client) -> None:
    metrics = client.metrics()
    for metric in metrics:
        assert_type(metric.name, str)
        assert_type(metric.value, float)
    assert_type(metrics.get("shopdata_queries_total", source="cache"), float)
    assert_type(metrics.prometheus(), str)


def failures(s: shopdata.Session) -> None:
    try:
        s.query("SELECT 1").one()
    except shopdata.Timeout as error:
        assert_type(error.sqlstate, Optional[str])
        assert_type(error.retriable, bool)
        as_builtin: TimeoutError = error
        raise as_builtin from None


def in_flask(extension: Shopdata) -> None:
    assert_type(session.query(PRODUCT, 42).one(), shopdata.Row)
    assert_type(session.query(PRODUCT, 42, into=Product).one(), Product)
    assert_type(session.execute(PRODUCT, 42).changed, int)
    assert_type(extension.session, shopdata.Session)
    assert_type(extension.client.session().query(PRODUCT, 42), shopdata.Result[shopdata.Row])
