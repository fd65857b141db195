#!/usr/bin/env python3
"""Buys in the real shop with a real browser, and breaks servers with the demo's buttons.

usage: test_browser.py STOREFRONT, under a `tests/launcher/launch run --replicas 2 --redis` of its own: servers are
promoted. Skipped where there is no Chromium. With SHOPDATA_SCREENSHOTS=DIR every page is pictured there.
"""

import os
import sys
import unittest
from pathlib import Path

import testing
from browsing import BrowserTest
from driver.browser import Browser, program
from driver.customer import Customer

DATABASE = "storefront_browser"


def setUpModule() -> None:
    global shop, browser
    products = [testing.product(number, price=f"{number}.99") for number in range(1, 31)]
    control = str(Path(os.environ["SHOPDATA_SERVERS"]) / "control")
    shop = testing.TestShop(PROGRAM, DATABASE, {"furniture": "1", "books": "2"}, products,
                            options=("--demo-control", control))
    browser = BrowserTest.browser = Browser(CHROMIUM)
    BrowserTest.url = shop.url
    BrowserTest.shades = (False, True)


def tearDownModule() -> None:
    browser.close()
    shop.end(keep_database=True)  # the primary that had it is down, and all servers end with us


class ShopTest(BrowserTest):
    def put_into_cart(self, product: int, quantity: int = 1) -> None:
        self.go(f"/product/{product}")
        browser.type("#quantity", str(quantity))
        browser.follow(".buy button")


class TestShopping(ShopTest):
    def test_from_the_search_to_the_order(self):
        self.search()
        browser.run("document.querySelector('#sort').value = 'price-down'")
        browser.follow(".refine button")
        self.assert_text(".card .name", "Thing 30")
        self.picture("search")
        browser.follow(".card a")
        self.assert_text("h1", "Thing 30")
        self.picture("product")
        browser.type("#quantity", "2")
        browser.follow(".buy button")
        self.assert_text("#total", "$61.98")
        self.assert_text(".basket", "2")
        browser.type("#q30", "3")
        browser.follow("#update")
        self.assert_text("#total", "$92.97")
        self.picture("cart")
        self.fill_in()
        self.picture("checkout")
        browser.follow("#order")
        self.assert_text(".notice", "Thank you! Your order is in.")
        self.assert_text("#total", "$92.97")
        self.picture("order")
        self.find_again(browser.text("#number"))
        self.go("/product/30")
        self.assert_text(".sheet .stock", "7 in stock")

    def test_a_double_click_orders_once(self):
        self.put_into_cart(11)
        self.fill_in()
        before = int(shop.sql("SELECT count(*) FROM orders"))
        browser.run("window.stays = true")
        browser.press("#order", times=2)
        browser.wait("!window.stays && document.readyState == 'complete' && document.querySelector('#number')")
        self.go("/product/11")
        self.assert_text(".sheet .stock", "9 in stock")
        self.assertEqual(int(shop.sql("SELECT count(*) FROM orders")), before + 1)

    def test_the_last_piece_was_somebody_elses(self):
        faster = Customer(shop.address)
        faster.post("/admin/product/12", price="12.99", stock=1)
        self.put_into_cart(12)
        self.fill_in()
        faster.add(12)
        faster.post("/checkout", **faster.checkout())
        faster.close()
        browser.follow("#order")
        self.assert_text("h1", "Somebody was faster")
        self.assert_text(".shortages", "Thing 12")
        self.assert_text(".shortages", "Sold out")
        self.picture("sold-out")
        self.allow_status(409)
        browser.follow("main .button")
        self.assert_text(".short", "Sold out: please remove it.")
        self.picture("cart-sold-out")
        self.go("/product/12")
        self.assertFalse(browser.run("document.querySelector('form.buy') != null"))

    def test_enter_updates_and_removes_nothing(self):
        self.put_into_cart(13)
        browser.type("#q13", "4")
        browser.run("window.stays = true")
        for kind in ("rawKeyDown", "char", "keyUp"):
            browser.call("Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", text="\r",
                         windowsVirtualKeyCode=13)
        browser.wait("!window.stays && document.readyState == 'complete' && document.querySelector('#q13').value == '4'")
        browser.follow(".line .plain")
        self.assert_text(".found", "There is nothing in it yet")
        self.picture("cart-empty")

    def test_what_is_not_there(self):
        self.go("/nothing")
        self.assert_text("h1", "Not on our shelves")
        self.picture("error")
        self.allow_status(404)

    def allow_status(self, status: int) -> None:
        """A browser counts the page's own status as something to complain of."""
        browser.run("1")
        browser.complaints[:] = [one for one in browser.complaints if f"status of {status} " not in one]


