#!/usr/bin/env python3
"""`shopdata check` on good and on bad fleets."""

import os
import unittest

from tool import Case, free_port, redis, run, sql, wait_until


def login(name: str) -> str:
    return f"kind = redis\naddress = {os.environ['SHOPDATA_REDIS']}\nuser = {name}\npassword = hunter2"


class Check(Case):
    def check(self, code: int, *said: str, **config) -> str:
        done = run("check", self.config(**config))
        self.assert_ended(done, code, *said)
        self.assertNotIn("hunter2", done.stdout + done.stderr)
        return done.stdout

    def test_good_fleet(self):
        output = self.check(0, "is a primary", "is a replica", "can fence: system", "primary is the primary",
                            "replica1 is", "Redis 7", "a fence was put, moved and read back", " 0 problems")
        self.assertNotIn("PROBLEM", output)
        self.assertEqual(redis("KEYS", "tool-test:check:*"), "*0\r\n")

    def test_tables_and_connections(self):
        sql("CREATE TABLE IF NOT EXISTS seen (id int)", on="SHOPDATA_PRIMARY")
        self.check(0, "role shop may read", "room for", "processes of pool.size 8")
        self.check(1, "too few for one process of pool.size 1000", pool="size = 1000")

    def test_settings(self):
        sql("ALTER ROLE shop SET statement_timeout = '1s'", "ALTER ROLE shop SET synchronous_commit = off")
        self.addCleanup(sql, "ALTER ROLE shop RESET ALL")
        self.check(0, "statement_timeout is 1000 ms, shorter than shopdata.deadline", "synchronous_commit is off",
                   "hot_standby_feedback is off", nodes=None)

    def test_faults_of_the_file(self):
        path = self.folder / "bad.ini"
        path.write_text("[node a]\nconninof = x\n[pool]\nsize = many\n")
        self.assert_ended(run("check", str(path)), 1, "bad.ini:2:", "bad.ini:4:")
        self.assert_ended(run("check", str(self.folder / "none.ini")), 1, "none.ini")

    def test_unreachable_node(self):
        conninfo = f"host=127.0.0.1 port={free_port()} user=shop password=hunter2 dbname=shop"
        nodes = {"primary": os.environ["SHOPDATA_PRIMARY"], "gone": conninfo}
        output = self.check(1, "cannot be reached:", nodes=nodes)
        self.assertIn("host=127.0.0.1", output)

    def test_malformed_conninfo(self):
        self.check(1, "the connection string is malformed",
                   nodes={"primary": os.environ["SHOPDATA_PRIMARY"], "bad": "password = hunter2 oops"})

    def test_no_primary(self):
        self.check(1, "none of the nodes is a primary", nodes={"replica1": os.environ["SHOPDATA_REPLICA1"]})

    def test_another_database(self):
        self.check(1, "other leads to another database, role or search_path than primary",
                   nodes={"primary": os.environ["SHOPDATA_PRIMARY"],
                          "other": os.environ["SHOPDATA_REPLICA1"] + " dbname=postgres"})

    def test_ordinary_role(self):
        sql("CREATE TABLE IF NOT EXISTS seen (id int)", on="SHOPDATA_PRIMARY")
        sql("CREATE ROLE ordinary LOGIN PASSWORD 'hunter2'")
        self.addCleanup(sql, "DROP ROLE ordinary")
        nodes = {name: os.environ[variable] + " user=ordinary password=hunter2"
                 for name, variable in (("primary", "SHOPDATA_PRIMARY"), ("replica1", "SHOPDATA_REPLICA1"))}
        wait_until(lambda: sql("SELECT 1 FROM pg_roles WHERE rolname = 'ordinary'", on="SHOPDATA_REPLICA1"))
        self.check(1, "may not see the timeline", "-> GRANT pg_monitor to the role", "after a failover, it could not fence",
                   "role ordinary may read none of", nodes=nodes)

    def test_server_that_tells_no_positions(self):
        """As Aurora does: the functions are there and refuse."""
        sql("REVOKE EXECUTE ON FUNCTION pg_current_wal_flush_lsn() FROM PUBLIC")
        self.addCleanup(sql, "GRANT EXECUTE ON FUNCTION pg_current_wal_flush_lsn() TO PUBLIC")
        self.check(1, "does not tell where it stands: permission denied", "Aurora")

    def test_lagging_replica(self):
        sql("CREATE TABLE IF NOT EXISTS lagging (id int)", on="SHOPDATA_PRIMARY")
        sql("SELECT pg_wal_replay_pause()", on="SHOPDATA_SUPERUSER_REPLICA1")
        self.addCleanup(sql, "SELECT pg_wal_replay_resume()", on="SHOPDATA_SUPERUSER_REPLICA1")
        sql("INSERT INTO lagging SELECT generate_series(1, 1000)")
        output = self.check(0, "replica1 is")
        self.assertNotIn("replica1 is 0 bytes behind", output)


