"""A small Flask shop for the tests: it sells the things of a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import Flask, Response, request, stream_with_context

from shopdata.flask import Shopdata, session, statement

from servers import Servers, knows_nodes, wait_until

KEYS = "k1:" + "0123456789abcdef" * 2

database = Shopdata()


def configuration(servers: Servers, cache: str = "redis", **config: Any) -> dict[str, Any]:
    """SHOPDATA_* for an application of these servers, with cache keys of its own. Nothing is made ill here: times are
    long, so that on a busy machine nobody goes without the cache."""
    sections = servers.sections(cache)
    sections["cache"].update(timeout="20s", connect_timeout="20s")
    sections["pool"].update(connect_timeout="20s", wait_timeout="20s")
    keys = {f"SHOPDATA_{name.upper()}": section for name, section in sections.items()}
    return {"TESTING": True, "SHOPDATA_TOKEN_KEYS": KEYS, "SHOPDATA_DEADLINE": "30s", **keys, **config}


def make_shop(config: dict[str, Any], table: str) -> Flask:
    """The shop, once its client knows all nodes."""
    app = Flask("flask_shop")
    app.config.from_mapping(config)
    database.init_app(app)
    add_views(app, table)
    if not app.config.get("SHOPDATA_LAZY"):
        with app.app_context():
            client = database.client
        wait_until(lambda: knows_nodes(client))
    return app


def add_views(app: Flask, table: str) -> None:
    """What a visitor may ask for."""
    name_of = statement(f"SELECT name FROM {table} WHERE id = $1")
    newest_name_of = statement(f"SELECT name FROM {table} WHERE id = $1 AND random() >= 0")  # never cached
    rename = statement(f"UPDATE {table} SET name = $2 WHERE id = $1")

    @app.get("/plain")
    def plain() -> str:
        return "no session is asked for"

    @app.get("/<int:number>")
    def show(number: int) -> str:
        return str(session.query(name_of, number).scalar())

    @app.get("/newest/<int:number>")
    def show_newest(number: int) -> str:
        result = session.query(newest_name_of, number)
        return f"{result.scalar()} from {result.node}"

    @app.get("/public/<int:number>")
    def show_to_all(number: int) -> Response:
        response = Response(show_newest(number))
        response.cache_control.public = True
        response.cache_control.max_age = 60
        return response

    @app.post("/<int:number>")
    def set_name(number: int) -> str:
        session.execute(rename, number, request.form["name"])
        return "renamed"

    @app.post("/broken/<int:number>")
    def leave_open(number: int) -> str:
        session.begin()
        session.execute(rename, number, "never")
        raise LookupError("the view broke")

    @app.post("/stream/<int:number>")
    def stream(number: int) -> Response:
        def pieces() -> Iterator[str]:
            yield "renamed to "
            yield str(session.query(newest_name_of, number).scalar())

        session.execute(rename, number, request.form["name"])
        return Response(stream_with_context(pieces()))

    @app.get("/slow")
    def slow() -> str:
        session.query("SELECT pg_sleep(0.05)")
        session.query("SELECT pg_sleep(30)")
        return "never"

    @app.get("/async")
    async def show_async() -> str:
        first = await session.aquery(name_of, 1)
        second, third = await session.aquery_many([(name_of, 2), (name_of, 3)])
        return " ".join(str(one.scalar()) for one in (first, second, third))
