"""What the tests in a browser share, of both shops: each test begins as a new visitor, at a desk, in daylight."""

import os
import unittest
from pathlib import Path

from driver.browser import Browser
from driver.customer import BUYER

SIZES = (("desktop", 1280, 900), ("phone", 390, 844))


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

    def picture(self, name: str) -> None:
        folder = os.environ.get("SHOPDATA_SCREENSHOTS")
        for size, width, height in SIZES if folder else ():
            for dark in self.shades:
                self.browser.look(width, height, dark)
                self.browser.screenshot(Path(folder) / f"{name}-{size}{'-dark' if dark else ''}.png")
        self.browser.look(1280, 900, dark=False)

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
