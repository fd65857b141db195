"""Values: what goes in comes out, in every type, by hypothesis; and what cannot be passed or read is said clearly."""

from __future__ import annotations

import enum
import gc
import ipaddress
import itertools
import json
import math
import struct
import sys
import tracemalloc
import uuid
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import shopdata

from servers import Servers, own_name

COUNT = 8  # values of one example: one query for all of them
MANY = settings(
    max_examples=min(40, settings.default.max_examples),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
ZONES = st.one_of(
    st.builds(
        timezone, st.timedeltas(timedelta(hours=-15), timedelta(hours=15)).map(lambda d: timedelta(d.days, d.seconds))
    ),
    st.sampled_from(
        [timezone.utc, ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kathmandu"), ZoneInfo("America/St_Johns")]
    ),
)
FIXED_ZONES = st.builds(timezone, st.integers(-15 * 3600, 15 * 3600).map(lambda seconds: timedelta(seconds=seconds)))
# Within what UTC can say; an hour that a clock skipped is another one in UTC, so none of these.
AWARE = st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=ZONES, allow_imaginary=False)
FLOATS = st.floats(width=64)
DECIMALS = st.one_of(
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**40), max_value=10**40, places=12),
    st.builds(
        lambda digits, exponent: Decimal(digits).scaleb(exponent), st.integers(-(10**30), 10**30), st.integers(-80, 80)
    ),
    st.sampled_from([Decimal("NaN"), Decimal("Infinity"), Decimal("-Infinity"), Decimal("-0"), Decimal("1E+20")]),
)
JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**25), 10**25),
        st.floats(-1e15, 1e15).filter(lambda x: x != 0 or math.copysign(1, x) > 0),
        TEXT,
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXT, inner, max_size=4)),
    max_leaves=12,
)
OBJECTS = st.dictionaries(TEXT, JSON, max_size=5)

SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "smallint": st.integers(-(2**15), 2**15 - 1),
    "integer": st.integers(-(2**31), 2**31 - 1),
    "bigint": st.integers(-(2**63), 2**63 - 1),
    "double precision": FLOATS,
    "real": st.floats(width=32),
    "numeric": DECIMALS,
    "boolean": st.booleans(),
    "text": TEXT,
    "varchar": TEXT,
    "bytea": st.binary(max_size=60),
    "date": st.dates(),
    "time": st.times(),
    "timetz": st.times(timezones=FIXED_ZONES),
    "timestamp": st.datetimes(),
    "timestamptz": AWARE,
    "interval": st.timedeltas(),
    "uuid": st.uuids(),
    "json": OBJECTS,
    "jsonb": OBJECTS,
}


def same(a: Any, b: Any) -> bool:
    """Equal, and of the same class; NaN is itself here, and a float of `real` is the nearest of these."""
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, (float, Decimal)) and a != a:
        return type(a) is type(b) and b != b
    return type(a) is type(b) and bool(a == b)


def nearest_real(value: float) -> float:
    """What PostgreSQL prints of a 4-byte float is the shortest that reads as it again."""
    return struct.unpack("f", struct.pack("f", value))[0] if math.isfinite(value) else value


@pytest.fixture(scope="module")
def columns(servers: Servers) -> Iterator[str]:
    """A table with a column of each type, and one of each type's arrays."""
    name = own_name("types")
    each = [f'"{sql}" {sql}, "{sql}[]" {sql}[]' for sql in SCALARS]
    servers.sql(f"CREATE TABLE {name} (batch int, place int, {', '.join(each)}, PRIMARY KEY (batch, place))")
    servers.settle()
    yield name
    servers.sql(f"DROP TABLE {name}")


def echoed(session: shopdata.Session, sql_type: str, values: list[Any]) -> shopdata.Row:
    """The values as parameters, cast to the type, and back."""
    return session.query("SELECT " + ", ".join(f"${i + 1}::{sql_type}" for i in range(len(values))), *values).one()


