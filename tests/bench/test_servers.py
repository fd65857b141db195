"""How servers and passwords are named, and what the library is told of them."""

from __future__ import annotations

import argparse
import os
import threading
from pathlib import Path

import configurations
import conninfo
import fleet
import measuring
import pytest
from faults import BenchError, UsageError
from passwords import Passfile, Source

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
    (Source("--password", command="echo geheim; kill -9 $$"), "exit code -9"),
])
def test_a_password_that_is_not_there(source: Source, why: str) -> None:
    with pytest.raises(BenchError, match=why) as told:
        source.read({})
    assert "geheim" not in str(told.value)
    if source.command is None:
        with pytest.raises(UsageError, match=why):
            source.check({})


def test_no_password_command_is_run_to_look_at_a_command_line(tmp_path: Path) -> None:
    Source("--password", command=f"touch {tmp_path}/ran").check()
    assert not (tmp_path / "ran").exists()
    with pytest.raises(UsageError, match="give one of them"):
        Source("--password", command="echo geheim", variable="X").check({"X": "y"})


def rounds(monkeypatch: pytest.MonkeyPatch) -> tuple[threading.Semaphore, threading.Semaphore]:
    """Renewing waits for the first of these, not for minutes; the second one is told before each wait."""
    begin, waiting = threading.Semaphore(0), threading.Semaphore(0)

    def sleep(_: float) -> None:
        waiting.release()
        begin.acquire()
    monkeypatch.setattr("passwords.sleep", sleep)
    return begin, waiting


def test_a_token_for_each_server_that_is_renewed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As IAM's: of one host, port and role, and soon too old."""
    begin, waiting = rounds(monkeypatch)
    monkeypatch.setenv("PGPASSWORD", "old")
    (tmp_path / "signed").write_text("a\\long")
    source = Source("--password", command=f'echo "$PGHOST $PGPORT:$PGUSER,$(cat {tmp_path}/signed)"')
    servers = [{"host": "db1", "user": "me"}, {"host": "db2", "port": "5433", "user": "me"}, {"hostaddr": "::1"}]
    file = Path(Passfile(source, servers).path())
    assert file.stat().st_mode & 0o777 == 0o600 and "PGPASSWORD" not in os.environ
    assert file.read_text().splitlines() == [
        r"db1:*:*:*:db1 5432\:me,a\\long", r"db2:5433:*:*:db2 5433\:me,a\\long", r"\:\:1:*:*:*: 5432\:,a\\long"]
    waiting.acquire()
    (tmp_path / "signed").write_text("b")
    begin.release()
    waiting.acquire()
    lines = [line for line in file.read_text().splitlines() if line]
    assert lines == [r"db1:*:*:*:db1 5432\:me,b", r"db2:5433:*:*:db2 5433\:me,b", r"\:\:1:*:*:*: 5432\:,b"]


def test_a_password_that_cannot_be_renewed_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                 capsys: pytest.CaptureFixture[str]) -> None:
    begin, waiting = rounds(monkeypatch)
    (tmp_path / "password").write_text("geheim\n")
    source = Source("--password", command=f"cat {tmp_path}/password 2>&-")
    file = Path(Passfile(source, [{"host": "a"}]).path())
    waiting.acquire()
    (tmp_path / "password").unlink()
    begin.release()
    waiting.acquire()
    assert "kept" in capsys.readouterr().err and file.read_text() == "a:*:*:*:geheim\n"


def test_a_password_out_of_a_pipe() -> None:
    """As the shell's <(...) is: it can be read once."""
    reader, writer = os.pipe()
    os.write(writer, b"geheim\n")
    os.close(writer)
    source = Source("--password", file=Path(f"/dev/fd/{reader}"))
    source.check()
    file = Path(Passfile(source, [{"host": "a"}, {"host": "b"}]).path())
    os.close(reader)
    assert file.read_text() == "a:*:*:*:geheim\nb:*:*:*:geheim\n"


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
    assert found.primary == {"host": "db.cluster.example.com", "user": "shop", "dbname": "shop",
                             "sslmode": "verify-full", "sslrootcert": str(bundle)}
    assert found.replicas[0]["port"] == "5433" and found.passfile
    assert Path(found.passfile.path()).read_text() == "".join(
        f"{host}:*:*:geheim\n" for host in ("db.cluster.example.com:*", "db.cluster-ro.example.com:5433"))
    assert "geheim" not in repr(found) + str(found.shown()) and "sesam" not in repr(found)
    whole = configurations.ALL[4]
    assert f"passfile='{found.passfile.path()}'" in whole.file(found) and 'password = "sesam"' in whole.file(found)
    assert "geheim" not in whole.file(found)
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


def test_a_reader_endpoint_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    own, reader = "shop-2.abc.eu-central-1.rds.amazonaws.com", "shop.cluster-ro-abc.eu-central-1.rds.amazonaws.com"
    for host, told in ((own, False), (reader, True), ("host=a,b port=1,2", True)):
        fleet.fleet_of(options("--primary", "a", "--sslmode", "disable", "--replica", host))
        assert ("reader endpoint" in capsys.readouterr().err) is told


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
    assert told == "bench/shopbench run --password-command ... --cache-password-command=..."


def test_a_command_is_told_as_a_shell_takes_it() -> None:
    told = measuring.command_line(["run", "--failover", "aws rds reboot 'a b'"])
    assert told == """bench/shopbench run --failover 'aws rds reboot '"'"'a b'"'"''"""
