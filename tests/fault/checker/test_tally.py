#!/usr/bin/env python3
"""What a run ends with follows from what was counted; the faults come as their seed says and are healed."""

import contextlib
import io
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import faults  # noqa: E402
import names  # noqa: E402
import servers  # noqa: E402
import tally  # noqa: E402

GOOD = "read key cache 6000\nread key replica 3000\nread uncached replica 1000\nwrite key SHOPDATA_OK 10\n"


def end(text: str, promises: bool = True, local: bool = False) -> tuple[int, str]:
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        code = tally.tell(tally.read(text), "fenced", 4711, promises, local)
    return code, output.getvalue()


class Endings(unittest.TestCase):
    def test_good_run(self):
        code, output = end(GOOD)
        self.assertEqual(code, 0, output)
        self.assertIn("seed 4711", output)
        self.assertIn("10,000 reads checked", output)
        self.assertIn("hit ratio 0.667", output)

    def test_violation_is_a_failure_where_it_is_promised(self):
        code, output = end(GOOD + "violation key stale 2\n")
        self.assertEqual(code, 1)
        self.assertIn("stale reads per million: 200.00", output)
        self.assertEqual(end(GOOD + "violation key stale 2\n", promises=False)[0], 0)

    def test_to_find_nothing_where_nothing_is_promised_is_to_be_blind(self):
        code, output = end(GOOD, promises=False)
        self.assertEqual(code, 1)
        self.assertIn("blind", output)

    def test_a_run_without_hits_proves_nothing(self):
        self.assertEqual(end(GOOD.replace("cache", "primary"))[0], 1)
        self.assertEqual(end("read key cache 600\n")[0], 1)
        self.assertEqual(end("")[0], 1)

    def test_a_run_without_local_hits_proves_nothing_of_them(self):
        self.assertEqual(end(GOOD, local=True)[0], 1)
        code, output = end(GOOD + "read key local 5000\n", local=True)
        self.assertEqual(code, 0, output)
        self.assertIn("hit ratio 0.786", output)

    def test_lines_of_several_processes_are_summed(self):
        self.assertEqual(tally.total(tally.read(GOOD + GOOD), "read", "key", "cache"), 12000)

    def test_table_has_a_line_for_each_run(self):
        output = io.StringIO()
        runs = {"ttl-only": tally.read(GOOD + "violation key stale 5\n"), "fenced": tally.read(GOOD)}
        with contextlib.redirect_stdout(output):
            code = tally.tell_table(runs, 1, names.PEERS)
        self.assertEqual(code, 0, output.getvalue())
        self.assertIn("500.00", next(line for line in output.getvalue().splitlines() if line.startswith("ttl-only")))


class Recorded(unittest.TestCase):
    """Faults against a launcher that only writes down what it is told."""

    def setUp(self):
        self.told: list[str] = []
        self.addCleanup(setattr, servers, "launcher", servers.launcher)
        servers.launcher = lambda *words: self.told.append(" ".join(words))
        self.addCleanup(setattr, servers, "superuser", servers.superuser)
        servers.superuser = lambda node, sql: ""
        self.stage = faults.Stage(1.0, lambda line: "done", lambda line: None)
        self.stage.over.set()  # nobody waits

    def test_what_is_broken_is_healed(self):
        line = faults.Database(self.stage, 1, None)
        for name, fault in line.faults:
            if name not in ("cut-database", "promote"):
                self.told.clear()
                fault()
                self.assertEqual(len(self.told) % 2, 0, name)
                verbs = {"pause": "resume", "kill": "start", "freeze": "thaw"}
                for words in self.told[:len(self.told) // 2]:
                    verb, node = words.split()
                    self.assertIn(f"{verbs[verb]} {node}", self.told, name)

    def test_a_fault_that_fails_is_told(self):
        def fails(*words: str) -> None:
            raise servers.ServerError("no such node")
        servers.launcher = fails
        line = faults.Database(self.stage, 1, {"pause"})
        line.perform("pause", line.pause)
        self.assertEqual(self.stage.failures, ["pause: no such node"])
        self.assertEqual(self.stage.ill, 0)

    def test_every_fault_has_its_name_on_the_command_line(self):
        lines = [faults.Database(self.stage, 1, None), faults.Cache(self.stage, 1, None),
                 faults.Memcached(self.stage, 1, None), faults.Replicated(self.stage, 1, None),
                 faults.Processes(self.stage, 1, None, [object()], [object()])]
        known = {name for line in lines for name, _ in line.faults}
        self.assertEqual(known, set(names.FAULTS))


if __name__ == "__main__":
    unittest.main()
