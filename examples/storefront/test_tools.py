#!/usr/bin/env python3
"""The catalogue's reader and generator, the trace, and the options of `run`: what is wrong gets one clear line."""

import lzma
import subprocess
import tempfile
import unittest
from collections import Counter
from pathlib import Path
from statistics import median

import catalogue
import generate
from driver import trace

CATEGORIES = "category_id\tname\n1\tbooks\n"
PRODUCTS = "product_id\tcategory\tstyle\tname\tdescription\tprice\tstock\timage\n1\tbooks\ts\tName\td\t1.50\t3\ti\n"


class TestCatalogue(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.data = Path(directory.name)
        (self.data / "catalogue").mkdir()
        self.write("categories.tsv", CATEGORIES)
        self.write("products.tsv", PRODUCTS)

    def write(self, name: str, text: str) -> None:
        (self.data / "catalogue" / name).write_bytes(text.encode("latin-1"))

    def assert_complains(self, line: str) -> None:
        with self.assertRaises(catalogue.CatalogueError) as raised:
            catalogue.read(self.data)
        self.assertIn(line, str(raised.exception))
        self.assertNotIn("\n", str(raised.exception))

    def test_a_good_one(self):
        categories, products = catalogue.read(self.data)
        self.assertEqual(categories, {"books": "1"})
        self.assertEqual(products, [["1", "1", "s", "Name", "d", "1.50", "3", "i"]])

    def test_a_backslash_is_no_escape(self):
        self.assertEqual(catalogue.copy_line(["a\\N", "\\."]), "a\\\\N\t\\\\.\n")

    def test_missing_files(self):
        (self.data / "catalogue" / "products.tsv").unlink()
        self.assert_complains("products.tsv: no such file")
        (self.data / "catalogue" / "categories.tsv").unlink()
        self.assert_complains("categories.tsv: no such file")

    def test_wrong_lines(self):
        row = "2\tbooks\ts\tName\td\t1.50\t3\ti\n"
        for wrong, complaint in (
                ("2\tbooks\n", "2 fields instead of 8"), ("\n" + row, "1 fields instead of 8"),
                (row.replace("2", "x", 1), "product_id 'x' is no number"),
                (row.replace("2", "1", 1), "product_id 1 comes a second time"),
                (row.replace("books", "toys"), "the category 'toys' is not in categories.tsv"),
                (row.replace("1.50", "1,50"), "the price '1,50' is no amount"),
                (row.replace("\t3\t", "\t-3\t"), "the stock '-3' is no number"),
                (row.replace("Name", ""), "the name is empty")):
            self.write("products.tsv", PRODUCTS + wrong)
            self.assert_complains(f"products.tsv:3: {complaint}")

    def test_wrong_files(self):
        self.write("products.tsv", PRODUCTS.replace("style", "kind"))
        self.assert_complains("products.tsv:1: the first line must name the columns")
        self.write("products.tsv", "")
        self.assert_complains("products.tsv:1: the first line")
        self.write("products.tsv", PRODUCTS + "\xff\n")
        self.assert_complains("products.tsv: 'utf-8' codec")
        self.write("products.tsv", PRODUCTS.split("\n", maxsplit=1)[0] + "\n")
        self.assert_complains("products.tsv:2: there is no product")
        self.write("categories.tsv", CATEGORIES + "1\ttoys\n")
        self.assert_complains("categories.tsv:3: category_id 1 comes a second time")


class TestGenerated(unittest.TestCase):
    def test_it_is_shaped_like_a_shop(self):
        categories, products = generate.catalogue()
        prices = [float(product[5]) for product in products]
        sizes = Counter(product[1] for product in products)
        self.assertEqual((len(categories), len(products), len(sizes)), (20, 2500, 20))
        self.assertTrue(40 < median(prices) < 120, median(prices))
        self.assertTrue(min(prices) >= 1 and max(prices) > 1000)
        self.assertTrue(any(product[6] == "0" for product in products))
        self.assertEqual(sum(product[5].endswith(".99") for product in products) > 1500, True)

    def test_it_is_the_same_each_time(self):
        self.assertEqual(generate.catalogue(), generate.catalogue())


class TestTrace(unittest.TestCase):
    def test_ids_become_ranks(self):
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "keys.xz"
            path.write_bytes(lzma.compress(b"500\n7\n500\n90\n"))
            self.assertEqual(trace.from_file(path, [11, 12]), [11, 11, 11, 12])
            for wrong in (b"x\n", b""):
                path.write_bytes(lzma.compress(wrong))
                self.assertRaises(trace.TraceError, trace.from_file, path, [11])
            path.write_bytes(b"not compressed")
            self.assertRaises(trace.TraceError, trace.from_file, path, [11])
            self.assertRaises(trace.TraceError, trace.from_file, Path(directory) / "none.xz", [11])

    def test_made_up_visitors_follow_the_law(self):
        counts = sorted(Counter(trace.made_up(list(range(2500)))).values(), reverse=True)
        head = sum(counts[:25]) / sum(counts)
        self.assertTrue(0.2 < head < 0.4, f"the top 1 % take {head:.0%}")


class TestRun(unittest.TestCase):
    def assert_complains(self, line: str, *arguments: str) -> None:
        run = Path(__file__).resolve().parent / "run"
        done = subprocess.run([run, *arguments], capture_output=True, text=True, check=False, timeout=20)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertRegex(done.stderr, r"\Arun: [^\n]*\n\Z")
        self.assertIn(line, done.stderr)

    def test_wrong_calls(self):
        self.assert_complains("unknown option --what", "--what")
        self.assert_complains("--port needs a value", "--port")
        self.assert_complains("--port 0: must be", "--port", "0")
        self.assert_complains("--port 99999: must be", "--port", "99999")
        self.assert_complains("--cache disk: must be redis, valkey, redis-tls, memcached, memory or none", "--cache", "disk")
        self.assert_complains("--data /no/such/folder: no such directory", "--data", "/no/such/folder")
        self.assert_complains("--seconds 5: must be", "--check", "--seconds", "5")
        self.assert_complains("--seconds only goes with --check", "--seconds", "50")
        with tempfile.TemporaryDirectory() as directory:
            self.assert_complains("there is no folder catalogue", "--data", directory)
            (Path(directory) / "catalogue").mkdir()
            self.assert_complains("there is no traces/product-pages", "--check", "--data", directory)


if __name__ == "__main__":
    unittest.main()
