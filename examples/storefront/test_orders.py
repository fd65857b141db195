#!/usr/bin/env python3
"""Buys in the real shop: carts, orders, crowds at the last piece, lines that break while an order is committed.

usage: test_orders.py STOREFRONT, under `tests/launcher/launch run --replicas N [--redis]`. Makes a database of its own.
"""

import hashlib
import hmac
import os
import re
import subprocess
import sys
import threading
import time
import unittest
from collections.abc import Callable
from pathlib import Path

import testing
from driver.customer import BUYER, Customer, order_of, twice
from driver.http import Connection, Response
from driver.proxy import Proxy

DATABASE = "storefront_orders"
KEY = "ab" * 32
OLD_KEY = "cd" * 32


def server_of(conninfo: str) -> tuple[str, int]:
    found = dict(re.findall(r"(host|port)=(\S+)", conninfo))
    return found["host"], int(found["port"])


def setUpModule() -> None:
    global shop, database, cache
    host, port = server_of(os.environ["SHOPDATA_PRIMARY"])
    database = Proxy(host, port)
    replaced = {f"port={port} ": f"port={database.port} "}
    cache = None
    if "SHOPDATA_REDIS" in os.environ:
        cache_host, _, cache_port = os.environ["SHOPDATA_REDIS"].rpartition(":")
        cache = Proxy(cache_host, int(cache_port))
        replaced[os.environ["SHOPDATA_REDIS"]] = f"127.0.0.1:{cache.port}"
    products = [testing.product(number, price=f"{number}.99") for number in range(1, 61)]
    shop = testing.TestShop(PROGRAM, DATABASE, {"things": "1"}, products, replaced, ("--keys", write_keys(KEY)))


def tearDownModule() -> None:
    shop.end()
    for proxy in filter(None, (database, cache)):
        proxy.close()


def write_keys(*keys: str) -> str:
    path = Path("/tmp") / f"storefront-keys-{os.getpid()}"
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text("# the first signs\n" + "".join(f"{key}\n" for key in keys))
    return str(path)


def sign(purpose: str, text: str, when: float, key: str = KEY) -> str:
    """As sign.c does it."""
    message = f"{purpose} {int(when)} {text}".encode()
    return f"{int(when)}.{hmac.new(bytes.fromhex(key), message, hashlib.sha256).hexdigest()}"


class OrderTest(unittest.TestCase):
    def setUp(self):
        self.customer = self.new_customer()

    def new_customer(self) -> Customer:
        customer = Customer(shop.address)
        self.addCleanup(customer.close)
        return customer

    def wait_until(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 20
        while not holds():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)

    def stock(self, product: int, stock: int | None = None) -> int:
        """What the page says, after setting it if wanted. Through the shop: it must know of the write."""
        reader = Customer(shop.address)
        if stock is not None:
            answer = reader.post(f"/admin/product/{product}", price=f"{product}.99", stock=stock)
            self.assertEqual(answer.status, 303)
        page = reader.page(f"/product/{product}")
        reader.close()
        return int(re.search(rf'class="stock \w+" data-product="{product}" value="(\d+)"', page)[1])

    def orders(self) -> int:
        return int(shop.sql("SELECT count(*) FROM orders"))

    def buy(self, customer: Customer, **quantities: int) -> Response:
        for product, quantity in quantities.items():
            customer.add(int(product.removeprefix("p")), quantity)
        return customer.post("/checkout", **customer.checkout())

    def assert_complains(self, response: Response, status: int, words: str) -> None:
        self.assertEqual(response.status, status, response.body.decode())
        self.assertIn(words, testing.text_of(response))


