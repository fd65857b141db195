"""As against RDS and ElastiCache: TLS whose authority and name are checked, and a cache that wants a password."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict
from shops import front, sql

if "SHOPDATA_POSTGRES_TLS_CERTIFICATES" not in os.environ or "SHOPDATA_REDIS_TLS_PASSWORD" not in os.environ:
    pytest.skip("no TLS: tests/launcher/launch run --replicas 1 --postgres-tls --redis-tls-password PW -- ...",
                allow_module_level=True)
CERTIFICATES = Path(os.environ["SHOPDATA_POSTGRES_TLS_CERTIFICATES"])
CACHE_PORT = os.environ["SHOPDATA_REDIS_TLS"].rsplit(":", 1)[1]
FEW = ("--products", "40", "--customers", "20", "--orders", "30")


def server(node: str, host: str = "localhost") -> str:
    return f"host={host} hostaddr=127.0.0.1 port={conninfo_to_dict(os.environ[f'SHOPDATA_{node}'])['port']}"


def by_tls(database: str, *words: str, host: str = "localhost", authority: str = "ca", word: str = "",
           node: str = "PRIMARY") -> subprocess.CompletedProcess[str]:
    right = str(conninfo_to_dict(os.environ["SHOPDATA_PRIMARY"])["password"])
    return front(database, *words, "--primary", server(node, host), "--user", "shop", "--password-env", "WORD",
                 "--sslrootcert", str(CERTIFICATES / f"{authority}.pem"), WORD=right,
                 CACHE_WORD=word or os.environ["SHOPDATA_REDIS_TLS_PASSWORD"])


def run(folder: Path, *words: str) -> tuple[str, ...]:
    return ("run", "--rate", "50", "--seconds", "1", "--warmup", "0", "--quiet", "--out", str(folder), *words)


def test_all_of_it_by_tls(database: str, tmp_path: Path) -> None:
    readers = ("--replica", server("REPLICA1"), "--redis", f"localhost:{CACHE_PORT}", "--cache-ca",
               str(CERTIFICATES / "ca.pem"), "--cache-password-env", "CACHE_WORD")
    for words, told in ((("load", *FEW), "Loaded 40 products"), (("status",), "40 products"),
                        (("check", *readers), "0 problems"), (run(tmp_path, *readers), "results:"),
                        (("clean", "--yes"), "Dropped")):
        done = by_tls(database, *words)
        assert done.returncode == 0 and told in done.stdout, done.stdout + done.stderr
        assert words[0] != "check" or done.stdout.count("good     TLS") == 3


@pytest.mark.parametrize(("host", "authority", "why"), [
    ("localhost", "stranger-ca", "certificate verify failed (--sslrootcert"),
    ("shop.example.com", "ca", 'does not match host name "shop.example.com" (give the name'),
])
def test_a_server_that_is_not_the_right_one(database: str, tmp_path: Path, host: str, authority: str, why: str) -> None:
    for words in (("load", *FEW), ("status",), ("clean", "--yes"), run(tmp_path)):
        done = by_tls(database, *words, host=host, authority=authority)
        assert done.returncode == 1 and why in done.stderr and done.stdout == "", done.stdout + done.stderr
        assert done.stderr.startswith("shopbench: ") and done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == [] and sql(database, "SELECT to_regnamespace('shopbench')") == [(None,)]


def test_a_server_without_tls(database: str) -> None:
    """The replica, for a while."""
    sql("shop", "ALTER SYSTEM SET ssl = off", as_superuser=True, node="REPLICA1")
    sql("shop", "SELECT pg_reload_conf()", as_superuser=True, node="REPLICA1")
    try:
        end = time.monotonic() + 20
        while sql("shop", "SHOW ssl", node="REPLICA1") != [("off",)] and time.monotonic() < end:
            time.sleep(0.02)
        done = by_tls(database, "status", node="REPLICA1")
        assert done.returncode == 1 and "SSL was required" in done.stderr and done.stderr.count("\n") == 1
    finally:
        sql("shop", "ALTER SYSTEM RESET ssl", as_superuser=True, node="REPLICA1")
        sql("shop", "SELECT pg_reload_conf()", as_superuser=True, node="REPLICA1")


def test_a_cache_that_is_not_the_right_one(database: str, tmp_path: Path) -> None:
    cases = ((("--cache-ca", str(CERTIFICATES / "stranger-ca.pem")), "", "(--cache-ca"),
             (("--cache-ca", str(CERTIFICATES / "ca.pem")), "falsch", "(--cache-password-env"),
             ((), "", "(--cache-tls"))
    for words, word, why in cases:
        done = by_tls(database, *run(tmp_path, "--redis", f"localhost:{CACHE_PORT}", "--cache-password-env",
                                     "CACHE_WORD", *words), word=word)
        assert done.returncode == 1 and why in done.stderr and done.stderr.count("\n") == 1, done.stderr
        assert "falsch" not in done.stderr and list(tmp_path.iterdir()) == []
