"""The crowd: readers who look at pages, and editors who change prices and look at once whether everybody sees it."""

import json
import random
import threading
import time
from dataclasses import dataclass
from urllib.parse import urlencode

from .customer import Customer
from .doubt import MAX_LAG_SECONDS
from .http import Connection, HttpError, Response
from .ledger import Eyes, Ledger, Offer
from .reading import ReadingError, offer_in_form, offers, sentence
from .record import Record
from .sales import Sales
from .shelves import Shelves
from .trace import Trace
from .workers import Workers


@dataclass
class World:
    """What all visitors share."""

    address: tuple[str, int]
    shelves: Shelves
    trace: Trace
    ledger: Ledger
    sales: Sales
    record: Record
    workers: Workers
    end: threading.Event

    def judge(self, moment: int, path: str, response: Response, wanted: int | None = None, editor: object = None) -> None:
        """Holds every price in an answer against the ledger. `wanted` is a product that must be in it, `editor` whose
        token was sent along."""
        self.record.add("requests")
        found = offers(path, response)
        if wanted is not None and wanted not in found:
            raise ReadingError(f"GET {path}: product {wanted} is not in it")
        edited = 0
        for product, offer in found.items():
            edited += product in self.ledger.histories and self.ledger.was_edited(product)
            complaint = self.complaint(Eyes(moment, response.worker, editor), product, offer)
            if complaint:
                self.record.complain("wrong", f"{path}: {complaint}")
        self.workers.did("reads", response.worker)
        self.record.add("prices", len(found))
        self.record.add("edited prices", edited)
        self.record.add("prices in doubt", len(found) if self.ledger.common(moment) < moment else 0)

    def complaint(self, eyes: Eyes, product: int, offer: Offer) -> str | None:
        sale = self.sales.products.get(product)
        if sale:
            return sale.complaint(self.ledger.common(eyes.moment), product, offer.price, offer.stock)
        return self.ledger.complaint(eyes, product, offer)

    def confirm(self, cart: dict[int, int], number: str, worker: str, is_late: bool) -> None:
        """As soon as an order's answer is there: from now on pages must show it."""
        if is_late:
            self.late()
        with self.ledger.lock:
            is_new = self.sales.confirm(cart, number, self.ledger.now + 1)
            self.ledger.tick()
        self.record.add("orders")
        self.workers.did("orders", worker)
        self.record.add("orders without cache", is_late)
        self.record.add("pieces", sum(cart.values()))
        if not is_new:
            self.record.complain("ordered twice", f"{number} is the number of two orders")

    def late(self) -> None:
        """A write that its process could not tell the others of."""
        if self.workers.wanted > 1:
            self.ledger.doubt(MAX_LAG_SECONDS)

    def error(self, error: Exception) -> None:
        self.record.complain("errors", str(error))


class Reader(threading.Thread):
    """Looks at one page after the other, as the trace has it, on one connection."""

    def __init__(self, world: World):
        super().__init__(daemon=True)
        self.world = world
        self.connection = Connection(world.address)

    def run(self) -> None:
        while not self.world.end.is_set():
            number, product = self.world.trace.next()
            try:
                self.look(self.path(number, product))
            except (HttpError, ReadingError) as error:
                self.world.error(error)
                time.sleep(0.05)  # a dead shop shall not make millions of errors
        self.connection.close()

    def path(self, number: int, product: int) -> str:
        """Of twenty looks one goes home, one searches, one each to the shelf and its JSON, and five to the product's."""
        place = self.world.shelves.places[product]
        search = f"/search?q={self.world.shelves.words[product]}"
        kinds = {0: "/", 1: place.address(), 2: place.address("/api"), 3: "/api/home", 4: search, 5: f"/api{search}"}
        kind = number % 20
        return kinds.get(kind) or (f"/api/product/{product}" if kind < 11 else f"/product/{product}")

    def look(self, path: str) -> None:
        moment, begin = self.world.ledger.moment(), time.monotonic()
        response = self.connection.get(path)
        self.world.record.took(time.monotonic() - begin)
        self.world.judge(moment, path, response)