class TestCart(OrderTest):
    def test_adding_changing_and_taking_out(self):
        self.customer.add(1, 2)
        self.customer.add(2)
        self.customer.add(1)
        page = self.customer.page("/cart")
        self.assertIn('name="q1" type="number" min="0" max="99" value="3"', page)
        self.assertIn('<strong id="total">$8.96</strong>', page)
        self.assertIn("Cart <span>4<", page)
        token = self.customer.form("/cart")["token"]
        self.assertEqual(self.customer.post("/cart", token=token, q1=1, q2=9).status, 303)
        self.assertIn('<strong id="total">$28.90</strong>', self.customer.page("/cart"))
        self.customer.post("/cart", token=token, remove=2, q1=1, q2=9)
        self.assertIn('<strong id="total">$1.99</strong>', self.customer.page("/cart"))
        self.customer.post("/cart", token=token, q1=0)
        self.assertIn("There is nothing in it yet", self.customer.page("/cart"))

    def test_prices_are_read_anew(self):
        self.customer.add(3)
        shop_price = self.customer.page("/cart")
        self.assertIn("$3.99", shop_price)
        self.customer.connection.send("PUT", "/api/product/3", b'{"price": "1000.00", "stock": 10}', "application/json")
        self.assertEqual(self.customer.receive().status, 200)
        self.assertIn('<strong id="total">$1,000.00</strong>', self.customer.page("/cart"))

    def test_what_is_too_much_is_refused(self):
        for fields in ({"product": 1, "quantity": 100}, {"product": 1, "quantity": 0}, {"product": 1, "quantity": "x"},
                       {"product": 0, "quantity": 1}, {"product": "1e3", "quantity": 1}, {}):
            self.assertEqual(self.customer.post("/cart/add", **fields).status, 400, fields)
        for product in range(1, 21):
            self.customer.add(product, 99)
        self.assert_complains(self.customer.post("/cart/add", product=21, quantity=1), 400, "at most 20 products")
        self.assert_complains(self.customer.post("/cart/add", product=1, quantity=1), 400, "99 of each")
        self.assertLess(len(self.customer.cookie), 512)
        self.assertEqual(self.customer.page("/cart").count('class="line"'), 20)
        token = self.customer.form("/cart")["token"]
        self.assert_complains(self.customer.post("/cart", token=token, q1=100), 400, "Nothing was changed")

    def test_a_product_that_is_gone(self):
        self.customer.add(2000000000)
        self.assertIn("no longer in the shop", self.customer.page("/cart"))

    def test_a_cookie_that_was_changed_is_an_empty_cart(self):
        self.customer.add(1)
        good = self.customer.cookie
        name, _, value = good.partition("=")
        visitor, lines, when, mac = value.split(".")
        for wrong in (f"{visitor}.1x99.{when}.{mac}", f"{visitor}.{lines}.{int(when) + 1}.{mac}", f"{visitor}.{lines}.{when}.",
                      f"{visitor}.{lines}.{when}.{mac[:-1]}", f"{visitor}.{lines}.{when}.{'0' * 64}", "x", "...", "a" * 5000,
                      f"{'0' * 32}.{lines}.{when}.{mac}"):
            self.customer.cookie = f"{name}={wrong}"
            self.assertIn("it is empty now", self.customer.page("/cart"), wrong)
            self.assertNotIn("it is empty now", self.customer.page("/cart"))
        self.customer.cookie = "other=1; " + good + "; last=2"
        self.assertIn('name="q1"', self.customer.page("/cart"))

    def test_a_cookie_expires(self):
        for days, holds in ((29, True), (31, False)):
            text = f"{'0' * 32}.1x1"
            self.customer.cookie = f"cart={text}.{sign('cart', text, time.time() - days * 86400)}"
            self.assertEqual('name="q1"' in self.customer.page("/cart"), holds)

    def test_a_cookie_that_no_cart_of_ours_could_be(self):
        """Signed with our key, as if it had leaked into a mistake of ours: never more than a cart may hold."""
        for lines in ("1x100", "1x0", "0x1", "1x1-1x1", "1", "x", "-1x1", "-".join(f"{n}x1" for n in range(1, 22))):
            text = f"{'0' * 32}.{lines}"
            self.customer.cookie = f"cart={text}.{sign('cart', text, time.time())}"
            self.assertIn("it is empty now", self.customer.page("/cart"), lines)

    def test_the_cookie_is_kept_from_scripts_and_other_sites(self):
        header = self.customer.post("/cart/add", product=1, quantity=1).headers["set-cookie"]
        for word in ("; HttpOnly", "; SameSite=Lax", "; Path=/", "; Max-Age=2592000|; Expires="):
            self.assertRegex(header, word)

    def test_other_sites_and_other_visitors_cannot_post(self):
        self.customer.add(1)
        stranger = self.new_customer()
        stranger.add(1)
        for token in ("", "x", stranger.form("/cart")["token"], self.customer.form("/cart")["token"][:-1]):
            self.assertEqual(self.customer.post("/cart", token=token, q1=5).status, 403)
        self.assertIn('value="1"', self.customer.page("/cart"))
        self.customer.connection.origin = "http://evil.example"
        self.assertEqual(self.customer.post("/cart/add", product=1, quantity=1).status, 403)


class TestKeys(OrderTest):
    def cart_on(self, *keys: str) -> str:
        other = shop.start("--keys", write_keys(*keys))
        customer = Customer(other.address)
        customer.cookie = self.customer.cookie
        page = customer.page("/cart")
        customer.close()
        self.assertEqual(other.end(), [])
        return page

    def test_old_keys_verify_until_they_are_taken_away(self):
        self.customer.add(1)
        self.assertIn('name="q1"', self.cart_on(OLD_KEY, KEY))
        self.assertIn("it is empty now", self.cart_on(OLD_KEY))