def stored(session: shopdata.Session, table: str, sql_type: str, values: list[Any], batch: int) -> list[Any]:
    """The values through a table's column; read twice, the second time from the cache."""
    rows = ", ".join(f"($1, {i}, ${i + 2})" for i in range(len(values)))
    session.execute(f'INSERT INTO {table} (batch, place, "{sql_type}") VALUES {rows}', batch, *values)
    read = f'SELECT "{sql_type}" AS x FROM {table} WHERE batch = $1 ORDER BY place'
    first, second = session.query(read, batch), session.query(read, batch)
    assert second.source == "cache"
    assert all(same(one.x, two.x) for one, two in zip(first, second))
    return [row.x for row in second]


batch_numbers = itertools.count(1)


def compare(sql_type: str, sent: list[Any], read: list[Any]) -> None:
    for one, other in zip(sent, read):
        if sql_type.startswith("real"):
            one, other = ([*map(nearest_real, x)] if isinstance(x, list) else nearest_real(x) for x in (one, other))
        assert same(one, other), (sql_type, one, other)


@pytest.mark.parametrize("sql_type", SCALARS)
def test_what_goes_in_comes_out(session: shopdata.Session, columns: str, sql_type: str) -> None:
    @MANY
    @given(st.lists(st.one_of(SCALARS[sql_type], SCALARS[sql_type], st.none()), min_size=COUNT, max_size=COUNT))
    def check(values: list[Any]) -> None:
        read = list(echoed(session, sql_type, values))
        compare(sql_type, [v for v in values if v is not None], [r for v, r in zip(values, read) if v is not None])
        assert [r is None for r in read] == [v is None for v in values]
        again = stored(session, columns, sql_type, values, next(batch_numbers))
        assert all(map(same, read, again))

    check()


@pytest.mark.parametrize("sql_type", SCALARS)
def test_arrays_go_in_and_come_out(session: shopdata.Session, columns: str, sql_type: str) -> None:
    element = st.one_of(SCALARS[sql_type], st.none())
    flat = st.lists(element, max_size=6)
    square = st.tuples(st.integers(1, 3), st.integers(1, 3)).flatmap(
        lambda size: st.lists(st.lists(element, min_size=size[0], max_size=size[0]), min_size=size[1], max_size=size[1])
    )

    @MANY
    @given(st.lists(st.one_of(flat, square), min_size=4, max_size=4))
    def check(values: list[Any]) -> None:
        assert_arrays(sql_type, values, list(echoed(session, sql_type + "[]", values)))
        assert_arrays(sql_type, values, stored(session, columns, sql_type + "[]", values, next(batch_numbers)))

    check()


def assert_arrays(sql_type: str, sent: Any, read: Any) -> None:
    if isinstance(sent, list):
        assert isinstance(read, list) and len(read) == len(sent)
        for one, other in zip(sent, read):
            assert_arrays(sql_type, one, other)
    elif sent is None:
        assert read is None
    else:
        compare(sql_type, [sent], [read])


# --------------------------------------------------------------------------------- parsers against PostgreSQL's printer


def test_intervals_as_postgresql_prints_them(session: shopdata.Session) -> None:
    rows = session.query(
        "SELECT i, (extract(epoch FROM i) * 1000000)::numeric AS us FROM (SELECT make_interval(days => (random() * 2000"
        " - 1000)::int * (random() < 0.7)::int, secs => (random() * 400000 - 200000) * (random() < 0.8)::int"
        " * power(10, -(random() * 6)::int)) AS i FROM generate_series(1, 5000)) AS made"
    )
    assert len({row.i for row in rows}) > 1000
    for row in rows:
        assert row.i == timedelta(microseconds=int(row.us)), row


def test_moments_as_postgresql_prints_them(session: shopdata.Session) -> None:
    rows = session.query(
        "SELECT t, t AT TIME ZONE 'UTC' AS naive, (t AT TIME ZONE 'UTC')::date AS d,"
        " (t AT TIME ZONE 'UTC')::time AS tod, extract(epoch FROM t)::numeric AS epoch"
        " FROM (SELECT to_timestamp(-62135596800 + random() * 315537897000)"
        " - make_interval(secs => (random() < 0.3)::int * 0.5) AS t FROM generate_series(1, 5000)) AS made"
        " WHERE extract(year FROM t) BETWEEN 2 AND 9998"
    )
    assert len(rows) > 4000
    begin = datetime(1970, 1, 1, tzinfo=timezone.utc)
    for row in rows:
        assert row.t == begin + timedelta(microseconds=int(row.epoch * 1000000)), row
        assert row.t.tzinfo is timezone.utc
        assert row.naive == row.t.replace(tzinfo=None) == datetime.combine(row.d, row.tod), row


