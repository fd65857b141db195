"""Loading, on a real server: what is there is kept, what is not ours is left alone, no password is told."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest
from shops import FRONT, front, sql

SMALL = ("--products", "50", "--customers", "30000", "--orders", "60")


def rows(database: str) -> list[tuple[Any, ...]]:
    counts = [f"(SELECT count(*) FROM shopbench.{table})" for table in ("products", "customers", "carts", "orders")]
    return sql(database, f"SELECT {', '.join(counts)}, (SELECT count(DISTINCT order_id) FROM shopbench.order_lines)")


def contents(database: str) -> list[tuple[Any, ...]]:
    return sql(database, "SELECT (SELECT md5(string_agg(name || price || stock, ',' ORDER BY product_id)) FROM "
                         "shopbench.products), (SELECT md5(string_agg(o.total || l.price::text, ',' ORDER BY order_id, "
                         "line_number)) FROM shopbench.orders o JOIN shopbench.order_lines l USING (order_id))")


def test_a_load_that_was_killed_goes_on(database: str) -> None:
    with subprocess.Popen([os.environ["SHOPLOAD"], "load", "--conninfo", "/dev/stdin", *SMALL], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as killed:
        assert killed.stdin and killed.stdout
        killed.stdin.write(psycopg.conninfo.make_conninfo(os.environ["SHOPDATA_PRIMARY"], dbname=database) + "\n")
        killed.stdin.close()
        for line in killed.stdout:
            if json.loads(line).get("done", 0) >= 10000:
                break
        killed.send_signal(signal.SIGKILL)
    assert sql(database, "SELECT complete FROM shopbench.shopload_marker") == [(False,)]
    told = front(database, "status")
    assert "not loaded to the end" in told.stdout
    interrupt_while_it_waits(database)
    again = front(database, "load", *SMALL)
    assert again.returncode == 0 and "were there" in again.stdout, again.stderr
    assert rows(database) == [(50, 30000, 30000, 60, 60)]


def interrupt_while_it_waits(database: str) -> None:
    """Ctrl-C ends a statement that the server would be at for long."""
    waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with psycopg.connect(os.environ["SHOPDATA_PRIMARY"], dbname=database) as connection:
        connection.execute("LOCK TABLE shopbench.carts, shopbench.customers")
        with subprocess.Popen([*FRONT, "load", *SMALL, "--database", database], stderr=subprocess.PIPE,
                              text=True) as process:
            end = time.monotonic() + 20
            while sql(database, waits) == [(0,)] and time.monotonic() < end:
                time.sleep(0.02)
            process.send_signal(signal.SIGINT)
            process.send_signal(signal.SIGINT)  # the terminal's, and that of who has started it
            assert process.stderr and "goes on from here" in process.stderr.read().splitlines()[-1]
        assert process.returncode == 130


def test_ctrl_c_while_a_server_says_nothing(database: str, tmp_path: Path) -> None:
    """It accepts connections, as one does that hangs."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        where = ["--primary", f"127.0.0.1:{silent.getsockname()[1]}", "--user", "x", "--sslmode", "disable"]
        for words in (["load", *SMALL], ["run", "--rate", "1", "--out", str(tmp_path)],
                      ["run", "--rate", "1", "--out", str(tmp_path), "--unchecked"]):
            with subprocess.Popen([*FRONT, *words, *where], stderr=subprocess.PIPE, text=True) as process:
                connection, _ = silent.accept()
                process.send_signal(signal.SIGINT)
                assert process.stderr and process.stderr.read() == "shopbench: stopped\n"
                connection.close()
            assert process.returncode == 130


def test_loading_again_changes_nothing(database: str, tmp_path: Path) -> None:
    small = ("--products", "40", "--customers", "20", "--orders", "30", "--seed", "7")
    assert front(database, "load", *small).returncode == 0
    before = contents(database)
    sql(database, "UPDATE shopbench.products SET stock = 3, version = version + 1 WHERE product_id = 5")
    again = front(database, "load", *small)
    assert again.returncode == 0 and "The shop is there" in again.stdout
    assert sql(database, "SELECT stock, version FROM shopbench.products WHERE product_id = 5") == [(3, 1)]
    other = front(database, "load", "--products", "41")
    assert other.returncode == 1 and "another shop" in other.stderr
    unasked = front(database, "load", *small, "--fresh")
    assert unasked.returncode == 2 and "--yes" in unasked.stderr
    assert front(database, "load", *small, "--fresh", "--yes").returncode == 0
    assert contents(database) == before
    sql(database, "UPDATE shopbench.shopload_marker SET format = 2")
    for words in (["load", *small], ["clean", "--yes"], ["run", "--rate", "5", "--out", str(tmp_path)]):
        told = front(database, *words)
        assert told.returncode == 1 and "another version of shopbench" in told.stderr.splitlines()[-1]


