"""Walks through the whole shop once before the check: what there is, where it stands, what it costs."""

import re
from dataclasses import dataclass
from urllib.parse import quote

from .http import Connection
from .ledger import Offer
from .reading import ReadingError, offers_in_json, parse_json


@dataclass(frozen=True)
class Place:
    """The page of a list on which a product stands."""

    category: str
    page: int

    def address(self, prefix: str = "") -> str:
        return f"{prefix}/category/{quote(self.category)}?page={self.page}"


class Shelves:
    def __init__(self) -> None:
        self.places: dict[int, Place] = {}
        self.offers: dict[int, Offer] = {}
        self.words: dict[int, str] = {}   # one of a product's name, to search for

    def walk(self, connection: Connection) -> None:
        for category in self._fetch(connection, "/api/home")["categories"]:
            self._walk_category(connection, category)
        if not self.places:
            raise ReadingError("the shop has no products")

    def _walk_category(self, connection: Connection, category: str) -> None:
        page, pages = 1, 1
        while page <= pages:
            place = Place(category, page)
            answer = self._fetch(connection, place.address("/api"))
            pages = answer["pages"]
            for product, offer in offers_in_json(self.body):
                self.places[product] = place
                self.offers[product] = offer
            for product in answer["products"]:
                self.words[product["product_id"]] = max(re.findall(r"[a-z]*", product["name"].lower()), key=len)
            page += 1

    def _fetch(self, connection: Connection, path: str) -> dict:
        response = connection.get(path)
        if response.status != 200:
            raise ReadingError(f"GET {path}: status {response.status}")
        self.body = response.body
        return parse_json(response.body)
