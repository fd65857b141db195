"""The launcher's servers, for tests: where they are, and how to make them ill."""

from __future__ import annotations

import itertools
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import psycopg

import shopdata

_number = itertools.count()


def own_name(what: str) -> str:
    """A name that no other test has, whichever process it runs in."""
    return f"{what}_{os.getpid()}_{next(_number)}"


@dataclass(frozen=True)
class Servers:
    """Where they are: connection strings (libpq's), and HOST:PORT of the caches."""

    primary: str
    replicas: tuple[str, ...]
    redis: str
    memcached: str
    superuser: str

    @classmethod
    def from_environment(cls) -> Servers:
        """What tests/launcher/launch tells; KeyError where there is none, or not all."""
        return cls(
            primary=os.environ["SHOPDATA_PRIMARY"],
            replicas=(os.environ["SHOPDATA_REPLICA1"], os.environ["SHOPDATA_REPLICA2"]),
            redis=os.environ["SHOPDATA_REDIS"],
            memcached=os.environ["SHOPDATA_MEMCACHED"],
            superuser=os.environ["SHOPDATA_SUPERUSER_PRIMARY"],
        )

    def sql(self, text: str, *params: object, as_superuser: bool = False) -> list[tuple[Any, ...]]:
        """Runs SQL on the primary, past the library; `%s` for parameters. The rows, if it has any."""
        with psycopg.connect(self.superuser if as_superuser else self.primary, autocommit=True) as connection:
            cursor = connection.execute(text.encode(), params or None)
            return cursor.fetchall() if cursor.description else []

    def settle(self) -> None:
        """Waits until the replicas have replayed all that the primary has written."""
        ((target,),) = self.sql("SELECT pg_current_wal_flush_lsn()::text")
        for replica in self.replicas:
            wait_until(lambda node=replica: replayed(node, target))

    def with_database(self, name: str) -> Servers:
        """The same servers, with another database."""

        def moved(conninfo: str) -> str:
            return psycopg.conninfo.make_conninfo(conninfo, dbname=name)

        return replace(self, primary=moved(self.primary), replicas=tuple(map(moved, self.replicas)),
                       superuser=moved(self.superuser))

    @contextmanager
    def own_database(self) -> Iterator[Servers]:
        """The same servers, with an empty database that nobody else uses, for so long."""
        name = own_name("d")
        ((owner,),) = self.sql("SELECT current_user")
        self.sql(f"CREATE DATABASE {name} OWNER {owner}", as_superuser=True)
        self.settle()
        yield self.with_database(name)
        self.sql(f"DROP DATABASE {name} WITH (FORCE)", as_superuser=True)

    def sections(self, kind: str = "redis") -> dict[str, Any]:
        """Keywords for `shopdata.open`: all nodes, that cache ("redis", "memcached", "memory", "none") with keys of its
        own, and short times, so that nothing waits long for what was made ill."""
        return {
            "node": {"primary": self.primary, "replica1": self.replicas[0], "replica2": self.replicas[1]},
            "route": {"poll_interval": "50ms", "breaker_open": "50ms", "breaker_open_max": "200ms"},
            "pool": {"connect_timeout": "5s"},
            "cache": {
                "kind": kind,
                "address": self.memcached if kind == "memcached" else self.redis,
                "key_prefix": own_name("python"),
                "breaker_open": "50ms",
                "breaker_open_max": "100ms",
            },
            "local": {"coherence": "0ms"},
        }

    def open(self, kind: str = "redis", /, **changes: dict[str, Any]) -> shopdata.Client:
        """A client of these servers that knows all nodes. `changes`: keys on top, by section."""
        sections = self.sections(kind)
        for name, keys in changes.items():
            sections[name] = {**sections.get(name, {}), **keys}
        client = shopdata.open(**sections)
        wait_until(lambda: knows_nodes(client))
        return client


def replayed(replica: str, target: str) -> bool:
    """Has that replica replayed the primary's log up to that position?"""
    with psycopg.connect(replica, autocommit=True) as connection:
        return connection.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", (target,)).fetchone() == (True,)


def knows_nodes(client: shopdata.Client) -> bool:
    """Has it found out which node is the primary (2), and which are replicas (1)?"""
    metrics = client.metrics()
    return [metrics.get("shopdata_node_role", node=node) for node in ("primary", "replica1", "replica2")] == [2, 1, 1]


def wait_until(holds: Any, seconds: float = 20.0) -> None:
    """Waits until it holds. How long that takes says nothing: it is an upper bound for a machine that is busy."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.01)


def steer(command: str) -> None:
    """Sends "VERB NODE" to the launcher ("pause replica1", "kill redis": tests/launcher/README.md). For tests that have
    servers of their own: `launch` in the table of meson.build."""
    with socket.socket(socket.AF_UNIX) as control:
        control.connect(os.environ["SHOPDATA_SERVERS"] + "/control")
        control.sendall(command.encode() + b"\n")
        answer = b"".join(iter(lambda: control.recv(4096), b"")).decode()
    assert answer.startswith("ok"), f"{command}: {answer}"
