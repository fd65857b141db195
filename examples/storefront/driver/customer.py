"""One who buys: has the shop's cookies, and reads its forms as a browser would."""

import html
import re
from urllib.parse import urlencode

from .http import Connection, HttpError, Response
from .reading import ReadingError, sentence

FORM = "application/x-www-form-urlencoded"
FIELD = re.compile(r'<input type="hidden" name="(token|cents)" value="([^"]*)">')
NUMBER = re.compile(r"/order/(F-\w{4}-\w{4})\?note=(\w+)")
BUYER = {"name": "Ada Lovelace", "email": "ada@example.com", "address": "12 St James's Square\nLondon"}


class Customer:
    def __init__(self, address: tuple[str, int]):
        self.connection = Connection(address)

    @property
    def cookie(self) -> str:
        return self.connection.cookie

    @cookie.setter
    def cookie(self, text: str) -> None:
        self.connection.cookie = text

    def close(self) -> None:
        self.connection.close()

    def get(self, path: str) -> Response:
        return self.connection.get(path)

    def post(self, path: str, **fields: object) -> Response:
        self.send(path, **fields)
        return self.receive()

    def send(self, path: str, **fields: object) -> None:
        self.connection.send("POST", path, urlencode(fields).encode(), FORM)

    def receive(self) -> Response:
        return self.connection.receive()

    def page(self, path: str, status: int = 200) -> str:
        response = self.get(path)
        if response.status != status:
            raise ReadingError(f"GET {path}: status {response.status}: {sentence(response.body)}")
        return response.body.decode()

    def form(self, path: str) -> dict[str, str]:
        """The hidden fields of a page's form."""
        found = {name: html.unescape(value) for name, value in FIELD.findall(self.page(path))}
        if "token" not in found:
            raise ReadingError(f"GET {path}: no form in it")
        return found

    def add(self, product: int, quantity: int = 1) -> None:
        response = self.post("/cart/add", product=product, quantity=quantity)
        if response.status != 303:
            raise ReadingError(f"POST /cart/add: status {response.status}: {sentence(response.body)}")

    def checkout(self) -> dict[str, str]:
        """The form, filled in."""
        return {**BUYER, **self.form("/checkout")}


def order_of(response: Response) -> tuple[str, str]:
    """The number of the order that a checkout led to, and the remark on it."""
    found = NUMBER.fullmatch(response.headers.get("location", ""))
    if response.status != 303 or not found:
        raise ReadingError(f"POST /checkout: status {response.status}: {sentence(response.body)}")
    return found[1], found[2]


def ordered(answers: list[Response | HttpError]) -> list[tuple[str, str, str]]:
    """Of the answers that tell of an order its number, the remark, and the worker that took it."""
    return [(*order_of(answer), answer.worker)
            for answer in answers if not isinstance(answer, HttpError) and answer.status == 303]


def expect_orders(answers: list[Response | HttpError]) -> None:
    for answer in answers:
        if isinstance(answer, HttpError):
            raise answer
        order_of(answer)


def twice(customer: Customer, other: Connection, form: dict[str, str]) -> list[Response | HttpError]:
    """A double click: the same form on two connections at once. Both answers are fetched, also if one fails."""
    other.cookie = customer.cookie
    other.send("POST", "/checkout", urlencode(form).encode(), FORM)
    customer.send("/checkout", **form)
    answers: list[Response | HttpError] = []
    for receive in (customer.receive, other.receive):
        try:
            answers.append(receive())
        except HttpError as error:
            answers.append(error)
    return answers