class TestLayout(ShopTest):
    def test_nothing_is_wider_than_a_phone(self):
        self.put_into_cart(14)
        for path in ("/", "/search?q=thing", "/category/furniture", "/product/14", "/cart", "/checkout", "/orders", "/topology",
                     "/admin", "/admin/product/14"):
            self.assert_fits_a_phone(path)

    def test_every_field_has_a_label(self):
        self.put_into_cart(14)
        for path in ("/search", "/product/14", "/cart", "/checkout", "/orders", "/admin", "/admin/product/14"):
            self.go(path)
            self.assert_labelled(path)


class TestTopology(ShopTest):
    def control(self, server: str, verb: str) -> None:
        browser.follow(f"#control-{server} button[value={verb}]")
        self.assert_text(".notice", "Done.")

    def live(self, server: str, role: str) -> str:
        return f"document.querySelector('#{server}').dataset.role == '{role}'"

    def test_a_replica_that_pauses_is_seen_to_lag_and_to_recover(self):
        self.go("/topology")
        browser.wait(self.live("replica1", "replica"))
        self.control("replica1", "pause")
        writer = Customer(shop.address)
        writer.post("/admin/product/1", price="77.00", stock=10)
        browser.wait("document.querySelector('#replica1').dataset.state == 'late'")
        self.assertNotIn(", 0 B", browser.text("#replica1-lag"))
        self.picture("topology-paused")
        self.assertIn("77.00", writer.page("/product/1"))
        writer.close()
        self.control("replica1", "resume")
        browser.wait("document.querySelector('#replica1').dataset.state == 'good'")
        self.assert_text("#replica1-lag", ", 0 B")

    def test_the_page_lives_without_being_loaded_again(self):
        self.go("/topology")
        before = browser.text("#fences-bumped")
        browser.run("window.stays = true")
        writer = Customer(shop.address)
        writer.post("/admin/product/2", price="2.00", stock=10)
        writer.close()
        browser.wait(f"document.querySelector('#fences-bumped').textContent != '{before}'")
        self.assertTrue(browser.run("window.stays"))
        self.assertEqual(browser.run("document.body.dataset.live"), "yes")

    def test_it_is_loaded_anew_where_there_are_no_scripts(self):
        browser.call("Emulation.setScriptExecutionDisabled", value=True)
        try:
            self.go("/topology")
            browser.events.clear()
            browser.wait_event("Page.lifecycleEvent", name="load")
        finally:
            browser.call("Emulation.setScriptExecutionDisabled", value=False)
        self.go("/")

    def test_a_cache_that_stops_and_a_primary_that_is_lost(self):
        self.go("/topology")
        if "SHOPDATA_REDIS" in os.environ:
            self.control("redis", "stop")
            writer = Customer(shop.address)
            writer.post("/admin/product/3", price="33.00", stock=10)
            self.assertIn("33.00", writer.page("/product/3"))
            browser.wait("document.querySelector('#fences-unfenced').textContent != '0'")
            self.picture("topology-no-cache")
            self.control("redis", "start")
            writer.close()
        self.control("replica2", "promote")
        browser.wait(self.live("replica2", "primary"))
        writer = Customer(shop.address)
        self.assertEqual(writer.post("/admin/product/3", price="34.00", stock=10).status, 303)
        self.assertIn("34.00", writer.page("/product/3"))
        writer.close()
        browser.wait(self.live("replica1", "replica"))
        browser.wait("document.querySelector('#primary').dataset.state == 'bad'")
        self.picture("topology-promoted")

    def test_buttons_of_others_do_nothing(self):
        stranger = Customer(shop.address)
        stranger.page("/topology")
        for fields in ({}, {"verb": "stop", "server": "replica1"}, {"verb": "stop", "server": "replica1", "token": "x"}):
            self.assertEqual(stranger.post("/topology/control", **fields).status, 403)
        token = stranger.form("/topology")["token"]
        for fields in ({"verb": "env", "server": "replica1"}, {"verb": "freeze", "server": "replica1"},
                       {"verb": "stop", "server": "replica1\nstop replica2"}, {"verb": "stop", "server": "nobody"}):
            self.assertEqual(stranger.post("/topology/control", token=token, **fields).status, 400)
        stranger.close()


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    CHROMIUM = program()
    if not CHROMIUM:
        print("skipped: there is no Chromium (apt-get install chromium)")
        sys.exit(testing.SKIPPED)
    testing.require_servers()
    unittest.main()
