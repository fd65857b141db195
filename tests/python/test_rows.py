"""Rows: tuples whose columns have names, whatever the names are."""

from __future__ import annotations

import copy
import gc
import os
import pickle
import sys
from typing import Any

import pytest
from hypothesis import given, strategies as st

import shopdata
from shopdata import Row

NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


@pytest.fixture
def row(session: shopdata.Session) -> Row:
    return session.query("SELECT 1 AS id, 'boots' AS name, 19.9 AS price, NULL AS gone").one()


def test_a_row_is_a_tuple(row: Row) -> None:
    assert isinstance(row, tuple) and isinstance(row, Row)
    assert row[0] == 1 and row[-1] is None and row[1:3] == ("boots", row.price) and len(row) == 4
    identity, name, price, gone = row
    assert (identity, name, price, gone) == row == tuple(row)
    assert hash(row) == hash(tuple(row)) and "boots" in row and row < (2,) and row + (5,) == (*row, 5)


def test_columns_by_name(row: Row) -> None:
    assert row.id == row["id"] == 1
    assert row.name == row["name"] == "boots"
    assert row.gone is None and row["gone"] is None
    assert getattr(row, "nothing", "else") == "else" and not hasattr(row, "nothing")


def test_as_a_dict(row: Row) -> None:
    expected = {"id": 1, "name": "boots", "price": row.price, "gone": None}
    assert row._asdict() == dict(row) == dict(row.items()) == dict(zip(row.keys(), row.values())) == expected
    assert row._fields == row.keys() == ("id", "name", "price", "gone")
    assert type(row.values()) is tuple


def test_repr(row: Row) -> None:
    assert repr(row) == "Row(id=1, name='boots', price=Decimal('19.9'), gone=None)"
    assert repr(Row((), ())) == "Row()"
    assert str(type(row)) == "<class 'shopdata.Row'>"


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickled_and_copied(row: Row, protocol: int) -> None:
    for other in (pickle.loads(pickle.dumps(row, protocol)), copy.copy(row), copy.deepcopy(row)):
        assert other == row and type(other) is type(row) and other.name == "boots"


def test_unknown_columns_are_named(row: Row) -> None:
    with pytest.raises(AttributeError) as attribute:
        _ = row.nam
    assert str(attribute.value) == 'no column "nam"; there are: id, name, price, gone'
    with pytest.raises(KeyError) as key:
        row["nam"]
    assert key.value.args == ('no column "nam"; there are: id, name, price, gone',)
    with pytest.raises(IndexError):
        row[4]
    with pytest.raises(TypeError):
        row[None]  # type: ignore[call-overload]


def test_rows_do_not_change(row: Row) -> None:
    with pytest.raises(AttributeError):
        row.id = 2
    with pytest.raises(AttributeError):
        row.other = 2
    with pytest.raises(TypeError):
        row[0] = 2  # type: ignore[index]


def test_names_of_tuple_s_methods_and_of_ours(session: shopdata.Session) -> None:
    row = session.query("SELECT 1 AS count, 2 AS index, 3 AS keys, 4 AS items, 5 AS _fields, 6 AS _asdict").one()
    assert (row.count, row.index, row.keys, row.items, row._fields, row._asdict) == (1, 2, 3, 4, 5, 6)
    assert repr(row) == "Row(count=1, index=2, keys=3, items=4, _fields=5, _asdict=6)"
    assert pickle.loads(pickle.dumps(row)) == row


def test_names_that_python_needs_itself(session: shopdata.Session) -> None:
    row = session.query(
        'SELECT 1 AS __class__, 2 AS __len__, 3 AS __slots__, 4 AS __columns__, 5 AS "__", 6 AS __x'
    ).one()
    assert isinstance(row, Row) and len(row) == 6 and row.__class__ is type(row)
    assert [row[name] for name in row.keys()] == [1, 2, 3, 4, 5, 6]
    assert (row.__, getattr(row, "__x")) == (5, 6)


def test_names_that_are_no_identifiers(session: shopdata.Session) -> None:
    row = session.query('SELECT 1 AS "a b", 2 AS "für", 3 AS "class", 4 AS "1"').one()
    assert row["a b"] == 1 and row.für == 2 and getattr(row, "class") == 3 and row["1"] == 4
    assert repr(row) == "Row(a b=1, für=2, class=3, 1=4)"


