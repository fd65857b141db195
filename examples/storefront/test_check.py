#!/usr/bin/env python3
"""The check itself is checked: an honest shop passes, and a shop that lies about one price in a hundred does not."""

import io
import itertools
import json
import random
import threading
import unittest
from contextlib import redirect_stdout
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from unittest import mock
from urllib.parse import parse_qs, unquote, urlsplit

import check
from driver import books, faults
from driver.ledger import Eyes, Ledger, Offer
from driver.sales import Sale, Sales

SECONDS = 1
faults.FREEZE_SECONDS = 0.05
PRODUCTS = 30


class ToyShop:
    """The least that the check takes for a shop; every answer of the data is counted as somebody's."""

    def __init__(self, lie: str = "", silent: str = "nobody", workers: int = 1):
        self.lie = lie
        self.silent = silent
        self.turns = itertools.cycle(range(workers))   # which of the workers takes a connection
        self.lock = threading.Lock()
        self.offers = {product: ["1.00", 500] for product in range(1, PRODUCTS + 1)}
        self.old = {product: ["1.00", 500] for product in range(1, PRODUCTS + 1)}
        self.answers = 0
        self.orders: dict[str, str] = {}   # number, by the form's token
        self.lines: list[tuple[str, int, int, str]] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def end(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def save(self, product: int, price: str, stock: int) -> None:
        with self.lock:
            self.old[product] = self.offers[product]
            self.offers[product] = [price, stock]

    def order(self, token: str, cart: dict[int, int]) -> tuple[int, str]:
        """The status of a checkout, and where it leads to."""
        with self.lock:
            if token in self.orders and self.lie == "trips":
                return 503, ""
            if token in self.orders and self.lie != "twice":
                return 303, f"/order/{self.orders[token]}?note=again"
            if self.lie != "oversold" and any(self.offers[product][1] < wanted for product, wanted in cart.items()):
                return 409, ""
            number = f"F-{len(self.lines) // 10000:04}-{len(self.lines) % 10000:04}"
            self.orders[token] = number
            for product, wanted in cart.items():
                price, stock = self.offers[product]
                self.lines.append((number, product, wanted, price))
                # A last piece that stays is sold twice, and so is no wrong stock on a page.
                if self.lie != "left" or len(self.lines) % 2 or stock == wanted:
                    self.offers[product] = [price, stock - wanted]
            return 303, f"/order/{number}?note=thanks"

    def books(self) -> books.Books:
        return books.Books({product: stock for product, (_, stock) in self.offers.items()},
                           self.lines[self.lie == "lost":], set(self.orders.values()))

    def offer(self, product: int, where: str) -> list:
        self.answers += 1
        lies = self.lie == where or (self.lie == "rarely" and self.answers % 100 == 0)
        return (self.old if lies else self.offers)[product]

    def as_json(self, product: int, where: str) -> dict:
        price, stock = self.offer(product, where)
        return {"product_id": product, "name": f"Thing {product}", "price": price, "stock": stock}

    def as_html(self, product: int, where: str) -> str:
        price, stock = self.offer(product, where)
        return (f'<data class="price" data-product="{product}" value="{price}">'
                f'<data class="stock few" data-product="{product}" value="{stock}">')

    def metrics(self) -> str:
        sources = [f'shopdata_queries_total{{source="{source}"}}' for source in ("cache", "replica", "primary")]
        nodes = [f'shopdata_node_queries_total{{node="{node}"}}' for node in ("primary", "replica1", "replica2")]
        return "".join(f"{name} {self.answers}\n" for name in sources + nodes if self.silent not in name)

    def page(self, path: str) -> str:
        if path == "/metrics":
            return self.metrics()
        if path == "/api/home":
            return json.dumps({"categories": ["all things"], "featured": [self.as_json(one, "home") for one in self.offers]})
        if path == "/checkout":
            return f'<input type="hidden" name="token" value="{random.random()}">'
        if path == "/search":
            return "".join(self.as_html(one, "search") for one in self.offers)
        if path == "/api/search":
            return json.dumps({"products": [self.as_json(one, "search") for one in self.offers]})
        if path.startswith("/api/category/"):
            return json.dumps({"pages": 1, "products": [self.as_json(one, "shelf") for one in self.offers]})
        if path.startswith("/category/"):
            return "".join(self.as_html(one, "shelf") for one in self.offers)
        if path == "/":
            return "".join(self.as_html(one, "home") for one in self.offers)
        product = int(path.rsplit("/", 1)[1])
        if path.startswith("/api/product/"):
            return json.dumps({"product": self.as_json(product, "json")})
        if path.startswith("/admin/product/"):
            price, stock = self.offer(product, "form")
            return f'<input id="price" value="{price}"><input id="stock" value="{stock}">'
        return self.as_html(product, "page")

    def handler(shop) -> type:  # pylint: disable=no-self-argument
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1

            def setup(self) -> None:
                super().setup()
                self.worker = next(shop.turns)

            def log_message(self, *_) -> None:
                pass

            def answer(self, status: int, text: str, **headers: str) -> None:
                body = text.encode()
                self.send_response(status)
                worker = 0 if shop.lie == "idle" and self.command != "GET" else self.worker
                for name, value in {**headers, "X-Worker": str(worker), "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self) -> None:
                broken = shop.lie == "broken" and self.path.startswith("/product/")
                self.answer(503 if broken else 200, "sorry" if broken else shop.page(unquote(urlsplit(self.path).path)))

            def do_POST(self) -> None:
                fields = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                cart = json.loads(self.headers.get("Cookie", "cart={}").partition("=")[2])
                if self.path == "/cart/add":
                    cart[fields["product"][0]] = int(fields["quantity"][0])
                    self.answer(303, "", **{"Location": "/cart", "Set-Cookie": f"cart={json.dumps(cart)}; Path=/"})
                    return
                if self.path == "/checkout":
                    status, place = shop.order(fields["token"][0], {int(one): many for one, many in cart.items()})
                    self.answer(status, "", Location=place)
                    return
                shop.save(int(self.path.rsplit("/", 1)[1]), fields["price"][0], int(fields["stock"][0]))
                self.answer(303, "", Location=self.path + "?saved=1")

            def do_PUT(self) -> None:
                fields = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                shop.save(int(self.path.rsplit("/", 1)[1]), fields["price"], fields["stock"])
                self.answer(200, "{}")
        return Handler


class ToyLauncher:
    """Says of each node what was asked for; or nothing happens, and it says so."""

    def __init__(self, works: bool = True):
        self.works = works
        self.states = {"replica1": "replica", "replica2": "replica", "redis": "running"}

    def __call__(self, verb: str, node: str = "") -> str:
        if verb != "status" and self.works:
            planned = faults.for_cache("redis")
            wanted = [*planned, faults.thaw(planned[-1])]
            self.states[node] = next(fault.state for fault in wanted if (fault.verb, fault.node) == (verb, node))
        return "".join(f"{name} kind 1 2 {state}\n" for name, state in self.states.items())


def check_toy(lie: str = "", works: bool = True, cache: str = "redis", silent: str = "nobody",
              count: int = 1) -> tuple[int, str]:
    """The exit code and what was printed."""
    shop = ToyShop(lie, silent, count)
    output = io.StringIO()
    try:
        with redirect_stdout(output):
            code = check.tell(check.Check(shop.server.server_address, SECONDS, cache, None, count, ToyLauncher(works),
                                          shop.books).run())
    finally:
        shop.end()
    return code, output.getvalue()


class TestCheck(unittest.TestCase):
    def test_an_honest_shop_passes(self):
        code, output = check_toy()
        self.assertEqual(code, 0, output)
        self.assertRegex(output, r"wrong prices: +0\n")
        self.assertRegex(output, r"errors: +0\n")

    def test_a_lie_anywhere_is_seen(self):
        for lie in ("page", "shelf", "json", "form", "home", "search", "rarely", "left"):
            with self.subTest(lie):
                code, output = check_toy(lie)
                self.assertEqual(code, 1, output)
                self.assertRegex(output, r"FAILED: \d+ wrong prices were shown")
                self.assertRegex(output, r"errors: +0\n")

    def test_what_is_sold_wrongly_is_seen(self):
        for lie, words in (("oversold", r"\d+ oversold"), ("twice", r"\d+ ordered twice"), ("lost", r"\d+ unbalanced"),
                           ("left", r"\d+ unbalanced")):
            with self.subTest(lie):
                code, output = check_toy(lie)
                self.assertEqual(code, 1, output)
                self.assertRegex(output, f"FAILED: {words}")

    def test_errors_fail(self):
        code, output = check_toy("broken")
        self.assertEqual(code, 1, output)
        self.assertRegex(output, r"FAILED: \d+ requests failed")

    def test_an_order_that_one_of_two_answers_told_is_in_the_books(self):
        code, output = check_toy("trips")
        self.assertEqual(code, 1, output)
        self.assertRegex(output, r"FAILED: \d+ requests failed")
        self.assertNotRegex(output, r"FAILED: \d+ unbalanced")

    def test_faults_that_do_not_happen_fail(self):
        code, output = check_toy(works=False)
        self.assertEqual(code, 1, output)
        self.assertIn("faults happened", output)

    def test_a_source_that_never_answers_fails(self):
        for silent in ("cache", "replica\"", "primary"):
            with self.subTest(silent):
                code, output = check_toy(silent=silent)
                self.assertEqual(code, 1, output)
                self.assertIn("never answered", output)

    def test_each_worker_has_a_part(self):
        code, output = check_toy(count=2)
        self.assertEqual(code, 0, output)
        self.assertRegex(output, r"workers: +0 [\d,]+ reads, [\d,]+ edits, [\d,]+ orders; 1 [\d,]+ reads,")

    def test_a_worker_that_does_nothing_fails(self):
        code, output = check_toy("idle", count=2)
        self.assertEqual(code, 1, output)
        self.assertIn("FAILED: worker 1 did no edits", output)
        self.assertIn("FAILED: no edit that worker 1 took was seen through 0", output)

    def test_memory_has_no_cache_server_to_stop(self):
        code, output = check_toy(cache="memory")
        self.assertEqual(code, 0, output)
        self.assertNotIn("redis", output)


class TestShop(unittest.TestCase):
    def served(self, then: str) -> check.Shop:
        """A server at which nobody answers."""
        return check.Shop(["sh", "-c", f"echo http://127.0.0.1:1; {then}"])

    def test_one_that_ends_is_not_waited_for(self):
        with self.assertRaisesRegex(check.CheckError, r"ended before it was ready \(exit code 3\)"):
            self.served("exit 3").wait_ready()

    def test_one_that_is_never_ready_is_ended(self):
        shop = self.served("exec sleep 600")
        with mock.patch("check.START_SECONDS", 0.2), self.assertRaisesRegex(check.CheckError, "not ready after 0.2 s"):
            shop.wait_ready()
        self.assertIsNotNone(shop.process.poll())


class TestSales(unittest.TestCase):
    def setUp(self):
        self.sales = Sales()
        self.sales.products[1] = Sale(10, "1.00")

    def complaint(self, moment: int, stock: int, price: str = "1.00") -> str | None:
        return self.sales.products[1].complaint(moment, 1, price, stock)

    def test_what_was_answered_must_show_and_what_was_asked_may(self):
        self.sales.ask({1: 3})
        self.assertEqual([self.complaint(0, stock) is None for stock in (11, 10, 7, 6)], [False, True, True, False])
        self.sales.confirm({1: 3}, "F-1", 1)
        self.assertEqual([self.complaint(1, stock) is None for stock in (10, 8, 7, 6)], [False, False, True, False])
        self.assertIsNone(self.complaint(0, 10))

    def test_what_was_refused_must_not_show(self):
        self.sales.ask({1: 3})
        self.sales.refuse({1: 3})
        self.assertEqual([self.complaint(0, stock) is None for stock in (10, 7)], [True, False])

    def test_the_price_stands(self):
        self.assertIsNotNone(self.complaint(0, 10, "2.00"))

    def test_the_books(self):
        self.sales.ask({1: 3})
        self.sales.confirm({1: 3}, "F-1", 1)
        for stock, lines, orders, good in ((7, [("F-1", 1, 3, "1.00")], {"F-1"}, True), (8, [("F-1", 1, 3, "1.00")], {"F-1"}, False),
                                           (7, [], {"F-1"}, False), (7, [("F-1", 1, 3, "0.50")], {"F-1"}, False),
                                           (7, [("F-1", 1, 3, "1.00")], set(), False), (-1, [("F-1", 1, 11, "1.00")], {"F-1"}, False),
                                           (7, [("F-1", 1, 3, "1.00")], {"F-1", "F-2"}, False), (8, [("F-1", 1, 2, "1.00")], {"F-1"}, False)):
            self.assertEqual(books.audit(books.Books({1: stock}, lines, orders), self.sales) == [], good)


class TestLedger(unittest.TestCase):
    def setUp(self):
        self.ledger = Ledger({1: Offer("1.00", 5)})

    def edit(self, price: str, acknowledged: bool = True, worker: str = "", editor: object = None) -> None:
        number = self.ledger.issue(1, Offer(price, 5))
        if acknowledged:
            self.ledger.acknowledge(1, number, worker, editor)

    def complaint(self, moment: int, price: str, stock: int | None = 5, product: int = 1, **eyes: object) -> str | None:
        return self.ledger.complaint(Eyes(moment, **eyes), product, Offer(price, stock))

    def test_an_answered_edit_rules_out_what_was_before(self):
        before = self.ledger.moment()
        self.edit("2.00")
        after = self.ledger.moment()
        self.assertIsNone(self.complaint(before, "1.00"))
        self.assertIsNone(self.complaint(before, "2.00"))
        self.assertIsNotNone(self.complaint(after, "1.00"))
        self.assertIsNone(self.complaint(after, "2.00"))

    def test_an_edit_under_way_may_be_seen_or_not(self):
        self.edit("2.00", acknowledged=False)
        moment = self.ledger.moment()
        for price in ("1.00", "2.00"):
            self.assertIsNone(self.complaint(moment, price, None))
        self.assertIsNotNone(self.complaint(moment, "3.00", None))

    def test_the_stock_belongs_to_the_price(self):
        self.assertIsNone(self.complaint(0, "1.00", None))
        self.assertIsNotNone(self.complaint(0, "1.00", 4))
        self.assertIsNotNone(self.complaint(0, "1.00", product=2))

    def test_in_doubt_an_edit_is_known_to_its_process_and_to_its_editor(self):
        self.edit("2.00", worker="a", editor=self)
        self.ledger.doubt(0.0)
        self.edit("3.00", worker="a", editor=self)
        moment = self.ledger.moment()
        self.assertIsNotNone(self.complaint(moment, "2.00", worker="a"))
        self.assertIsNotNone(self.complaint(moment, "2.00", worker="b", editor=self))
        self.assertIsNone(self.complaint(moment, "2.00", worker="b", editor="another"))
        self.assertIsNotNone(self.complaint(moment, "1.00", worker="b"), "that was settled before")

    def test_after_the_doubt_everybody_knows(self):
        self.ledger.doubt(60.0)
        self.edit("2.00", worker="a")
        during = self.ledger.moment()
        self.ledger.settle()
        self.edit("2.50", worker="a")
        self.assertIsNone(self.complaint(during, "1.00", worker="b"))
        self.assertIsNotNone(self.complaint(self.ledger.moment(), "1.00", worker="b"))


if __name__ == "__main__":
    unittest.main()
