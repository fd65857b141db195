"""Those who buy: full carts and double clicks all along, and crowds that press the button for a last piece at once."""

import random
import threading

from .customer import Customer, expect_orders, ordered, twice
from .http import Connection, HttpError, Response
from .ledger import Offer
from .reading import ReadingError, sentence
from .sales import Sale, Sales
from .visitors import World, receive

# One product in so many is for buyers.
SHARE = 7
# Of the products that are for sale, those that most carts have: where buyers meet.
WANTED = 12
CROWD = 6


class Buyer(threading.Thread):
    """Fills a cart, orders, and looks at once whether everybody sees what is left."""

    def __init__(self, world: World, number: int, products: list[int], pause: float):
        super().__init__(daemon=True)
        self.world = world
        self.pause = pause
        self.chance = random.Random(f"buyer {number}")
        self.products = products
        self.customer = Customer(world.address)
        self.others = [Connection(world.address) for _ in range(2)]

    def run(self) -> None:
        while not self.world.end.wait(self.pause):
            try:
                self.buy(self.new_cart())
            except (HttpError, ReadingError) as error:
                self.world.error(error)
            for one in [self.customer, *self.others]:
                one.close()   # the next one may lead to another of the shop's processes

    def new_cart(self) -> dict[int, int]:
        wanted = self.products[:WANTED] if self.chance.random() < 0.3 else self.products
        products = self.chance.sample(wanted, min(len(wanted), self.chance.randint(1, 4)))
        return {product: self.chance.randint(1, 2) for product in products}

    def buy(self, cart: dict[int, int]) -> None:
        self.customer.cookie = ""
        for product, quantity in cart.items():
            self.customer.add(product, quantity)
        form = self.customer.checkout()
        self.world.sales.ask(cart)
        if self.chance.random() < 0.4:
            answers = twice(self.customer, self.others[0], form)
            self.world.record.add("double clicks")
        else:
            answers = [self.customer.post("/checkout", **form)]
        self.world.record.add("requests", len(cart) + 1 + len(answers))
        self.settle(cart, answers)
        self.probe(cart)

    def settle(self, cart: dict[int, int], answers: list[Response | HttpError]) -> None:
        """All answers to one form must be of one mind. What one answer has told stands, whatever became of the other."""
        told = ordered(answers)
        numbers = {number for number, _, _ in told}
        if len(numbers) > 1:
            self.world.record.complain("ordered twice", f"one form became {' and '.join(numbers)}")
        for number, _, worker in told[:1]:
            self.world.confirm(cart, number, worker, any(note == "late" for _, note, _ in told))
        refused = [answer for answer in answers if not isinstance(answer, HttpError) and answer.status == 409]
        if len(refused) == len(answers):
            self.world.sales.refuse(cart)
            self.world.record.add("sold out")
        elif len(told) < len(answers):
            expect_orders(answers)

    def probe(self, cart: dict[int, int]) -> None:
        """What is left, the moment after, on the buyer's connection and on another."""
        product = self.chance.choice(list(cart))
        moment = self.world.ledger.moment()
        for connection, path in ((self.customer.connection, f"/product/{product}"),
                                 (self.others[1], f"/api/product/{product}")):
            self.world.judge(moment, path, connection.get(path), wanted=product)
            self.world.record.add("stock probes")


class Crowd(threading.Thread):
    """Presses the button for one last piece after the other, with several hands at the same moment."""

    def __init__(self, world: World, last_pieces: list[int], pause: float):
        super().__init__(daemon=True)
        self.world = world
        self.last_pieces = last_pieces
        self.pause = pause
        self.customers = [Customer(world.address) for _ in range(CROWD)]

    def run(self) -> None:
        for product in self.last_pieces:
            if self.world.end.wait(self.pause):
                break
            try:
                self.race(product)
            except (HttpError, ReadingError) as error:
                self.world.error(error)
            for customer in self.customers:
                customer.close()

    def race(self, product: int) -> None:
        forms = []
        for customer in self.customers:
            customer.cookie = ""
            customer.add(product)
            forms.append(customer.checkout())
        self.world.sales.ask({product: 1})
        for customer, form in zip(self.customers, forms):
            customer.send("/checkout", **form)
        answers = [receive(customer) for customer in self.customers]
        self.judge(product, answers)
        moment = self.world.ledger.moment()
        path = f"/product/{product}"
        self.world.judge(moment, path, self.customers[0].get(path), wanted=product)
        self.world.record.add("requests", 3 * CROWD)

    def judge(self, product: int, answers: list[Response | HttpError]) -> None:
        won = ordered(answers)
        for number, note, worker in won[:1]:
            self.world.confirm({product: 1}, number, worker, note == "late")
        if len(won) > 1:
            self.world.record.complain("oversold", f"the last piece of product {product} was sold {len(won)} times")
        expect_orders([answer for answer in answers if isinstance(answer, HttpError) or answer.status != 409])
        if not won:
            self.world.record.complain("oversold", f"the last piece of product {product} was sold to nobody")
        self.world.record.add("races")


class Counter:
    """What is set aside for buyers: products that no editor touches, and of some of them just one piece."""

    def __init__(self, connection: Connection, offers: dict[int, Offer], races: int):
        chosen = [product for product, offer in offers.items() if product % SHARE == 0 and offer.stock]
        self.last_pieces = chosen[1::2][:races]
        self.for_sale = [product for product in chosen if product not in self.last_pieces]
        self.sales = Sales()
        for product in self.for_sale:
            self.sales.products[product] = Sale(offers[product].stock or 0, offers[product].price)
        for product in self.last_pieces:
            leave_one(connection, product, offers[product].price)
            self.sales.products[product] = Sale(1, offers[product].price)


def leave_one(connection: Connection, product: int, price: str) -> None:
    body = f'{{"price": "{price}", "stock": 1}}'.encode()
    connection.send("PUT", f"/api/product/{product}", body, "application/json")
    response = connection.receive()
    if response.status != 200:
        raise ReadingError(f"PUT /api/product/{product}: status {response.status}: {sentence(response.body)}")