def test_a_name_that_two_columns_have(session: shopdata.Session) -> None:
    row = session.query("SELECT 1, 2, 3 AS count, 4 AS count, 5 AS other").one()
    assert row == (1, 2, 3, 4, 5) and row.other == row["other"] == 5
    for take in (lambda: row["?column?"], lambda: row["count"], row._asdict, lambda: dict(row)):
        with pytest.raises(KeyError, match="more than one column is named"):
            take()
    for name in ("?column?", "count"):
        with pytest.raises(AttributeError, match=f'more than one column is named "{name.replace("?", ".")}"'):
            getattr(row, name)
    assert repr(row) == "Row(?column?=1, ?column?=2, count=3, count=4, other=5)"
    assert pickle.loads(pickle.dumps(row)) == row


def test_rows_of_the_same_columns_share_a_class(session: shopdata.Session) -> None:
    ask = session.query
    first, second = ask("SELECT 1 AS a, 'x' AS b").one(), ask("SELECT 2 AS a, 'y' AS b").one()
    other_type = ask("SELECT 2.5 AS a, 'y' AS b").one()
    assert type(first) is type(second) is type(other_type)
    assert type(first) is not type(ask("SELECT 1 AS b, 'x' AS a").one())


def test_more_classes_than_are_kept() -> None:
    rows = [Row((f"c{number}",), (number,)) for number in range(3000)]
    for number, row in enumerate(rows):
        assert row[f"c{number}"] == getattr(row, f"c{number}") == number
    del rows, row
    gc.collect()
    assert len(Row.__subclasses__()) < 1500


@pytest.mark.skipif("SHOPDATA_LONG" not in os.environ, reason="1100 statements, each planned: half a minute")
def test_more_shapes_than_are_kept(session: shopdata.Session) -> None:
    rows = [session.query(f"SELECT {number} AS c{number}").one() for number in range(1100)]
    assert all(row[f"c{number}"] == number for number, row in enumerate(rows))
    assert session.query("SELECT 0 AS c0").one().c0 == 0


def test_made_by_hand() -> None:
    row = Row(("id", "name"), (1, "boots"))
    assert row.name == "boots" and row == (1, "boots")
    for wrong in ((("a",), ()), (["a"], (1,)), ((1,), (1,)), (("a",), [1])):
        with pytest.raises(TypeError, match="a tuple of column names and one of as many values"):
            Row(*wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        type(row)((1, "boots"))  # type: ignore[call-arg, arg-type]


@given(st.lists(st.tuples(NAMES, st.integers()), max_size=8))
def test_any_names(columns: list[tuple[str, int]]) -> None:
    names, values = tuple(name for name, _ in columns), tuple(value for _, value in columns)
    row = Row(names, values)
    assert row == values and len(row) == len(values) and repr(row).startswith("Row(")
    assert pickle.loads(pickle.dumps(row)) == row
    for name, value in columns:
        if names.count(name) == 1:
            assert row[name] == value
            if not (name.startswith("__") and name.endswith("__")):
                assert getattr(row, name) == value


def test_rows_go_when_nobody_has_them(session: shopdata.Session) -> None:
    marker = "a value of this test's own"
    rows = session.query("SELECT $1::text AS word, '{1}'::int[] AS numbers FROM generate_series(1, 100)", marker).all()
    kept: Any = rows[0]
    numbers = kept.numbers
    count = sys.getrefcount(numbers)
    same = [kept["numbers"] for _ in range(1000)] + [kept[1] for _ in range(1000)]
    more = sys.getrefcount(numbers)
    del same, rows
    assert (more, sys.getrefcount(numbers)) == (count + 2000, count) and kept.word == marker


def test_a_row_may_be_part_of_a_cycle(session: shopdata.Session) -> None:
    row = session.query("SELECT '{}'::jsonb AS j").one()
    row.j["row"] = row
    before = len(gc.get_objects())
    del row
    gc.collect()
    assert len(gc.get_objects()) <= before + 100
    assert not any(isinstance(found, Row) and found._fields == ("j",) for found in gc.get_objects())


def test_a_class_that_somebody_changed() -> None:
    row: Any = shopdata.Row(("meddled", "with"), (1, 2))
    kind: Any = type(row)
    kind.__places__["third"] = 99
    with pytest.raises(KeyError, match="third"):
        row["third"]
    for columns in ((), ("a", "b", "c"), (1, 2), 5):
        kind.__columns__ = columns
        for use in (row.items, row._asdict, row.keys, lambda: repr(row), lambda: row["none"], lambda: row.none):
            with pytest.raises((TypeError, AttributeError, KeyError)):
                use()
    assert row == (1, 2)
