"""What a page reads, in one call, and who answered: every page tells it in its foot, every twin in `served`.

A page's twin is the same as JSON, below /api: one function answers both.
"""

import os
from time import perf_counter
from types import SimpleNamespace
from typing import Any, Union

from flask import Flask, Response, g, jsonify, render_template, request

from shopdata import Result, Row
from shopdata.flask import session

from .statements import MENU


def ask(**calls: Any) -> SimpleNamespace:
    """Runs the reads of a page: one round trip to the cache, and at most one to each node that has to help.

    The departments come along, because every page has them in its head.
    """
    calls["departments"] = MENU
    began = perf_counter()
    results = dict(zip(calls, session.query_many(calls.values())))
    g.departments = results["departments"]
    note(perf_counter() - began, **results)
    return SimpleNamespace(**results)


def note(seconds: float, **results: Result[Any]) -> None:
    """Remembers who answered, and how long that took, for the foot of the page."""
    g.seconds = g.get("seconds", 0.0) + seconds
    g.setdefault("results", {}).update(results)


def who(result: Result[Any]) -> str:
    """ "cache", or the node that answered."""
    return "cache" if result.source in ("cache", "local", "stale") else result.node


def served() -> dict[str, Any]:
    results: dict[str, Result[Any]] = g.get("results", {})
    return {
        "from": " and ".join(dict.fromkeys(map(who, results.values()))),
        "ms": round(1000 * g.get("seconds", 0.0), 3),
        "worker": os.getpid(),
        "reads": [{"read": name, "from": who(result), "node": result.node, "age_ms": round(1000 * (result.age or 0.0))}
                  for name, result in results.items()],
    }


def show(template: str, status: int = 200, **facts: Any) -> Union[tuple[str, int], Response]:
    """The page, or its twin if that was asked for."""
    if is_twin():
        return jsonify(**{name: plain(fact) for name, fact in facts.items()}, served=served())
    return render_template(template, **facts), status


def is_twin() -> bool:
    return request.path.startswith("/api/")


def plain(fact: Any) -> Any:
    """Rows as objects. Flask writes a Decimal as a string: as a number it would be a float in most languages."""
    if isinstance(fact, Row):
        return fact._asdict()
    if isinstance(fact, Result):
        return [row._asdict() for row in fact]
    return fact


def init_app(app: Flask) -> None:
    app.jinja_env.globals["served"] = served
