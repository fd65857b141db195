"""The SQLAlchemy dialect: URLs, what an engine's connections share, options of a statement, types, the ORM."""

from __future__ import annotations

import configparser
import datetime
import decimal
import enum
import gc
import os
import uuid
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import ArgumentError
from test_sqlalchemy_suite import url_of

import shopdata
from shopdata import dbapi
from shopdata.sqlalchemy.url import connect_arguments

from servers import Servers, own_name


@pytest.fixture
def engine(servers: Servers) -> Iterator[sa.Engine]:
    made = sa.create_engine(url_of(servers) + f"&cache.key_prefix={own_name('sa')}")
    yield made
    made.dispose()


@pytest.fixture
def items(engine: sa.Engine) -> Iterator[sa.Table]:
    table = sa.Table(own_name("items"), sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True),
                     sa.Column("name", sa.Text), sa.Column("price", sa.Numeric(10, 2)))
    with engine.begin() as connection:
        table.create(connection)
        rows = [{"name": "one", "price": 1}, {"name": "two", "price": decimal.Decimal("2.50")}]
        connection.execute(table.insert(), rows)
    yield table
    with engine.begin() as connection:
        table.drop(connection)


def source(result: sa.CursorResult[Any]) -> str:
    """Who answered: cache, replica, primary."""
    cursor: Any = result.context.cursor
    return str(cursor.result.source)


def of_url(text: str) -> dict[str, Any]:
    return connect_arguments(sa.make_url(text))


# ------------------------------------------------------------------------------------------------------------- URLs


def test_url_names_nodes_and_cache() -> None:
    rest = "user='joe' password='pa\\'ss' dbname='shop' sslmode='require'"
    assert of_url(
        "postgresql+shopdata://joe:pa%27ss@db1:5433/shop?replica=db2:5434&replica=[::1]&cache=redis://:secret@c:6380/2"
        "&sslmode=require&policy.default.ttl=5m&cache.mode=strict&lazy=off"
    ) == {
        "lazy": False,
        "node": {
            "primary": {"conninfo": f"host='db1' port='5433' {rest}"},
            "replica1": {"conninfo": f"host='db2' port='5434' {rest}"},
            "replica2": {"conninfo": f"host='::1' port='5433' {rest}"},
        },
        "cache": {"kind": "redis", "address": "c:6380", "password": "secret", "database": "2", "mode": "strict"},
        "policy": {"default": {"ttl": "5m"}},
    }


@pytest.mark.parametrize(
    ("cache", "expected"),
    [
        ("redis://", {"kind": "redis", "address": "127.0.0.1:6379"}),
        ("rediss://joe@c", {"kind": "redis", "tls": "on", "address": "c:6379", "user": "joe"}),
        ("redis://a:1,b", {"kind": "redis", "address": "a:1,b:6379"}),
        ("memcached://a:11211,b:11211", {"kind": "memcached", "address": "a:11211,b:11211"}),
        ("memory", {"kind": "memory"}),
        ("none", {"kind": "none"}),
    ],
)
def test_url_of_a_cache(cache: str, expected: dict[str, str]) -> None:
    assert of_url(f"shopdata://db/shop?cache={cache}")["cache"] == expected


def test_url_of_a_file_and_of_a_socket() -> None:
    assert of_url("postgresql+shopdata:///?config=/etc/shop.ini") == {"config": "/etc/shop.ini"}
    node = of_url("postgresql+shopdata:///shop?host=/run/postgresql")["node"]
    assert node == {"primary": {"conninfo": "host='/run/postgresql' dbname='shop'"}}


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        ("db/shop?replicas=db2", "the URL's 'replicas' is not known: there are config, replica"),
        ("db/shop?policy.ttl=5m", "the URL's 'policy.ttl' is not known"),
        ("db/shop?cache=memcache:c", "the URL's cache 'memcache:c' is none"),
        ("db/shop?lazy=yes", "the URL's lazy is 'yes': it is on or off"),
        ("db/shop?replica=db2:x", "the URL's host 'db2:x' is none"),
        ("/shop?replica=db2", "the URL names replicas but no primary"),
        ("/shop", "the URL names neither a host nor a configuration"),
    ],
)
def test_what_a_url_cannot_say(rest: str, message: str) -> None:
    with pytest.raises(ArgumentError, match=message.replace("?", r"\?")):
        of_url(f"postgresql+shopdata://{rest}")


