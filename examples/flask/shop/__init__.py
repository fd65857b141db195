"""A shop in Flask on libshopdata. Begin with statements.py, then catalogue.py and checkout.py."""

import os
from datetime import timedelta

from flask import Flask, Response

from shopdata.flask import Shopdata

from . import admin, cart, catalogue, checkout, failures, looks, orders, reads, safety, statements, status, visitor


def create_app() -> Flask:
    """The application. What is particular to a place comes from the environment: FLASK_SECRET_KEY,
    FLASK_SHOPDATA_CONFIG and others; see the README."""
    app = Flask(__name__)
    app.config.from_mapping(
        SESSION_COOKIE_NAME="shop",
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=timedelta(days=30),
        MAX_CONTENT_LENGTH=64 * 1024,
        SHOPDATA_DEADLINE="3s",  # with no database in reach visitors would rather be told than wait
    )
    app.config.from_prefixed_env()
    Shopdata(app, policy=statements.POLICIES)
    for part in (safety, failures, looks, reads, visitor):
        part.init_app(app)
    for room in (catalogue, cart, checkout, orders, admin, status):
        app.register_blueprint(room.pages)
    app.after_request(name_worker)
    return app


def name_worker(response: Response) -> Response:
    """For whoever wants to know which process answered."""
    response.headers["X-Worker"] = str(os.getpid())
    return response
