#!/usr/bin/env python3
"""Asks the real server for right and wrong things.

usage: test_pages.py STOREFRONT, under `tests/launcher/launch run --replicas N [--redis]`. Makes a database of its own.
"""

import contextlib
import json
import socket
import subprocess
import sys
import unittest

import testing
from driver.http import Connection, Response

DATABASE = "storefront_pages"
NASTY = "<script>alert(\"1\")</script> & 'Söhne' \\ \\N \\."
FORM = "application/x-www-form-urlencoded"


def setUpModule() -> None:
    global shop
    shop = testing.TestShop(PROGRAM, DATABASE, {"plain things": "1", "R&D <new>": "2", "empty": "3"},
                            products())


def tearDownModule() -> None:
    shop.end()


def products() -> list[list[str]]:
    """Fifty of one department, so that it has three pages; one with a name that wants to break out."""
    rows = [testing.product(number, price=f"{number}.50", stock=number % 10) for number in range(1, 51)]
    rows.append(["51", "2", "<b>", NASTY, NASTY, "24999.99", "0", "none.svg"])
    return rows


class PageTest(unittest.TestCase):
    def setUp(self):
        self.connection = Connection(shop.address)
        self.addCleanup(self.connection.close)

    def get(self, path: str, status: int = 200) -> str:
        response = self.connection.get(path)
        self.assertEqual(response.status, status, f"GET {path}: {response.body.decode()}")
        return testing.text_of(response)

    def send(self, method: str, path: str, body: str = "", content_type: str = FORM) -> Response:
        self.connection.send(method, path, body.encode("latin-1"), content_type)
        return self.connection.receive()

    def raw(self, text: str) -> bytes:
        """Sends what no client would send."""
        with socket.create_connection(shop.address, timeout=10) as connection:
            received = []
            with contextlib.suppress(OSError):   # who has not read all that was sent to him closes by a reset
                connection.sendall(text.encode("latin-1"))
                connection.shutdown(socket.SHUT_WR)
                received.extend(iter(lambda: connection.recv(65536), b""))
            return b"".join(received)