def test_what_is_not_ours_is_left_alone(database: str) -> None:
    sql(database, "CREATE TABLE accounts (id int)")
    told = front(database, "load", *SMALL)
    assert told.returncode == 1 and "tables of others" in told.stderr and told.stderr.count("\n") == 1
    sql(database, "CREATE SCHEMA shopbench; CREATE TABLE shopbench.products (id int)")
    for words in (["load", *SMALL, "--beside-others"], ["clean", "--yes"]):
        told = front(database, *words)
        assert told.returncode == 1 and "not ours" in told.stderr
    assert sql(database, "SELECT count(*) FROM shopbench.products") == [(0,)]


def test_clean_takes_its_own_and_leaves_the_rest(database: str) -> None:
    few = ("--products", "40", "--customers", "20", "--orders", "30")
    sql(database, "CREATE TABLE accounts (id int)")
    assert front(database, "load", *few, "--beside-others").returncode == 0
    sql(database, "CREATE TABLE shopbench.notes (id int)")
    told = front(database, "clean", "--yes")
    assert told.returncode == 0 and "stays" in told.stdout
    tables = "SELECT tablename FROM pg_tables WHERE schemaname IN ('shopbench', 'public') ORDER BY 1"
    assert sql(database, tables) == [("accounts",), ("notes",)]
    sql(database, "DROP SCHEMA shopbench CASCADE")
    assert front(database, "load", *few, "--beside-others").returncode == 0
    sql(database, "CREATE VIEW dear AS SELECT name FROM shopbench.products WHERE price > 100")
    refused = front(database, "clean", "--yes")
    assert refused.returncode == 1 and "depend" in refused.stderr
    assert rows(database) == [(40, 20, 20, 30, 30)]
    sql(database, "DROP VIEW dear")
    assert front(database, "clean", "--yes").returncode == 0
    assert sql(database, "SELECT to_regnamespace('shopbench')") == [(None,)]


def test_a_catalogue_of_ones_own(database: str, tmp_path: Path) -> None:
    folder = tmp_path / "catalogue"
    folder.mkdir()
    (folder / "categories.tsv").write_text("category_id\tname\n7\tshoes\n9\thats\n")
    head = "product_id\tcategory\tstyle\tname\tdescription\tprice\tstock\timage\n"
    (folder / "products.tsv").write_text(head + "1\thats\tcap\tA \\ cap\tWarm\t19.9\t3\ta.jpg\n"
                                         "2\tboots\tboot\tBoot\tGood\t5\t3\tb.jpg\n")
    few = ("--products", "3", "--customers", "5", "--orders", "5", "--data", str(tmp_path))
    told = front(database, "load", *few)
    assert told.returncode == 1 and "products.tsv:3: the category is not in categories.tsv: `boots`" in told.stderr
    assert sql(database, "SELECT to_regnamespace('shopbench')") == [(None,)]
    (folder / "products.tsv").write_text(head + "1\thats\tcap\tA \\ cap\tWarm\t19.9\t3\ta.jpg\n")
    assert front(database, "load", *few).returncode == 0
    made = sql(database, "SELECT name, price::text, category_id FROM shopbench.products ORDER BY product_id LIMIT 2")
    assert made == [("A \\ cap", "19.90", 2), ("A \\ cap, variant 2", "19.90", 2)]


def test_the_engine_and_the_report_on_a_shop(database: str, tmp_path: Path) -> None:
    """A second of three configurations: that the parts fit, not how fast they are."""
    assert front(database, "load", "--products", "200", "--customers", "50", "--orders", "50").returncode == 0
    done = front(database, "compare", "--rate", "50", "--seconds", "1", "--rounds", "1", "--warmup", "0", "--out",
                 str(tmp_path), "--configurations", "primary,replicas,local", "--set", "pool.size=2")
    assert done.returncode == 0, done.stderr
    told = json.loads((tmp_path / "results.json").read_text())
    assert [run["result"]["failed"] for run in told["runs"]] == [0, 0, 0]
    assert all(run["result"]["requests"] > 20 and run["seconds"] for run in told["runs"])
    sources = [set(name for name, count in run["result"]["sources"].items() if count) for run in told["runs"]]
    assert sources[0] == {"primary"} and "replica" in sources[1] and sources[2] & {"cache", "local"}
    report = (tmp_path / "report.html").read_text()
    password = psycopg.conninfo.conninfo_to_dict(os.environ["SHOPDATA_PRIMARY"])["password"]
    assert "<svg" in report and str(password) not in report + json.dumps(told) + done.stdout + done.stderr
    assert told["runs"][0]["start"]["scale"]["products"] == 200