class TestCheckout(OrderTest):
    def test_an_order_takes_from_the_stock(self):
        before = self.stock(4, 10)
        response = self.buy(self.customer, p4=3, p5=1)
        number, note = order_of(response)
        self.assertEqual(note, "thanks")
        self.assertEqual(self.stock(4), before - 3)
        page = self.customer.page(f"/order/{number}")
        for words in ("$20.96", "3 × $4.99", "Ada Lovelace", "12 St James&#39;s Square\nLondon", "ada@example.com"):
            self.assertIn(words, page)
        self.assertNotIn("Cart <span>", page)
        self.assertEqual(shop.sql(f"SELECT sum(quantity * price) FROM order_lines WHERE number = '{number}'"), "20.96")

    def test_a_second_click_shows_the_same_order(self):
        self.customer.add(6)
        form, orders = self.customer.checkout(), self.orders()
        number, _ = order_of(self.customer.post("/checkout", **form))
        self.assertEqual(order_of(self.customer.post("/checkout", **form)), (number, "again"))
        self.assertEqual(self.orders(), orders + 1)

    def test_a_double_click_orders_once(self):
        other = Connection(shop.address)
        for _ in range(10):
            stock = self.stock(7, 10)
            self.customer.add(7, 2)
            answers = [order_of(answer) for answer in twice(self.customer, other, self.customer.checkout())]
            self.assertEqual(len({number for number, _ in answers}), 1)
            self.assertEqual(sorted(note for _, note in answers), ["again", "thanks"])
            self.assertEqual(self.stock(7), stock - 2)
        other.close()

    def test_what_is_sold_out_is_named_and_nothing_is_taken(self):
        self.stock(8, 5)
        self.stock(9, 5)
        self.customer.add(8, 2)
        self.customer.add(9, 2)
        form, orders = self.customer.checkout(), self.orders()
        self.stock(9, 1)
        response = self.customer.post("/checkout", **form)
        self.assert_complains(response, 409, "<strong>Thing 9</strong>: you wanted 2;")
        self.assertNotIn("<strong>Thing 8</strong>", response.body.decode())
        self.assertEqual((self.stock(8), self.stock(9), self.orders()), (5, 1, orders))
        self.assertIn("Only 1 left", self.customer.page("/cart"))
        self.assertNotIn('href="/checkout"', self.customer.page("/cart"))

    def test_nobody_pays_another_price_than_he_saw(self):
        self.customer.add(10)
        form, orders = self.customer.checkout(), self.orders()
        self.customer.connection.send("PUT", "/api/product/10", b'{"price": "99.00", "stock": 10}', "application/json")
        self.customer.receive()
        response = self.customer.post("/checkout", **form)
        self.assert_complains(response, 409, "A price has changed")
        self.assertIn("$99.00", response.body.decode())
        self.assertEqual((self.orders(), self.stock(10)), (orders, 10))
        form["cents"] = "9900"
        self.assertEqual(order_of(self.customer.post("/checkout", **form))[1], "thanks")

    def test_what_is_typed_is_checked_and_kept(self):
        self.customer.add(11)
        form, orders = self.customer.checkout(), self.orders()
        for wrong in ({"name": " "}, {"name": "a" * 101}, {"email": "ada"}, {"email": "a@b"}, {"email": "a b@example.com"},
                      {"email": "a@b@example.com"}, {"address": ""}, {"address": "a" * 501}, {"cents": "x"}):
            response = self.customer.post("/checkout", **{**form, **wrong})
            self.assertEqual(response.status, 400, wrong)
        response = self.customer.post("/checkout", **{**form, "name": '"><script>', "email": "?"})
        self.assert_complains(response, 400, 'value="&quot;&gt;&lt;script&gt;"')
        self.assertEqual(self.customer.post("/checkout", **{**form, "name": "a\0b"}).status, 400)
        self.assertEqual(self.customer.post("/checkout", **{**form, "name": "é" * 101}).status, 400)
        self.assertEqual(self.orders(), orders)
        order_of(self.customer.post("/checkout", **{**form, "name": "é" * 100, "address": "字" * 500}))

    def test_without_a_token_nothing_is_ordered(self):
        self.customer.add(12)
        form, orders = self.customer.checkout(), self.orders()
        stranger = self.new_customer()
        stranger.add(12)
        good = form["token"]
        forged = good[:-2] + ("1" if good[-2] == "0" else "0") + good[-1]  # the last one may hold bits that nobody reads
        for token in ("", "x.y", forged, stranger.checkout()["token"], self.old_token()):
            self.assertEqual(self.customer.post("/checkout", **{**form, "token": token}).status, 403, token)
        self.customer.cookie = ""
        self.assertEqual(self.customer.post("/checkout", **form).status, 403)
        self.assertEqual(self.orders(), orders)

    def old_token(self) -> str:
        nonce, visitor = "0" * 32, self.customer.cookie.partition("=")[2].split(".")[0]
        return f"{nonce}.{sign('form', f'{visitor}.{nonce}', time.time() - 90000)}"

    def test_an_empty_cart_is_no_order(self):
        self.assertEqual(self.customer.get("/checkout").headers["location"], "/cart")
        self.customer.add(13)
        form, orders = self.customer.checkout(), self.orders()
        token = self.customer.form("/cart")["token"]
        self.customer.post("/cart", token=token, q13=0)
        self.assertEqual(self.customer.post("/checkout", **form).headers["location"], "/cart")
        self.assertEqual(self.orders(), orders)


