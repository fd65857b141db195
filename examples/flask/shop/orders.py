"""An order, for who may see it; and how to find it again."""

from time import perf_counter
from typing import Optional

from flask import Blueprint, abort, request, session as cookie

from shopdata.flask import session

from .checkout import LETTERS
from .reads import ask, note, show
from .statements import ORDER, ORDER_LINES, ORDERS, Line, Order, Ordered
from .visitor import opened, seal

pages = Blueprint("orders", __name__)

LINK_SECONDS = 3600
MEANT = str.maketrans("OIL", "011", " -")  # what people write for what they read
NOT_YOURS = ("There is no such order, or it was not made in this browser. With its number and your e-mail address you"
             " find it under Orders.")
UNKNOWN = "We have no order of that number for that e-mail address."


def find_order(number: str) -> tuple[Optional[Order], list[Line]]:
    """In a transaction, and so from the primary: it may have been made a moment ago, by another browser."""
    began = perf_counter()
    with session.transaction("repeatable read", read_only=True):
        order = session.query(ORDER, number, into=Order)
        lines = session.query(ORDER_LINES, number, into=Line)
    note(perf_counter() - began, order=order, lines=lines)
    return order.one_or_none(), lines.all()


def may_see(order: Order) -> bool:
    """Whose cookie has the buyer's number, or who came by a link that we made for him."""
    if cookie.get("visitor") == order.visitor:
        return True
    return opened("order", request.args.get("key", ""), LINK_SECONDS) == order.number


@pages.get("/order/<number>")
def show_order(number):
    ask()
    order, lines = find_order(number)
    if not order or not may_see(order):
        abort(404, NOT_YOURS)  # the same for both: nobody learns which numbers exist
    total = sum(line.sum for line in lines)
    return show("order.html", order=order, lines=lines, total=total, note=request.args.get("note"))


@pages.get("/orders")
def show_orders():
    return list_orders(cookie.get("visitor"))


# The pair opens the order, and with it those that the same browser made with the same e-mail address. Not all of that
# address: anybody may order in another's name, and would have a pair.
@pages.post("/orders")
def find():
    email = request.form.get("email", "").strip().lower()
    order, _ = find_order(written(request.form.get("number", "")))
    if order and order.email == email:
        return list_orders(order.visitor, email)
    return list_orders(None, complaint=UNKNOWN)


def written(text: str) -> str:
    """An order's number as we write it, whatever was typed for it."""
    letters = text.upper().translate(MEANT)
    letters = letters[1:] if len(letters) == 9 and letters[0] == "F" else letters
    return f"F-{letters[:4]}-{letters[4:]}" if set(letters) <= set(LETTERS) else ""


def list_orders(visitor, email=None, complaint=None):
    ask()
    began = perf_counter()
    with session.transaction(read_only=True):
        orders = session.query(ORDERS, visitor=visitor or "", email=email, into=Ordered)
    note(perf_counter() - began, orders=orders)
    keys = {order.number: seal("order").dumps(order.number) for order in orders}
    return show("orders.html", 404 if complaint else 200, orders=orders, keys=keys, complaint=complaint,
                typed=request.form)
