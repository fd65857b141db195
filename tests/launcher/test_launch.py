#!/usr/bin/env python3
"""The launcher's own tests: what it starts works, what it is told happens, and nothing is left behind."""

import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
LAUNCH = str(HERE / "launch")
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

from servers.processes import Process  # noqa: E402


def run(*arguments: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run([LAUNCH, *arguments], capture_output=True, text=True, timeout=120, check=False, **options)


def wait_for(condition, seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def heed_signals() -> None:
    """What a background job or nohup ignores, a launch ignores too: these tests are about the others."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


class Launched:
    """A launch in the background whose command only waits; its environment is read through a pipe."""

    def __init__(self, *options: str, waiting: str = "sleep 600; true"):
        command = ["bash", "-c", f"env -0; printf 'END=\\0'; exec >/dev/null; {waiting}"]
        self.process = subprocess.Popen([LAUNCH, "run", *options, "--", *command], stdout=subprocess.PIPE,
                                        preexec_fn=heed_signals)
        self.environment = self._read_environment()
        self.directory = Path(self.environment["SHOPDATA_SERVERS"])
        self.servers = [Process(node["pid"], node["started"]) for node in self.state()["nodes"]]
        self.below = Process.of(self.process.pid).descendants()

    def _read_environment(self) -> dict[str, str]:
        text = b""
        while not text.endswith(b"END=\0"):
            piece = os.read(self.process.stdout.fileno(), 65536)
            if not piece:
                raise AssertionError("launch ended before its command ran")
            text += piece
        return dict(entry.split("=", 1) for entry in text.decode().split("\0") if entry)

    def state(self) -> dict:
        return json.loads((self.directory / "state.json").read_text())

    def ctl(self, *words: str) -> subprocess.CompletedProcess:
        return run("ctl", "--servers", str(self.directory), *words)

    def status(self) -> dict[str, list[str]]:
        return {line.split()[0]: line.split() for line in self.ctl("status").stdout.splitlines()[1:]}

    def sql(self, node: str, sql: str, seconds: float = 20) -> str:
        done = subprocess.run(["psql", "-XAtqw", "-c", sql, self.environment[f"SHOPDATA_{node.upper()}"]],
                              capture_output=True, text=True, timeout=seconds, check=False)
        return done.stdout.strip() if done.returncode == 0 else "failed: " + done.stderr

    def is_gone(self) -> bool:
        return not any(process.is_alive() for process in self.below)

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(60)
        self.process.stdout.close()


def ask(address: str, request: bytes) -> bytes:
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), timeout=1) as connection:
        connection.sendall(request)
        return connection.recv(1000)


class ManyRedis(unittest.TestCase):
    """Every kind of Redis server at once."""

    @classmethod
    def setUpClass(cls):
        cls.servers = Launched("--no-postgres", "--redis", "--redis-tls", "--redis-cluster", "--sentinel")

    @classmethod
    def tearDownClass(cls):
        cls.servers.close()

    def roles(self) -> dict[str, str]:
        return {name: row[-1] for name, row in self.servers.status().items()}

    def test_tls_wants_a_certificate_of_ours(self):
        found = self.servers.environment
        host, port = found["SHOPDATA_REDIS_TLS"].split(":")
        context = ssl.create_default_context(cafile=found["SHOPDATA_REDIS_TLS_CA"])
        context.load_cert_chain(found["SHOPDATA_REDIS_TLS_CERT"], found["SHOPDATA_REDIS_TLS_KEY"])
        with socket.create_connection((host, int(port)), timeout=5) as plain:
            with context.wrap_socket(plain, server_hostname=host) as connection:
                connection.sendall(b"PING\r\n")
                self.assertEqual(connection.recv(100), b"+PONG\r\n")

    def test_a_cluster_moves_slots_and_fails_over(self):
        address = self.servers.environment["SHOPDATA_REDIS_CLUSTER"].split(",")[1]
        self.assertEqual(self.servers.ctl("reshard", "cluster1", "cluster2").stderr, "")
        self.assertIn(b"cluster_state:ok", ask(address, b"CLUSTER INFO\r\n"))
        self.assertIn("is no replica", self.servers.ctl("failover", "cluster3").stderr)
        self.assertEqual(self.servers.ctl("failover", "cluster6").stderr, "")
        self.assertTrue(wait_for(lambda: self.roles()["cluster3"] == "replica"))

    def test_sentinels_make_the_replica_the_primary(self):
        self.assertEqual(self.servers.ctl("failover", "sentinel2").stderr, "")
        self.assertEqual(self.roles()["watched2"], "primary")


class Steering(unittest.TestCase):
    """Verbs, on one set of servers that every test leaves whole."""

    @classmethod
    def setUpClass(cls):
        cls.servers = Launched("--replicas", "2", "--redis", "--memcached")
        cls.servers.sql("primary", "CREATE TABLE counter (n int); INSERT INTO counter VALUES (0)")

    @classmethod
    def tearDownClass(cls):
        cls.servers.close()

    def ctl(self, *words: str) -> None:
        done = self.servers.ctl(*words)
        self.assertEqual((done.returncode, done.stderr), (0, ""), words)

    def write(self) -> str:
        return self.servers.sql("primary", "UPDATE counter SET n = n + 1 RETURNING n")

    def sees(self, node: str, value: str, seconds: float = 20) -> bool:
        return wait_for(lambda: self.servers.sql(node, "SELECT n FROM counter") == value, seconds)

    def test_replicates_to_every_replica(self):
        value = self.write()
        self.assertTrue(self.sees("replica1", value))
        self.assertTrue(self.sees("replica2", value))

    def test_role_may_see_what_monitoring_needs_and_is_ordinary(self):
        self.assertEqual(self.servers.sql("replica1", "SELECT received_tli FROM pg_stat_wal_receiver"), "1")
        self.assertEqual(self.servers.sql("primary", "SELECT rolsuper FROM pg_roles WHERE rolname = 'shop'"), "f")
        self.assertEqual(self.servers.sql("superuser_primary", "SELECT current_user, current_database()"),
                         "postgres|shop")

    def test_commits_wait_for_the_log(self):
        self.assertEqual(self.servers.sql("primary", "SHOW synchronous_commit"), "on")

    def test_pause_holds_back_and_resume_catches_up(self):
        before = self.write()
        self.assertTrue(self.sees("replica1", before))
        self.ctl("pause", "replica1")
        self.assertEqual(self.servers.status()["replica1"][5], "paused")
        after = self.write()
        self.assertTrue(self.sees("replica2", after))
        self.assertEqual(self.servers.sql("replica1", "SELECT n FROM counter"), before)
        self.ctl("resume", "replica1")
        self.assertTrue(self.sees("replica1", after))

    def test_killed_primary_comes_back_with_its_data_on_its_port(self):
        value, old = self.write(), self.servers.status()["primary"]
        self.ctl("kill", "primary")
        self.assertEqual(self.servers.status()["primary"][4], "stopped")
        self.assertTrue(self.servers.sql("primary", "SELECT 1").startswith("failed"))
        self.ctl("start", "primary")
        new = self.servers.status()["primary"]
        self.assertEqual((new[2], new[5]), (old[2], "primary"))
        self.assertNotEqual(new[3], old[3])
        self.assertEqual(self.servers.sql("primary", "SELECT n FROM counter"), value)
        self.assertTrue(self.sees("replica2", self.write()))

    def test_stopped_replica_catches_up(self):
        self.ctl("stop", "replica2")
        value = self.write()
        self.ctl("start", "replica2")
        self.assertTrue(self.sees("replica2", value))

    def test_frozen_server_hangs_until_thawed(self):
        self.ctl("freeze", "replica1")
        self.assertEqual(self.servers.status()["replica1"][4:], ["frozen", "-"])
        with self.assertRaises(subprocess.TimeoutExpired):
            self.servers.sql("replica1", "SELECT 1", seconds=1)
        self.ctl("thaw", "replica1")
        self.assertEqual(self.servers.sql("replica1", "SELECT 1"), "1")

    def test_frozen_server_can_be_stopped_and_restarted(self):
        for node in ("replica1", "redis", "memcached"):
            self.ctl("freeze", node)
            self.ctl("restart", node)
            self.assertEqual(self.servers.status()[node][4], "running")
        self.ctl("freeze", "replica2")
        self.ctl("kill", "replica2")
        self.ctl("start", "replica2")
        self.assertTrue(self.sees("replica2", self.write()))

    def test_caches_begin_empty_after_kill(self):
        redis, memcached = self.servers.environment["SHOPDATA_REDIS"], self.servers.environment["SHOPDATA_MEMCACHED"]
        self.assertEqual(ask(redis, b"SET k v\r\n"), b"+OK\r\n")
        self.assertEqual(ask(memcached, b"set k 0 0 1\r\nv\r\n"), b"STORED\r\n")
        for node in ("redis", "memcached"):
            self.ctl("kill", node)
            self.ctl("start", node)
        self.assertEqual(ask(redis, b"GET k\r\n"), b"$-1\r\n")
        self.assertEqual(ask(memcached, b"get k\r\n"), b"END\r\n")

    def test_frozen_cache_accepts_and_says_nothing(self):
        self.ctl("freeze", "redis")
        with self.assertRaises(TimeoutError):
            ask(self.servers.environment["SHOPDATA_REDIS"], b"PING\r\n")
        self.ctl("thaw", "redis")
        self.assertEqual(ask(self.servers.environment["SHOPDATA_REDIS"], b"PING\r\n"), b"+PONG\r\n")

    def test_requests_that_cross_are_done_one_after_the_other(self):
        words = [("restart", "redis"), ("restart", "memcached"), ("pause", "replica1"), ("resume", "replica1")] * 3
        with ThreadPoolExecutor(12) as pool:
            done = list(pool.map(lambda pair: self.servers.ctl(*pair), words))
        self.assertEqual([one.stderr for one in done if one.returncode], [])
        self.ctl("resume", "replica1")
        self.assertEqual({row[4] for row in self.servers.status().values()}, {"running"})
        self.assertEqual(len(self.servers.state()["nodes"]), 5)

    def test_repeating_a_verb_does_no_harm(self):
        for verb in ("start", "stop", "stop", "kill", "start", "start"):
            self.ctl(verb, "memcached")

    def test_environment_can_be_had_again(self):
        self.assertIn("export SHOPDATA_REDIS=" + self.servers.environment["SHOPDATA_REDIS"],
                      self.servers.ctl("env").stdout.splitlines())

    def assert_refused(self, words: list[str], reason: str) -> None:
        done = self.servers.ctl(*words)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertIn(reason, done.stderr)

    def test_errors_tell_what_would_be_right(self):
        self.assert_refused(["stop", "replica9"], "no node replica9: there are primary, replica1, replica2, redis")
        self.assert_refused(["explode", "redis"], "no verb 'explode': there are start")
        self.assert_refused(["stop"], "stop takes 1 node name: stop NODE")
        self.assert_refused(["pause", "redis"], "cannot pause redis: a redis server knows freeze, kill")
        self.assert_refused(["pause", "primary"], "it is a primary, and only a replica replays")
        self.assert_refused(["promote", "primary"], "it is a primary")
        self.ctl("freeze", "replica1")
        self.assert_refused(["pause", "replica1"], "it is frozen (ctl thaw replica1 first)")
        self.ctl("thaw", "replica1")


class Promotion(unittest.TestCase):
    def test_promoted_replica_takes_writes_and_others_can_follow(self):
        servers = Launched("--replicas", "2")
        self.addCleanup(servers.close)
        self.assertEqual(servers.sql("primary", "CREATE TABLE t AS SELECT 1 AS n"), "")
        self.assertEqual(servers.ctl("kill", "primary").stderr, "")
        self.assertEqual(servers.ctl("promote", "replica1").stderr, "")
        self.assertEqual(servers.status()["replica1"][5], "primary")
        self.assertEqual(servers.sql("replica1", "UPDATE t SET n = 2 RETURNING n"), "2")
        self.assertEqual(servers.ctl("follow", "replica2", "replica1").stderr, "")
        self.assertTrue(wait_for(lambda: servers.sql("replica2", "SELECT n FROM t") == "2"))


class Options(unittest.TestCase):
    def test_tls_with_a_password_wants_no_certificate(self):
        script = 'redis-cli --tls --cacert "$SHOPDATA_REDIS_TLS_CA" -p "${SHOPDATA_REDIS_TLS#*:}" PING'
        done = run("run", "--no-postgres", "--redis-tls-password", "sesam", "--", "bash", "-c",
                   f'{script}; REDISCLI_AUTH=$SHOPDATA_REDIS_TLS_PASSWORD {script}')
        self.assertEqual(done.stdout.splitlines(), ["NOAUTH Authentication required.", "", "PONG"], done.stderr)

    def test_exit_code_is_the_commands(self):
        self.assertEqual(run("run", "--no-postgres", "--", "sh", "-c", "exit 7").returncode, 7)
        self.assertEqual(run("run", "--no-postgres", "--", "sh", "-c", "kill -9 $$").returncode, 137)

    def test_only_what_was_asked_for_is_exported(self):
        outer = {**os.environ, "SHOPDATA_REPLICA1": "stale", "SHOPDATA_REDIS": "stale", "SHOPDATA_MINE": "kept"}
        done = run("run", "--no-postgres", "--memcached", "--", "sh", "-c", "env | grep ^SHOPDATA_ | cut -d= -f1 | sort",
                   env=outer)
        self.assertEqual(done.stdout.split(),
                         ["SHOPDATA_LAUNCH", "SHOPDATA_LAUNCHED", "SHOPDATA_MEMCACHED", "SHOPDATA_MINE", "SHOPDATA_SERVERS"])

    def test_several_memcached_servers_have_names_and_contents_of_their_own(self):
        servers = Launched("--no-postgres", "--memcached", "3")
        self.addCleanup(servers.close)
        addresses = [servers.environment[f"SHOPDATA_MEMCACHED{number}"] for number in ("", 2, 3)]
        self.assertEqual(len(set(addresses)), 3)
        self.assertEqual(ask(addresses[1], b"set k 0 0 1\r\nv\r\n"), b"STORED\r\n")
        self.assertEqual(ask(addresses[2], b"get k\r\n"), b"END\r\n")
        self.assertEqual(servers.ctl("restart", "memcached2").returncode, 0)
        self.assertEqual(ask(addresses[1], b"get k\r\n"), b"END\r\n")

    @unittest.skipUnless(shutil.which("pgpool") or shutil.which("pgpool", path="/usr/sbin"), "there is no pgpool")
    def test_pgpool_asks_a_replica_once_and_leaves_nothing(self):
        servers = Launched("--replicas", "1", "--pgpool")
        self.addCleanup(servers.close)

        def ask_pgpool(sql: str) -> str:
            return subprocess.run(["psql", servers.environment["SHOPDATA_PGPOOL"], "-Atc", sql], text=True, check=True,
                                  capture_output=True).stdout.strip()
        self.assertEqual(ask_pgpool("CREATE TABLE t AS SELECT 7 AS n"), "SELECT 1")
        self.assertTrue(wait_for(lambda: servers.sql("replica1", "SELECT count(*) FROM pg_class WHERE relname = 't'") == "1"))
        for _ in range(3):
            self.assertEqual(ask_pgpool("SELECT n FROM t"), "7")
        self.assertGreaterEqual(int(ask_pgpool("SHOW pool_cache").split("|")[0]), 2)

    def test_redis_user_is_the_only_way_in(self):
        servers = Launched("--no-postgres", "--redis-user", "shop", "--redis-password", "secret")
        self.addCleanup(servers.close)
        address = servers.environment["SHOPDATA_REDIS"]
        self.assertEqual(servers.environment["SHOPDATA_REDIS_USER"], "shop")
        self.assertEqual(servers.environment["SHOPDATA_REDIS_PASSWORD"], "secret")
        self.assertTrue(ask(address, b"GET k\r\n").startswith(b"-NOAUTH"))
        self.assertEqual(ask(address, b"AUTH shop secret\r\n"), b"+OK\r\n")
        self.assertEqual(servers.ctl("restart", "redis").stderr, "")

    def test_settings_reach_every_node(self):
        done = run("run", "--replicas", "1", "--set", "work_mem=7MB", "--set", "fsync=on", "--", "sh", "-c",
                   'for at in "$SHOPDATA_PRIMARY" "$SHOPDATA_REPLICA1"; do '
                   'psql -XAtc "SHOW work_mem" -c "SHOW fsync" "$at"; done')
        self.assertEqual(done.stdout.split(), ["7MB", "on", "7MB", "on"], done.stderr)

    def test_kept_directory_has_the_logs(self):
        done = run("run", "--no-postgres", "--redis", "--keep", "--", "true")
        directory = Path(done.stderr.split()[-1])
        self.addCleanup(subprocess.run, ["rm", "-r", str(directory)], check=True)
        self.assertTrue((directory / "redis" / "log").exists(), done.stderr)

    def assert_refused(self, arguments: list[str], reason: str, code: int = 1) -> None:
        done = run(*arguments, env={**os.environ, "SHOPDATA_SERVERS": ""})
        self.assertEqual(done.returncode, code)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertIn(reason, done.stderr)

    def test_errors_tell_what_would_be_right(self):
        self.assert_refused(["run", "--", "no-such-command"], "command not found: no-such-command", 127)
        self.assert_refused(["run", "--postgres-programs", "/nowhere", "--", "true"], "not found in /nowhere: run tests/")
        self.assert_refused(["run", "--no-postgres", "--replicas", "1", "--", "true"], "--replicas needs PostgreSQL")
        self.assert_refused(["run", "--redis-user", "a", "--", "true"], "needs --redis-password")
        self.assert_refused(["run", "--set", "fsync", "--", "true"], "--set fsync is not NAME=VALUE")
        self.assert_refused(["run", "--set", "no_such_setting=1", "--", "true"], "no_such_setting")
        self.assert_refused(["ctl", "status"], "SHOPDATA_SERVERS is not set")
        self.assert_refused(["ctl", "--servers", "/nowhere", "status"], "no servers in /nowhere")

    def test_missing_servers_are_named(self):
        done = run("run", "--no-postgres", "--redis", "--", "/bin/true", env={"PATH": "/usr/bin/none:" + sys.exec_prefix})
        self.assertNotEqual(done.returncode, 0)


class Ending(unittest.TestCase):
    """However a launch ends, its processes, its directory and its shared memory go."""

    def segments(self) -> set[str]:
        return {line.split()[1] for line in Path("/proc/sysvipc/shm").read_text().splitlines()[1:]}

    def assert_nothing_left(self, servers: Launched, shared: set[str]) -> None:
        self.assertTrue(wait_for(servers.is_gone), [p.pid for p in servers.below if p.is_alive()])
        self.assertTrue(wait_for(lambda: not servers.directory.exists()))
        mine = shared & self.segments()
        self.assertEqual(mine, set())

    def launched(self, *options: str, **more) -> tuple[Launched, set[str]]:
        before = self.segments()
        servers = Launched(*options, **more)
        self.addCleanup(servers.process.stdout.close)
        self.addCleanup(servers.process.terminate)
        ours = {line.split()[1] for node in servers.directory.glob("*/data/postmaster.pid")
                for line in node.read_text().splitlines()[6:7]}
        return servers, ours - before

    def assert_ends_by(self, number: int, code: int) -> None:
        servers, shared = self.launched("--replicas", "1", "--redis", "--memcached")
        servers.process.send_signal(number)
        self.assertEqual(servers.process.wait(60), code)
        self.assert_nothing_left(servers, shared)

    def test_by_sigterm(self):
        self.assert_ends_by(signal.SIGTERM, 143)

    def test_by_sigint(self):
        self.assert_ends_by(signal.SIGINT, 130)

    def test_by_sighup(self):
        self.assert_ends_by(signal.SIGHUP, 129)

    def test_by_sigkill(self):
        self.assert_ends_by(signal.SIGKILL, -9)

    def test_by_sigkill_with_frozen_and_killed_servers(self):
        servers, shared = self.launched("--replicas", "1", "--redis")
        servers.ctl("freeze", "primary")
        servers.ctl("freeze", "redis")
        servers.ctl("kill", "replica1")
        servers.process.kill()
        servers.process.wait(60)
        self.assert_nothing_left(servers, shared)

    def test_by_command_that_was_killed(self):
        servers, shared = self.launched("--replicas", "1")
        command = next(p for p in servers.below if Path(f"/proc/{p.pid}/cmdline").read_bytes().startswith(b"bash\0"))
        os.kill(command.pid, signal.SIGKILL)
        servers.process.wait(60)
        self.assert_nothing_left(servers, shared)

    def test_with_frozen_and_killed_servers(self):
        servers, shared = self.launched("--replicas", "1", "--redis")
        servers.ctl("freeze", "primary")
        servers.ctl("kill", "replica1")
        servers.ctl("kill", "redis")
        servers.close()
        self.assert_nothing_left(servers, shared)

    def test_daemons_of_the_command_go_too(self):
        servers, shared = self.launched("--no-postgres", waiting="setsid sleep 611 & sleep 610")
        servers.close()
        self.assert_nothing_left(servers, shared)

    def test_command_that_ignores_sigterm_dies_of_the_second(self):
        servers, shared = self.launched("--no-postgres", waiting="trap '' TERM; while :; do sleep 0.1; done")
        servers.process.terminate()
        time.sleep(0.5)
        self.assertIsNone(servers.process.poll())
        servers.process.terminate()
        self.assertEqual(servers.process.wait(20), 137)
        self.assert_nothing_left(servers, shared)

    def test_interrupted_while_starting(self):
        for delay in (0.2, 0.5, 0.9):
            process = subprocess.Popen([LAUNCH, "run", "--replicas", "2", "--", "sleep", "600"],
                                       stderr=subprocess.PIPE, text=True)
            time.sleep(delay)
            below = Process.of(process.pid).descendants()
            process.terminate()
            _, complaint = process.communicate(timeout=60)
            self.assertEqual((process.returncode, complaint), (143, ""), delay)
            self.assertFalse(any(one.is_alive() for one in below))


if __name__ == "__main__":
    unittest.main()
