#!/usr/bin/env python3
"""The second chance of tests/run: who gets it, and who does not."""

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]

# A `meson test` whose programs end as they are told to: the N-th time a program runs it takes the N-th letter.
MESON = """
import json, pathlib, sys
folder, arguments = pathlib.Path(sys.argv[1]), sys.argv[2:]
turns = 3 if "--repeat" in arguments else 1
plan = json.loads((folder / "plan").read_text())
chosen = {name: left for name, left in plan.items() if turns == 1 or name.split(" / ")[1] in arguments}
results = []
for name in chosen:
    for letter in plan[name][:turns]:
        results.append({"name": name, "result": "OK" if letter == "+" else "FAIL", "stdout": f"this was {letter}"})
    plan[name] = plan[name][turns:]
(folder / "plan").write_text(json.dumps(plan))
(folder / "log").write_text("".join(json.dumps(one) + "\\n" for one in results))
sys.exit(any(one["result"] != "OK" for one in results))
"""


class Alone(unittest.TestCase):
    def run_with(self, **plan: str) -> tuple[int, dict[str, str], str]:
        """SUITE__PROGRAM=outcomes: the exit code, each program's result, and what tally prints."""
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            named = {f"p:{key.replace('__', ' / ')}": outcomes for key, outcomes in plan.items()}
            (folder / "plan").write_text(json.dumps(named))
            (folder / "meson").write_text(MESON)
            done = subprocess.run([TESTS / "alone", folder / "log", "python,examples", sys.executable, folder / "meson", folder],
                                  capture_output=True, text=True, check=False)
            (folder / "told").write_text(done.stdout)
            told = subprocess.run([TESTS / "tally", "meson", str(done.returncode), folder / "told", folder / "log"],
                                  capture_output=True, text=True, check=True)
            results = {one["name"].split(" / ")[1]: one["result"]
                       for one in map(json.loads, (folder / "log").read_text().splitlines())}
            return done.returncode, results, told.stdout + told.stderr

    def test_all_good(self):
        self.assertEqual(self.run_with(python__a="+", unit__b="+"), (0, {"a": "OK", "b": "OK"}, "2 0 0\n"))

    def test_who_passes_three_times_alone_has_passed_and_is_told_of(self):
        code, results, told = self.run_with(python__a="-+++", unit__b="+", examples__c="+")
        self.assertEqual((code, results), (0, {"a": "OK", "b": "OK", "c": "OK"}))
        self.assertEqual(told, "3 0 0\n--- p:python / a: passed only alone\n    this was -\n")

    def test_who_fails_once_more_has_failed(self):
        for outcomes in "--++", "-+-+", "-++-", "-++", "-":
            code, results, told = self.run_with(python__a=outcomes, examples__b="-+++")
            self.assertEqual((code, results["a"], results["b"]), (1, "FAIL", "OK"))
            self.assertIn("1 1 0\n", told)

    def test_other_suites_and_proofs_have_no_second_chance(self):
        for failing in {"unit__a": "-+++"}, {"unit__a": "-+++", "python__b": "-+++"}, {"python__fault_a": "-+++"}, \
                {"examples__differential": "-+++"}:
            code, results, told = self.run_with(**failing)
            self.assertEqual((code, set(results.values())), (1, {"FAIL"}))
            self.assertTrue(told.startswith(f"0 {len(failing)} 0\n"), told)

    def test_nor_have_many_together(self):
        code, results, _ = self.run_with(**{f"python__{name}": "-+++" for name in "abcd"})
        self.assertEqual((code, list(results.values())), (1, ["FAIL"] * 4))


if __name__ == "__main__":
    unittest.main()
