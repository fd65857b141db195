"""Those who read a product, each as its own manual says, in as few words as it allows."""

from __future__ import annotations

import os
import pickle
from typing import Any

import psycopg
import redis
from dogpile.cache import make_region
from flask import Flask
from flask_caching import Cache
from redis._parsers import _RESP3Parser
from redis.connection import DefaultParser

import shopdata

from compare import Contender, Read

PRODUCTS = 1000
READ = "SELECT product_id, name, description, price, stock FROM bench_product WHERE product_id = "


def make_table(conninfo: str) -> None:
    """The products of bench/roundtrips, about 250 bytes each."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE bench_product (product_id bigint PRIMARY KEY, name text NOT NULL, description text NOT NULL,"
            " price numeric(10,2) NOT NULL, stock integer NOT NULL) WITH (autovacuum_enabled = off)"
        )
        connection.execute(
            "INSERT INTO bench_product SELECT n, 'Product number ' || n, repeat(md5(n::text), 6), (n % 10000) / 100.0,"
            f" n % 1000 FROM generate_series(1, {PRODUCTS}) n"
        )
        connection.execute("VACUUM ANALYZE bench_product")


def open_ours() -> shopdata.Client:
    """Everything at its default, but for the cache in this process: the peers have none."""
    nodes = {name: os.environ[f"SHOPDATA_{name.upper()}"] for name in ("primary", "replica1", "replica2")}
    cache = {"kind": "redis", "address": os.environ["SHOPDATA_REDIS"]}
    return shopdata.open(node=nodes, cache=cache, local={"bytes": 0})


def ours(client: shopdata.Client) -> Contender:
    """This library, in mode fenced."""
    product = client.statement(READ + "$1")

    def reader() -> Read:
        session = client.session()
        return lambda key: session.query(product, key).one()

    return Contender("shopdata", reader)


def psycopg3() -> Contender:
    """No cache: a prepared statement on the primary, a connection a thread."""

    def reader() -> Read:
        connection = psycopg.connect(os.environ["SHOPDATA_PRIMARY"], autocommit=True)
        cursor = connection.cursor()
        return lambda key: cursor.execute(READ + "%s", (key,), prepare=True).fetchone()

    return Contender("psycopg 3, no cache", reader)


def redis_pickle(database: Read) -> Contender:
    """Cache-aside by hand: one client for all threads, as redis-py has it."""
    client: Any = redis.Redis.from_url(f"redis://{os.environ['SHOPDATA_REDIS']}/0")

    def read(key: int) -> Any:
        kept = client.get(f"product:{key}")
        if kept is not None:
            return pickle.loads(kept)
        row = database(key)
        client.set(f"product:{key}", pickle.dumps(row, pickle.HIGHEST_PROTOCOL), ex=3600)
        return row

    return Contender("redis-py + pickle", lambda: read)


def dogpile(database: Read, hiredis: bool) -> Contender:
    """A region for all threads, with its locks as they are by default; by redis-py alone, or with hiredis installed."""
    host, port = os.environ["SHOPDATA_REDIS"].split(":")
    parser = DefaultParser if hiredis else _RESP3Parser
    pool = redis.ConnectionPool(host=host, port=int(port), parser_class=parser)
    region = make_region().configure("dogpile.cache.redis", expiration_time=3600, arguments={"connection_pool": pool})
    prefix = f"dogpile{hiredis:d}"

    def read(key: int) -> Any:
        return region.get_or_create(f"{prefix}:{key}", database, creator_args=((key,), {}))

    return Contender("dogpile.cache, hiredis" if hiredis else "dogpile.cache", lambda: read)


def flask_caching(database: Read) -> Contender:
    """A memoized function of a Flask application."""
    host, port = os.environ["SHOPDATA_REDIS"].split(":")
    app = Flask("bench")
    cache = Cache(app, config={"CACHE_TYPE": "RedisCache", "CACHE_REDIS_HOST": host, "CACHE_REDIS_PORT": int(port)})

    read: Read = cache.memoize(timeout=3600)(lambda key: database(key))

    def reader() -> Read:
        app.app_context().push()
        return read

    return Contender("Flask-Caching", reader)
