"""A shop on Flask-SQLAlchemy, as it would be written for PostgreSQL, gets cache and routing by its URL."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import flask
import pytest
import sqlalchemy as sa
from flask_sqlalchemy import SQLAlchemy
from test_sqlalchemy_suite import url_of

from servers import Servers, own_name


def make_app(url: str, name: str) -> flask.Flask:
    app = flask.Flask("shop")
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    db = SQLAlchemy(app)

    class Product(db.Model):  # type: ignore[name-defined, misc]
        __tablename__ = name
        id = db.Column(db.Integer, primary_key=True)
        title = db.Column(db.Text, nullable=False)
        price = db.Column(db.Numeric(10, 2), nullable=False)

    @app.get("/products/<int:number>")
    def product(number: int) -> dict[str, Any]:
        found = db.get_or_404(Product, number)
        return {"title": found.title, "price": str(found.price)}

    @app.post("/products/<int:number>/price")
    def edit(number: int) -> tuple[str, int]:
        found = db.get_or_404(Product, number)
        found.price = flask.request.form["price"]
        db.session.commit()
        return "", 204

    @app.post("/products")
    def add() -> dict[str, int]:
        made = Product(title=flask.request.form["title"], price=flask.request.form["price"])
        db.session.add(made)
        db.session.commit()
        return {"id": made.id}

    app.extensions["test_db"] = db
    return app


def sources(app: flask.Flask) -> list[str]:
    """Who answers, from now on."""
    heard: list[str] = []
    with app.app_context():
        engine = app.extensions["test_db"].engine

    @sa.event.listens_for(engine, "after_cursor_execute")
    def hear(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if cursor.result is not None and statement.startswith("SELECT"):
            heard.append(cursor.result.source)

    return heard


@pytest.fixture
def apps(servers: Servers) -> Iterator[list[flask.Flask]]:
    """The same shop twice, each with an engine and a client of its own, as in two processes."""
    name, url = own_name("products"), url_of(servers) + f"&cache.key_prefix={own_name('shop')}"
    made = [make_app(url, name) for _ in range(2)]
    with made[0].app_context():
        made[0].extensions["test_db"].create_all()
    yield made
    for app in made:
        with app.app_context():
            db = app.extensions["test_db"]
            db.session.remove()
            if app is made[-1]:
                db.drop_all()
            db.engine.dispose()


def test_pages_come_from_the_cache_and_edits_are_seen_at_once(apps: list[flask.Flask]) -> None:
    one, other = (app.test_client() for app in apps)
    number = one.post("/products", data={"title": "shoe", "price": "10"}).get_json()["id"]
    heard = sources(apps[1])
    for _ in range(3):
        assert other.get(f"/products/{number}").get_json() == {"title": "shoe", "price": "10.00"}
    assert heard[-1] == "cache"
    for price in range(11, 21):
        assert one.post(f"/products/{number}/price", data={"price": price}).status_code == 204
        assert other.get(f"/products/{number}").get_json()["price"] == f"{price}.00"
        assert one.get(f"/products/{number}").get_json()["price"] == f"{price}.00"
    assert other.get("/products/999999").status_code == 404


def test_an_edit_by_another_process_is_seen_at_once(apps: list[flask.Flask]) -> None:
    client = apps[0].test_client()
    number = client.post("/products", data={"title": "coat", "price": "1"}).get_json()["id"]
    heard = sources(apps[0])
    for _ in range(2):
        client.get(f"/products/{number}")
    assert heard[-1] == "cache"
    with apps[0].app_context():
        engine = apps[0].extensions["test_db"].engine
        url = engine.url.render_as_string(hide_password=False)
        (name,) = apps[0].extensions["test_db"].metadata.tables
    code = (
        "import sys, test_flask_sqlalchemy as shop\n"
        f"app = shop.make_app({url!r}, {name!r})\n"
        f"sys.exit(app.test_client().post('/products/{number}/price', data={{'price': 99}}).status_code != 204)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parent)
    assert client.get(f"/products/{number}").get_json()["price"] == "99.00"
