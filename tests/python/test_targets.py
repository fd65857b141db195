"""Rows as a caller's own classes: into=."""

from __future__ import annotations

import functools
import ipaddress
import sys
import uuid
from dataclasses import InitVar, dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, NamedTuple, NewType, Optional, TypedDict, Union

import pytest

import shopdata
from shopdata import targets


class Color(Enum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Product:
    name: str
    price: Decimal
    color: Optional[Color] = None
    tags: list[str] = field(default_factory=list)


class Pair(NamedTuple):
    name: str
    price: Decimal


class Line(TypedDict):
    name: str
    pieces: int


class Sparse(TypedDict, total=False):
    name: str
    pieces: int


class Place(TypedDict):
    shelf: str
    row: int


@dataclass
class Part:
    name: str
    price: Decimal
    made: Optional[date] = None
    parts: tuple[Part, ...] = ()


@dataclass
class Whole:
    id: int
    doc: Part
    place: Place


UserId = NewType("UserId", int)
BOOTS = "SELECT 'boots' AS name, 19.90 AS price"


def test_dataclass(session: shopdata.Session) -> None:
    result = session.query(BOOTS + ", 'red' AS color, '{a,b}'::text[] AS tags", into=Product)
    assert result.one() == Product("boots", Decimal("19.90"), Color.RED, ["a", "b"])
    assert result.columns == ("name", "price", "color", "tags")
    assert result.all() == list(result) == [result[0]]


def test_columns_in_another_order_and_defaults(session: shopdata.Session) -> None:
    assert session.query("SELECT 19.90 AS price, 'boots' AS name", into=Product).one() == Product(
        "boots", Decimal("19.90")
    )
    assert session.query("SELECT 1.5 AS price, 'x' AS name, NULL AS color", into=Product).one() == Product(
        "x", Decimal("1.5")
    )


def test_named_tuple_typed_dict_dict_and_function(session: shopdata.Session) -> None:
    assert session.query(BOOTS, into=Pair).one() == Pair("boots", Decimal("19.90"))
    assert type(session.query(BOOTS, into=Pair).one()) is Pair
    line = session.query("SELECT 3::numeric AS pieces, 'boots' AS name", into=Line).one()
    assert line == {"name": "boots", "pieces": 3} and type(line["pieces"]) is int
    assert session.query("SELECT 'boots' AS name", into=Sparse).one() == {"name": "boots"}
    assert session.query(BOOTS, into=dict).one() == {"name": "boots", "price": Decimal("19.90")}
    assert session.query(BOOTS, into=lambda name, price: f"{name}: {price}").all() == ["boots: 19.90"]
    assert session.query(BOOTS, into=lambda **columns: sorted(columns)).one() == ["name", "price"]
    assert session.query(BOOTS, into=functools.partial(Product, tags=["x"])).one().tags == ["x"]


def test_no_rows_and_many(session: shopdata.Session) -> None:
    sql = "SELECT n::text AS name, n::numeric AS price FROM generate_series(1, $1::int) AS n"
    assert session.query(sql, 0, into=Product).one_or_none() is None
    many = session.query(sql, 2000, into=Product)
    assert [product.price for product in many] == list(range(1, 2001))


def test_keywords_only_and_plain_classes(session: shopdata.Session) -> None:
    class Plain:
        def __init__(self, *, name: str, price: float) -> None:
            self.both = (name, price)

    @dataclass
    class Init:
        name: str
        price: InitVar[float]
        doubled: float = field(init=False)

        def __post_init__(self, price: float) -> None:
            self.doubled = 2 * price

    assert session.query(BOOTS, into=Plain).one().both == ("boots", 19.9)
    if sys.version_info >= (3, 11):  # before, such annotations cannot be resolved where they are texts
        assert session.query(BOOTS, into=Init).one().doubled == 39.8


def test_objects_of_json(session: shopdata.Session) -> None:
    doc = {"name": "a", "price": 1.5, "parts": [{"name": "b", "price": 2, "made": "2026-01-02"}]}
    got = session.query(
        "SELECT 7 AS id, $1::jsonb AS doc, $2::jsonb AS place", doc, {"shelf": "x", "row": 2}, into=Whole
    )
    part = Part("b", Decimal(2), date(2026, 1, 2))
    assert got.one() == Whole(7, Part("a", Decimal("1.5"), None, (part,)), {"shelf": "x", "row": 2})


def one(session: shopdata.Session, annotation: Any, sql: str, *params: Any) -> Any:
    """A single column as an annotation wants it."""

    def target(x: Any) -> Any:
        return x

    target.__annotations__ = {"x": annotation}
    return session.query(f"SELECT {sql} AS x", *params, into=target).one()


@pytest.mark.parametrize(
    ("annotation", "sql", "expected"),
    [
        (int, "5", 5),
        (int, "5.00", 5),
        (int, "5::float8", 5),
        (UserId, "5::numeric", 5),
        (Annotated[int, "positive"], "5::numeric", 5),
        (float, "5", 5.0),
        (float, "19.90", 19.9),
        (float, "'NaN'::numeric::float8", None),
        (Decimal, "5", Decimal(5)),
        (Decimal, "0.1::float8", Decimal("0.1")),
        (str, "'x'", "x"),
        (Any, "'x'", "x"),
        (object, "5", 5),
        (Optional[str], "NULL", None),
        (Union[int, str], "'x'", "x"),
        (Union[int, str], "5::numeric", 5),
        (Union[Decimal, int], "5", 5),
        (Optional[Color], "'red'", Color.RED),
        (list[Color], "'{red,blue}'::text[]", [Color.RED, Color.BLUE]),
        (list[Optional[int]], "'{1,NULL}'::int[]", [1, None]),
        (list[list[float]], "'{{1,2}}'::int[]", [[1.0, 2.0]]),
        (tuple[int, ...], "'{1,2}'::int[]", (1, 2)),
        (tuple[str, int], "'[\"a\", 1]'::jsonb", ("a", 1)),
        (dict[str, float], "'{\"a\": 1}'::jsonb", {"a": 1.0}),
        (dict, "'{\"a\": 1}'::jsonb", {"a": 1}),
        (list, "'{1}'::int[]", [1]),
        (Literal["a", "b"], "'b'", "b"),
        (Literal[1, 2], "2", 2),
        (uuid.UUID, "'00000000-0000-0000-0000-000000000007'", uuid.UUID(int=7)),
        (date, "'2026-01-02'", date(2026, 1, 2)),
        (datetime, "'2026-01-02 03:04:05'::text", datetime(2026, 1, 2, 3, 4, 5)),
        (ipaddress.IPv4Address, "'10.0.0.1'::inet", ipaddress.IPv4Address("10.0.0.1")),
        (ipaddress.IPv6Network, "'2001:db8::/32'::cidr", ipaddress.IPv6Network("2001:db8::/32")),
        (list[Place], '\'[{"shelf": "a", "row": 1}]\'::jsonb', [{"shelf": "a", "row": 1}]),
    ],
)
def test_conversions_that_lose_nothing(session: shopdata.Session, annotation: Any, sql: str, expected: Any) -> None:
    value = one(session, annotation, sql)
    if expected is None and value is not None:
        assert value != value
    else:
        assert value == expected and type(value) is type(expected)


@pytest.mark.parametrize(
    ("annotation", "sql", "said"),
    [
        (int, "5.5", "Decimal('5.5') is no int"),
        (int, "'NaN'::numeric", "Decimal('NaN') is no int"),
        (int, "'Infinity'::float8", "inf is no int"),
        (int, "'5'", "'5' is no int"),
        (float, "0.12345678901234567890", "is no float"),
        (float, "9007199254740993", "9007199254740993 is no float"),
        (Decimal, "true", "True is no Decimal"),
        (str, "5", "5 is no str"),
        (str, "NULL", "it is NULL, not str; annotate it as Optional if it may be"),
        (Optional[str], "5", "5 is no str"),
        (bool, "1", "1 is no bool"),
        (date, "now()", "is no date"),
        (date, "'yesterday'", "'yesterday' is no date"),
        (uuid.UUID, "'x'", "'x' is no UUID"),
        (Color, "'green'", "'green' is no Color; there are: 'red', 'blue'"),
        (Color, "NULL", "None is no Color"),
        (Literal["a"], "'b'", "'b' is none of: 'a'"),
        (Literal[1], "true", "True is none of: 1"),
        (list[int], "'{1,NULL}'::int[]", "at [1]: it is NULL, not int"),
        (list[int], "5", "5 is no list"),
        (dict[str, int], '\'{"a": "b"}\'::jsonb', "at ['a']: 'b' is no int"),
        (tuple[int, int], "'{1}'::int[]", "[1] is no tuple of 2"),
        (Place, "'{\"row\": 1}'::jsonb", "the object has no 'shelf' for Place"),
        (Place, '\'{"row": 1, "shelf": "a", "x": 1}\'::jsonb', "Place has nothing for the object's 'x'"),
        (Part, '\'{"name": "a", "price": "b"}\'::jsonb', "at ['price']: 'b' is no Decimal"),
        (Part, "5", "5 is no Part"),
        (Union[int, str], "1.5", "Decimal('1.5') is no int"),
        (str, "ARRAY[repeat('x', 100)]", "..."),
    ],
)
def test_conversions_that_would_lose(session: shopdata.Session, annotation: Any, sql: str, said: str) -> None:
    with pytest.raises(shopdata.DataError) as caught:
        one(session, annotation, sql)
    message = str(caught.value)
    assert message.startswith('row 0, column "x": ') and said in message and len(message) < 200


def test_the_row_is_named(session: shopdata.Session) -> None:
    with pytest.raises(shopdata.DataError, match='^row 2, column "x": 2.5 is no int$'):
        session.query("SELECT x FROM (VALUES (1::float8), (2), (2.5)) AS made (x)", into=whole_number)


def whole_number(x: int) -> int:
    return x


def broken(name: Nowhere, price: Decimal) -> None:  # type: ignore[name-defined]  # noqa: F821
    raise AssertionError("never called")


def by_position(name: str, /, price: Decimal) -> None:
    raise AssertionError("never called")


@pytest.mark.parametrize(
    ("into", "sql", "said"),
    [
        (Product, "SELECT 'x' AS name", 'into=Product: no column for "price"; there are: name'),
        (Product, BOOTS + ", 1 AS a, 2 AS b", 'nothing for column "a", "b"; it takes: name, price, color, tags'),
        (Pair, "SELECT 1 AS name, 2 AS price, 3 AS name", 'more than one column is named "name"; name them with AS'),
        (Line, "SELECT 'x' AS name", 'into=Line: no column for "pieces"'),
        (Line, "SELECT 'x' AS name, 1 AS pieces, 2 AS x", 'into=Line: it has nothing for column "x"'),
        (int, "SELECT 1 AS x", "into=int: "),
        (by_position, BOOTS, 'into=by_position: it takes "name" by position'),
        (broken, BOOTS, "into=broken: its annotations cannot be resolved: name 'Nowhere' is not defined"),
        (5, BOOTS, "into=5: a dataclass, NamedTuple, TypedDict or another callable is wanted"),
    ],
)
def test_targets_that_do_not_fit(session: shopdata.Session, into: Any, sql: str, said: str) -> None:
    for statement in (sql, sql + " LIMIT 0"):  # whatever the rows are
        with pytest.raises(shopdata.ParameterError) as caught:
            session.query(statement, into=into)
        assert said in str(caught.value)


def test_what_a_target_raises_is_its_own(session: shopdata.Session) -> None:
    def refuse(name: str, price: Decimal) -> None:
        raise LookupError(name)

    with pytest.raises(LookupError, match="boots"):
        session.query(BOOTS, into=refuse)


def test_annotations_of_what_is_no_function(session: shopdata.Session) -> None:
    class Make:
        def __call__(self, name: str, price: float) -> float:
            return price

    def made(size: int, name: str, price: float) -> float:
        return size * price

    assert session.query(BOOTS, into=Make()).one() == 19.9
    assert session.query(BOOTS, into=functools.partial(made, 2)).one() == 39.8
    assert session.query(BOOTS, into=Make().__call__).one() == 19.9


def test_a_callable_without_a_hash(session: shopdata.Session) -> None:
    class Make:
        __hash__ = None  # type: ignore[assignment]

        def __call__(self, name: str, price: Decimal) -> str:
            return name

    assert session.query(BOOTS, into=Make()).one() == "boots"


def test_many_targets_are_forgotten(session: shopdata.Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "_KEPT_MAX", 20)
    for _ in range(50):
        assert session.query(BOOTS, into=lambda name, price: name).one() == "boots"
    assert 0 < len(targets._kept) <= 20
