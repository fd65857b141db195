"""How servers and passwords are named, and what the library is told of them."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import configurations
import conninfo
import fleet
import measuring
import pytest
from faults import BenchError, UsageError
from passwords import Source

CERTIFICATE = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"


def options(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    fleet.add_options(parser)
    return parser.parse_args(words)


@pytest.mark.parametrize(("text", "found"), [
    ("db1.example.com", {"host": "db1.example.com"}),
    ("db1:5433", {"host": "db1", "port": "5433"}),
    ("[2001:db8::7]:5433", {"host": "2001:db8::7", "port": "5433"}),
    ("host=db1 dbname='a b' user = it\\'s", {"host": "db1", "dbname": "a b", "user": "it's"}),
    ("postgresql://me:p%40ss@db1:5433/shop?sslmode=require",
     {"host": "db1", "port": "5433", "user": "me", "password": "p@ss", "dbname": "shop", "sslmode": "require"}),
])
def test_connection_strings(text: str, found: dict[str, str]) -> None:
    assert conninfo.read(text, "--primary") == found
    assert conninfo.read(conninfo.written(found), "--primary") == found


@pytest.mark.parametrize("text", ["", "host=db1 geheim", "host='geheim", "postgresql://db1:geheim/x"])
def test_a_wrong_connection_string_is_not_shown(text: str) -> None:
    with pytest.raises(UsageError) as told:
        conninfo.read(text, "--primary")
    assert "--primary" in str(told.value) and "geheim" not in str(told.value)


def test_passwords(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("geheim\n")
    file.chmod(0o600)
    assert Source("--password", file=file).read() == "geheim"
    assert Source("--password", variable="X").read({"X": "geheim"}) == "geheim"
    assert Source("--password", command="echo geheim").read() == "geheim"
    assert Source("--password").read() is None


@pytest.mark.parametrize(("source", "why"), [
    (Source("--password", variable="NOT_THERE"), "no such variable"),
    (Source("--password", file=Path("not-there")), "No such file"),
    (Source("--password", command="echo geheim; exit 3"), "exit code 3"),
    (Source("--password", command="true"), "is empty"),
    (Source("--password", command="echo geheim", variable="X"), "give one of them"),
])
def test_a_password_that_is_not_there(source: Source, why: str) -> None:
    with pytest.raises(BenchError, match=why) as told:
        source.read({})
    assert "geheim" not in str(told.value)


def test_a_password_file_that_others_may_read(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("geheim\n")
    file.chmod(0o640)
    with pytest.raises(UsageError, match="chmod 600"):
        Source("--password", file=file).read()


def test_a_fleet_of_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = tmp_path / "global-bundle.pem"
    bundle.write_text(CERTIFICATE)
    monkeypatch.setenv("SECRET", "geheim")
    monkeypatch.setenv("CACHE_SECRET", "sesam")
    found = fleet.fleet_of(options(
        "--primary", "db.cluster.example.com", "--replica", "db.cluster-ro.example.com:5433", "--user", "shop",
        "--database", "shop", "--sslrootcert", str(bundle), "--password-env", "SECRET", "--redis", "cache:6379",
        "--cache-tls", "--cache-password-env", "CACHE_SECRET", "--set", "policy.product.ttl=5s"))
    assert found.primary == {"host": "db.cluster.example.com", "user": "shop", "dbname": "shop", "password": "geheim",
                             "sslmode": "verify-full", "sslrootcert": str(bundle)}
    assert found.replicas[0]["port"] == "5433" and found.replicas[0]["password"] == "geheim"
    assert "geheim" not in repr(found) + str(found.shown()) and "sesam" not in repr(found)
    whole = configurations.ALL[4]
    assert "password='geheim'" in whole.file(found) and 'password = "sesam"' in whole.file(found)
    shown = whole.settings(found, "x")
    assert shown["policy.product.ttl"] == "5s" and shown["cache.tls"] == "on"
    assert "geheim" not in str(shown) and "sesam" not in str(shown)


@pytest.mark.parametrize(("words", "why"), [
    (["--primary", "host=a password=geheim"], "password-file"),
    (["--primary", "postgresql://me:geheim@a/b"], "password-file"),
    (["--primary", "a", "--sslmode", "verify-full"], "--sslrootcert"),
    (["--primary", "a", "--sslrootcert", "not-there"], "No such file"),
    (["--primary", "a", "--sslrootcert", os.devnull], "no certificate"),
    (["--primary", "a", "--redis", "x:1", "--memcached", "y:1"], "one of them"),
    (["--primary", "a", "--set", "ttl"], "SECTION.KEY=VALUE"),
    (["--primary", "a", "--set", "cache.password=geheim"], "--cache-password-env"),
    (["--replica", "b"], "--primary"),
])
def test_wrong_options(words: list[str], why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SHOPDATA_PRIMARY", raising=False)
    with pytest.raises(UsageError, match=why) as told:
        fleet.fleet_of(options(*words))
    assert "geheim" not in str(told.value)


def test_a_fleet_of_the_launcher() -> None:
    environment = {"SHOPDATA_PRIMARY": "host=127.0.0.1 port=1", "SHOPDATA_REPLICA1": "host=127.0.0.1 port=2",
                   "SHOPDATA_REPLICA2": "host=127.0.0.1 port=3", "SHOPDATA_REDIS": "127.0.0.1:4"}
    found = fleet.fleet_of(options("--database", "other"), environment)
    assert found.primary["dbname"] == "other" and len(found.replicas) == 2
    assert found.cache and found.cache.kind == "redis"
    nodes = [one.nodes(found) for one in configurations.ALL]
    assert nodes == [{"primary": 1}, {"primary": 1, "replica": 2}, {"primary": 1, "cache": 1},
                     {"primary": 1, "replica": 2, "cache": 1}, {"primary": 1, "replica": 2, "cache": 1}]


def test_the_default_policy_is_every_policy() -> None:
    found = fleet.settings_of(options("--set", "policy.list.ttl=1s", "--set", "policy.default.ttl=5m"))
    assert found == {"policy.default.ttl": "5m", "policy.product.ttl": "5m", "policy.list.ttl": "1s",
                     "policy.best_sellers.ttl": "5m", "policy.order.ttl": "5m"}


def test_configurations_without_their_servers() -> None:
    alone = fleet.Fleet({"host": "a"})
    able, lines = configurations.possible(list(configurations.ALL), alone)
    assert [one.name for one in able] == ["primary"] and len(lines) == 4
    assert configurations.best(alone).name == "primary"


def test_the_command_that_prints_a_password_is_not_told() -> None:
    told = measuring.command_line(["run", "--password-command", "vault geheim", "--cache-password-command=geheim"])
    assert told == "shopbench run --password-command ... --cache-password-command=..."
