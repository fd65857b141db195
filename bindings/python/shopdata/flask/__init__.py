"""libshopdata in a Flask application: one session a request, and own writes seen on every instance.

    from shopdata.flask import Shopdata, session, statement

    PRODUCT = statement("SELECT name, price FROM products WHERE product_id = $1", policy="catalog")

    app = Flask(__name__)
    Shopdata(app, "shop.ini")

    @app.get("/products/<int:product_id>")
    def product(product_id):
        return render_template("product.html", product=session.query(PRODUCT, product_id).one())

doc/python.md tells how to take it to production.
"""

from __future__ import annotations

from werkzeug.local import LocalProxy

import shopdata

from .blueprints import health_blueprint, metrics_blueprint
from .extension import Shopdata
from .statements import statement
from .visit import current_session

__all__ = ["Shopdata", "health_blueprint", "metrics_blueprint", "session", "statement"]

session: shopdata.Session = LocalProxy(current_session)  # type: ignore[assignment]
"""The session of the current request, made at its first use and closed when the request is torn down. Outside a
request, in a command say, that of the application context."""
