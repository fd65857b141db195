"""shopdata.dbapi: what PEP 249 asks for (its public compliance suite, too), and transactions that begin when something
is written."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable, Iterator
from typing import Any

import dbapi20
import pytest

import shopdata
from shopdata import dbapi

from servers import Servers, own_name

Table = Callable[..., str]


# They want `table` so that it is dropped after they are closed: it would wait for their locks.
@pytest.fixture
def connection(client: shopdata.Client, table: Table) -> Iterator[dbapi.Connection]:
    made = dbapi.connect(client=client)
    yield made
    made.close()


@pytest.fixture
def other(client: shopdata.Client, table: Table) -> Iterator[dbapi.Connection]:
    made = dbapi.connect(client=client)
    yield made
    made.close()


@pytest.fixture
def items(table: Table) -> str:
    return table("id int PRIMARY KEY, name text", "(1, 'one'), (2, 'two'), (3, 'three')")


def name_of(connection: dbapi.Connection, items: str, number: int = 1) -> Any:
    row = connection.cursor().execute(f"SELECT name FROM {items} WHERE id = $1", (number,)).fetchone()
    return None if row is None else row[0]


def rename(connection: dbapi.Connection, items: str, name: str, number: int = 1) -> int:
    return connection.cursor().execute(f"UPDATE {items} SET name = :name WHERE id = :id",
                                       {"name": name, "id": number}).rowcount


class TestCompliance(dbapi20.DatabaseAPI20Test):
    """The suite of PyPI's dbapi-compliance."""

    driver = dbapi

    @pytest.fixture(autouse=True)
    def _servers(self, servers: Servers) -> Iterator[None]:
        self.table_prefix = own_name("compliance_")
        self.ddl1 = f"CREATE TABLE {self.table_prefix}booze (name varchar(20))"
        self.ddl2 = f"CREATE TABLE {self.table_prefix}barflys (name varchar(20), drink varchar(30))"
        self.xddl1 = f"DROP TABLE {self.table_prefix}booze"
        self.xddl2 = f"DROP TABLE {self.table_prefix}barflys"
        self.connect_kw_args = servers.sections()
        yield

    def test_callproc(self) -> None:
        connection = self._connect()
        with pytest.raises(dbapi.NotSupportedError, match='execute "CALL lower'):
            connection.cursor().callproc("lower", ("FOO",))
        connection.close()

    def test_non_idempotent_close(self) -> None:
        """Ours may be closed twice, as most are today."""
        connection = self._connect()
        connection.close()
        connection.close()

    def test_nextset(self) -> None:
        connection = self._connect()
        assert connection.cursor().nextset() is None
        connection.close()

    def test_setoutputsize(self) -> None:
        connection = self._connect()
        connection.cursor().setoutputsize(1000, 0)
        connection.close()


# ----------------------------------------------------------------------------------------------------------- PEP 249


def test_type_objects_are_equal_to_oids() -> None:
    assert dbapi.NUMBER == 23 and 1700 == dbapi.NUMBER and dbapi.NUMBER != 25
    assert dbapi.STRING == 25 and dbapi.BINARY == 17 and dbapi.DATETIME == 1184 and dbapi.ROWID == 26
    assert dbapi.STRING != dbapi.NUMBER and dbapi.STRING == dbapi.STRING
    assert len({dbapi.STRING, dbapi.BINARY, dbapi.NUMBER, dbapi.DATETIME, dbapi.ROWID}) == 5
    assert repr(dbapi.ROWID) == "shopdata.dbapi.ROWID"


def test_ticks_are_local_time() -> None:
    now = 1700000000.0
    moment = datetime.datetime.fromtimestamp(now)
    assert dbapi.TimestampFromTicks(now) == moment
    assert (dbapi.DateFromTicks(now), dbapi.TimeFromTicks(now)) == (moment.date(), moment.time())


def test_description_has_names_and_oids(connection: dbapi.Connection) -> None:
    cursor = connection.cursor().execute("SELECT 1::int AS a, 'x'::text AS b, now() AS c")
    assert [column[:2] for column in cursor.description or ()] == [("a", 23), ("b", 25), ("c", 1184)]
    assert [len(column) for column in cursor.description or ()] == [7, 7, 7]


def test_fetching(connection: dbapi.Connection, items: str) -> None:
    cursor = connection.cursor().execute(f"SELECT id FROM {items} ORDER BY id")
    assert (cursor.rowcount, cursor.rownumber, cursor.lastrowid) == (3, 0, None)
    assert cursor.fetchone() == (1,)
    assert cursor.fetchmany() == [(2,)]
    assert cursor.fetchmany(5) == [(3,)]
    assert (cursor.fetchone(), cursor.fetchmany(), cursor.fetchall(), cursor.rownumber) == (None, [], [], 3)
    assert list(cursor.execute(f"SELECT id FROM {items} WHERE id > $1 ORDER BY id", [1])) == [(2,), (3,)]
    assert cursor.result is not None and cursor.result.source in ("replica", "primary")