def test_arrays_as_postgresql_prints_them(session: shopdata.Session) -> None:
    rows = session.query(
        "SELECT a, to_json(a) AS j FROM (SELECT (SELECT array_agg(nullif(translate(substr(md5(random()::text || g"
        " || n), 1, (random() * 6)::int), 'abcdef0123', '{}\",\\ nN''='), '5')) FROM generate_series(1, g % 7) AS n)"
        " AS a FROM generate_series(1, 5000) AS g) AS made"
    )
    assert len(rows) == 5000
    for row in rows:
        assert row.a == row.j, row


def test_floats_as_postgresql_prints_them(session: shopdata.Session) -> None:
    rows = session.query(
        "SELECT x, x::text AS t FROM (SELECT (random() - 0.5) * power(10::float8, (random() * 600 - 300)) AS x"
        " FROM generate_series(1, 5000)) AS made"
    )
    assert all(row.x == float(row.t) for row in rows)


def test_bounds_of_arrays_do_not_matter(session: shopdata.Session) -> None:
    row = session.query("SELECT '[0:1]={7,8}'::int[] AS a, '[-1:0][2:3]={{7,8},{1,NULL}}'::int[] AS b").one()
    assert row == ([7, 8], [[7, 8], [1, None]])


# ------------------------------------------------------------------------------------------- other types, other classes


class Color(enum.Enum):
    RED = "red"
    NOTHING = None


class Size(enum.IntEnum):
    SMALL = 1


class Shelf(str, enum.Enum):
    UPPER = "upper"


class Word(str):
    def __str__(self) -> str:
        return "something else"


class Number(int):
    def __repr__(self) -> str:
        return "something else"


