"""The shop's books, read from the database after the run: what was sold and what is left must be what there was."""

import os
import subprocess
from dataclasses import dataclass

from .sales import Sales

STOCKS = "SELECT product_id, stock FROM products"
LINES = "SELECT number, product_id, quantity, price FROM order_lines"
ORDERS = "SELECT number FROM orders"


class BooksError(Exception):
    """One line: why they cannot be read."""


@dataclass
class Books:
    stocks: dict[int, int]
    lines: list[tuple[str, int, int, str]]   # order, product, pieces, price
    orders: set[str]


def query(sql: str) -> list[list[str]]:
    done = subprocess.run(["psql", "-XqAt", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-c", sql, os.environ["SHOPDATA_PRIMARY"]],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BooksError(f"the books cannot be read: {' '.join(done.stderr.split())}")
    return [line.split("\t") for line in done.stdout.splitlines()]


def read() -> Books:
    return Books({int(product): int(stock) for product, stock in query(STOCKS)},
                 [(number, int(product), int(quantity), price) for number, product, quantity, price in query(LINES)],
                 {number for number, in query(ORDERS)})


def audit(books: Books, sales: Sales) -> list[str]:
    """What does not add up."""
    sold: dict[int, int] = {}
    found = []
    for number, product, quantity, price in books.lines:
        sold[product] = sold.get(product, 0) + quantity
        sale = sales.products.get(product)
        if not sale or price != sale.price:
            found.append(f"order {number}: product {product} was sold for {price}, not for {sale and sale.price}")
    for product, sale in sales.products.items():
        left, gone = books.stocks.get(product, 0), sold.get(product, 0)
        if left < 0 or left + gone != sale.initial:
            found.append(f"product {product}: {gone} sold and {left} left of {sale.initial}")
        if not sale.ordered_at(1 << 60) <= gone <= sale.asked:
            found.append(f"product {product}: {gone} sold, but {sale.ordered_at(1 << 60)} were confirmed and "
                         f"{sale.asked} asked for")
    if missing := sales.numbers - books.orders:
        found.append(f"{len(missing)} orders were confirmed and are not in the books: {min(missing)}")
    if unknown := books.orders - sales.numbers:
        found.append(f"{len(unknown)} orders are in the books and nobody was told: {min(unknown)}")
    return found