def test_parameters(connection: dbapi.Connection) -> None:
    cursor = connection.cursor()
    assert cursor.execute("SELECT :a::int, :b::text, :a::int", {"a": 1, "b": ":a"}).fetchone() == (1, ":a", 1)
    assert cursor.execute("SELECT $2::int, $1::text", ["x", None]).fetchone() == (None, "x")
    assert cursor.execute("SELECT ':a'", {}).fetchone() == (":a",)
    with pytest.raises(shopdata.ParameterError, match="no value for :b"):
        cursor.execute("SELECT :a::int, :b::int", {"a": 1})
    with pytest.raises(shopdata.ParameterError, match="have numbers: pass a sequence"):
        cursor.execute("SELECT $1::int", {"a": 1})
    with pytest.raises(shopdata.ParameterError, match="2 parameters"):
        cursor.execute("SELECT $1::int", (1, 2))


def test_closed_things_say_so(client: shopdata.Client) -> None:
    connection = dbapi.connect(client=client)
    cursor = connection.cursor()
    cursor.close()
    with pytest.raises(dbapi.InterfaceError, match="the cursor is closed"):
        cursor.execute("SELECT 1")
    cursor = connection.cursor()
    connection.close()
    for use in (connection.commit, connection.rollback, connection.cursor, lambda: cursor.execute("SELECT 1")):
        with pytest.raises(shopdata.Closed, match="the connection is closed"):
            use()


def test_no_rows_no_fetch(connection: dbapi.Connection, items: str) -> None:
    cursor = connection.cursor()
    with pytest.raises(dbapi.ProgrammingError, match="no rows to fetch"):
        cursor.fetchone()
    cursor.execute(f"DELETE FROM {items} WHERE id = 3")
    assert (cursor.description, cursor.rowcount, cursor.rownumber) == (None, 1, None)
    with pytest.raises(dbapi.ProgrammingError, match="no rows to fetch"):
        cursor.fetchall()


def test_connect_wants_one_thing(client: shopdata.Client) -> None:
    with pytest.raises(dbapi.InterfaceError, match="not both"):
        dbapi.connect("shop.ini", client=client)
    with pytest.raises(dbapi.InterfaceError, match="no isolation level 'snapshot'"):
        dbapi.connect(client=client, isolation_level="snapshot")


def test_a_connection_closes_the_client_that_it_opened(servers: Servers) -> None:
    connection = dbapi.connect(**servers.sections())
    assert connection.cursor().execute("SELECT 1").fetchone() == (1,)
    connection.close()
    assert connection.client.closed


# -------------------------------------------------------------------------------------------------------- transactions


def test_reads_before_the_first_write_come_from_the_cache(connection: dbapi.Connection, items: str) -> None:
    for _ in range(2):
        cursor = connection.cursor().execute(f"SELECT name FROM {items} WHERE id = 1")
    assert cursor.result is not None and cursor.result.source == "cache"
    assert not connection.in_transaction


def test_from_the_first_write_on_all_is_in_the_transaction(
    connection: dbapi.Connection, other: dbapi.Connection, items: str
) -> None:
    assert rename(connection, items, "uno") == 1
    assert connection.in_transaction
    assert (name_of(connection, items), name_of(other, items)) == ("uno", "one")
    connection.rollback()
    assert not connection.in_transaction and name_of(connection, items) == "one"
    rename(connection, items, "eins")
    connection.commit()
    assert name_of(other, items) == "eins"


@pytest.mark.parametrize(
    "read",
    [
        "SELECT name FROM {} WHERE id = 1 FOR UPDATE",
        "SELECT name FROM {} WHERE id = 1 FOR KEY SHARE",
        "SELECT pg_advisory_xact_lock(7)",
        "SELECT nextval('{}_numbers')",
        "SAVEPOINT a",
    ],
)
def test_what_locks_or_counts_begins(connection: dbapi.Connection, items: str, servers: Servers, read: str) -> None:
    servers.sql(f"CREATE SEQUENCE {items}_numbers OWNED BY {items}.id")
    connection.cursor().execute(read.format(items))
    assert connection.in_transaction


def test_a_lock_holds_until_the_end(connection: dbapi.Connection, items: str, servers: Servers) -> None:
    connection.cursor().execute(f"SELECT name FROM {items} WHERE id = 1 FOR UPDATE")
    locked = f"SELECT id FROM {items} FOR UPDATE SKIP LOCKED"
    assert sorted(servers.sql(locked)) == [(2,), (3,)]
    connection.rollback()
    assert len(servers.sql(locked)) == 3