class Cache(Case):
    def check(self, code: int, *said: str, cache: str = "kind = redis", **sections):
        done = run("check", self.config(nodes={"primary": os.environ["SHOPDATA_PRIMARY"]}, cache=cache, **sections))
        self.assert_ended(done, code, *said)
        self.assertNotIn("hunter2", done.stdout + done.stderr)
        return done.stdout

    def test_no_eviction(self):
        redis("CONFIG", "SET", "maxmemory", "64mb")
        self.addCleanup(redis, "CONFIG", "SET", "maxmemory", "0")
        redis("CONFIG", "SET", "maxmemory-policy", "noeviction")
        self.addCleanup(redis, "CONFIG", "SET", "maxmemory-policy", "noeviction")
        self.check(1, "maxmemory-policy is noeviction", "-> maxmemory-policy allkeys-lru")
        redis("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
        self.check(0, "of 67108864 bytes; allkeys-lru")

    def test_full_server(self):
        redis("CONFIG", "SET", "maxmemory", "1")
        self.addCleanup(redis, "CONFIG", "SET", "maxmemory", "0")
        self.check(1, "a placeholder cannot be put", "OOM")

    def user(self, name: str, *rights: str) -> str:
        """A user of the Redis with these rights, until the test ends: the cache's section that logs in as him."""
        redis("ACL", "SETUSER", name, "on", ">hunter2", *rights)
        self.addCleanup(redis, "ACL", "DELUSER", name)
        return login(name)

    def test_user_without_scripts(self):
        self.check(1, "PROBLEM", "allow this user keys, scripts and channels",
                   cache=self.user("noscripts", "~*", "+@all", "-@scripting"))

    def test_user_without_channels(self):
        self.check(1, "a write cannot be published", "allow this user keys, scripts and channels",
                   cache=self.user("mute", "~*", "resetchannels", "+@all"))

    def test_what_processes_keep_themselves(self):
        self.check(0, "a process hears of the others' writes: what it keeps itself is 250 ms behind at most",
                   local="coherence = 250ms")
        cache = self.user("deaf", "~*", "&*", "+@all", "-subscribe") + "\nkey_prefix = tool-test"
        self.check(1, "cannot hear of writes on the channel tool-test:changes", "SUBSCRIBE was refused: NOPERM",
                   "+subscribe", cache=cache, local="coherence = 100ms")
        redis("ACL", "SETUSER", "deaf", "+subscribe", "-ping")
        self.check(1, "a beat was refused: NOPERM", "+ping", cache=cache, local="coherence = 100ms")
        self.assertNotIn("hear", self.check(0, "a fence was put", cache=cache, local="bytes = 0"))

    def test_wrong_password(self):
        self.check(1, "WRONGPASS", cache=login("x"))

    def test_nobody_there(self):
        port = free_port()
        for kind in "redis", "memcached":
            self.check(1, f"PROBLEM  127.0.0.1:{port}: ", cache=f"kind = {kind}\naddress = 127.0.0.1:{port}")

    def test_not_a_redis(self):
        address = os.environ["SHOPDATA_MEMCACHED"]
        self.check(1, "PROBLEM", cache=f"kind = redis\naddress = {address}")

    def test_no_cluster(self):
        cache = f"kind = redis\naddress = {os.environ['SHOPDATA_REDIS']}\ncluster = on"
        self.check(1, "it is no node of a cluster", cache=cache)

    def test_sentinels(self):
        addresses = f"kind = redis\naddress = {os.environ['SHOPDATA_REDIS_SENTINELS']}\nsentinel_primary = "
        self.check(0, "a sentinel says that", "it is a primary with 1 replicas", "a fence was put",
                   cache=addresses + os.environ["SHOPDATA_REDIS_SENTINEL_PRIMARY"])
        self.check(1, "the sentinel watches no primary `other`", cache=addresses + "other")

    def test_replica(self):
        replica = os.environ["SHOPDATA_REDIS_WATCHED2"]
        self.check(1, "it is a replica of", "there is no primary", cache=f"kind = redis\naddress = {replica}")

    def test_tls(self):
        lines = "\n".join(f"tls_{key} = {os.environ['SHOPDATA_REDIS_TLS_' + name]}"
                          for key, name in (("ca_file", "CA"), ("cert_file", "CERT"), ("key_file", "KEY")))
        cache = f"kind = redis\naddress = {os.environ['SHOPDATA_REDIS_TLS']}\ntls = on\n{lines}"
        self.check(0, "TLS, with the server's certificate and name checked", "a fence was put", cache=cache)
        self.check(1, "certificate", cache=cache.replace("tls_ca_file", "# "))

    def test_memcached(self):
        self.check(0, "memcached 1.", "of 67108864 bytes", "a fence was put, moved and read back",
                   cache=f"kind = memcached\naddress = {os.environ['SHOPDATA_MEMCACHED']}")

    def test_kinds_that_are_not_shared(self):
        self.check(0, "there is none: every read asks the database", cache="kind = none")
        self.check(0, "each process has its own", cache="kind = memory")


if "SHOPDATA_REDIS_CLUSTER" in os.environ:  # it takes long to start: launch run ... --redis-cluster

    class Cluster(Case):
        def test_cluster(self):
            addresses = f"kind = redis\naddress = {os.environ['SHOPDATA_REDIS_CLUSTER']}"
            nodes = {"primary": os.environ["SHOPDATA_PRIMARY"]}
            good = run("check", self.config(nodes=nodes, cache=addresses + "\ncluster = on"))
            self.assert_ended(good, 0, "cluster, up for", "a fence was put, moved and read back")
            bad = run("check", self.config(nodes=nodes, cache=addresses))
            self.assert_ended(bad, 1, "it is a node of a cluster", "-> cache.cluster = on")


class Usage(Case):
    def test_check(self):
        self.assert_misused("CONFIG is missing", "check")
        self.assert_misused("one CONFIG at a time", "check", "a", "b")
        self.assert_misused("unknown option --loud", "check", "--loud", "a")
        done = run("check", "--help")
        self.assert_ended(done, 0, "usage: shopdata check CONFIG")
        self.assertEqual(done.stderr, "")


if __name__ == "__main__":
    unittest.main()
