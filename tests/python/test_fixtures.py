"""What the other tests stand on: servers, tables of their own, clients."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

import shopdata

from servers import Servers, knows_nodes, own_name, wait_until


def test_a_table_is_there_on_every_node(servers: Servers, table: Callable[..., str]) -> None:
    name = table("id int PRIMARY KEY, name text", rows="(1, 'a'), (2, 'b')")
    for node in (servers.primary, *servers.replicas):
        with psycopg.connect(node) as connection:
            assert connection.execute(f"SELECT name FROM {name} ORDER BY id".encode()).fetchall() == [("a",), ("b",)]


@pytest.mark.parametrize("cache", ["redis", "memcached", "memory"])
def test_a_client_reads_through_its_cache(servers: Servers, table: Callable[..., str], cache: str) -> None:
    name = table("id int PRIMARY KEY, name text", rows="(1, 'a')")
    with servers.open(cache) as client, client.session() as s:
        query = f"SELECT name FROM {name} WHERE id = $1"
        assert s.query(query, 1).scalar() == "a"
        wait_until(lambda: s.query(query, 1).source == "cache")


def test_clients_do_not_see_each_other_s_keys(servers: Servers, table: Callable[..., str]) -> None:
    name = table("id int PRIMARY KEY", rows="(1)")
    with servers.open() as one, servers.open() as other:
        query = f"SELECT id FROM {name} WHERE id = 1"
        wait_until(lambda: one.session().query(query).source == "cache")
        assert other.session().query(query).source != "cache"


def test_changes_come_on_top(servers: Servers) -> None:
    with servers.open(policy={"odd": "1s"}, cache={"kind": "none"}) as client:
        assert knows_nodes(client)
        client.statement("SELECT 1", policy="odd")


def test_a_database_is_empty_and_one_s_own(database: Servers, servers: Servers) -> None:
    database.sql("CREATE TABLE products (product_id int PRIMARY KEY)")
    assert database.sql("SELECT current_database() = %s", servers.sql("SELECT current_database()")[0][0]) == [(False,)]
    with database.open() as client, client.session() as s:
        assert s.query("SELECT count(*) FROM products").scalar() == 0


def test_session(session: shopdata.Session) -> None:
    assert session.query("SELECT 1 AS one").one().one == 1


def test_names_differ() -> None:
    assert len({own_name("t") for _ in range(10)}) == 10