def test_a_key_that_does_not_exist_is_told() -> None:
    engine = sa.create_engine("postgresql+shopdata://db/shop?cache.kid=redis")
    with pytest.raises(sa.exc.InterfaceError, match="cache.kid") as caught:
        engine.connect()
    assert isinstance(caught.value.orig, shopdata.ConfigError)


# ------------------------------------------------------------------------------------------------ caching, freshness


def test_a_read_is_cached_until_somebody_writes(engine: sa.Engine, servers: Servers, items: sa.Table) -> None:
    read = sa.select(items.c.price).where(items.c.id == 1)
    sources = []
    for _ in range(2):
        with engine.connect() as connection:
            result = connection.execute(read)
            sources.append(source(result))
            assert result.scalar() == 1
    assert sources[1] == "cache"
    other = sa.create_engine(engine.url)
    with other.begin() as connection:
        connection.execute(items.update().where(items.c.id == 1).values(price=7))
    with engine.connect() as connection:
        assert connection.execute(read).scalar() == 7
    other.dispose()


def test_options_of_a_statement(engine: sa.Engine, items: sa.Table) -> None:
    read = sa.select(items.c.name).where(items.c.id == 2)
    with engine.connect() as connection:
        for options in ({"shopdata_cache": False}, {"shopdata_policy": "never"}):
            try:
                sources = {source(connection.execute(read.execution_options(**options))) for _ in range(3)}
            except sa.exc.DBAPIError as error:
                assert "never" in str(error) and "shopdata_policy" in options  # no such policy here, and it says so
            else:
                assert "cache" not in sources and "shopdata_cache" in options
        asked = connection.execute(read.execution_options(shopdata_primary=True, shopdata_cache=False))
        assert source(asked) == "primary"
        with_tags = connection.execute(read, execution_options={"shopdata_tags": ("shelf",)})
        cursor: Any = with_tags.context.cursor
        assert list(cursor.tags) == ["shelf"] and with_tags.scalar() == "two"


def test_what_was_written_is_seen_by_the_next_connection(engine: sa.Engine, items: sa.Table) -> None:
    read = sa.select(items.c.name).where(items.c.id == 1).execution_options(shopdata_cache=False)
    with engine.connect() as first, engine.connect() as second:
        for number in range(20):
            first.execute(items.update().where(items.c.id == 1).values(name=f"name {number}"))
            first.commit()
            assert second.execute(read).scalar() == f"name {number}"


def test_rollback_without_a_write_asks_nobody(engine: sa.Engine, items: sa.Table) -> None:
    with engine.connect() as connection:
        connection.execute(sa.select(items))
        client = connection.connection.dbapi_connection.client  # type: ignore[union-attr]
        before = client.metrics().get("shopdata_transactions_total")
        connection.rollback()
    assert client.metrics().get("shopdata_transactions_total") == before


# ------------------------------------------------------------------------------------------------ engines and clients


def client_of(connection: sa.Connection) -> shopdata.Client:
    driver: Any = connection.connection.dbapi_connection
    client: shopdata.Client = driver.client
    return client


def test_an_engine_has_one_client_and_dispose_closes_it(engine: sa.Engine) -> None:
    with engine.connect() as first, engine.connect() as second:
        client = client_of(first)
        assert client_of(second) is client
    engine.dispose()
    assert client.closed
    with engine.connect() as again:
        assert client_of(again) is not client and again.scalar(sa.text("SELECT 1")) == 1


def test_a_connection_in_use_outlives_dispose(engine: sa.Engine, items: sa.Table) -> None:
    connection = engine.connect()
    client = client_of(connection)
    engine.dispose()
    assert not client.closed
    assert connection.execute(sa.select(sa.func.count()).select_from(items)).scalar() == 2
    # SQLAlchemy gives it back to the pool of before, which nobody closes: the garbage collector does.
    connection.close()
    gone = weakref.ref(client)
    del connection, client
    gc.collect()
    assert gone() is None


