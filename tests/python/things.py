"""A table of a test's own, and what several test files do with it."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import shopdata

_numbers = itertools.count()


@dataclass
class Things:
    """A table (id int PRIMARY KEY, name text, price numeric) with the rows 1 to 3: one, two, three."""

    client: shopdata.Client
    table: str

    def __post_init__(self) -> None:
        self.by_id = self.client.statement(f"SELECT id, name, price FROM {self.table} WHERE id = $1")
        self.rename = self.client.statement(f"UPDATE {self.table} SET name = $2 WHERE id = $1")

    def name(self, number: int = 1) -> object:
        """What another session sees."""
        with self.client.session() as session:
            return session.query(self.by_id, number).one().name


@contextmanager
def things_of(client: shopdata.Client) -> Iterator[Things]:
    """Makes the table, and drops it behind the test."""
    table = f"things_{os.getpid()}_{next(_numbers)}"
    with client.session() as session:
        session.execute(f"CREATE TABLE {table} (id int PRIMARY KEY, name text, price numeric)")
        session.execute(f"INSERT INTO {table} VALUES (1, 'one', 1.5), (2, 'two', 2.5), (3, 'three', 3.5)")
    yield Things(client, table)
    with client.session() as session:
        session.execute(f"DROP TABLE {table}")