class Endpoint:
    """A reader endpoint: each connection goes to the next of several servers."""

    def __init__(self, *ports: int):
        self.taken = dict.fromkeys(ports, 0)
        self._sockets = [socket.create_server(("127.0.0.1", 0))]
        self.port = self._sockets[0].getsockname()[1]
        self._threads = [threading.Thread(target=self._serve)]
        self._threads[0].start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            for port in itertools.cycle(self.taken):
                client, server = self._sockets[0].accept()[0], socket.create_connection(("127.0.0.1", port))
                self._sockets += [client, server]
                self.taken[port] += 1
                for ends in ((client, server), (server, client)):
                    self._threads.append(threading.Thread(target=self._pass, args=ends))
                    self._threads[-1].start()

    @staticmethod
    def _pass(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        for one in self._sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for one in self._sockets:
            one.close()


def test_replicas_behind_a_reader_endpoint(database: str, tmp_path: Path) -> None:
    """They look like one, and nothing is read that is too old or lost."""
    ports = [int(str(psycopg.conninfo.conninfo_to_dict(os.environ[f"SHOPDATA_REPLICA{n}"])["port"])) for n in (1, 2)]
    endpoint = Endpoint(*ports)
    about = psycopg.conninfo.conninfo_to_dict(os.environ["SHOPDATA_PRIMARY"])
    assert front(database, "load", "--products", "20", "--customers", "5", "--orders", "5").returncode == 0
    done = front(database, "run", "--primary", f"localhost:{about['port']}", "--replica", f"localhost:{endpoint.port}",
                 "--user", "shop", "--password-env", "WORD", "--sslmode", "prefer", "--workload", "mixed", "--rate",
                 "200", "--seconds", "1", "--warmup", "0", "--quiet", "--out", str(tmp_path),
                 WORD=str(about["password"]))
    endpoint.close()
    assert done.returncode == 0, done.stderr
    run, = json.loads((tmp_path / "results.json").read_text())["runs"]
    assert run["result"]["failed"] == 0 and run["result"]["staleness"]["stale"] == 0
    assert run["result"]["sources"]["replica"] > 0 and run["nodes"]["replica"] == 1 and min(endpoint.taken.values()) > 1


def test_an_empty_database_is_not_measured(database: str, tmp_path: Path) -> None:
    done = front(database, "run", "--rate", "5", "--seconds", "1", "--out", str(tmp_path))
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and list(tmp_path.iterdir()) == []


def test_servers_that_are_not_there_are_not_measured(database: str, tmp_path: Path) -> None:
    assert front(database, "load", "--products", "20", "--customers", "5", "--orders", "5").returncode == 0
    words = ["--rate", "5", "--seconds", "1", "--redis", "127.0.0.1:1", "--out", str(tmp_path), "--quiet"]
    told = front(database, "run", *words)
    assert told.returncode == 1 and "cache redis: 127.0.0.1:1: cannot connect" in told.stderr, told.stderr
    assert told.stderr.count("\n") == 1 and list(tmp_path.iterdir()) == []
    assert front(database, "run", *words, "--unchecked").returncode == 0
    wrong = front(database, "run", *words, "--set", "policy.product.ttx=5s")
    assert wrong.returncode == 2 and wrong.stderr.startswith("shopbench: ") and "did you mean `ttl`" in wrong.stderr
    everything = front(database, "check", "--redis", "127.0.0.1:1")
    assert everything.returncode == 1 and "PROBLEM" in everything.stdout and "node replica1" in everything.stdout


def test_no_rights_and_no_server(database: str) -> None:
    sql(database, 'CREATE ROLE bench_reader LOGIN PASSWORD \'sesam\'', as_superuser=True)
    try:
        sql(database, f'REVOKE CREATE ON DATABASE "{database}" FROM PUBLIC', as_superuser=True)
        done = subprocess.run([*FRONT, "load", *SMALL, "--database", database, "--user", "bench_reader",
                               "--password-env", "WORD"], capture_output=True, text=True, check=False,
                              env={**os.environ, "WORD": "sesam"})
        assert done.returncode == 1 and "needs CREATE" in done.stderr and "sesam" not in done.stderr
        wrong = subprocess.run([*FRONT, "status", "--database", database, "--password-env", "WORD"], text=True,
                               capture_output=True, check=False, env={**os.environ, "WORD": "falsch"})
        assert wrong.returncode == 1 and "password authentication failed" in wrong.stderr
        assert "falsch" not in wrong.stderr
    finally:
        sql(database, "DROP ROLE bench_reader", as_superuser=True)
    nobody = subprocess.run([*FRONT, "status", "--primary", "127.0.0.1:1"], capture_output=True, text=True, check=False)
    assert nobody.returncode == 1 and "cannot connect" in nobody.stderr and nobody.stderr.count("\n") == 1


def test_rights_that_the_workload_needs(database: str, tmp_path: Path) -> None:
    """Who may only read is told before anything is measured, unless reading is all that is wanted."""
    assert front(database, "load", "--products", "20", "--customers", "5", "--orders", "5").returncode == 0
    sql(database, "CREATE ROLE bench_looker LOGIN PASSWORD 'sesam'; GRANT pg_monitor TO bench_looker; GRANT USAGE ON "
                  "SCHEMA shopbench TO bench_looker; GRANT SELECT ON ALL TABLES IN SCHEMA shopbench TO bench_looker; "
                  "GRANT UPDATE ON shopbench.products TO bench_looker", as_superuser=True)
    try:
        words = ["run", "--user", "bench_looker", "--password-env", "WORD", "--rate", "50", "--seconds", "1",
                 "--warmup", "0", "--quiet", "--out", str(tmp_path)]
        refused = front(database, *words, WORD="sesam")
        assert refused.returncode == 1 and "lacks UPDATE on customers, UPDATE on carts, INSERT on" in refused.stderr
        assert refused.stderr.count("\n") == 1 and list(tmp_path.iterdir()) == []
        assert front(database, *words, "--workload", "point", WORD="sesam").returncode == 0
    finally:
        sql(database, "DROP OWNED BY bench_looker; DROP ROLE bench_looker", as_superuser=True)


def test_limits_of_the_role_and_the_server(database: str) -> None:
    sql("shop", f'ALTER DATABASE "{database}" SET statement_timeout = 20', as_superuser=True)
    assert front(database, "load", *SMALL).returncode == 0
    sql("shop", f'ALTER DATABASE "{database}" SET default_transaction_read_only = on', as_superuser=True)
    told = front(database, "clean", "--yes")
    assert told.returncode == 1 and "default_transaction_read_only" in told.stderr and told.stderr.count("\n") == 1
    assert rows(database) == [(50, 30000, 30000, 60, 60)]


def test_a_replica_is_refused(database: str) -> None:
    if "SHOPDATA_REPLICA1" not in os.environ:
        pytest.skip("no replica")
    done = subprocess.run([*FRONT, "load", *SMALL], capture_output=True, text=True, check=False,
                          env={**os.environ, "SHOPDATA_PRIMARY": os.environ["SHOPDATA_REPLICA1"]})
    assert done.returncode == 1 and "is a replica" in done.stderr


def test_the_process_list_has_no_password(database: str) -> None:
    """While it loads: neither the command lines of front and engine have it, nor the environments."""
    password = psycopg.conninfo.conninfo_to_dict(os.environ["SHOPDATA_PRIMARY"])["password"]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SHOPDATA_")}
    about = psycopg.conninfo.conninfo_to_dict(os.environ["SHOPDATA_PRIMARY"])
    with subprocess.Popen([*FRONT, "load", *SMALL, "--primary", f"{about['host']}:{about['port']}", "--user", "shop",
                           "--database", database, "--password-command", "cat password"],
                          cwd=write_password(str(password)), env=clean, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        process.stderr.readline()  # it loads
        shown = b"".join(path.read_bytes() for pid in family(process.pid)
                         for path in (Path(f"/proc/{pid}/cmdline"), Path(f"/proc/{pid}/environ")))
        process.stderr.read()
    assert process.returncode == 0 and b"shopload" in shown and str(password).encode() not in shown


def write_password(password: str) -> Path:
    folder = Path(os.environ["SHOPDATA_SERVERS"]) / "words"
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / "password").write_text(password + "\n")
    return folder


def family(pid: int) -> list[int]:
    """The process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, children)]
