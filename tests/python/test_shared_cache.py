"""A C service and a Python service on one database and one cache: each answers from what the other stored, and neither
from what the other has overtaken.

A read need not leave its answer in the cache, on a replica that is not known to be new enough yet say: what the other
is to find is asked for until it is there."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

import shopdata
from shopdata.client import _keys

from servers import Servers, wait_until
from things import Things, things_of


class Peer:
    """A running tests/python/peer.c."""

    def __init__(self, sections: dict[str, Any]) -> None:
        keys = [f"{key}={value}" for key, value in _keys(sections)]
        self.process = subprocess.Popen(
            [os.environ["SHOPDATA_PEER"], *keys], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def ask(self, line: str) -> str:
        """What it answers to a line."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(line + "\n")
        return self.process.stdout.readline().rstrip("\n")

    def close(self) -> None:
        """Lets it end, which it has to do well."""
        self.process.communicate(timeout=30)
        assert self.process.returncode == 0


@pytest.fixture(params=["redis", "memcached"])
def shared(servers: Servers, request: pytest.FixtureRequest) -> dict[str, Any]:
    """One cache, and keys in it, for both."""
    return servers.sections(request.param)


@pytest.fixture
def both(shared: dict[str, Any], servers: Servers) -> Iterator[tuple[Things, Peer]]:
    peer = Peer(shared)
    with shopdata.open(**shared) as client, things_of(client, servers) as things:
        yield things, peer
    peer.close()


def test_each_takes_what_the_other_stored(both: tuple[Things, Peer]) -> None:
    things, peer = both
    sql = f"SELECT name FROM {things.table} WHERE id = $1"
    with things.client.session() as s:
        assert s.query(sql, 1).source != "cache"
        wait_until(lambda: s.query(sql, 1).source == "cache")
        assert peer.ask(f"read 1 {sql}") == "cache one"
        assert peer.ask(f"read 2 {sql}") in ("replica two", "primary two")
        wait_until(lambda: peer.ask(f"read 2 {sql}") == "cache two")
        result = s.query(sql, 2)
        assert (result.source, result.scalar()) == ("cache", "two")


def test_named_parameters_are_the_same_entry(both: tuple[Things, Peer]) -> None:
    things, peer = both
    with things.client.session() as s:
        named = f"SELECT name FROM {things.table} WHERE id = :id"
        wait_until(lambda: s.query(named, id=3).source == "cache")
    assert peer.ask(f"read 3 SELECT name FROM {things.table} WHERE id = $1") == "cache three"


def test_each_invalidates_the_other(both: tuple[Things, Peer]) -> None:
    things, peer = both
    sql = f"SELECT name FROM {things.table} WHERE id = $1"
    with things.client.session() as s:
        for turn in range(10):
            s.execute(things.rename, 1, f"python {turn}")
            assert peer.ask(f"read 1 {sql}").endswith(f" python {turn}")
            assert peer.ask(f"write 1 UPDATE {things.table} SET name = 'c {turn}' WHERE id = $1") == "1"
            assert s.query(sql, 1).scalar() == f"c {turn}"
        with s.transaction():
            s.execute(things.rename, 1, "at last")
            assert peer.ask(f"read 1 {sql}").endswith(" c 9")
        assert peer.ask(f"read 1 {sql}").endswith(" at last")


def test_tags_reach_the_other(both: tuple[Things, Peer]) -> None:
    things, peer = both
    sql = f"SELECT count(*) FROM {things.table}"
    with things.client.session() as s:
        wait_until(lambda: s.query(sql).source == "cache")
        assert peer.ask(f"tag public.{things.table}") == "ok"
        assert s.query(sql).source != "cache"
        wait_until(lambda: s.query(sql).source == "cache")
        assert peer.ask(f"read 0 {sql}") == "cache 3"
        things.client.invalidate(f"public.{things.table}")
        assert not peer.ask(f"read 0 {sql}").startswith("cache")


def test_tokens_are_taken_by_the_other(both: tuple[Things, Peer]) -> None:
    things, peer = both
    with things.client.session() as s:
        s.execute(things.rename, 2, "due")
        assert peer.ask(f"advance {s.token}") == "ok"
    assert peer.ask(f"read 2 SELECT name FROM {things.table} WHERE id = $1 AND random() >= 0").endswith(" due")
    peer.ask(f"write 2 UPDATE {things.table} SET name = 'zwei' WHERE id = $1")
    with things.client.session(token=peer.ask("token"), cache=False) as s:
        assert s.query(things.by_id, 2).one().name == "zwei"