def test_a_client_of_ones_own(servers: Servers) -> None:
    with servers.open() as client:
        engine = sa.create_engine("postgresql+shopdata://ignored", connect_args={"client": client})
        with engine.connect() as connection:
            assert client_of(connection) is client
        engine.dispose()
        assert not client.closed


def test_a_forked_child_goes_on(engine: sa.Engine, items: sa.Table) -> None:
    with engine.connect() as connection:
        connection.execute(sa.select(items))
    child = os.fork()
    if child == 0:
        code = 1
        try:
            with engine.begin() as connection:
                connection.execute(items.update().where(items.c.id == 1).values(name="from the child"))
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    with engine.connect() as connection:
        assert connection.scalar(sa.select(items.c.name).where(items.c.id == 1)) == "from the child"


@pytest.mark.parametrize("level", ["SERIALIZABLE", "REPEATABLE READ", "READ UNCOMMITTED", "AUTOCOMMIT"])
def test_isolation_levels(engine: sa.Engine, level: Any) -> None:
    with engine.connect().execution_options(isolation_level=level) as connection:
        assert connection.get_isolation_level() == level
    with engine.connect() as connection:
        assert connection.get_isolation_level() == "READ COMMITTED"


def test_read_only(engine: sa.Engine, items: sa.Table) -> None:
    with engine.connect().execution_options(postgresql_readonly=True) as connection:
        with pytest.raises(sa.exc.InternalError, match="read-only transaction"):
            connection.execute(items.delete())


def test_deferrable_and_two_phases_are_refused(engine: sa.Engine) -> None:
    with pytest.raises(sa.exc.NotSupportedError, match="DEFERRABLE"):
        engine.connect().execution_options(postgresql_deferrable=True)
    with engine.connect() as connection, pytest.raises(NotImplementedError, match="two-phase"):
        connection.begin_twophase()


def test_driver_sql_and_errors(engine: sa.Engine, items: sa.Table) -> None:
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT $1::int + $2::int", (1, 2)).scalar() == 3
        with pytest.raises(sa.exc.IntegrityError) as caught:
            connection.execute(items.insert().values(id=1))
        assert isinstance(caught.value.orig, dbapi.IntegrityError) and caught.value.orig.sqlstate == "23505"


# -------------------------------------------------------------------------------------------------------------- types


class Mood(enum.Enum):
    SAD = "sad"
    HAPPY = "happy"


UTC = datetime.timezone.utc
MOMENT = datetime.datetime(2024, 2, 29, 12, 30, 15, 123456)
VALUES = [
    (sa.BigInteger, 2**62),
    (sa.Float, 0.1),
    (sa.Numeric(12, 4), decimal.Decimal("-12.3400")),
    (sa.Boolean, False),
    (sa.Text, "äöü '\"\\ :a $1 %s \U0001f600"),
    (sa.LargeBinary, bytes(range(256))),
    (sa.Date, MOMENT.date()),
    (sa.Time, MOMENT.time()),
    (sa.DateTime, MOMENT),
    (sa.DateTime(timezone=True), MOMENT.replace(tzinfo=UTC)),
    (sa.Interval, datetime.timedelta(days=-101, seconds=1, microseconds=5)),
    (sa.Uuid, uuid.UUID(int=5)),
    (sa.Uuid(as_uuid=False), str(uuid.UUID(int=5))),
    (sa.JSON, {"a": [1, None, "b"], "c": 0.5}),
    (pg.JSONB, [1, {"a": "b"}]),
    (sa.Enum(Mood, name="mood"), Mood.HAPPY),
    (sa.ARRAY(sa.Integer), [1, None, 3]),
    (sa.ARRAY(sa.Text, dimensions=2), [["a,b", '"'], ["{}", ""]]),
    (sa.ARRAY(sa.Enum(Mood, name="mood")), [Mood.SAD, Mood.HAPPY]),
    (sa.ARRAY(sa.Uuid), [uuid.UUID(int=1)]),
    (pg.ARRAY(pg.JSONB), [{"a": 1}, [2]]),
    (pg.INT4RANGE, Range(1, 5)),
    (pg.INT8RANGE, Range(None, 2**40)),
    (pg.NUMRANGE, Range(decimal.Decimal("1.5"), None, bounds="()")),
    (pg.DATERANGE, Range(datetime.date(2024, 1, 1), datetime.date(2024, 2, 1))),
    (pg.TSRANGE, Range(MOMENT, MOMENT + datetime.timedelta(days=1), bounds="[]")),
    (pg.TSTZRANGE, Range(MOMENT.replace(tzinfo=UTC), None)),
    (pg.INT4RANGE, Range(empty=True)),
    (pg.INT4MULTIRANGE, [Range(1, 2), Range(5, 9)]),
    (pg.HSTORE, {"a": "1", "b": None}),
    (pg.INET, "10.0.0.1"),
    (pg.BIT(3), "101"),
]


