#!/usr/bin/env python3
"""`shopdata explain` and `shopdata invalidate`; and what holds for every command."""

import subprocess
import unittest

from tool import PROGRAM, Case, free_port, redis, run, sql


def setUpModule():
    sql("CREATE TABLE IF NOT EXISTS explained (id int PRIMARY KEY, name text)", on="SHOPDATA_PRIMARY")


class Explain(Case):
    def explain(self, *arguments: str, **options):
        return run("explain", *arguments[:-1], self.config(**{"policy shelf": "ttl = 1m"}), arguments[-1], **options)

    def test_read_and_write(self):
        self.assert_ended(self.explain("SELECT name FROM explained WHERE id = $1"), 0, "read, cached",
                          "hangs on public.explained/id=$1")
        self.assert_ended(self.explain("INSERT INTO explained VALUES ($1, $2)"), 0, "bumps public.explained")

    def test_policy_and_tags(self):
        done = self.explain("--policy", "shelf", "--tag", "row/$1", "--tag", "all",
                            "SELECT name FROM explained WHERE id = $1")
        self.assert_ended(done, 0, "row/$1", "all")
        self.assert_ended(self.explain("--policy", "none", "SELECT 1"), 1, "no policy \"none\"")
        self.assert_ended(self.explain("--tag", "row/$7", "SELECT 1"), 1, "$7")

    def test_standard_input_and_file(self):
        self.assert_ended(self.explain("-", input="SELECT name\nFROM explained\n"), 0, "hangs on public.explained")
        path = self.folder / "statement.sql"
        path.write_text("UPDATE explained SET name = $2 WHERE id = $1")
        self.assert_ended(run("explain", "--file", str(path), self.config()), 0, "bumps public.explained/id=$1")

    def test_what_is_no_statement(self):
        self.assert_ended(self.explain("SELEC 1"), 1, "shopdata explain: syntax error")
        self.assert_ended(self.explain("SELECT 1; SELECT 2"), 1, "shopdata explain: ")
        self.assert_ended(self.explain("SET x = 1"), 1, "shopdata explain: ")

    def test_no_server(self):
        nodes = {"gone": f"host=127.0.0.1 port={free_port()} dbname=shop user=shop password=hunter2"}
        done = run("explain", self.config(nodes=nodes, shopdata="deadline = 500ms"), "SELECT 1")
        self.assert_ended(done, 1, "no node can be reached", "refused")
        self.assertNotIn("hunter2", done.stderr)

    def test_usage(self):
        self.assert_misused("CONFIG is missing", "explain")
        self.assert_misused("SQL is missing", "explain", "shop.ini")
        self.assert_misused("put it into quotes", "explain", "shop.ini", "SELECT", "1")
        self.assert_misused("option --policy needs a value", "explain", "--policy")
        self.assert_misused("unknown option --polcy", "explain", "--polcy", "x")
        self.assert_misused("No such file", "explain", "--file", str(self.folder / "none"), "shop.ini")
        self.assert_ended(run("explain", "--help"), 0, "usage: shopdata explain")


class Invalidate(Case):
    def test_fences_are_deleted(self):
        keys = [f"tool-test:shop:f:{tag}" for tag in ("public.explained/id=7", "public.explained", "own")]
        for key in keys:
            redis("SET", key, "x")
        done = run("invalidate", self.config(), "public.explained/id=7", "own")
        self.assert_ended(done, 0, "2 tags bumped")
        self.assertEqual(redis("EXISTS", *keys), ":0\r\n")

    def test_cache_that_is_not_there(self):
        done = run("invalidate", self.config(cache=f"kind = redis\naddress = 127.0.0.1:{free_port()}"), "own")
        self.assert_ended(done, 1, "the cache could not be told", "event=cache_failed")

    def test_cache_that_nobody_shares(self):
        for kind in "none", "memory":
            self.assert_ended(run("invalidate", self.config(cache=f"kind = {kind}"), "own"), 1,
                              f"cache.kind is `{kind}`")

    def test_usage(self):
        self.assert_misused("CONFIG is missing", "invalidate")
        self.assert_misused("TAG is missing", "invalidate", "shop.ini")
        self.assert_ended(run("invalidate", self.config(), ""), 1, "empty")
        self.assert_ended(run("invalidate", "--help"), 0, "usage: shopdata invalidate")


class Program(Case):
    def test_help_and_version(self):
        self.assert_ended(run("--help"), 0, "check CONFIG", "explain CONFIG SQL", "invalidate CONFIG TAG", "top ADDRESS")
        done = run("--version")
        self.assert_ended(done, 0, "shopdata 0.")

    def test_misuse(self):
        self.assert_misused("unknown command chekc", "chekc", "shop.ini")
        self.assert_misused("unknown option --hlep", "--hlep")
        self.assert_ended(run(), 2, "usage: shopdata COMMAND")

    def test_full_disk(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([PROGRAM, "explain", "--help"], stdout=full, stderr=subprocess.PIPE, check=False)
        self.assertEqual(done.returncode, 1)


if __name__ == "__main__":
    unittest.main()