def test_a_view_that_locks_begins(connection: dbapi.Connection, items: str, servers: Servers) -> None:
    servers.sql(f"CREATE VIEW {items}_locked AS SELECT * FROM {items} FOR UPDATE")
    servers.settle()
    connection.cursor().execute(f"SELECT * FROM {items}_locked")
    assert connection.in_transaction


@pytest.mark.parametrize("level", ["repeatable read", "SERIALIZABLE"])
def test_higher_isolation_begins_at_once(
    client: shopdata.Client, items: str, other: dbapi.Connection, level: str
) -> None:
    connection = dbapi.connect(client=client, isolation_level=level)
    assert name_of(connection, items) == "one" and connection.in_transaction
    rename(other, items, "uno")
    other.commit()
    assert name_of(connection, items) == "one"
    connection.rollback()
    assert name_of(connection, items) == "uno"
    connection.close()


def test_eager_begins_at_once(client: shopdata.Client) -> None:
    connection = dbapi.connect(client=client, lazy=False)
    connection.cursor().execute("SELECT 1")
    assert connection.in_transaction
    connection.close()


def test_read_only(client: shopdata.Client, items: str) -> None:
    connection = dbapi.connect(client=client, read_only=True)
    assert name_of(connection, items) == "one" and not connection.in_transaction
    with pytest.raises(dbapi.InternalError, match="read-only transaction") as caught:
        rename(connection, items, "uno")
    assert caught.value.sqlstate == "25006"
    connection.close()


def test_autocommit(client: shopdata.Client, other: dbapi.Connection, items: str) -> None:
    connection = dbapi.connect(client=client, autocommit=True)
    rename(connection, items, "uno")
    assert not connection.in_transaction and name_of(other, items) == "uno"
    connection.cursor().execute(f"SELECT name FROM {items} WHERE id = 1 FOR UPDATE")
    assert not connection.in_transaction
    connection.close()


def test_settings_are_for_between_transactions(connection: dbapi.Connection, items: str) -> None:
    rename(connection, items, "uno")
    for name, value in (("autocommit", True), ("isolation_level", "serializable"), ("read_only", True)):
        with pytest.raises(shopdata.TransactionError, match=f"{name} is set between transactions"):
            setattr(connection, name, value)


def test_savepoints_as_text(connection: dbapi.Connection, items: str) -> None:
    cursor = connection.cursor()
    cursor.execute('SAVEPOINT "My ""point"')
    rename(connection, items, "uno")
    cursor.execute("savepoint Inner;")
    rename(connection, items, "due")
    cursor.execute("ROLLBACK TO SAVEPOINT inner")
    assert name_of(connection, items) == "uno"
    cursor.execute("RELEASE inner")
    cursor.execute('ROLLBACK TO "My ""point"')
    connection.commit()
    assert name_of(connection, items) == "one"


@pytest.mark.parametrize("text", ["BEGIN", "START TRANSACTION", "commit", "ROLLBACK"])
def test_transactions_by_sql_are_refused(connection: dbapi.Connection, text: str) -> None:
    with pytest.raises(shopdata.Refused, match=r"the connection's commit\(\) and rollback\(\)"):
        connection.cursor().execute(text)


def test_a_failed_transaction_is_rolled_back_and_goes_on(connection: dbapi.Connection, items: str) -> None:
    rename(connection, items, "uno")
    with pytest.raises(dbapi.IntegrityError) as caught:
        connection.cursor().execute(f"INSERT INTO {items} VALUES (1, 'again')")
    assert caught.value.sqlstate == "23505"
    with pytest.raises(shopdata.TransactionError):
        name_of(connection, items)
    connection.rollback()
    assert name_of(connection, items) == "one"


def test_executemany(connection: dbapi.Connection, items: str) -> None:
    cursor = connection.cursor()
    cursor.executemany(f"INSERT INTO {items} VALUES (:id, :name)", [{"id": n, "name": str(n)} for n in (7, 8, 9)])
    assert (cursor.rowcount, cursor.description) == (3, None)
    assert cursor.execute(f"SELECT count(*) FROM {items}").fetchone() == (6,)


def test_a_block_commits_or_rolls_back(connection: dbapi.Connection, other: dbapi.Connection, items: str) -> None:
    with connection:
        rename(connection, items, "uno")
    assert name_of(other, items) == "uno"
    with pytest.raises(ZeroDivisionError), connection:
        rename(connection, items, "due")
        1 / 0  # noqa: B018
    assert name_of(other, items) == "uno" and not connection.closed


def test_closing_rolls_back(client: shopdata.Client, other: dbapi.Connection, items: str) -> None:
    connection = dbapi.connect(client=client)
    rename(connection, items, "uno")
    connection.close()
    assert name_of(other, items) == "one"


