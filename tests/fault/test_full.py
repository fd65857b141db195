#!/usr/bin/env python3
"""Programs that write where the disk is full (/dev/full) say so in one line and end with another code than 0.

    test_full.py GENERATE STATEMENTS TOOL ROUNDTRIPS
"""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

GENERATE, STATEMENTS, TOOL, ROUNDTRIPS = (sys.argv.pop(1) for _ in range(4))
REASON = "No space left on device"


class Full(unittest.TestCase):
    def assert_told(self, *command: str):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60,
                                  check=False)
        told = [line for line in done.stderr.splitlines() if REASON in line]
        self.assertNotEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(told), 1, done.stderr)
        self.assertIn("standard output", told[0])

    def test_pages(self):
        for page in ("configuration", "metrics", "logging", "manual"):
            self.assert_told(GENERATE, page)
        self.assert_told(STATEMENTS)

    def test_the_tool(self):
        self.assert_told(TOOL, "--help")
        self.assert_told(TOOL, "--version")
        self.assert_told(TOOL, "check", "--help")

    @unittest.skipUnless("SHOPDATA_PRIMARY" in os.environ, "run it under tests/launcher/launch run --redis -- ...")
    def test_the_tool_on_servers(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "shop.ini"
            path.write_text(f"[node primary]\nconninfo = {os.environ['SHOPDATA_PRIMARY']}\n[cache]\nkind = redis\n"
                            f"address = {os.environ['SHOPDATA_REDIS']}\nkey_prefix = full\n", encoding="utf-8")
            self.assert_told(TOOL, "check", str(path))
            self.assert_told(TOOL, "explain", str(path), "SELECT 1")
            self.assert_told(TOOL, "invalidate", str(path), "public.item")

    @unittest.skipUnless("SHOPDATA_REDIS" in os.environ, "run it under tests/launcher/launch run --redis -- ...")
    def test_the_benchmark(self):
        self.assert_told(ROUNDTRIPS, "--seconds", "1")


if __name__ == "__main__":
    unittest.main()
