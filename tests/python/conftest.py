"""What the tests share: servers, tables of their own, clients."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import hypothesis
import pytest

import shopdata

from servers import Servers, own_name
from things import Things, things_of

# The same examples in every run, and no clock: that a change passes must not hang on luck.
hypothesis.settings.register_profile("whole", derandomize=True, deadline=None, database=None)
hypothesis.settings.register_profile("brief", hypothesis.settings.get_profile("whole"), max_examples=20)
hypothesis.settings.load_profile("brief" if os.environ.get("SHOPDATA_TEST_BRIEF") else "whole")


@pytest.fixture(scope="session")
def servers() -> Servers:
    """The launcher's servers; without them the test is skipped."""
    try:
        return Servers.from_environment()
    except KeyError as missing:
        pytest.skip(f"no {missing.args[0]}: tests/launcher/launch run --replicas 2 --redis --memcached -- ...")


@pytest.fixture
def table(servers: Servers) -> Iterator[Callable[..., str]]:
    """Makes a table: `name = table("id int PRIMARY KEY, name text", rows="(1, 'a'), (2, 'b')")`. The name is the test's
    own; the replicas have it, with its rows, when this returns."""
    made = []

    def make(columns: str, rows: str = "") -> str:
        made.append(own_name("t"))
        servers.sql(f"CREATE TABLE {made[-1]} ({columns})")
        if rows:
            servers.sql(f"INSERT INTO {made[-1]} VALUES {rows}")
        servers.settle()
        return made[-1]

    yield make
    for name in made:
        servers.sql(f"DROP TABLE IF EXISTS {name} CASCADE")


@pytest.fixture
def database(servers: Servers) -> Iterator[Servers]:
    """The servers with an empty database that is the test's own, where tables may have any name."""
    with servers.own_database() as made:
        yield made


@pytest.fixture(scope="module")
def client(servers: Servers) -> Iterator[shopdata.Client]:
    """A client of all nodes and Redis, shared by the tests of one file."""
    with servers.open() as made:
        yield made


@pytest.fixture
def session(client: shopdata.Client) -> Iterator[shopdata.Session]:
    """A session of `client`."""
    with client.session() as made:
        yield made


@pytest.fixture
def sections(servers: Servers) -> dict[str, Any]:
    """What opens a client of the test's own: `shopdata.open(**sections)`."""
    return servers.sections()


@pytest.fixture
def things(client: shopdata.Client, servers: Servers) -> Iterator[Things]:
    """A table with three rows, and statements for it."""
    with things_of(client, servers) as made:
        yield made
