#!/usr/bin/env python3
"""The tests of the shop in C, on the shop in Flask: what both offer, both must do alike.

usage: test_shop.py SERVE, under `tests/launcher/launch run --replicas N [--redis]`. Makes databases of its own.
"""

import os
import signal
import sys
import unittest
from collections.abc import Iterator

import needs   # first: it tells where the others are

import test_orders
import test_pages

# What is the other shop's own.
OTHERS = {
    "TestCalling": "the options of the program in C",
    "TestFields": "its reader of JSON",
    "TestTopology": "this shop has /status",
    "TestKeys": "Flask 2.2 knows one key",
    "test_a_cookie_expires": "how its cookie is written",
    "test_a_cookie_that_was_changed_is_an_empty_cart": "the same; see TestCookie",
    "test_a_cookie_that_no_cart_of_ours_could_be": "the same",
}


class TestCookie(test_orders.OrderTest):
    def test_one_that_was_changed_is_an_empty_cart(self):
        self.customer.add(1)
        name, _, value = self.customer.cookie.partition("=")
        text, when, mac = value.rsplit(".", 2)
        for wrong in (f"{text}.{when}.{mac[::-1]}", f"{text}x.{when}.{mac}", f"{text}.{when}", "x", "...", "a" * 4000):
            self.customer.cookie = f"{name}={wrong}"
            self.assertIn("it is empty now", self.customer.page("/cart"), wrong)
            self.assertNotIn("it is empty now", self.customer.page("/cart"))


class TestEnding(test_orders.OrderTest):
    def test_control_c_is_the_masters_business(self):
        """It reaches every process of the terminal; a worker ends when the master tells it to."""
        worker = self.customer.get("/healthz").worker
        os.kill(int(worker), signal.SIGINT)
        self.assertEqual(self.customer.get("/healthz").worker, worker)


def tests_of(suite: unittest.TestSuite) -> Iterator[unittest.TestCase]:
    for one in suite:
        yield from tests_of(one) if isinstance(one, unittest.TestSuite) else [one]


def load_tests(loader: unittest.TestLoader, *_) -> unittest.TestSuite:
    shared = (test for module in (test_pages, test_orders) for test in tests_of(loader.loadTestsFromModule(module)))
    own = [*loader.loadTestsFromTestCase(TestCookie), *loader.loadTestsFromTestCase(TestEnding)]
    return unittest.TestSuite([*filter(is_ours, shared), *own])


def is_ours(test: unittest.TestCase) -> bool:
    return not any(part in OTHERS for part in test.id().split("."))


setUpModule, tearDownModule = test_orders.setUpModule, test_orders.tearDownModule

if __name__ == "__main__":
    test_orders.PROGRAM = test_pages.PROGRAM = sys.argv.pop(1)
    test_orders.DATABASE, test_pages.DATABASE = "flask_orders", "flask_pages"   # the other shop's tests may run beside
    needs.require()
    unittest.main()
