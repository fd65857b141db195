"""A table of a test's own, and what several test files do with it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import shopdata

from servers import Servers, own_name


@dataclass
class Things:
    """A table (id int PRIMARY KEY, name text, price numeric) with the rows 1 to 3: one, two, three."""

    client: shopdata.Client
    table: str

    def __post_init__(self) -> None:
        self.by_id = self.client.statement(f"SELECT id, name, price FROM {self.table} WHERE id = $1")
        self.rename = self.client.statement(f"UPDATE {self.table} SET name = $2 WHERE id = $1")

    def write_with_a_slow_commit(self) -> shopdata.Statement:
        """An UPDATE whose COMMIT takes a minute: a deferred trigger sleeps."""
        with self.client.session() as session:
            session.execute(
                f"CREATE FUNCTION {self.table}_sleep() RETURNS trigger LANGUAGE plpgsql"
                " AS $$ BEGIN PERFORM pg_sleep(60); RETURN NULL; END $$"
            )
            session.execute(
                f"CREATE CONSTRAINT TRIGGER sleep AFTER UPDATE ON {self.table} DEFERRABLE INITIALLY DEFERRED"
                f" FOR EACH ROW EXECUTE FUNCTION {self.table}_sleep()"
            )
        return self.client.statement(f"UPDATE {self.table} SET name = 'uno' WHERE id = 1", tags=["triggers"])

    def is_committing(self) -> bool:
        """Is that write at its COMMIT?"""
        with self.client.session(primary=True, cache=False) as session:
            count = session.query(
                "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE mode = 'RowExclusiveLock'"
                " AND wait_event = 'PgSleep' AND relation = to_regclass($1)",
                self.table,
            )
            return count.scalar() != 0

    def is_running(self, mark: str) -> bool:
        """Is the server working on a statement with this mark?"""
        with self.client.session(primary=True, cache=False) as session:
            count = session.query(
                "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE $1",
                f"%{mark[:4]}%{mark[4:]}%",
            )
            return count.scalar() != 0

    def name(self, number: int = 1) -> object:
        """What another session sees."""
        with self.client.session() as session:
            return session.query(self.by_id, number).one().name


@contextmanager
def things_of(client: shopdata.Client, servers: Servers) -> Iterator[Things]:
    """Makes the table, which the replicas have when the test begins, and drops it behind the test."""
    table = own_name("things")
    with client.session() as session:
        session.execute(f"CREATE TABLE {table} (id int PRIMARY KEY, name text, price numeric)")
        session.execute(f"INSERT INTO {table} VALUES (1, 'one', 1.5), (2, 'two', 2.5), (3, 'three', 3.5)")
    servers.settle()
    yield Things(client, table)
    with client.session() as session:
        session.execute(f"DROP TABLE {table}")
        session.execute(f"DROP FUNCTION IF EXISTS {table}_sleep()")
