#!/usr/bin/env python3
"""What shopdata_metrics_emf writes keeps the rules of the embedded metric format. `test_emf.py SAMPLES-PROGRAM`"""

import json
import subprocess
import sys
import time
import unittest

import emf

PROGRAM = sys.argv.pop(1)


def run(sample: str, name_space: str, dimensions: str) -> subprocess.CompletedProcess:
    return subprocess.run([PROGRAM, sample, name_space, dimensions], capture_output=True, text=True, check=False)


def documents(sample: str, dimensions: str = "") -> list[dict]:
    done = run(sample, "Shop", dimensions)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return [emf.read(line) for line in done.stdout.splitlines()]


def find(found: list[dict], name: str, **labels: str) -> object:
    """The value of a metric in the document with exactly these dimensions."""
    for root in found:
        directive = root["_aws"]["CloudWatchMetrics"][0]
        names = directive["Dimensions"][0]
        if {key: root[key] for key in names} == labels and name in [metric["Name"] for metric in directive["Metrics"]]:
            return root[name]
    raise KeyError(name, labels)


def unit(found: list[dict], name: str) -> str:
    return next(metric["Unit"] for root in found for metric in root["_aws"]["CloudWatchMetrics"][0]["Metrics"]
                if metric["Name"] == name)


class Documents(unittest.TestCase):
    def test_first(self):
        found = documents("first")
        self.assertEqual(find(found, "shopdata_queries", source="cache"), 15)
        self.assertEqual(find(found, "shopdata_cache_misses", policy="shelf", reason="absent"), 30)
        self.assertEqual(find(found, "shopdata_cache_hit_ratio"), 75)
        self.assertEqual(find(found, "shopdata_cache_hit_ratio", policy="shelf"), 75)
        self.assertEqual(find(found, "shopdata_node_lag_seconds", node='re"p\\l\nica'), 0.25)
        self.assertLess(abs(found[0]["_aws"]["Timestamp"] / 1000 - time.time()), 60)

    def test_units(self):
        found = documents("first")
        for name, wanted in {"shopdata_queries": "Count", "shopdata_query_seconds": "Seconds",
                             "shopdata_cache_entry_bytes": "Bytes", "shopdata_cache_hit_ratio": "Percent",
                             "shopdata_node_role": "None"}.items():
            self.assertEqual(unit(found, name), wanted)

    def test_histogram(self):
        histogram = find(documents("first"), "shopdata_query_seconds", source="cache")
        self.assertEqual(histogram["Values"], [0.00005, 0.00375, 10])
        self.assertEqual(histogram["Counts"], [3, 3, 3])
        self.assertEqual(histogram["Sum"], 180.00924)

    def test_second_tells_what_was_added(self):
        found = documents("second")
        self.assertEqual(find(found, "shopdata_queries", source="cache"), 5)
        self.assertEqual(find(found, "shopdata_query_seconds", source="cache")["Counts"], [1, 1, 1])
        self.assertEqual(find(found, "shopdata_node_role", node="primary"), 2)

    def test_counters_that_began_anew(self):
        found = documents("reset")
        self.assertEqual(find(found, "shopdata_queries", source="cache"), 5)
        self.assertEqual(find(found, "shopdata_query_seconds", source="cache")["Count"], 3)

    def test_what_was_never_counted_is_left_out(self):
        found = documents("idle")
        for name, labels in ("shopdata_queries", {"source": "cache"}), ("shopdata_cache_hit_ratio", {}), \
                            ("shopdata_query_seconds", {"source": "cache"}), ("shopdata_build_info", {}):
            with self.assertRaises(KeyError):
                find(found, name, **labels)
        self.assertEqual(find(found, "shopdata_node_role", node="primary"), 2)

    def test_many_policies(self):
        found = documents("many", "a=1")
        self.assertEqual(find(found, "shopdata_cache_hits", a="1", policy="p255"), 1)
        self.assertEqual(find(found, "shopdata_cache_hit_ratio", a="1"), 100)

    def test_own_dimensions(self):
        found = documents("first", 'service=shop,host=web"1')
        self.assertEqual(find(found, "shopdata_queries", service="shop", host='web"1', source="cache"), 15)
        self.assertEqual(len(documents("first", ",".join(f"d{i}=x" for i in range(28)))), len(found))


class Refusals(unittest.TestCase):
    def assert_refused(self, name_space: str, dimensions: str, said: str):
        done = run("first", name_space, dimensions)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("SHOPDATA_ERR_ARGUMENT", done.stderr)
        self.assertIn(said, done.stderr)

    def test_namespace(self):
        for wrong in "", ":shop", "AWS/Shop", "sh\"op", "x" * 256:
            with self.subTest(wrong):
                self.assert_refused(wrong, "", "namespace")

    def test_dimensions(self):
        for wrong in "a", "=x", "a=", ":a=x", "a=x,,b=y", "a=\n", "a=" + "x" * 1025, "x" * 251 + "=y":
            with self.subTest(wrong):
                self.assert_refused("Shop", wrong, "name=value")
        for ours in "source=x", "policy=x", "_aws=x", "shopdata_x=1":
            with self.subTest(ours):
                self.assert_refused("Shop", ours, "uses this name itself")
        self.assert_refused("Shop", ",".join(f"d{i}=x" for i in range(29)), "more than 28")


class Validator(unittest.TestCase):
    """The rules can fail."""

    def setUp(self):
        self.root = {"_aws": {"Timestamp": 1700000000000, "CloudWatchMetrics": [
            {"Namespace": "N", "Dimensions": [["d"]], "Metrics": [{"Name": "m", "Unit": "Count"}]}]}, "d": "x", "m": 1}
        self.directive = self.root["_aws"]["CloudWatchMetrics"][0]

    def refused(self):
        with self.assertRaises(emf.Refused):
            emf.read(json.dumps(self.root))

    def test_good(self):
        emf.read(json.dumps(self.root))

    def test_values(self):
        histogram = {"Values": [1], "Counts": [2], "Max": 1, "Min": 1, "Count": 2, "Sum": 2}
        self.root["m"] = histogram
        emf.read(json.dumps(self.root))
        for wrong in "1", None, [], [1] * 101, float("nan"), {**histogram, "Counts": [1, 1]}, {**histogram, "Count": 3}:
            with self.subTest(wrong):
                self.root["m"] = wrong
                self.refused()

    def test_no_value(self):
        del self.root["m"]
        self.refused()

    def test_dimension(self):
        self.root["d"] = 5
        self.refused()

    def test_limits(self):
        for key, wrong in ("Metrics", [{"Name": "m"}] * 101), ("Dimensions", []), ("Dimensions", [["d"] * 31]), \
                          ("Metrics", [{"Name": "m", "Unit": "Pounds"}]), ("Namespace", ""):
            with self.subTest(key):
                before, self.directive[key] = self.directive[key], wrong
                self.refused()
                self.directive[key] = before

    def test_seconds_for_milliseconds(self):
        self.root["_aws"]["Timestamp"] = 1700000000
        self.refused()

    def test_member_twice(self):
        with self.assertRaises(emf.Refused):
            emf.read(json.dumps(self.root)[:-1] + ', "m": 2}')


if __name__ == "__main__":
    unittest.main()