class Editor(threading.Thread):
    """Changes a price, mostly with the form, sometimes with JSON. The products whose number leaves `number` when divided
    by `count` are its own, so no two edits of a product are ever under way at once."""

    PROBES = 6

    def __init__(self, world: World, number: int, count: int, pause: float):
        super().__init__(daemon=True)
        self.world = world
        self.pause = pause
        self.chance = random.Random(number)
        self.own = [product for product in world.shelves.places
                    if product % count == number and product not in world.sales.products]
        own = set(self.own)
        self.wanted = [product for product in world.trace.keys[:2000] if product in own] or self.own
        self.connection = Connection(world.address)
        self.probes = [Connection(world.address) for _ in range(self.PROBES)]
        self.worker = ""   # that took the last edit

    def run(self) -> None:
        while not self.world.end.wait(self.pause):
            product = self.chance.choice(self.wanted if self.chance.random() < 0.7 else self.own)
            try:
                self.edit(product)
                self.probe(product)
            except (HttpError, ReadingError) as error:
                self.world.error(error)
            for connection in [self.connection, *self.probes]:
                connection.close()   # the next one may lead to another of the shop's processes

    def new_offer(self, product: int) -> Offer:
        """A price that the product never had, so that no page can be right by chance."""
        had = {offer.price for offer in self.world.ledger.histories[product].offers}
        while True:
            price = f"{self.chance.randint(1, 999)}.{self.chance.randint(0, 99):02d}"
            if price not in had:
                return Offer(price, self.chance.randint(0, 60))

    def edit(self, product: int) -> None:
        offer = self.new_offer(product)
        if self.chance.random() < 0.25:
            self.edit_by_json(product, offer)
        else:
            self.edit_by_form(product, offer)

    def edit_by_form(self, product: int, offer: Offer) -> None:
        path = f"/admin/product/{product}"
        self.check_form(path, self.world.ledger.moment(), product)
        number = self.world.ledger.issue(product, offer)
        body = urlencode({"price": offer.price, "stock": offer.stock}).encode()
        self.connection.send("POST", path, body, "application/x-www-form-urlencoded")
        response = self.connection.receive()
        self.expect(303, "POST", path, response)
        self.acknowledge(product, number, response, "late=" in response.headers.get("location", ""))
        self.world.record.add("edits by form")
        self.check_form(response.headers.get("location", path), self.world.ledger.moment(), product)

    def check_form(self, path: str, moment: int, product: int) -> None:
        response = self.connection.get(path)
        self.expect(200, "GET", path, response)
        eyes = Eyes(moment, response.worker, self)
        complaint = self.world.ledger.complaint(eyes, product, offer_in_form(response.body))
        if complaint:
            self.world.record.complain("wrong", f"{path}: {complaint}")

    def edit_by_json(self, product: int, offer: Offer) -> None:
        path = f"/api/product/{product}"
        number = self.world.ledger.issue(product, offer)
        body = json.dumps({"price": offer.price, "stock": offer.stock}).encode()
        self.connection.send("PUT", path, body, "application/json")
        response = self.connection.receive()
        self.expect(200, "PUT", path, response)
        self.acknowledge(product, number, response, b'"cache_told":false' in response.body)
        self.world.record.add("edits by JSON")

    def acknowledge(self, product: int, number: int, response: Response, is_late: bool) -> None:
        if is_late:
            self.world.late()
        self.world.ledger.acknowledge(product, number, response.worker, self)
        self.world.record.add("edits without cache", is_late)
        self.worker = response.worker
        self.world.workers.did("edits", self.worker)

    def expect(self, status: int, method: str, path: str, response: Response) -> None:
        self.world.record.add("requests")
        if response.status != status:
            raise ReadingError(f"{method} {path}: status {response.status}: {sentence(response.body)}")

    def probe(self, product: int) -> None:
        """The very next pages: four at the same moment, three of them on connections other than the editor's, one of which
        is also his: it has his cookies."""
        place = self.world.shelves.places[product]
        paths = [f"/product/{product}", place.address(), f"/api/product/{product}", place.address("/api")]
        self.chance.shuffle(paths)
        connections = [self.connection, *self.chance.sample(self.probes, 3)]
        owners = [self, self, None, None]
        connections[1].cookies = dict(self.connection.cookies)
        connections[2].cookies, connections[3].cookies = {}, {}
        moment = self.world.ledger.moment()
        for connection, path in zip(connections, paths):
            connection.send("GET", path)
        responses = [receive(connection) for connection in connections]
        for path, response, owner in zip(paths, responses, owners):
            if isinstance(response, HttpError):
                self.world.error(response)
            else:
                self.world.judge(moment, path, response, wanted=product, editor=owner)
                self.world.record.add("probes")
                self.world.workers.showed(self.worker, response.worker)


def receive(connection: Connection | Customer) -> Response | HttpError:
    """Every answer must be fetched, also after one that failed: else it would be taken for the next request's."""
    try:
        return connection.receive()
    except HttpError as error:
        return error
