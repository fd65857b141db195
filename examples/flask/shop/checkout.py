"""Turns a cart into an order: one transaction that takes all of it from the stock, or nothing."""

import logging
import random
import secrets
import time
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from flask import Blueprint, redirect, request, url_for

from shopdata import AmbiguousCommit, Error
from shopdata.flask import session

from .arguments import Buyer, read_buyer, whole
from .cart import look_up, total
from .reads import show
from .statements import ADD_LINE, CLAIM, CLAIMED, TAKE
from .visitor import cart, form_token, keep_cart, require_form_token, visitor

pages = Blueprint("checkout", __name__)
log = logging.getLogger(__name__)

LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: none that is taken for another
PAUSES = [0.005 * 2**attempt for attempt in range(6)]  # seconds; between attempts
PATIENCE = 5  # seconds
NUMBER_IS_TAKEN = "23505"

PRICES_CHANGED = "A price has changed meanwhile: please look at the new total. Nothing was ordered."
NO_TOTAL = "The form came without its total. Nothing was ordered: please look at it and order again."
NOT_ORDERED = "Our database did not take the order. Nothing was ordered: please press the button again in a moment."
IN_DOUBT = ("The connection to our database broke while it took your order, and we cannot see yet whether it stands."
            " Press the button again: it cannot be ordered twice.")


class Purchase(NamedTuple):
    token: str  # of the form: who presses its button twice orders once
    visitor: str
    buyer: Buyer
    cart: dict[int, int]
    total: Decimal  # that the buyer was shown


@dataclass
class Receipt:
    number: str
    note: str  # what the order's page says above it


class Refusal(Exception):
    """Nothing was taken: the transaction it leaves is rolled back."""


class SoldOut(Refusal):
    def __init__(self, products: list[int]):
        super().__init__(products)
        self.products = products


class EmptyCart(Refusal):
    pass


class PricesChanged(Refusal):
    pass


class NotOrdered(Exception):
    """The database did not do it, after several attempts; or nobody knows whether it did."""

    def __init__(self, in_doubt: bool):
        super().__init__(IN_DOUBT if in_doubt else NOT_ORDERED)


def new_number() -> str:
    drawn = "".join(secrets.choice(LETTERS) for _ in range(8))
    return f"F-{drawn[:4]}-{drawn[4:]}"


def take(number: str, quantities: dict[int, int]) -> Decimal:
    """Moves the cart from the stock into the order; what it costs.

    In the order of the products' numbers: two buyers who want the same two products then wait for each other at the
    first, and cannot each hold what the other needs.
    """
    cost, short = Decimal(0), []
    for product, quantity in sorted(quantities.items()):
        taken = session.execute(TAKE, product, quantity).one_or_none()
        if taken is None:
            short.append(product)  # and go on: the buyer is told of all
            continue
        session.execute(ADD_LINE, number, product, quantity, taken.price)
        cost += taken.price * quantity
    if short:
        raise SoldOut(short)
    return cost


def order(purchase: Purchase) -> Receipt:
    """One attempt. Whoever orders with a token that is being ordered with waits at CLAIM until that is done."""
    number = new_number()
    with session.transaction() as transaction:
        claim = session.execute(CLAIM, number=number, token=purchase.token, visitor=purchase.visitor,
                                **purchase.buyer._asdict())
        if not claim.changed:
            return Receipt(session.query(CLAIMED, purchase.token).scalar(), "again")
        if not purchase.cart:
            raise EmptyCart
        if take(number, purchase.cart) != purchase.total:
            raise PricesChanged
    return Receipt(number, "thanks" if transaction.fenced else "late")


def check_out(purchase: Purchase) -> Receipt:
    """Orders, in as many attempts as it takes.

    A COMMIT whose answer was lost is attempted again like a deadlock: with the same token that finds what it has done.
    """
    in_doubt, ends = False, time.monotonic() + PATIENCE
    for pause in [*PAUSES, None]:
        try:
            receipt = order(purchase)
            return Receipt(receipt.number, "doubt") if in_doubt and receipt.note == "again" else receipt
        except Error as error:
            in_doubt |= isinstance(error, AmbiguousCommit)
            log.warning("an order was not taken: %s", error)
            hopeless = not (in_doubt or error.retriable or error.sqlstate == NUMBER_IS_TAKEN)
            if hopeless or pause is None or time.monotonic() > ends:
                raise NotOrdered(in_doubt) from error
        time.sleep(random.uniform(pause, 2 * pause))
    raise AssertionError("the last attempt returns or raises")


def form(status=200, complaint=None, token=None):
    """The page, with what was typed so far. The same form keeps its token."""
    lines = look_up()
    return show("checkout.html", status, complaint=complaint, lines=lines, total=total(lines),
                token=token or form_token(), typed=request.form)


def sold_out(products: list[int]):
    return show("sold_out.html", 409, lines=[line for line in look_up() if line.product_id in products])


@pages.get("/checkout")
def fill_in():
    return form() if cart() else redirect(url_for("cart.contents"), 303)


@pages.post("/checkout")
def place():
    number, token = require_form_token(), request.form["token"]
    cents = whole(request.form.get("cents"), 0, 10**12)
    try:
        buyer = read_buyer(*(request.form.get(field, "") for field in Buyer._fields))
    except ValueError as complaint:
        return form(400, str(complaint), token)
    if cents is None:
        return form(400, NO_TOTAL, token)
    try:
        receipt = check_out(Purchase(number, visitor(), buyer, cart(), Decimal(cents).scaleb(-2)))
    except SoldOut as refusal:
        return sold_out(refusal.products)
    except EmptyCart:
        return redirect(url_for("cart.contents"), 303)
    except PricesChanged:
        return form(409, PRICES_CHANGED, token)
    except NotOrdered as failure:
        return form(503, str(failure), token)
    keep_cart({})
    return redirect(url_for("orders.show_order", number=receipt.number, note=receipt.note), 303)
