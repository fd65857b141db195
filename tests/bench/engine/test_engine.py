"""The load engine on real servers: what it prints adds up, shows a stall, finds stale reads, ends when it is told."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from runs import Engine, Json, Run, read

INTERACTIONS = ["home", "new_products", "best_sellers", "product_detail", "search_request", "search_results",
                "shopping_cart", "customer_registration", "buy_request", "buy_confirm", "order_inquiry",
                "order_display", "admin_request", "admin_confirm", "point", "write"]
STALL_S = 1.2


def at_least(times: Json, microseconds: float) -> int:
    """How many took that long."""
    return sum(count for value, count in times.get("buckets_ns", []) if value >= 1000 * microseconds)


def run_stalled(engine: Engine, phase: str, *arguments: str) -> Run:
    """A server that answers nobody in the first STALL_S seconds of a phase: another connection has the products locked.
    A machine that is slow only makes it longer."""
    with subprocess.Popen(["psql", "-qX", os.environ["SHOPDATA_PRIMARY"]], text=True, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as locker:
        process = engine.start("--workload", "point", "--commands", *arguments, primary_only=True)
        assert locker.stdin and locker.stdout and process.stdin and process.stdout
        process.stdout.readline()
        locker.stdin.write("BEGIN; LOCK TABLE shopbench.products IN ACCESS EXCLUSIVE MODE;\n\\echo locked\n")
        locker.stdin.flush()
        assert locker.stdout.readline() == "locked\n"
        process.stdin.write(f"phase {phase}\n")
        process.stdin.flush()
        process.stdout.readline()
        time.sleep(STALL_S)
        locker.stdin.write("COMMIT;\n")
    return read(process)


def check_sums(result: Json) -> None:
    assert result["intended"] == result["requests"] + result["failed"] + result["dropped"]
    assert result["latency"]["count"] == result["service"]["count"] == result["requests"]
    assert sum(one["latency"]["count"] for one in result["requests_by"]) == result["requests"]
    assert sum(one["failed"] for one in result["requests_by"]) == result["failed"] == result["failed_latency"]["count"]
    reads = [one for one in result["statements_by"] if one["source"] != "primary" or one["cached"] == "miss"]
    assert sum(one["service"]["count"] for one in reads if one["cached"] == "hit") == result["hits"]
    assert sum(one["service"]["count"] for one in reads if one["cached"] == "miss") == result["misses"]
    assert result["late"] == result["late_busy"] + result["late_free"]


def eventually(holds: Callable[[], bool]) -> bool:
    """Does it come to be so?"""
    end = time.monotonic() + 20
    while not holds() and time.monotonic() < end:
        time.sleep(0.1)
    return holds()


def ask(sql: str, node: str = os.environ.get("SHOPDATA_PRIMARY", "")) -> int:
    done = subprocess.run(["psql", "-qXAt", node, "-c", sql], text=True, capture_output=True,
                          check=True)
    return int(done.stdout)


def versions() -> int:
    """All versions of all rows: each write of one adds 1."""
    return ask("SELECT sum(version) FROM (SELECT version FROM shopbench.products UNION ALL SELECT version FROM "
               "shopbench.customers UNION ALL SELECT version FROM shopbench.carts) AS versions")


def orders() -> int:
    return ask("SELECT count(DISTINCT order_id) FROM shopbench.orders JOIN shopbench.order_lines USING (order_id)")


def done_of(run: Run, interaction: str) -> int:
    return sum(one["latency"]["count"] for result in run.of("result") for one in result["requests_by"]
               if one["interaction"] == interaction)


def test_every_interaction_works_and_all_adds_up(engine: Engine, tmp_path: Path) -> None:
    written, ordered = versions(), orders()
    mix = tmp_path / "even.mix"
    mix.write_text("".join(f"{name} = {100 / len(INTERACTIONS)}\n" for name in INTERACTIONS))
    run = engine.run("--workload", str(mix), "--threads", "8", "--label", "all", "--set", "cache.password=",
                     "--phase", "warmup seconds=0.2 clients=8", "--phase", "measure seconds=1.5 rate=150")
    assert (run.exit_code, run.result["failed"]) == (0, 0), (run.complaint, run.result["errors"])
    assert [line["type"] for line in run.lines if line["type"] not in ("second",)] == [
        "start", "phase", "result", "phase", "result", "end"]
    assert all(line["label"] == "all" and line["unix_s"] > 1.7e9 for line in run.lines)
    assert {one["interaction"] for one in run.result["requests_by"]} == set(INTERACTIONS)
    assert versions() - written == sum(result["staleness"]["writes"] for result in run.of("result")) > 0
    assert orders() - ordered == done_of(run, "buy_confirm") > 0
    for result in run.of("result"):
        check_sums(result)
    seconds = [line for line in run.of("second") if line["phase"] == "measure"]
    for key in ("requests", "failed", "dropped", "late", "hits", "misses"):
        assert sum(line[key] for line in seconds) == run.result[key], key
    assert sum(sum(line["sources"].values()) for line in seconds) == sum(run.result["sources"].values())


def test_the_start_tells_how_to_repeat_it(engine: Engine) -> None:
    run = engine.run("--workload", "point", "--keys", "hotspot:0.1:0.9", "--seed", "42", "--threads", "4",
                     "--set", "policy.product.ttl=7s",
                     "--set", "shopdata.token_keys=1:secretsecretsecretsecretsecret00",
                     "--phase", "measure seconds=0.1 clients=1")
    start = run.of("start")[0]
    assert start["format"] == 1
    assert start["keys"] == {"kind": "hotspot", "hot_keys": 0.1, "hot_accesses": 0.9, "count": 500}
    assert start["scale"]["products"] == 500 and start["seed"] == 42 and start["threads"] == 4
    assert start["settings"] == {"policy.product.ttl": "7s", "shopdata.token_keys": "(secret)"}
    assert start["servers"]["cache"] == "redis" and int(start["servers"]["postgres"].split(".")[0]) >= 13
    assert start["statements"]["product"]["cached"] is True
    assert "secretsecret" not in str(run.lines)


def test_a_stall_shows_in_the_latency(engine: Engine) -> None:
    """Coordinated omission: two threads wait through the stall, and see it once each. Those who were to come meanwhile
    wait too, and the latency tells: with 100 arrivals a second those of 0.7 s wait half a second or longer."""
    result = run_stalled(engine, "measure seconds=2 rate=100 arrivals=constant", "--threads", "2").result
    check_sums(result)
    assert result["intended"] == 200 and result["dropped"] == 0
    assert at_least(result["latency"], 500_000) >= 60
    assert result["latency"]["p99_us"] >= 1_000_000
    # What a generator would say that sends when its last answer has come.
    assert at_least(result["service"], 500_000) < at_least(result["latency"], 500_000)
    assert result["late_busy"] >= 60


def test_what_fails_has_waited_since_its_time_too(engine: Engine) -> None:
    """Each call of the two threads ends at its deadline, and the arrivals behind it have waited longer."""
    result = run_stalled(engine, "measure seconds=1 rate=50 arrivals=constant", "--threads", "2", "--set",
                         "shopdata.deadline=300ms").result
    check_sums(result)
    assert result["failed"] >= 4 and sum(result["errors"].values()) >= result["failed"]
    assert at_least(result["failed_latency"], 299_000) >= 4 and at_least(result["failed_latency"], 500_000) >= 2


def test_a_stop_of_the_client_is_the_client_s(engine: Engine) -> None:
    """Its latency counts, but no server is to blame: threads were free, and did not run."""
    process = engine.start("--workload", "point", "--threads", "4", "--commands")
    assert process.stdin and process.stdout
    process.stdout.readline()
    process.stdin.write("phase measure seconds=2 rate=500 arrivals=constant\n")
    process.stdin.flush()
    assert '"phase"' in process.stdout.readline()
    time.sleep(0.3)
    process.send_signal(signal.SIGSTOP)
    time.sleep(0.8)
    process.send_signal(signal.SIGCONT)
    result = read(process).result
    check_sums(result)
    assert result["intended"] == 1000 and result["dropped"] == 0
    assert at_least(result["latency"], 400_000) >= 150
    assert result["late_free"] >= 300 and result["late_free"] > result["late_busy"]
    assert result["bottleneck"] in ("wake_up", "cpu")


def test_what_nobody_takes_in_time_is_dropped(engine: Engine) -> None:
    result = run_stalled(engine, "measure seconds=2 rate=50 arrivals=constant", "--threads", "1", "--patience",
                         "0.2").result
    check_sums(result)
    assert result["intended"] == 100
    assert result["dropped"] >= 30
    assert result["bottleneck"] != "none" and result["bottleneck_why"]


@contextlib.contextmanager
def late_replica() -> Iterator[None]:
    """The replica replays nothing, and is not yet so far behind that nobody would ask it."""
    def steer(verb: str) -> None:
        subprocess.run([os.environ["SHOPDATA_LAUNCH"], "ctl", verb, "replica1"], check=True, capture_output=True)
    steer("pause")
    try:
        yield
    finally:
        steer("resume")


STALE_WAYS = {"cache": ["local.bytes=0"], "local": [], "replica": ["cache.kind=none"]}


@pytest.mark.parametrize("source", STALE_WAYS)
@pytest.mark.parametrize("mode", ["fenced", "ttl"])
def test_stale_reads_are_found_where_there_are_some(engine: Engine, mode: str, source: str) -> None:
    """In mode ttl a write leaves what is cached, and a replica that is behind answers; in mode fenced nobody may see
    either."""
    settings = [f"cache.mode={mode}", f"cache.key_prefix=stale-{mode}-{source}", *STALE_WAYS[source]]
    with late_replica() if source == "replica" else contextlib.nullcontext():
        run = engine.run("--workload", "mixed", "--threads", "4", "--keys", "hotspot:0.02:1",
                         *(word for setting in settings for word in ("--set", setting)),
                         "--phase", "measure seconds=0.6 clients=4")
    stale = run.result["staleness"]
    assert stale["writes"] > 0 and stale["checked"] > 0
    assert stale["age"]["count"] == stale["stale"] == sum(line["stale_reads"] for line in run.of("second"))
    assert (stale["stale"] > 0) == (mode == "ttl")
    if mode == "ttl":
        assert run.result["sources"][source] > 0


def test_what_another_configuration_wrote_is_not_taken_for_stale(engine: Engine) -> None:
    """Taking turns, each has a cache of its own keys, which the others' writes do not reach: what it answers is as new
    as its own writes, and by these alone it is judged."""
    def began(prefix: str) -> subprocess.Popen[str]:
        return engine.start("--workload", "mixed", "--threads", "4", "--keys", "hotspot:0.02:1", "--commands", "--set",
                            f"cache.key_prefix={prefix}", "--set", "local.bytes=0")

    def measure(process: subprocess.Popen[str]) -> Json:
        assert process.stdin and process.stdout
        process.stdin.write("phase turn seconds=0.3 clients=4\n")
        process.stdin.flush()
        while (line := json.loads(process.stdout.readline()))["type"] != "result":
            pass
        return line

    with began("turns-a") as one, began("turns-b") as other:
        turns = [measure(process) for process in (one, other, one, other)]
        assert read(one, "quit\n").exit_code == read(other, "quit\n").exit_code == 0
    assert all(turn["hits"] > 0 and turn["staleness"]["writes"] > 0 for turn in turns)
    assert [turn["staleness"]["stale"] for turn in turns] == [0] * 4


def scans() -> int:
    """How often products were looked up by their keys: by the servers' own count, which a connection adds to when it
    ends."""
    sql = ("SELECT coalesce(sum(idx_scan), 0) FROM pg_stat_user_indexes WHERE schemaname = 'shopbench' AND "
           "indexrelname = 'products_pkey'")
    return sum(ask(sql, os.environ[node]) for node in ("SHOPDATA_PRIMARY", "SHOPDATA_REPLICA1"))


@pytest.mark.parametrize("source", ["replica", "cache", "local"])
def test_the_servers_count_the_same(engine: Engine, source: str) -> None:
    """What was saved, what readers joined and what the databases ran, against PostgreSQL's own statistics. They are the
    same, but where a replica was asked again because it was behind; and where the start, which looks for words to
    search for, adds a scan."""
    settings = {"replica": ["cache.kind=none"], "cache": ["local.bytes=0"], "local": []}[source]
    before = scans()
    run = engine.run("--workload", "point", "--threads", "8", "--keys", "hotspot:0.01:1", "--set",
                     f"cache.key_prefix=counted-{source}", "--set", "policy.product.ttl=100ms",
                     *(word for setting in settings for word in ("--set", setting)),
                     "--phase", "measure seconds=0.5 rate=600")
    result = run.result
    joined, from_servers = result["stampedes"]["joined"], sum(result["sources"][one] for one in ("replica", "primary"))
    assert result["requests"] == from_servers + result["saved"] and result["failed"] == 0
    assert result["sources"][source] > 0 and (joined == 0 or source != "replica")
    assert eventually(lambda: from_servers - joined <= scans() - before), scans() - before
    assert scans() - before <= result["database_statements"] + 1


def test_expiries_and_their_readers_are_counted(engine: Engine) -> None:
    run = engine.run("--workload", "point", "--threads", "8", "--keys", "hotspot:0.002:1", "--set",
                     "policy.product.ttl=50ms", "--set", "cache.key_prefix=expiries", "--phase",
                     "measure seconds=1 clients=8")
    stampedes = run.result["stampedes"]
    assert 2 <= stampedes["expiries"] <= stampedes["readers"] == run.result["misses"]
    # A thread that was held up before it was counted is counted with the next crowd, and may be in that once more.
    assert 1 <= stampedes["most_readers"] <= 2 * 8
    assert stampedes["crowded"] <= stampedes["expiries"]


def test_commands_are_obeyed_in_order(engine: Engine) -> None:
    run = engine.run("--workload", "point", "--keys", "hotspot:0.01:1", "--threads", "2", "--commands", "--set",
                     "cache.key_prefix=commands", "--set", "local.bytes=0",
                     commands="phase one seconds=0.3 clients=1\nphase two seconds=0.3 clients=1\nflush\n"
                              "phase three seconds=0.3 clients=1\nnonsense\nphase four\nquit\nphase five seconds=1\n")
    one, two, three = run.of("result")
    assert one["misses"] > 0 and two["misses"] == 0 and three["misses"] > 0
    assert [line["message"].split(";")[0] for line in run.of("error")] == [
        "there is no command `nonsense`", "phase: it wants a name and seconds: phase measure seconds=60 rate=5000"]
    assert run.lines[-1]["type"] == "end" and run.exit_code == 0


@pytest.mark.parametrize("how", ["stop", "signal"])
def test_it_ends_early_with_what_was_measured(engine: Engine, how: str) -> None:
    process = engine.start("--workload", "point", "--threads", "4", "--commands", "--phase",
                           "measure seconds=100 rate=200")
    assert process.stdout
    while '"type":"second"' not in process.stdout.readline():
        pass
    if how == "signal":
        process.send_signal(signal.SIGINT)
    run = read(process, "stop\n" if how == "stop" else None)
    check_sums(run.result)
    assert run.result["ended"] == {"stop": "stopped", "signal": "interrupted"}[how]
    assert run.result["requests"] > 0 and run.result["length_s"] < 60
    assert run.lines[-1]["type"] == "end" and run.exit_code == 0


def test_a_phase_in_which_nothing_arrives_lasts(engine: Engine) -> None:
    run = engine.run("--workload", "point", "--threads", "2", "--phase", "idle seconds=0.5 rate=0")
    assert run.result["intended"] == 0 and run.result["length_s"] >= 0.5
    assert run.result["latency"] == {"count": 0} and run.result["measured"] is False


def test_a_phase_begins_when_it_is_told(engine: Engine) -> None:
    process = engine.start("--workload", "point", "--threads", "2", "--commands")
    assert process.stdout
    process.stdout.readline()
    begin = time.time() + 1
    run = read(process, f"phase past seconds=1 start_unix_s=1000000000\n"
                        f"phase measure seconds=0.3 rate=100 start_unix_s={begin:.3f}\n")
    assert run.result["began_unix_s"] == pytest.approx(begin, abs=0.1)
    assert run.result["length_s"] < 60
    assert run.of("error")[0]["message"].startswith("start_unix_s: that was")


def test_it_may_end_before_it_begins(engine: Engine) -> None:
    run = engine.run("--workload", "point", "--threads", "2", "--commands", commands=
                     f"phase later seconds=100 rate=100 start_unix_s={time.time() + 60:.3f}\nquit\n")
    assert (run.result["ended"], run.result["intended"], run.exit_code) == ("stopped", 0, 0)


def test_it_ends_when_nobody_reads(engine: Engine) -> None:
    with engine.start("--workload", "point", "--threads", "2", "--phase", "measure seconds=100 rate=50") as process:
        assert process.stdout and process.stderr
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(timeout=60) == 1
        assert process.stderr.read().splitlines()[-1] == "shopload: run: standard output takes no more"


def test_the_overhead_is_told(engine: Engine) -> None:
    """Not how much it is: that it can be measured."""
    done = subprocess.run([os.environ["OVERHEAD"], "--config", str(engine.ini), "--rounds", "1", "--threads", "2"],
                          text=True, capture_output=True, check=True)
    assert done.stdout.count("the engine adds") == 2 and "sent after its time" in done.stdout


def test_the_same_seed_asks_for_the_same(engine: Engine) -> None:
    def counts(seed: int) -> dict[str, int]:
        run = engine.run("--workload", "browse", "--seed", str(seed), "--threads", "4", "--phase",
                         "measure seconds=0.4 rate=300")
        seen: dict[str, int] = {}
        for one in run.result["requests_by"]:
            seen[one["interaction"]] = seen.get(one["interaction"], 0) + one["latency"]["count"] + one["failed"]
        return seen

    assert counts(5) == counts(5) != counts(6)


def test_a_trace_is_replayed(engine: Engine, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    trace.write_text("".join(f"{number / 50} {number % 7}\n" for number in range(50)))
    run = engine.run("--workload", "trace", "--trace", str(trace), "--trace-speed", "2", "--threads", "4", "--phase",
                     "measure seconds=1")
    assert run.of("start")[0]["trace"] == {"file": str(trace), "accesses": 50, "distinct": 7, "has_times": True,
                                           "speed": 2.0}
    assert run.result["arrivals"] == "trace" and run.result["intended"] == 100
    assert run.result["trace_passes"] == 2
    trace.write_text("".join(f"{number}\n" for number in range(501)))
    refused = engine.run("--workload", "trace", "--trace", str(trace), "--phase", "measure seconds=1")
    assert refused.exit_code == 1
    assert refused.complaint == ("shopload: run: trace: it has 501 keys and there are 500 products: load as many\n")


WRONG = {
    "there is nothing to do": ["--workload", "point"],
    "say what to ask": ["--phase", "measure seconds=1"],
    "workload: there is no `browze`": ["--workload", "browze", "--phase", "measure seconds=1"],
    "--keys trace wants a --trace FILE": ["--workload", "point", "--keys", "trace", "--phase", "measure seconds=1"],
    "there is no option `--thread`": ["--workload", "point", "--thread", "1"],
    "--threads: `0` is no whole number from 1 to 4096": ["--threads", "0"],
    "--set: `a` is not KEY=VALUE": ["--set", "a"],
    "--trace-speed wants a --trace FILE with times": ["--workload", "point", "--trace-speed", "1", "--phase", "m"],
    "phase: there is no `rats`": ["--workload", "point", "--phase", "measure seconds=1 rats=1"],
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_command_line_is_told(program: str, what: str) -> None:
    done = subprocess.run([program, "run", *WRONG[what]], text=True, capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"shopload: run: {what}") and done.stderr.count("\n") == 1


def test_servers_that_cannot_be_used_are_told(program: str, engine: Engine) -> None:
    def complaint(*arguments: str) -> str:
        done = subprocess.run([program, "run", "--workload", "point", "--phase", "m seconds=1", *arguments], text=True,
                              capture_output=True, check=False, timeout=60)
        assert (done.returncode, done.stdout) == (1, "")
        return done.stderr.splitlines()[-1]

    assert complaint() == "shopload: run: node: there is none; set node.NAME.conninfo"
    assert "no.such" in complaint("--set", "no.such=key")
    assert "/nowhere/shop.ini" in complaint("--config", "/nowhere/shop.ini")
    other = os.environ["SHOPDATA_PRIMARY"].replace("dbname=shop", "dbname=postgres")
    assert complaint("--set", f"node.p.conninfo={other}").endswith(
        "this database has no schema shopbench of ours: shopload load makes and fills it")
