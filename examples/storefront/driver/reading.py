"""Finds the prices and stocks on a page, and in its JSON twin."""

import json
import re
from typing import Any, Iterator

from .http import Response
from .ledger import Offer

PRICE = re.compile(rb'<data class="price" data-product="(\d+)" value="([^"]*)">')
STOCK = re.compile(rb'<data class="stock[^"]*" data-product="(\d+)" value="(\d+)">')
FIELD = re.compile(rb'<input id="(price|stock)"[^>]*value="([^"]*)"')


class ReadingError(Exception):
    """The answer is not what it should be."""


def offers_on_page(body: bytes) -> Iterator[tuple[int, Offer]]:
    stocks = {int(product): int(stock) for product, stock in STOCK.findall(body)}
    for product, price in PRICE.findall(body):
        yield int(product), Offer(price.decode(), stocks.get(int(product)))


def products_in(answer: Any) -> Iterator[dict]:
    """Every object with a price, wherever it stands."""
    if isinstance(answer, dict):
        if "price" in answer:
            yield answer
        for value in answer.values():
            yield from products_in(value)
    elif isinstance(answer, list):
        for value in answer:
            yield from products_in(value)


def parse_json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError as error:
        raise ReadingError(f"not JSON: {error}") from None


def offers_in_json(body: bytes) -> Iterator[tuple[int, Offer]]:
    for product in products_in(parse_json(body)):
        try:
            yield int(product["product_id"]), Offer(str(product["price"]), int(product["stock"]))
        except (KeyError, ValueError, TypeError) as error:
            raise ReadingError(f"a product without {error}") from None


def offers(path: str, response: Response) -> dict[int, Offer]:
    """What an answer says about products. An answer other than 200 is an error: nothing here may fail."""
    if response.status != 200:
        raise ReadingError(f"GET {path}: status {response.status}: {sentence(response.body)}")
    found = dict(offers_in_json(response.body) if path.startswith("/api/") else offers_on_page(response.body))
    if not found:
        raise ReadingError(f"GET {path}: no price in it")
    return found


def offer_in_form(body: bytes) -> Offer:
    fields = {name: value.decode() for name, value in FIELD.findall(body)}
    if set(fields) != {b"price", b"stock"} or not fields[b"stock"].isdigit():
        raise ReadingError("the form has no price and stock")
    return Offer(fields[b"price"], int(fields[b"stock"]))


def sentence(body: bytes) -> str:
    """An error page in short."""
    text = re.sub(rb"<(title|style).*?</\1>|<[^>]*>", b" ", body, flags=re.DOTALL)
    return " ".join(text.decode(errors="replace").split())[:160]