class Index:
    """As numpy's integers are."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __index__(self) -> int:
        return self.value


@pytest.mark.parametrize(
    ("sql_type", "value", "read"),
    [
        ("text", Color.RED, "red"),
        ("text", Color.NOTHING, None),
        ("int", Size.SMALL, 1),
        ("text", Shelf.UPPER, "upper"),
        ("text[]", [Color.RED, Shelf.UPPER, Color.NOTHING], ["red", "upper", None]),
        ("text", Word("as it is"), "as it is"),
        ("int", Number(7), 7),
        ("numeric", Number(2**80), Decimal(2**80)),
        ("bigint", Index(2**40), 2**40),
        ("numeric", Index(2**70), Decimal(2**70)),
        ("int[]", [Index(1), Number(2), True and 3], [1, 2, 3]),
        ("numeric", 2**64, Decimal(2**64)),
        ("numeric", 0.1, Decimal("0.1")),
        ("text", 0.1, "0.1"),
        ("text", 42, "42"),
        ("int", "42", 42),
        ("numeric", Decimal("-NaN"), Decimal("NaN")),
        ("bytea", bytearray(b"a\0b"), b"a\0b"),
        ("bytea", memoryview(b"abcdef")[::2], b"ace"),
        ("bytea[]", [b"\0\\", bytearray(b"x"), memoryview(b"y")], [b"\0\\", b"x", b"y"]),
        ("inet", ipaddress.ip_address("10.0.0.1"), "10.0.0.1"),
        ("inet", ipaddress.ip_interface("10.0.0.1/8"), "10.0.0.1/8"),
        ("cidr", ipaddress.ip_network("2001:db8::/32"), "2001:db8::/32"),
        ("inet[]", [ipaddress.ip_address("::1")], ["::1"]),
        ("jsonb", shopdata.Json([1, "a", None]), [1, "a", None]),
        ("jsonb", shopdata.Json(None), None),
        ("jsonb", shopdata.Json({"at": 1}, dumps=lambda value: '{"other": 2}'), {"other": 2}),
        ("jsonb", 5, 5),
        ("jsonb[]", [{"a": 'x"y'}, shopdata.Json([1])], [{"a": 'x"y'}, [1]]),
        ("json", {"\u20ac": "\U0001f600"}, {"\u20ac": "\U0001f600"}),
        ("int[]", (1, 2), [1, 2]),
        ("int[]", [[[[[[1]]]]]], [[[[[[1]]]]]]),
        ("int4range", "[1,5)", "[1,5)"),
        ("int4range[]", ["[1,5)", "empty"], ["[1,5)", "empty"]),
        ("point", "(1,2)", "(1,2)"),
        ("char(3)", "a", "a  "),
        ("name", "a", "a"),
        ('"char"', "a", "a"),
        ("oid", 4294967295, 4294967295),
        ("interval", timedelta.min, timedelta.min),
        ("interval", timedelta.max, timedelta.max),
        ("date", date.max, date.max),
        ("timestamp", datetime.max, datetime.max),
        ("timestamp", datetime(2026, 7, 1, 12, tzinfo=ZoneInfo("Europe/Berlin")), datetime(2026, 7, 1, 10)),
        ("timestamptz", datetime(2026, 7, 1, 12), datetime(2026, 7, 1, 12, tzinfo=timezone.utc)),
        ("float8", -0.0, -0.0),
        ("float8", sys.float_info.max, sys.float_info.max),
        ("float8", 5e-324, 5e-324),
    ],
)
def test_a_value_and_what_it_becomes(session: shopdata.Session, sql_type: str, value: Any, read: Any) -> None:
    assert same(echoed(session, sql_type, [value])[0], read)


def test_an_hour_that_comes_twice_is_told_apart(session: shopdata.Session) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    both = [datetime(2026, 10, 25, 2, 30, tzinfo=berlin, fold=fold) for fold in (0, 1)]
    first, second = echoed(session, "timestamptz", both)
    assert second - first == timedelta(hours=1)


def test_the_sign_of_an_interval_is_one(session: shopdata.Session) -> None:
    row = session.query(
        "SELECT extract(day FROM $1::interval)::int AS d, extract(hour FROM $1::interval)::int AS h",
        timedelta(days=-1, hours=-2),
    ).one()
    assert row == (-1, -2)


@pytest.mark.parametrize("count", [1, 16, 17, 200])
def test_any_number_of_parameters(session: shopdata.Session, count: int) -> None:
    assert echoed(session, "int", list(range(count))) == tuple(range(count))
    assert echoed(session, "date", [date(2026, 1, 1)] * count) == (date(2026, 1, 1),) * count


def test_what_postgresql_infers(session: shopdata.Session, table: Callable[..., str]) -> None:
    name = table(
        "id int PRIMARY KEY, tag text, doc jsonb, at timestamptz", "(1, '7', '{}', now()), (2, 'x', '[1]', now())"
    )
    ask = session.query
    assert [row.id for row in ask(f"SELECT id FROM {name} WHERE id = ANY($1) ORDER BY id", [1, 2, 5])] == [1, 2]
    assert ask(f"SELECT id FROM {name} WHERE id = ANY($1)", []).all() == []
    assert ask(f"SELECT id FROM {name} WHERE tag = $1", 7).scalar() == 1
    assert ask(f"SELECT id FROM {name} WHERE doc = $1", shopdata.Json([1])).scalar() == 2
    assert ask(f"SELECT id FROM {name} WHERE doc @> $1", {}).scalar() == 1
    assert ask(f"SELECT id FROM {name} ORDER BY id LIMIT $1 OFFSET $2", 1, 1).scalar() == 2
    assert (
        ask(
            f"SELECT count(*) FROM {name} WHERE at > $1::timestamptz - $2::interval",
            datetime(2020, 1, 1, tzinfo=timezone.utc),
            timedelta(days=1),
        ).scalar()
        == 2
    )


@pytest.mark.parametrize("value", [[], [[1, 2]], ["a"], True])
def test_no_list_is_taken_for_json_unseen(session: shopdata.Session, value: Any) -> None:
    with pytest.raises(shopdata.DataError, match="type json"):
        echoed(session, "jsonb", [value])


# --------------------------------------------------------------------------------------------------------------- faults


def ragged() -> Any:
    itself: list[Any] = []
    itself.append(itself)
    return itself


class Nat(datetime):
    """As pandas' NaT is: a datetime that is none."""

    def __eq__(self, other: object) -> bool:
        return False

    __hash__ = None  # type: ignore[assignment]


