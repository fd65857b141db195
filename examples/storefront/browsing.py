"""What the tests in a browser share, of both shops: each test begins as a new visitor, at a desk, in daylight."""

import os
import unittest
from pathlib import Path

from driver.browser import Browser
from driver.customer import BUYER

SIZES = (("desktop", 1280, 900), ("phone", 390, 844))
UNLABELLED = ("[...document.querySelectorAll('input:not([type=hidden]), select, textarea')]"
              ".filter(one => !one.labels.length).map(one => one.name).join()")


class BrowserTest(unittest.TestCase):
    """The module's setUpModule() sets both."""
    browser: Browser
    url: str
    shades: tuple[bool, ...] = (False,)   # which pages are pictured: dark ones too?

    def setUp(self):
        self.browser.complaints.clear()
        self.browser.call("Network.clearBrowserCookies")
        self.browser.look(1280, 900, dark=False)

    def tearDown(self):
        self.assertEqual(self.browser.complaints, [], "the browser complained")

    def go(self, path: str) -> None:
        self.browser.go(self.url + path)

    def assert_text(self, selector: str, text: str) -> None:
        self.assertIn(text, self.browser.text(selector))

    def assert_fits_a_phone(self, path: str) -> None:
        self.browser.look(390, 844, dark=False)
        self.go(path)
        self.assertLessEqual(self.browser.run("document.documentElement.scrollWidth"), 390, path)

    def assert_labelled(self, path: str) -> None:
        """Of the page that is shown."""
        self.assertEqual(self.browser.run(UNLABELLED), "", path)

    def picture(self, name: str) -> None:
        folder = os.environ.get("SHOPDATA_SCREENSHOTS")
        for size, width, height in SIZES if folder else ():
            for dark in self.shades:
                self.browser.look(width, height, dark)
                self.browser.screenshot(Path(folder) / f"{name}-{size}{'-dark' if dark else ''}.png")
        self.browser.look(1280, 900, dark=False)

    def search(self) -> None:
        """From the home page to what is found of the 30 things."""
        self.go("/")
        self.picture("home")
        self.browser.type("#find", "thing")
        self.browser.follow(".find button")
        self.assert_text(".found", "30 products for “thing”")

    def fill_in(self) -> None:
        """From the cart to a checkout that lacks nothing."""
        self.browser.follow("#checkout")
        for field in ("name", "email", "address"):
            self.browser.type(f"#{field}", BUYER[field])

    def find_again(self, number: str) -> None:
        """The order that the page shows: in its buyer's list, and by who has nothing but its number."""
        self.browser.follow(".summary a")
        self.assert_text(".orders", number)
        self.picture("orders")
        self.browser.call("Network.clearBrowserCookies")
        self.go("/orders")
        self.browser.type("#number", number.lower())
        self.browser.type("#email", BUYER["email"])
        self.browser.follow(".edit button")
        self.browser.follow(".orders a")
        self.assert_text("#number", number)