@pytest.fixture(scope="module")
def of_types(servers: Servers) -> Iterator[tuple[sa.Engine, Callable[[Any], sa.Table]]]:
    """An engine, and a table with a column of a type; with the types that these want."""
    servers.sql("CREATE EXTENSION IF NOT EXISTS hstore", as_superuser=True)
    engine = sa.create_engine(url_of(servers) + f"&cache.key_prefix={own_name('sa')}")
    metadata = sa.MetaData()

    def make(kind: Any) -> sa.Table:
        key = sa.Column("id", sa.Integer, primary_key=True)
        table = sa.Table(own_name("typed"), metadata, key, sa.Column("x", kind))
        with engine.begin() as connection:
            table.create(connection)
        return table

    yield engine, make
    with engine.begin() as connection:
        metadata.drop_all(connection)
    engine.dispose()


@pytest.mark.parametrize(("kind", "value"), VALUES, ids=lambda item: str(item)[:30])
def test_what_goes_in_comes_out(of_types: Any, kind: Any, value: Any) -> None:
    engine, make = of_types
    table = make(kind)
    with engine.begin() as connection:
        made = connection.execute(table.insert().returning(table.c.id, table.c.x), [{"x": value}, {"x": None}]).all()
        assert [row.x for row in made] == [value, None]
    with engine.connect() as connection:
        for _ in range(2):  # from the database, then from the cache
            assert connection.scalar(sa.select(table.c.x).where(table.c.id == made[0].id)) == value
        if kind is not sa.JSON:
            assert connection.scalars(sa.select(table.c.id).where(table.c.x == value)).all() == [made[0].id]


def test_a_decoder_of_ones_own(servers: Servers) -> None:
    engine = sa.create_engine(url_of(servers), json_deserializer=lambda text: ("decoded", text))
    with engine.connect() as connection:
        read = sa.select(sa.cast(sa.literal({"a": 1}, pg.JSONB), pg.JSONB))
        assert connection.scalar(read) == ("decoded", '{"a": 1}')
    engine.dispose()


# ---------------------------------------------------------------------------------------------------------------- ORM


def test_the_orm(engine: sa.Engine, items: sa.Table) -> None:
    class Item:
        id: int
        name: str

    orm.registry().map_imperatively(Item, items)
    with orm.Session(engine) as session:
        one = session.get(Item, 1)
        assert one is not None and one.name == "one"
        one.name = "uno"
        added = Item()
        added.name = "three"
        session.add(added)
        session.commit()
        assert added.id == 3
        with session.begin_nested() as inner:
            session.delete(added)
            session.flush()
            inner.rollback()
        assert sorted(session.scalars(sa.select(items.c.name))) == ["three", "two", "uno"]
        for _ in range(3):
            session.add(Item())
        session.commit()
        assert session.scalar(sa.select(sa.func.count()).select_from(items)) == 6


def test_reflection(engine: sa.Engine, items: sa.Table) -> None:
    found = sa.Table(items.name, sa.MetaData(), autoload_with=engine)
    assert [(column.name, str(column.type)) for column in found.columns] == [
        ("id", "INTEGER"), ("name", "TEXT"), ("price", "NUMERIC(10, 2)")]
    assert [column.name for column in found.primary_key] == ["id"]


def test_the_tree_and_the_wheel_announce_the_same() -> None:
    bindings = Path(__file__).resolve().parents[2] / "bindings" / "python"
    announced = configparser.ConfigParser()
    announced.read(bindings / "installed" / "entry_points.txt")
    project = (bindings / "pyproject.toml").read_text()
    for name, place in announced["sqlalchemy.dialects"].items():
        assert f'"{name}" = "{place}"' in project
