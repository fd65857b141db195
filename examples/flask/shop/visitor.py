"""Who visits, and what is in his cart: both travel in Flask's signed cookie, and the shop keeps nothing of them.

Only product numbers and quantities are in it; prices are read each time.
"""

import secrets
from typing import Any, Optional

from flask import Flask, abort, current_app, request, session
from itsdangerous import BadSignature, URLSafeTimedSerializer

LINES_MAX, QUANTITY_MAX = 20, 99
DAY = 24 * 3600


def visitor() -> str:
    """The random number that this browser goes by."""
    session.permanent = True
    return session.setdefault("visitor", secrets.token_hex(16))


def cart() -> dict[int, int]:
    """Quantities by product, in the order in which they were put in. A copy: keep_cart() keeps a new one."""
    return dict(session.get("cart", []))


def keep_cart(quantities: dict[int, int]) -> None:
    """Without what is wanted no more. ValueError: it is too much."""
    wanted = {product: quantity for product, quantity in quantities.items() if quantity > 0}
    if len(wanted) > LINES_MAX or max(wanted.values(), default=0) > QUANTITY_MAX:
        raise ValueError(f"A cart holds at most {LINES_MAX} products, and {QUANTITY_MAX} of each. Nothing was added.")
    visitor()
    session["cart"] = [[product, quantity] for product, quantity in wanted.items()]


def cart_was_refused() -> bool:
    """The cookie had expired or was damaged: Flask then takes it for none."""
    return current_app.config["SESSION_COOKIE_NAME"] in request.cookies and "visitor" not in session


def seal(purpose: str) -> URLSafeTimedSerializer:
    """Signs what a page gives out and wants to have back unchanged."""
    assert current_app.secret_key
    return URLSafeTimedSerializer(current_app.secret_key, salt=purpose)


def form_token() -> str:
    """For a form that is this visitor's, and for one order at most: a second click sends the same."""
    return seal("form").dumps([visitor(), secrets.token_hex(16)])


def require_form_token() -> str:
    """The number in the token of the form that was sent; 403 if it is not this visitor's, or more than a day old."""
    whose, number = opened("form", request.form.get("token", ""), DAY) or ("", "")
    if not number or whose != session.get("visitor"):
        abort(403, "This form is more than a day old, or was not made for you. Please open its page again.")
    return number


def opened(purpose: str, sealed: str, seconds: int) -> Optional[Any]:
    """What was sealed, None if that is not so or was longer ago."""
    try:
        return seal(purpose).loads(sealed, max_age=seconds)
    except BadSignature:
        return None


def init_app(app: Flask) -> None:
    app.context_processor(lambda: {"pieces": sum(cart().values())})