class TestCrowd(OrderTest):
    def race(self, customers: list[Customer]) -> list[Response]:
        """All press the button at the same moment."""
        forms = [customer.checkout() for customer in customers]
        answers: list[Response] = []
        together = threading.Barrier(len(customers))

        def press(customer: Customer, form: dict) -> None:
            together.wait()
            answers.append(customer.post("/checkout", **form))
        threads = [threading.Thread(target=press, args=pair) for pair in zip(customers, forms)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return answers

    def test_the_last_piece_goes_to_one(self):
        for product in range(20, 25):
            self.stock(product, 1)
            crowd = [self.new_customer() for _ in range(8)]
            for customer in crowd:
                customer.add(product)
            answers = sorted(answer.status for answer in self.race(crowd))
            self.assertEqual(answers, [303] + [409] * 7)
            self.assertEqual(self.stock(product), 0)

    def test_carts_in_any_order_do_not_lock_each_other_out(self):
        wanted = list(range(30, 40))
        for product in wanted:
            self.stock(product, 30)
        for _ in range(3):
            crowd = [self.new_customer() for _ in range(8)]
            for number, customer in enumerate(crowd):
                for product in wanted if number % 2 else reversed(wanted):
                    customer.add(product)
            self.assertEqual([answer.status for answer in self.race(crowd)], [303] * 8)
        self.assertEqual({self.stock(product) for product in wanted}, {6})


class TestDeadlock(OrderTest):
    """Another program locks the same products the other way round."""

    def test_the_order_is_tried_again(self):
        self.stock(45, 10)
        self.stock(46, 10)
        self.customer.add(45)
        self.customer.add(46)
        form = self.customer.checkout()
        waiting = (f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{DATABASE}' AND wait_event_type = 'Lock'")
        other = subprocess.Popen(
            ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", f"{os.environ['SHOPDATA_SUPERUSER_PRIMARY']} dbname={DATABASE}"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        other.stdin.write("BEGIN; UPDATE products SET image = image WHERE product_id = 46 RETURNING 1;\n")
        other.stdin.flush()
        self.assertEqual(other.stdout.readline(), "1\n")
        self.customer.send("/checkout", **form)
        self.wait_until(lambda: shop.sql(waiting) == "1")   # it has 45 and waits for 46
        other.communicate("UPDATE products SET image = image WHERE product_id = 45; COMMIT;\n", timeout=30)
        self.assertEqual(order_of(self.customer.receive())[1], "thanks")
        self.assertEqual((self.stock(45), self.stock(46), other.returncode), (9, 9, 0))
        deadlocks = f"SELECT deadlocks > 0 FROM pg_stat_database WHERE datname = '{DATABASE}'"
        self.wait_until(lambda: shop.sql(deadlocks) == "t")


class TestBrokenLines(OrderTest):
    """The line to the primary breaks just when COMMIT is said: the shop cannot know, and has to look."""

    def order_while(self, passes_on: bool) -> tuple[str, str]:
        stock = self.stock(40, 10)
        self.customer.add(40)
        form, orders, cuts = self.customer.checkout(), self.orders(), database.cuts
        database.passes_on, database.cut = passes_on, b"COMMIT\0"
        number, note = order_of(self.customer.post("/checkout", **form))
        self.assertEqual(database.cuts, cuts + 1, "the line did not break")
        self.assertEqual((self.stock(40), self.orders()), (stock - 1, orders + 1))
        return number, note

    def test_an_order_that_stands_is_found(self):
        number, note = self.order_while(passes_on=True)
        self.assertEqual(note, "doubt")
        self.assertIn("We have looked", self.customer.page(f"/order/{number}?note=doubt"))

    def test_an_order_that_does_not_stand_is_made(self):
        self.assertEqual(self.order_while(passes_on=False)[1], "thanks")

    def test_a_cache_that_cannot_be_told_is_told_of(self):
        if not cache:
            self.skipTest("the memory cache cannot break")
        stock = self.stock(41, 10)
        self.customer.add(41)
        form = self.customer.checkout()
        cache.set_down(True)
        try:
            number, note = order_of(self.customer.post("/checkout", **form))
            self.assertEqual(note, "late")
            self.assertIn("cache could not be told", self.customer.page(f"/order/{number}?note=late"))
            self.assertIn(f'data-product="41" value="{stock - 1}"', self.customer.page("/product/41"))
        finally:
            cache.set_down(False)
            self.wait_until(self.is_told_again)
        # Of several processes the one that took the order tells of it, once it has found the cache too.
        self.wait_until(lambda: self.stock(41) == stock - 1)

    def is_told_again(self) -> bool:
        return "late=" not in self.customer.post("/admin/product/42", price="42.99", stock=10).headers["location"]


class TestOrders(OrderTest):
    def setUp(self):
        super().setUp()
        self.stock(50, 100)
        self.number, _ = order_of(self.buy(self.customer, p50=1))

    def look_up(self, customer: Customer, number: str, email: str) -> Response:
        return customer.post("/orders", number=number, email=email)

    def test_only_the_buyer_sees_it(self):
        stranger = self.new_customer()
        mine, not_there = (stranger.get(f"/order/{number}") for number in (self.number, "F-0000-0000"))
        self.assertEqual((mine.status, not_there.status), (404, 404))
        self.assertEqual(mine.body, not_there.body)
        stranger.add(1)
        self.assertEqual(stranger.get(f"/order/{self.number}").status, 404)
        self.assertEqual(self.customer.get(f"/order/{self.number}").status, 200)

    def test_number_and_email_find_it(self):
        stranger = self.new_customer()
        for number in (self.number, self.number.lower(), self.number.replace("-", " "), self.number[2:]):
            response = self.look_up(stranger, number, " ADA@Example.com ")
            self.assertEqual(response.status, 200, number)
        link = re.search(rf'href="(/order/{self.number}\?key=[^"]*)"', response.body.decode())[1]
        self.assertIn("Ada Lovelace", stranger.page(link))
        self.assertEqual(stranger.get(link[:-1]).status, 404)
        self.assertEqual(stranger.get(link.replace(self.number, "F-0000-0000")).status, 404)
        old = sign("order", self.number, time.time() - 4000)
        self.assertEqual(stranger.get(f"/order/{self.number}?key={old}").status, 404)

    def test_a_wrong_pair_gets_the_same_answer_whatever_is_wrong(self):
        stranger = self.new_customer()
        answers = {re.sub(rb"<input.*?>|Data from .*?</ul>", b"", self.look_up(stranger, number, email).body, flags=re.DOTALL)
                   for number, email in ((self.number, "eve@example.com"), ("F-0000-0000", "ada@example.com"),
                                         ("nonsense", "ada@example.com"), (self.number, "nonsense"), ("", ""))}
        self.assertEqual(len(answers), 1)
        self.assertIn(b"We have no order of that number", answers.pop())

    def test_the_history_is_the_browsers(self):
        second, _ = order_of(self.buy(self.customer, p50=2))
        page = self.customer.page("/orders")
        self.assertTrue(page.index(second) < page.index(self.number))
        impostor = self.new_customer()
        impostors, _ = order_of(self.buy(impostor, p50=1))
        found = self.look_up(impostor, impostors, BUYER["email"]).body.decode()
        self.assertIn(impostors, found)
        self.assertNotIn(self.number, found)
        found = self.look_up(self.new_customer(), second, BUYER["email"]).body.decode()
        self.assertIn(self.number, found)
        self.assertIn("Nothing has been ordered", self.new_customer().page("/orders"))

    def test_nothing_ever_leaves_the_books_unbalanced(self):
        self.assertEqual(shop.sql("SELECT count(*) FROM products WHERE stock < 0"), "0")
        self.assertEqual(shop.sql("SELECT count(*) FROM orders o WHERE NOT EXISTS"
                                  " (SELECT FROM order_lines l WHERE l.number = o.number)"), "0")


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    testing.require_servers()
    unittest.main()