# ------------------------------------------------------------------------------------------ what connections share


def uncached(connection: dbapi.Connection, items: str) -> Any:
    cursor = connection.cursor()
    cursor.cache = False
    row = cursor.execute(f"SELECT name FROM {items} WHERE id = 1").fetchone()
    return row and row[0]


def test_what_one_connection_wrote_all_of_the_client_see(client: shopdata.Client, items: str) -> None:
    """Also where they ask replicas, which may not have it yet."""
    with dbapi.connect(client=client) as writer, dbapi.connect(client=client) as reader:
        for number in range(30):
            rename(writer, items, f"name {number}")
            writer.commit()
            assert uncached(reader, items) == f"name {number}"


def test_many_threads_share_what_they_wrote(client: shopdata.Client, table: Table) -> None:
    counter = table("id int PRIMARY KEY, n int", "(1, 0)")
    faults: list[str] = []

    def count() -> None:
        connection = dbapi.connect(client=client)
        for _ in range(10):
            cursor = connection.cursor()
            ((mine,),) = cursor.execute(f"UPDATE {counter} SET n = n + 1 RETURNING n").fetchall()
            connection.commit()
            cursor.cache = False
            ((seen,),) = cursor.execute(f"SELECT n FROM {counter}").fetchall()
            if seen < mine:
                faults.append(f"wrote {mine}, saw {seen}")
        connection.close()

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    with dbapi.connect(client=client) as connection:
        assert connection.cursor().execute(f"SELECT n FROM {counter}").fetchone() == (40,)


def test_policy_tags_and_flags_of_a_cursor(servers: Servers, items: str) -> None:
    with servers.open(policy={"never": {"cache": "off"}}) as client, dbapi.connect(client=client) as connection:
        cursor = connection.cursor()
        read = f"SELECT name FROM {items} WHERE id = 1"
        cursor.policy = "never"
        sources = [cursor.execute(read).result.source for _ in range(2)]  # type: ignore[union-attr]
        assert "cache" not in sources
        cursor.policy, cursor.primary = None, True
        cursor.cache = False
        assert cursor.execute(read).result.source == "primary"  # type: ignore[union-attr]
        cursor.tags = ["shelf"]
        assert "shelf" in client._kept.get(read, None, ("shelf",)).explain()
        connection.close()


def test_a_function_that_may_write_wants_tags(connection: dbapi.Connection, items: str, servers: Servers) -> None:
    servers.sql(f"CREATE FUNCTION {items}_f() RETURNS text LANGUAGE sql VOLATILE AS "
                f"$$ UPDATE {items} SET name = 'f' WHERE id = 1 RETURNING name $$")
    cursor = connection.cursor()
    with pytest.raises(shopdata.Refused, match="VOLATILE"):
        cursor.execute(f"SELECT {items}_f()")
    connection.rollback()
    assert name_of(connection, items) == "one"
    cursor.tags = [f"public.{items}"]
    assert cursor.execute(f"SELECT {items}_f()").fetchone() == ("f",)
    connection.rollback()
    assert name_of(connection, items) == "one"


def test_read_only_with_autocommit(client: shopdata.Client, items: str) -> None:
    connection = dbapi.connect(client=client, read_only=True, autocommit=True)
    with pytest.raises(shopdata.InternalError, match="read-only"):
        rename(connection, items, "uno")
    assert name_of(connection, items) == "one"
    connection.close()


def test_no_savepoint_with_autocommit(client: shopdata.Client, items: str) -> None:
    connection = dbapi.connect(client=client, autocommit=True)
    with pytest.raises(shopdata.TransactionError, match="none with autocommit"):
        connection.cursor().execute("SAVEPOINT a")
    assert rename(connection, items, "uno") == 1
    connection.close()
    with client.session() as session:
        assert session.query(f"SELECT name FROM {items} WHERE id = 1").scalar() == "uno"


def test_one_text_in_place_of_several(connection: dbapi.Connection) -> None:
    cursor: Any = connection.cursor()
    for sql, parameters, said in (
        ("SELECT $1, $2", "ab", "not str"),
        ("SELECT $1", b"a", "not bytes"),
        (b"SELECT 1", None, "not bytes"),
        (None, None, "not NoneType"),
    ):
        with pytest.raises(shopdata.ParameterError, match=said):
            cursor.execute(sql, parameters)
    cursor.tags = "shelf"
    with pytest.raises(shopdata.ParameterError, match=r"not a str: \['shelf'\]"):
        cursor.execute("SELECT 1")


def test_fetching_less_than_nothing(connection: dbapi.Connection, items: str) -> None:
    cursor = connection.cursor().execute(f"SELECT id FROM {items} ORDER BY id")
    assert (cursor.fetchone(), cursor.fetchmany(-1), cursor.fetchone()) == ((1,), [], (2,))
