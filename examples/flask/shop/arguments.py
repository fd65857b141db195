"""What visitors type into addresses and forms, checked."""

import re
from decimal import Decimal
from typing import NamedTuple, Optional

from flask import abort, request

PAGE_SIZE = 24
PRICE = re.compile(r"[0-9]{1,7}(\.[0-9]{1,2})?")
EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+\.[^@.\s\x00-\x1f\x7f]+")


def whole(text: Optional[str], least: int, most: int) -> Optional[int]:
    """The number if it is one within the bounds. Python's int() would take "1_0", "+1" and "१" as well."""
    good = text and len(text) <= 12 and text.isascii() and text.isdigit() and least <= int(text) <= most
    return int(text) if text and good else None


def page_number() -> int:
    return whole(request.args.get("page", "1"), 1, 100_000) or abort(400, "The page must be a whole number from 1.")


def window(page: int) -> tuple[int, int]:
    """LIMIT and OFFSET of a page."""
    return PAGE_SIZE, (page - 1) * PAGE_SIZE


def last_page(count: int, page: int) -> int:
    """How many pages a list has; 404 if it has not as many as were asked for."""
    pages = max(1, -(-count // PAGE_SIZE))
    return pages if page <= pages else abort(404, "The list does not have so many pages.")


class Edit(NamedTuple):
    price: Decimal
    stock: int


def read_edit(price: str, stock: str) -> Edit:
    """ValueError: what is wrong with it, for whoever typed it."""
    if not price or not stock:
        raise ValueError("Both fields are needed: price and stock.")
    if not PRICE.fullmatch(price.strip()):
        raise ValueError("The price must be a number from 0 to 9999999.99 with at most two decimals, such as 19.99.")
    number = whole(stock.strip(), 0, 1_000_000)
    if number is None:
        raise ValueError("The stock must be a whole number from 0 to 1000000.")
    return Edit(Decimal(price.strip()), number)


class Buyer(NamedTuple):
    name: str
    email: str
    address: str


def read_buyer(name: str, email: str, address: str) -> Buyer:
    """ValueError: what is wrong with it, for whoever typed it."""
    buyer = Buyer(name.strip(), email.strip().lower(), address.strip())
    if not 1 <= len(buyer.name) <= 100:
        raise ValueError("We need your name, of at most 100 characters.")
    if not EMAIL.fullmatch(buyer.email) or len(buyer.email) > 254:
        raise ValueError("We need your e-mail address, such as ada@example.com.")
    if not 1 <= len(buyer.address) <= 500:
        raise ValueError("We need the address to send it to, of at most 500 characters.")
    return buyer
