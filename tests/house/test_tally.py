#!/usr/bin/env python3
"""The count of tests/run: nothing passes by not running."""

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TALLY = Path(__file__).resolve().parents[1] / "tally"
UNITTEST = "...\n" + "-" * 70 + "\nRan {} tests in 0.1s\n\n{}\n"


class Tally(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def tally(self, kind: str, code: int, log: str, *more: str) -> tuple[str, str]:
        (self.folder / "log").write_text(log)
        done = subprocess.run([sys.executable, TALLY, kind, str(code), self.folder / "log", *more],
                              capture_output=True, text=True, check=True)
        return done.stdout.strip(), done.stderr

    def meson(self, code: int, tests: list[tuple], *suites: str) -> str:
        report = self.folder / "testlog.json"
        report.write_text("".join(json.dumps({"name": name, "result": result, "stdout": output}) + "\n"
                                  for name, result, output in tests))
        return self.tally("meson", code, "", str(report), *suites)[0]

    def test_plain(self):
        self.assertEqual(self.tally("plain", 77, "no clang")[0], "0 0 1")
        self.assertEqual(self.tally("plain", 0, ""), ("1 0 0", ""))
        counted, shown = self.tally("plain", 3, "\n".join(map(str, range(100))))
        self.assertEqual(counted, "0 1 0")
        self.assertIn("    99\n", shown)
        self.assertNotIn("    50\n", shown)

    def test_unittest(self):
        self.assertEqual(self.meson(1, [
            ("p:launcher / a", "OK", UNITTEST.format(5, "OK")),
            ("p:launcher / b", "OK", UNITTEST.format(5, "OK (skipped=2)")),
            ("p:launcher / c", "FAIL", UNITTEST.format(5, "FAILED (failures=1, errors=2, skipped=1)")),
        ], "launcher"), "9 3 3")

    def test_unittest_that_ran_nothing_or_crashed(self):
        self.assertEqual(self.meson(0, [("p:launcher / a", "OK", UNITTEST.format(0, "OK"))], "launcher"), "0 1 0")
        self.assertEqual(self.meson(1, [("p:launcher / a", "FAIL", UNITTEST.format(5, "OK"))], "launcher"), "5 1 0")

    def test_pytest(self):
        self.assertEqual(self.meson(1, [
            ("p:python / a", "OK", "......  [100%]\n6 passed in 0.10s\n"),
            ("p:python / b", "FAIL", "F.Es\n=== 1 failed, 2 passed, 1 skipped, 2 errors in 61.2s (0:01:01) ===\n"),
            ("p:python / c", "OK", "4 skipped, 1 xfailed in 0.01s\n"),
        ], "python"), "9 3 5")
        self.assertEqual(self.meson(1, [("p:python / a", "FAIL", "no tests ran in 0.00s\n")], "python"), "0 1 0")
        self.assertEqual(self.meson(1, [("p:python / a", "FAIL", "3 deselected in 0.00s\n")], "python"), "0 1 0")
        self.assertEqual(self.meson(1, [("p:python / a", "FAIL", "3 passed in 0.00s\n")], "python"), "3 1 0")

    def test_checks_inside_programs_are_counted(self):
        self.assertEqual(self.meson(1, [
            ("p:unit+threads / a", "OK", "100%: Checks: 7, Failures: 0, Errors: 0\n"),
            ("p:unit / b", "FAIL", "50%: Checks: 4, Failures: 1, Errors: 1\n"),
            ("p:house / c", "OK", UNITTEST.format(3, "OK")),
            ("p:examples / d", "OK", "hello\n"),
            ("p:examples / e", "SKIP", ""),
            ("p:examples / f", "OK", "1..3\nok 1 - one\nok 2 - two # SKIP no server\nok 3\n"),
        ], "unit", "threads", "house", "examples"), "15 2 2")

    def test_program_that_crashed_after_its_report(self):
        for result in "FAIL", "TIMEOUT", "ERROR", "INTERRUPT", "UNEXPECTEDPASS":
            self.assertEqual(self.meson(1, [("p:unit / a", result, "100%: Checks: 7, Failures: 0, Errors: 0\n")]),
                             "7 1 0")
            self.assertEqual(self.meson(1, [("p:unit / a", result, "")]), "0 1 0")

    def test_program_without_checks(self):
        self.assertEqual(self.meson(0, [("p:unit / a", "OK", "100%: Checks: 0, Failures: 0, Errors: 0\n")]), "0 1 0")

    def test_suite_without_tests(self):
        self.assertEqual(self.meson(0, [("p:unit / a", "OK", "")], "unit", "threads"), "1 1 0")

    def test_run_without_report(self):
        self.assertEqual(self.tally("meson", 0, "", str(self.folder / "none"), "unit", "threads")[0], "0 2 0")

    def test_meson_failed_though_its_tests_passed(self):
        self.assertEqual(self.meson(1, [("p:unit / a", "OK", "")], "unit"), "1 1 0")


if __name__ == "__main__":
    unittest.main()