class TestReading(PageTest):
    def test_every_page_is_there(self):
        for path in ("/", "/category/plain%20things", "/category/empty", "/product/1", "/admin", "/admin/product/1"):
            page = self.get(path)
            self.assertTrue(page.startswith("<!doctype html>"))
            self.assertRegex(page, r"Data from <strong>(cache|replica|primary)[^<]*, \d+\.\d ms</strong>")

    def test_every_page_has_a_twin(self):
        for path in ("/api/home", "/api/category/plain%20things", "/api/product/1", "/api/admin?q=thing"):
            served = json.loads(self.get(path))["served"]
            self.assertGreaterEqual(served["ms"], 0)
            self.assertRegex(served["from"], "cache|replica|primary")
            self.assertEqual(set(served["reads"][0]), {"read", "from", "node", "age_ms"})

    def test_what_is_no_page(self):
        self.assertEqual(self.get("/healthz"), "ready\n")
        self.assertIn("# TYPE shopdata_queries_total counter", self.get("/metrics"))
        self.assertIn(":root", self.get("/style.css"))
        for path in ("/icons.svg", "/icon.svg"):
            self.assertTrue(self.get(path).startswith("<svg"))

    def test_head_has_no_body(self):
        answer = self.raw("HEAD /product/1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        self.assertTrue(answer.startswith(b"HTTP/1.1 200 OK"))
        self.assertTrue(answer.endswith(b"\r\n\r\n"))

    def test_prices_are_exact(self):
        product = json.loads(self.get("/api/product/51"))["product"]
        self.assertEqual((product["price"], product["stock"]), ("24999.99", 0))
        page = self.get("/product/51")
        self.assertIn('value="24999.99">$24,999.99</data>', page)
        self.assertIn("Sold out", page)

    def test_related_are_of_the_same_kind_and_not_itself(self):
        related = json.loads(self.get("/api/product/50"))["related"]
        self.assertEqual([product["product_id"] for product in related], [1, 2, 3, 4, 5, 6])
        self.assertEqual(json.loads(self.get("/api/product/51"))["related"], [])


class TestEscaping(PageTest):
    def test_pages_hold_no_foreign_tag(self):
        for path in ("/product/51", "/category/R%26D%20%3Cnew%3E", "/admin", "/admin?q=%22%3E%3Cscript%3Ealert(1)",
                     "/admin/product/51", "/"):
            page = self.get(path)
            self.assertNotIn("<script", page)
            self.assertNotIn("<new>", page)
        self.assertIn("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;Söhne&#39; \\ \\N \\.",
                      self.get("/product/51"))
        self.assertIn('href="/category/R%26D%20%3Cnew%3E"', self.get("/"))

    def test_json_says_exactly_what_is_meant(self):
        product = json.loads(self.get("/api/product/51"))["product"]
        self.assertEqual((product["name"], product["description"], product["style"]), (NASTY, NASTY, "<b>"))
        self.assertEqual(json.loads(self.get("/api/admin?q=%22%5C%0a%01"))["search"], '"\\\n\x01')

    def test_search_takes_no_wildcards(self):
        self.assertEqual(json.loads(self.get("/api/admin?q=%25"))["count"], 0)
        self.assertEqual(json.loads(self.get("/api/admin?q=s%C3%B6hne"))["count"], 1)


class TestSearch(PageTest):
    def found(self, query: str) -> dict:
        return json.loads(self.get(f"/api/search?{query}"))

    def test_words_are_found_in_any_form(self):
        for query, count in (("q=thing", 50), ("q=THINGS", 50), ("q=%22thing%207%22", 1), ("q=thing%20-7", 49), ("q=s%C3%B6hne", 1),
                             ("q=nothing-like-it", 0), ("q=", 0), ("", 0), ("q=the", 0), ("q=thing&in=plain%20things", 50),
                             ("q=thing&in=empty", 0), ("q=thing&in=unknown", 0)):
            self.assertEqual(self.found(query)["count"], count, query)

    def test_the_order(self):
        for sort, first in (("price", 1), ("price-down", 50), ("name", 1), ("best", 1)):
            self.assertEqual(self.found(f"q=thing&sort={sort}")["products"][0]["product_id"], first, sort)
        self.get("/search?q=thing&sort=price%3B", 400)

    def test_pages(self):
        seen = [product["product_id"] for page in (1, 2, 3)
                for product in self.found(f"q=thing&sort=price&page={page}")["products"]]
        self.assertEqual(sorted(seen), list(range(1, 51)))
        self.assertIn('href="/search?q=thing&amp;in=&amp;sort=best&amp;page=2"', self.get("/search?q=thing"))
        self.get("/search?q=thing&page=4", 404)
        self.get("/search?q=thing&page=x", 400)

    def test_the_page_says_what_was_found(self):
        page = self.get("/search?q=thing")
        self.assertIn("50 products for “thing”", page)
        self.assertIn('<option value="plain things">plain things (50)</option>', page)
        self.assertIn("Nothing found for “zebra”", self.get("/search?q=zebra"))
        self.assertIn("Type what you are looking for", self.get("/search"))

    def test_any_bytes_are_safe(self):
        for query in ("%27", "%22", "%5C", "%3Cscript%3E", "a%20%26%20%7C%20!", ":*", "%28%28%29", "%01%02", "%F0%9F%92%A9", "%25",
                      "%E2%80%9C", "-", "or", "%22%22", "a" * 100, "%C3%A9" * 100):
            page = self.get(f"/search?q={query}")
            self.assertNotIn("<script", page)
            self.found(f"q={query}")
        for query in ("q=%ff", "q=a%00b", "in=%c0%af", "q=" + "a" * 101, "q=" + "%C3%A9" * 101, "sort=%00", "q=%ED%A0%80"):
            for prefix in ("", "/api"):
                self.get(f"{prefix}/search?{query}", 400)

    def test_what_was_found_comes_from_the_cache_and_is_fresh(self):
        self.found("q=thing&sort=price")
        self.assertEqual(self.found("q=thing&sort=price")["served"]["from"], "cache")
        self.send("PUT", "/api/product/11", '{"price": "0.01", "stock": 1}', "application/json")
        self.assertEqual(self.found("q=thing&sort=price")["products"][0]["product_id"], 11)
        self.send("PUT", "/api/product/11", '{"price": "11.50", "stock": 1}', "application/json")
        self.assertEqual(self.found("q=thing&sort=price")["products"][0]["product_id"], 1)


class TestPaging(PageTest):
    def test_pages_cover_all_once(self):
        seen = []
        for page in (1, 2, 3):
            answer = json.loads(self.get(f"/api/category/plain%20things?page={page}"))
            self.assertEqual((answer["count"], answer["page"], answer["pages"]), (50, page, 3))
            seen += [product["product_id"] for product in answer["products"]]
        self.assertEqual(seen, list(range(1, 51)))

    def test_links_stop_at_the_ends(self):
        self.assertNotIn('rel="prev"', self.get("/category/plain%20things"))
        self.assertIn('rel="next" href="/category/plain%20things?page=2"', self.get("/category/plain%20things"))
        self.assertNotIn('rel="next"', self.get("/category/plain%20things?page=3"))
        self.assertIn('href="/admin?q=&amp;page=2"', self.get("/admin"))

    def test_beyond_the_last_page(self):
        for prefix in ("", "/api"):
            self.get(f"{prefix}/category/plain%20things?page=4", 404)
            self.get(f"{prefix}/category/empty?page=2", 404)
            self.get(f"{prefix}/admin?q=nothing-of-that-name&page=2", 404)
        self.assertEqual(json.loads(self.get("/api/category/empty"))["products"], [])

    def test_pages_that_are_no_number(self):
        for page in ("0", "-1", "abc", "1.5", "", "1%20", "99999999999999999999", "100001", "0x1"):
            for prefix in ("", "/api"):
                self.get(f"{prefix}/category/plain%20things?page={page}", 400)


class TestWrongAddresses(PageTest):
    def test_unknown(self):
        for path in ("/nothing", "/product/", "/product/0", "/product/52", "/product/-1", "/product/1x",
                     "/product/2147483648", "/product/99999999999999999999", "/category/", "/category/unknown",
                     "/category/PLAIN%20THINGS", "/admin/product/52", "/product/1/", "/healthz/"):
            self.assertIn("404", self.get(path, 404))
        for path in ("/api/product/52", "/api/category/unknown", "/api/nothing"):
            self.assertEqual(list(json.loads(self.get(path, 404))), ["error"])

    def test_bytes_that_are_no_text(self):
        for path in ("/category/%ff", "/category/%ed%a0%80", "/category/%c0%af", "/product/1%00", "/admin?q=%ff",
                     "/api/admin?q=%f8%88%80%80%80"):
            self.get(path, 400)

    def test_wrong_methods(self):
        for method, path, allowed in (("POST", "/", "GET, HEAD"), ("DELETE", "/product/1", "GET, HEAD"),
                                      ("PUT", "/admin/product/1", "GET, HEAD, POST"),
                                      ("DELETE", "/api/product/1", "GET, HEAD, PUT, POST"),
                                      ("PATCH", "/metrics", "GET, HEAD")):
            response = self.send(method, path)
            named = set(response.headers.get("allow", "").split(", ")) - {"OPTIONS"}
            self.assertEqual((response.status, named), (405, set(allowed.split(", "))), f"{method} {path}")

    def test_what_is_no_http(self):
        for text in ("nonsense\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/1.1\r\nHost x\r\n\r\n", "\x00\xff\r\n\r\n",
                     "GET /" + "a" * 20000 + " HTTP/1.1\r\n\r\n"):
            self.assertNotIn(b" 200 ", self.raw(text)[:20])
        self.get("/healthz")

    def test_a_body_that_is_too_long(self):
        response = self.raw("POST /admin/product/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n"
                            f"Content-Type: {FORM}\r\n\r\n")
        self.assertIn(b" 413 ", response[:20])


class TestTopology(PageTest):
    def test_the_page_and_its_values_agree(self):
        page, values = self.get("/topology"), json.loads(self.get("/topology.json"))
        self.assertIn('<section class="box node" id="replica1"', page)
        self.assertEqual(values["primary@data-role"], "primary")
        for name in values:
            identity, _, attribute = name.partition("@")
            self.assertRegex(page, f'id="{identity}"[^>]* {attribute}="' if attribute else f'<span id="{identity}">')

    def test_in_earnest_there_are_no_buttons(self):
        self.assertNotIn("/topology/control", self.get("/topology"))
        self.assertEqual(self.send("POST", "/topology/control", "verb=stop&server=primary").status, 404)

    def test_only_this_page_may_run_a_script_and_only_ours(self):
        for path, scripts in (("/topology", "'self'"), ("/", "'none'"), ("/cart", "'none'"), ("/nothing", "'none'")):
            headers = self.connection.get(path).headers
            self.assertIn(f"script-src {scripts};", headers["content-security-policy"])
            self.assertIn("default-src 'self'; ", headers["content-security-policy"])
            self.assertEqual((headers["x-content-type-options"], headers["referrer-policy"]), ("nosniff", "same-origin"))
        self.assertTrue(self.get("/topology.js").startswith("//"))


class TestEdits(PageTest):
    def form(self, product: int, body: str) -> Response:
        return self.send("POST", f"/admin/product/{product}", body)

    def offer(self, product: int) -> tuple[str, int]:
        found = json.loads(self.get(f"/api/product/{product}"))["product"]
        return found["price"], found["stock"]

    def test_a_form_is_saved_and_seen_at_once(self):
        for price, stock, shown in (("12.5", "3", "12.50"), ("0", "0", "0.00"), ("9999999.99", "1000000", "9999999.99"),
                                    (" 19.99 ", " 7", "19.99"), ("007", "1", "7.00")):
            response = self.form(7, f"price={price}&stock={stock}")
            self.assertEqual((response.status, response.headers["location"]), (303, "/admin/product/7?saved=1"))
            self.assertEqual(self.offer(7), (shown, int(stock)))
            self.assertIn(f'data-product="7" value="{shown}"', self.get("/product/7"))
            self.assertIn(f'data-product="7" value="{shown}"', self.get("/category/plain%20things"))
        self.assertIn("Saved.", self.get("/admin/product/7?saved=1"))

    def test_json_is_saved(self):
        for body in ('{"price": "3.25", "stock": 4}', '{"stock":"4","price":3.25}', '\n{ "price" : 3.25 ,\t"stock" : 4 } '):
            for method in ("PUT", "POST"):
                response = self.send(method, "/api/product/8", body, "application/json")
                self.assertEqual(response.status, 200, response.body)
                self.assertEqual(self.offer(8), ("3.25", 4))

    def test_forms_that_are_wrong_are_not_saved(self):
        before = self.offer(9)
        for body in ("", "price=1", "stock=1", "price=&stock=1", "price=-1&stock=1", "price=1.999&stock=1",
                     "price=10000000&stock=1", "price=1e3&stock=1", "price=1,5&stock=1", "price=.5&stock=1",
                     "price=1.&stock=1", "price=NaN&stock=1", "price=1&stock=-1", "price=1&stock=1.5",
                     "price=1&stock=1000001", "price=1&stock=", "price=1&stock=9999999999999999999",
                     "price=" + "1" * 100 + "&stock=1", "price=%ff&stock=1", "price=1&stock=1%00"):
            response = self.form(9, body)
            self.assertEqual(response.status, 400, body)
            self.assertIn(b"Nothing was saved.", response.body)
            self.assertEqual(self.offer(9), before, body)

    def test_a_wrong_form_comes_back_as_it_was_typed(self):
        body = testing.text_of(self.form(9, "price=%22%3E%3Cb%3E&stock=many"))
        self.assertIn('value="&quot;&gt;&lt;b&gt;"', body)
        self.assertIn('value="many"', body)

    def test_json_that_is_wrong_is_not_saved(self):
        before = self.offer(9)
        for body in ("", "{}", "[]", "null", '{"price":"1"}', '{"price":"1","stock":1', '{"price":"1","stock":1}}',
                     '{"price":"1","stock":1,}', '{"price":"1","stock":1,"name":"x"}', '{"price":1e2,"stock":1}',
                     '{"price":-1,"stock":1}', '{"price":null,"stock":1}',
                     '{"price":"1" "stock":1}', '{"price":"%s","stock":1}' % ("1" * 50), '{"a":"1\xff","stock":1}'):
            response = self.send("PUT", "/api/product/9", body, "application/json")
            self.assertEqual(response.status, 400, body)
            self.assertEqual(list(json.loads(response.body)), ["error"])
        self.assertEqual(self.offer(9), before)

    def test_unknown_products_cannot_be_edited(self):
        for product in (0, 52, 99999999999):
            self.assertEqual(self.form(product, "price=1&stock=1").status, 404)
            response = self.send("PUT", f"/api/product/{product}", '{"price":"1","stock":1}', "application/json")
            self.assertEqual(response.status, 404)

    def test_other_sites_cannot_post(self):
        before = self.offer(10)
        host = f"{shop.address[0]}:{shop.address[1]}"
        for header, code in (("Origin: http://evil.example", 403), ("Origin: null", 403),
                             (f"Origin: http://{host}.evil.example", 403), ("Sec-Fetch-Site: cross-site", 403),
                             ("Sec-Fetch-Site: same-site", 403)):
            for path in ("/admin/product/10", "/api/product/10"):
                answer = self.raw(f"POST {path} HTTP/1.1\r\nHost: {host}\r\n{header}\r\nContent-Length: 15\r\n"
                                  "Connection: close\r\n\r\nprice=1&stock=1")
                self.assertIn(f" {code} ".encode(), answer[:20], header)
        self.assertEqual(self.offer(10), before)


class TestFields(PageTest):
    def test_none_of_our_texts_needs_a_backslash(self):
        self.assertEqual(self.send("PUT", "/api/product/9", '{"price":"1\\u0030","stock":1}', "application/json").status, 400)


class TestCalling(unittest.TestCase):
    def call(self, *arguments: str) -> str:
        done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, check=False, timeout=30)
        self.assertEqual(done.returncode, 2, done.stderr)
        return done.stderr

    def test_wrong_calls_get_one_line(self):
        for arguments, line in (((), "--config: it is missing"), (("--config",), "it needs a value"),
                                (("--port", "x", "--config", "a"), "--port x: must be"),
                                (("--port", "65536"), "--port 65536: must be"), (("--threads", "0"), "must be"),
                                (("--what", "1"), "unknown option --what"),
                                (("--config", "a", "--keys", "no-such-file"), "no-such-file: No such file"),
                                (("--config", "a", "--keys", "/dev/null"), "/dev/null: others may read it"),
                                (("--config", "no-such-file.ini"), "no-such-file.ini")):
            error = self.call(*arguments)
            self.assertRegex(error, r"\Astorefront: [^\n]*\n\Z")
            self.assertIn(line, error)

    def test_a_port_that_is_taken(self):
        self.assertRegex(self.call("--config", str(shop.configuration), "--port", str(shop.address[1])),
                         r"\Astorefront: port \d+ of 127.0.0.1: Address already in use[^\n]*\n\Z")


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    testing.require_servers()
    unittest.main()