class FarOff(datetime):
    """One whose offset is no timedelta."""

    def utcoffset(self) -> Any:
        return FarOff(1, 1, 1)


class FarOffTime(time):
    """The same, for a time."""

    def utcoffset(self) -> Any:
        return 5


class Broken:
    def __index__(self) -> int:
        raise RuntimeError("no number today")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (object(), "cannot pass a value of type object; convert it first"),
        ({1, 2}, "cannot pass a value of type set"),
        (range(3), "cannot pass a value of type range"),
        (1j, "cannot pass a value of type complex"),
        ([object()], "cannot pass a value of type object"),
        ("a\0b", "the str has a NUL character at index 1"),
        ("ab\udc80", "the str has a lone surrogate at index 2"),
        (["a\0b"], "the str has a NUL character at index 1"),
        (Decimal("sNaN"), "a signaling NaN"),
        ({"a": float("nan")}, "not JSON compliant"),
        ({"a": Decimal(1)}, "Decimal is not JSON serializable"),
        ({"a": "\udc80"}, "lone surrogate"),
        (shopdata.Json(1, dumps=lambda value: 5), "its text is a int, not a str"),  # type: ignore[arg-type, return-value]
        ([[1], [2, 3]], "nested unevenly"),
        ([[1], 2], "nested unevenly"),
        ([1, [2]], "nested unevenly"),
        ([[1], None], "nested unevenly"),
        ([[]], "an empty list within a list"),
        ([[[[[[[1]]]]]]], "over 6 deep"),
        (ragged(), "over 6 deep"),
        (time(1, tzinfo=ZoneInfo("Europe/Berlin")), "depends on a date"),
        (time(1, tzinfo=timezone(timedelta(microseconds=1))), "fractions of a second"),
        (FarOff(2026, 1, 1), "its utcoffset() is a FarOff, not a timedelta or None"),
        (FarOffTime(1, tzinfo=timezone.utc), "its utcoffset() is a int, not a timedelta or None"),
        (Nat(2026, 1, 1), "a Nat is no moment; pass None for NULL"),
        (Broken(), "no number today"),
    ],
)
def test_what_cannot_be_passed(session: shopdata.Session, value: Any, said: str) -> None:
    with pytest.raises(shopdata.ParameterError) as caught:
        session.query("SELECT $1::text, $2::text", "good", value)
    message = str(caught.value)
    assert message.startswith("parameter $2: ") and said in message and "\n" not in message
    with pytest.raises(shopdata.ParameterError, match="parameter :bad: "):
        session.query("SELECT :good::text, :bad::text", good=1, bad=value)


def test_an_int_too_long_to_write(session: shopdata.Session) -> None:
    with pytest.raises(shopdata.ParameterError, match=r"parameter \$1: Exceeds the limit"):
        session.query("SELECT $1::numeric", 10**5000)


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("'infinity'::timestamp AS x", "Python's datetime.datetime cannot hold the timestamp 'infinity'"),
        ("'-infinity'::timestamptz AS x", "cannot hold the timestamptz '-infinity'"),
        ("'infinity'::date AS x", "cannot hold the date 'infinity'"),
        ("'0044-03-15 BC'::date AS x", "'0044-03-15 BC'"),
        ("'10000-01-01'::date AS x", "'10000-01-01'"),
        ("'24:00'::time AS x", "cannot hold the time '24:00:00'"),
        ("'24:00+00'::timetz AS x", "'24:00:00+00'"),
        ("'1 month'::interval AS x", "months or years, which have no fixed length"),
        ("'1 year 2 days 03:00'::interval AS x", "months or years"),
        ("'2147483647 days'::interval AS x", "2147483647 days"),
        ("'{1 mon,1 day}'::interval[] AS x", 'cannot hold the interval[] \'{"1 mon","1 day"}\''),
    ],
)
def test_what_python_cannot_hold(session: shopdata.Session, sql: str, said: str) -> None:
    with pytest.raises(shopdata.DataError) as caught:
        session.query(f"SELECT * FROM (SELECT 1 AS n, {sql}) AS made")
    message = str(caught.value)
    assert message.startswith('row 0, column "x": ') and said in message and message.endswith("x::text")


