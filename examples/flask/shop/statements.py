"""All SQL of the shop, and how long its answers are kept.

Nothing here says what a write makes stale: the library sees it in the SQL. PRODUCT fixes its row by the primary key, so
an edit of another product leaves it in the cache; the lists hang on the whole table.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from shopdata.flask import statement

POLICIES = {
    "product": {"ttl": "5m", "negative_ttl": "5s"},
    "list": {"ttl": "1m", "negative_ttl": "5s"},
    "search": {"ttl": "1m", "negative_ttl": "2s"},  # what visitors type is a long tail: nothing found is kept shorter
    "order": {"cache": False},  # names and addresses stay out of a cache that others read
}

CARD = "p.product_id, p.name, p.price, p.stock, p.style, c.name AS category"
GOODS = "products p JOIN categories c ON c.category_id = p.category_id"
# The text search is named: without, it depends on a setting of the session, and its answers are nobody else's.
WORDS = "websearch_to_tsquery('english', $1)"
NAMED_SO = "strpos(lower(p.name), lower($1)) > 0"

MENU = statement("SELECT category_id, name FROM categories ORDER BY name", policy="list")

# Every 211th product: a choice that is the same for everybody and needs no column of its own.
FEATURED = statement(
    f"SELECT {CARD} FROM {GOODS} WHERE p.product_id % 211 = 7 ORDER BY p.product_id LIMIT 12", policy="list")

PRODUCT = statement(f"SELECT {CARD}, p.description FROM {GOODS} WHERE p.product_id = $1", policy="product")

RELATED = statement(
    f"""SELECT {CARD} FROM {GOODS} JOIN products self ON self.category_id = p.category_id AND self.style = p.style
        WHERE self.product_id = $1 AND p.product_id <> $1
        ORDER BY p.product_id < $1, p.product_id LIMIT 6""", policy="list")

CATEGORY_COUNT = statement(
    """SELECT count(p.product_id) FROM categories c LEFT JOIN products p ON p.category_id = c.category_id
       WHERE c.name = $1 GROUP BY c.category_id""", policy="list")

CATEGORY = statement(
    f"SELECT {CARD} FROM {GOODS} WHERE c.name = $1 ORDER BY p.product_id LIMIT $2 OFFSET $3", policy="list")

NAMED_COUNT = statement(f"SELECT count(*) FROM products p WHERE {NAMED_SO}", policy="list")

NAMED = statement(
    f"SELECT {CARD} FROM {GOODS} WHERE {NAMED_SO} ORDER BY p.product_id LIMIT $2 OFFSET $3", policy="list")

SHELVES = statement(
    f"SELECT c.name, count(*) AS found FROM {GOODS} WHERE p.search @@ {WORDS} GROUP BY c.name ORDER BY c.name",
    policy="search")

SEARCH = {
    sort: statement(
        f"""SELECT {CARD} FROM {GOODS} WHERE p.search @@ {WORDS} AND ($2 = '' OR c.name = $2)
            ORDER BY {order}, p.product_id LIMIT $3 OFFSET $4""", policy="search")
    for sort, order in {"best": f"ts_rank(p.search, {WORDS}) DESC", "price": "p.price", "price-down": "p.price DESC",
                        "name": "p.name"}.items()
}

SAVE = statement(
    """UPDATE products SET price = :price, stock = :stock WHERE product_id = :product_id
       RETURNING product_id, price, stock""", policy="product")

# An order is claimed by the token of its form, then its lines are taken from the stock: see checkout.py.
CLAIM = statement(
    """INSERT INTO orders (number, token, visitor, name, email, address)
       VALUES (:number, :token, :visitor, :name, :email, :address) ON CONFLICT (token) DO NOTHING""", policy="order")

CLAIMED = statement("SELECT number FROM orders WHERE token = $1", policy="order")

TAKE = statement(
    "UPDATE products SET stock = stock - $2 WHERE product_id = $1 AND stock >= $2 RETURNING price", policy="product")

ADD_LINE = statement(
    "INSERT INTO order_lines (number, product_id, quantity, price) VALUES ($1, $2, $3, $4)", policy="order")

ORDER = statement(
    "SELECT number, visitor, name, email, address, ordered_at FROM orders WHERE number = $1", policy="order")

ORDER_LINES = statement(
    """SELECT p.product_id, p.name, c.name AS category, l.quantity, l.price FROM order_lines l
       JOIN products p ON p.product_id = l.product_id JOIN categories c ON c.category_id = p.category_id
       WHERE l.number = $1 ORDER BY p.product_id""", policy="order")

ORDERS = statement(
    """SELECT o.number, o.ordered_at, sum(l.quantity)::integer AS pieces, sum(l.quantity * l.price) AS total
       FROM orders o JOIN order_lines l ON l.number = o.number
       WHERE o.visitor = :visitor AND (:email::text IS NULL OR o.email = :email)
       GROUP BY o.number ORDER BY o.ordered_at DESC, o.number LIMIT 50""", policy="order")


# What rows become that are more than shown.


@dataclass(frozen=True)
class Product:
    product_id: int
    name: str
    price: Decimal
    stock: int
    style: str
    category: str
    description: str


@dataclass(frozen=True)
class Order:
    number: str
    visitor: str
    name: str
    email: str
    address: str
    ordered_at: datetime


@dataclass(frozen=True)
class Line:
    product_id: int
    name: str
    category: str
    quantity: int
    price: Decimal

    @property
    def sum(self) -> Decimal:
        return self.price * self.quantity


@dataclass(frozen=True)
class Ordered:
    """An order in the list of a visitor's."""

    number: str
    ordered_at: datetime
    pieces: int
    total: Decimal
