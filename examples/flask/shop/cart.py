"""The cart: what is in it, adding to it, changing it."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Optional

from flask import Blueprint, redirect, request, url_for

from shopdata import Row

from .arguments import whole
from .reads import ask, show
from .statements import PRODUCT
from .visitor import QUANTITY_MAX, cart, cart_was_refused, form_token, keep_cart, require_form_token, visitor

pages = Blueprint("cart", __name__)


@dataclass(frozen=True)
class CartLine:
    product_id: int
    quantity: int
    product: Optional[Row]  # None: it is no longer in the shop

    @property
    def sum(self) -> Decimal:
        return self.product.price * self.quantity if self.product else Decimal(0)

    @property
    def is_short(self) -> bool:
        return not self.product or self.product.stock < self.quantity


def look_up() -> list[CartLine]:
    """The cart with today's prices, all of them in one call."""
    quantities = cart()
    found = ask(**{f"product {product}": (PRODUCT, product) for product in quantities})
    return [CartLine(product, quantity, getattr(found, f"product {product}").one_or_none())
            for product, quantity in quantities.items()]


def total(lines: list[CartLine]) -> Decimal:
    return sum((line.sum for line in lines), Decimal(0))


@pages.get("/cart")
def contents(complaint=None):
    lines, was_refused = look_up(), cart_was_refused()
    visitor()
    return show("cart.html", 400 if complaint else 200, complaint=complaint, lines=lines, total=total(lines),
                token=form_token(), was_refused=was_refused)


@pages.post("/cart")
def change():
    require_form_token()
    quantities = cart()
    for product in quantities:
        wanted = request.form.get(f"q{product}") or str(quantities[product])
        quantity = 0 if request.form.get("remove") == str(product) else whole(wanted, 0, QUANTITY_MAX)
        if quantity is None:
            return contents("A quantity must be a whole number from 0 to 99. Nothing was changed.")
        quantities[product] = quantity
    keep_cart(quantities)
    return redirect(url_for("cart.contents"), 303)


# A product's page is the same for everybody, so its form has no token: that another site cannot post it is enough here.
@pages.post("/cart/add")
def add():
    product = whole(request.form.get("product"), 1, 2**31 - 1)
    quantity = whole(request.form.get("quantity"), 1, QUANTITY_MAX)
    if not product:
        return contents("There is no such product.")
    if not quantity:
        return contents("A quantity must be a whole number from 1 to 99. Nothing was added.")
    quantities = cart()
    try:
        keep_cart({**quantities, product: quantities.get(product, 0) + quantity})
    except ValueError as complaint:
        return contents(str(complaint))
    return redirect(url_for("cart.contents"), 303)