def test_the_row_of_a_fault_is_named(session: shopdata.Session) -> None:
    with pytest.raises(shopdata.DataError, match='^row 2, column "x": '):
        session.query(
            "SELECT x FROM (VALUES (1, '1 day'::interval), (2, NULL), (3, '1 mon')) AS made (n, x) ORDER BY n"
        )


# --------------------------------------------------------------------------------------------------------------- memory

SAMPLES: dict[str, Any] = {
    "int": 10**9,
    "numeric": Decimal("19.90"),
    "float8": 0.25,
    "text": "a word of some length",
    "bytea": b"\0" * 20,
    "date": date(2026, 1, 2),
    "timestamptz": datetime(2026, 1, 2, 3, tzinfo=ZoneInfo("Asia/Kathmandu")),
    "interval": timedelta(1, 2, 3),
    "uuid": uuid.UUID(int=7),
    "jsonb": {"a": [1, {"b": None}]},
    "time": time(1, 2),
    "timetz": time(1, tzinfo=timezone(timedelta(hours=2))),
    "timestamp": datetime(2026, 1, 1),
    "inet": "10.0.0.1",
    "text[]": [["a", None], ['b"', "{}"]],
    "numeric[]": [Decimal(1)],
    "jsonb[]": [{"a": 1}],
}


def use(session: shopdata.Session, statement: shopdata.Statement, wrong: shopdata.Statement) -> None:
    assert len(session.query(statement, *SAMPLES.values(), 5)) == 5
    with pytest.raises(shopdata.ParameterError):
        session.query(statement, *SAMPLES.values(), [[1], [2, {1}]])
    with pytest.raises(shopdata.DataError):
        session.query(wrong)


def held_after(rounds: int, one: Callable[[], None]) -> int:
    """The bytes that Python's objects take after so many rounds; without what Python itself keeps for later."""
    for _ in range(rounds):
        one()
    gc.collect()  # empties the free lists
    sys._clear_type_cache()  # of names that attributes were asked by
    return tracemalloc.get_traced_memory()[0]


def test_conversions_keep_no_memory(client: shopdata.Client) -> None:
    """400 rounds of 6 rows and 18 parameters, and of faults: a reference lost in each would be over 8 KiB."""
    casts = ", ".join(f"${i + 1}::{sql_type} AS c{i}" for i, sql_type in enumerate(SAMPLES))
    statement = client.statement(f"SELECT {casts}, n FROM generate_series(1, ${len(SAMPLES) + 1}::int) AS n")
    wrong = client.statement("SELECT '{1 day,1 mon}'::interval[] AS x, '{\"a\": 1}'::jsonb AS y")
    values = list(SAMPLES.values())
    with client.session() as session:
        tracemalloc.start()
        try:
            before = held_after(50, lambda: use(session, statement, wrong))
            counts = [sys.getrefcount(value) for value in values]
            after = held_after(400, lambda: use(session, statement, wrong))
        finally:
            tracemalloc.stop()
    assert [sys.getrefcount(value) for value in values] == counts
    assert after - before < 8 * 1024, f"{after - before} bytes more after 400 rounds"


def test_json_as_python_reads_it(session: shopdata.Session) -> None:
    text = '  {"a": [1, -2.5, 1e3, true, null, "\\u20ac"]} '
    row = session.query("SELECT $1::json AS j, $1::jsonb AS b", text).one()
    assert row.j == row.b == json.loads(text)
