#!/usr/bin/env python3
"""Edits through one worker and looks through the other, with a real browser; and buys.

usage: test_browser.py SERVE, under `tests/launcher/launch run --replicas N --redis`. Makes a database of its own.
Skipped where there is no Chromium. With SHOPDATA_SCREENSHOTS=DIR every page is pictured there.
"""

import os
import signal
import sys
import unittest

import needs   # first: it tells where the others are

import testing
from browsing import BrowserTest
from driver.browser import Browser, program

DATABASE = "flask_browser"
FACTS = "[...document.querySelectorAll('.served li')].map(one => one.textContent)"


def setUpModule() -> None:
    global shop, browser
    products = [testing.product(number, price=f"{number}.99") for number in range(1, 31)]
    os.environ["GUNICORN_CMD_ARGS"] = "--keep-alive 0"   # a connection for each request, so that any worker may take it
    shop = testing.TestShop(PROGRAM, DATABASE, {"furniture": "1", "books": "2"}, products)
    browser = BrowserTest.browser = Browser(CHROMIUM)
    BrowserTest.url = shop.url


def tearDownModule() -> None:
    browser.close()
    shop.end()


class TestWorkers(BrowserTest):
    def worker(self) -> str:
        """The one that made the page."""
        return browser.run(f"{FACTS}.find(text => text.includes('worker'))").split()[-1]

    def go_elsewhere(self, path: str, worker: str) -> None:
        """The page, made by another worker than this one: it is held still for so long."""
        os.kill(int(worker), signal.SIGSTOP)
        try:
            self.go(path)
        finally:
            os.kill(int(worker), signal.SIGCONT)
        self.assertNotEqual(self.worker(), worker)

    def edit(self, product: int, price: str) -> str:
        """The worker that took it. The one that shows the form afterwards need not be the same."""
        self.go(f"/admin/product/{product}")
        browser.type("#price", price)
        browser.events.clear()
        browser.follow(".edit button")
        self.assert_text(".notice", "Saved.")
        return next(worker for worker in map(posted_to, browser.events) if worker)

    def test_an_edit_is_seen_through_the_other_worker(self):
        for price in ("77.77", "88.88", "99.99"):
            worker = self.edit(5, price)
            self.go_elsewhere("/product/5", worker)
            self.assert_text(".sheet .price", f"${price}")
            browser.call("Network.clearBrowserCookies")   # and without the token of who edited
            self.go_elsewhere("/category/furniture", worker)
            self.assert_text('[data-product="5"].price', f"${price}")


def posted_to(event: dict) -> str:
    """The worker that answered a form with a redirection, if the event tells of one."""
    answer = event.get("params", {}).get("redirectResponse", {})
    return {name.lower(): value for name, value in answer.get("headers", {}).items()}.get("x-worker", "")


class TestShopping(BrowserTest):
    def test_from_the_search_to_the_order(self):
        self.search()
        self.picture("search")
        browser.follow(".card a")
        self.picture("product")
        name = browser.text("h1")
        browser.type("#quantity", "2")
        browser.follow(".buy button")
        self.assert_text(".what", name)
        self.assert_text(".basket", "2")
        self.picture("cart")
        total = browser.text("#total")
        self.fill_in()
        self.picture("checkout")
        browser.follow("#order", times=2)
        browser.wait("document.querySelector('#number')")
        self.assert_text("#total", total)
        self.picture("order")
        self.find_again(browser.text("#number"))
        self.assertEqual(shop.sql("SELECT count(*) FROM orders"), "1")

    def test_every_page_fits_a_phone_and_labels_its_fields(self):
        self.go("/product/14")
        browser.follow(".buy button")
        for path in ("/", "/search?q=thing", "/category/furniture", "/product/14", "/cart", "/checkout", "/orders",
                     "/status", "/admin", "/admin/product/14"):
            self.assert_fits_a_phone(path)
            self.assert_labelled(path)
            self.picture(path.strip("/").replace("/", "-").partition("?")[0] or "home")

    def test_the_status_names_the_nodes(self):
        self.go("/status")
        self.assert_text("#primary", "primary")
        self.assert_text("#replica1", "replica")


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    CHROMIUM = program()
    if not CHROMIUM:
        print("skipped: there is no Chromium (apt-get install chromium)")
        sys.exit(testing.SKIPPED)
    needs.require()
    unittest.main()
