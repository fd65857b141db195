"""The commands of the front, on an engine that stands in for the real one; and what is wrong, told in one line."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
FRONT = [sys.executable, "-B", str(ROOT / "bench" / "load" / "shopbench.py")]
FAKE = Path(__file__).resolve().parent / "fake_shopload"
SERVERS = {"SHOPDATA_PRIMARY": "host=127.0.0.1 port=1 dbname=shop user=shop password=geheim",
           "SHOPDATA_REPLICA1": "host=127.0.0.1 port=2 dbname=shop user=shop password=geheim",
           "SHOPDATA_REDIS": "127.0.0.1:3"}


def environment(**more: str) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SHOPDATA_")}
    return {**clean, **SERVERS, "SHOPLOAD": str(FAKE), "SHOPDATA_TOOL": "true", **more}


def front(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*FRONT, *words], capture_output=True, text=True, env=environment(**more), check=False,
                          stdin=subprocess.DEVNULL, timeout=60)


def runs_of(folder: Path) -> list[dict[str, Any]]:
    runs: list[dict[str, Any]] = json.loads((folder / "results.json").read_text())["runs"]
    return runs


def test_run(tmp_path: Path) -> None:
    log = tmp_path / "log"
    done = front("run", "--rate", "1000", "--seconds", "4", "--out", str(tmp_path / "out"), "--quiet",
                 FAKE_LOG=str(log))
    assert done.returncode == 0, done.stderr
    run, = runs_of(tmp_path / "out")
    assert run["configuration"] == "local" and run["rate"] == 1000 and run["result"]["requests"] == 4000
    assert [second["phase"] for second in run["seconds"]] == ["warmup"] + ["measure"] * 4
    assert run["nodes"] == {"primary": 1, "replica": 1, "cache": 1}
    assert (tmp_path / "out" / "report.html").is_file()


def test_no_password_is_ever_shown(tmp_path: Path) -> None:
    """Not by what is printed and written, and not by the engine's command line; its configuration has it."""
    log = tmp_path / "log"
    done = front("run", "--rate", "1000", "--seconds", "1", "--out", str(tmp_path / "out"), FAKE_LOG=str(log))
    assert done.returncode == 0, done.stderr
    told = json.loads(log.read_text())
    assert "password='geheim'" in told["configuration"]
    written = "".join(path.read_text() for path in (tmp_path / "out").iterdir())
    assert "geheim" not in " ".join(told["arguments"]) + done.stdout + done.stderr + written


def test_compare_in_turns(tmp_path: Path) -> None:
    done = front("compare", "--rate", "1000", "--seconds", "4", "--rounds", "2", "--out", str(tmp_path), "--quiet")
    assert done.returncode == 0, done.stderr
    order = [(run["round"], run["configuration"]) for run in runs_of(tmp_path)]
    first = ["primary", "replicas", "cache", "cache+replicas", "local"]
    assert order == [(1, name) for name in first] + [(2, name) for name in [*first[1:], first[0]]]
    assert done.stdout.count("trace") == 0 and "cache+replicas" in done.stdout


def test_compare_climbs_where_no_rate_is_given(tmp_path: Path) -> None:
    done = front("compare", "--configurations", "primary,cache", "--seconds", "5", "--out", str(tmp_path), "--quiet")
    assert done.returncode == 0, done.stderr
    runs = runs_of(tmp_path)
    assert [run["rate_label"] for run in runs[:2]] == ["as much as it carries"] * 2
    assert sorted({run["rate"] for run in runs[2:]}) == [1500.0, 1820.0, 2220.0, 2700.0]


def test_find(tmp_path: Path) -> None:
    done = front("find", "--target", "p99=5ms", "--seconds", "2", "--out", str(tmp_path), "--quiet")
    assert done.returncode == 0, done.stderr
    found = [run for run in runs_of(tmp_path) if run.get("found")]
    assert found and 2850 <= found[0]["rate"] <= 3000
    assert "how sure: met in" in done.stdout and "missed in 3 of 3" in done.stdout


def test_find_where_nothing_meets_it(tmp_path: Path) -> None:
    done = front("find", "--target", "p99=0.5ms", "--seconds", "1", "--out", str(tmp_path), "--quiet")
    assert done.returncode == 1 and "no rate that was tried meets it" in done.stdout


def test_report_of_several(tmp_path: Path) -> None:
    for name in ("primary", "cache"):
        assert front("run", "--rate", "100", "--seconds", "1", "--configuration", name, "--target", "p99=2ms", "--out",
                     str(tmp_path / name), "--quiet").returncode == 0
    files = [str(tmp_path / name / "results.json") for name in ("primary", "cache")]
    done = front("report", *files, "--out", str(tmp_path / "both.html"), "--hgrm", str(tmp_path / "hgrm"))
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "both.html").read_text()
    assert "primary" in page and "cache" in page and len(list((tmp_path / "hgrm").iterdir())) == 2
    missing = front("report", str(tmp_path / "nothing.json"))
    assert missing.returncode == 1 and missing.stderr.count("\n") == 1


def test_phases(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    done = front("run", "--rate", "100", "--phases", "cold:1,warmup:1,measure:2,flush,replica-stop:2", "--replica-stop",
                 f"touch {mark}", "--out", str(tmp_path), "--quiet")
    assert done.returncode == 0, done.stderr
    assert [run["rate_label"] for run in runs_of(tmp_path)] == [
        "phase 1: cold", "phase 2: warmup", "phase 3: measure", "phase 5: replica-stop"]
    assert mark.exists() and "replica-stop: done" in done.stderr
    assert "The operator's command" not in (tmp_path / "report.html").read_text()


def test_a_command_of_the_operator_s_that_fails_is_told_first(tmp_path: Path) -> None:
    done = front("run", "--rate", "100", "--phases", "measure:1,failover:1", "--failover",
                 "echo connecting >&2; echo no such instance >&2; exit 3", "--out", str(tmp_path), "--quiet")
    assert done.returncode == 0 and "failover: failed with exit code 3 after 0.0 s: no such instance" in done.stderr
    (told,) = json.loads((tmp_path / "results.json").read_text())["operations"]
    assert (told["kind"], told["exit_code"], told["says"]) == ("failover", 3, "no such instance")
    page = (tmp_path / "report.html").read_text()
    says = "failover: failed with exit code 3 after 0.0 s: no such instance"
    assert page.index("The operator&#x27;s command failed") < page.index(says) < page.index("At a glance")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_prints_what_was_measured(number: signal.Signals, tmp_path: Path) -> None:
    with subprocess.Popen([*FRONT, "compare", "--rate", "100", "--seconds", "900", "--rounds", "1", "--warmup", "0",
                           "--out", str(tmp_path)], env=environment(FAKE_SLOW="yes"), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr and process.stdout
        process.stderr.read(1)  # the live view has begun, so a second has been measured
        time.sleep(0.3)
        process.send_signal(number)
        process.send_signal(number)  # the terminal's, and that of who has started it
        told = process.stdout.read()
        process.stderr.read()
    assert process.returncode == 130
    run, = runs_of(tmp_path)
    assert run["result"]["ended"] == "interrupted" and "interrupted" in told and "report:" in told


def test_a_terminal_that_is_gone(tmp_path: Path) -> None:
    """What was measured until then is in the files."""
    controller, terminal = pty.openpty()
    with subprocess.Popen([*FRONT, "run", "--rate", "100", "--seconds", "900", "--warmup", "0", "--out", str(tmp_path)],
                          env=environment(FAKE_SLOW="yes", TERM="xterm"), stdin=terminal, stdout=terminal,
                          stderr=terminal, start_new_session=True, preexec_fn=take_terminal) as process:
        os.close(terminal)
        os.read(controller, 1)
        time.sleep(0.3)
        os.close(controller)
    assert process.returncode == 130
    assert len(runs_of(tmp_path)) == 1 and (tmp_path / "report.html").is_file()


def take_terminal() -> None:
    """Whose end is then SIGHUP to us."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def test_a_terminal_that_lacks_letters(tmp_path: Path) -> None:
    """As the dash where there is no hit ratio."""
    done = front("run", "--rate", "5", "--seconds", "1", "--quiet", "--out", str(tmp_path), FAKE_CAPACITY="0",
                 PYTHONIOENCODING="latin-1")
    assert done.stderr == "shopbench: no request at all was answered\n" and (tmp_path / "report.html").is_file()


def test_sweeps(tmp_path: Path) -> None:
    log = tmp_path / "log"
    done = front("compare", "--rate", "100", "--seconds", "1", "--ttl", "1s,1m", "--memory", "8MiB", "--configurations",
                 "primary,cache,local", "--out", str(tmp_path / "out"), "--quiet", FAKE_LOG=str(log))
    assert done.returncode == 0, done.stderr
    runs = runs_of(tmp_path / "out")
    assert [(run["configuration"], run["varied"]) for run in runs] == [
        (name, varied) for varied in ({"ttl_s": 1}, {"ttl_s": 60}, {"memory_bytes": 8 * 1024 * 1024})
        for name in ("cache", "local")]
    arguments = [json.loads(line)["arguments"] for line in log.read_text().splitlines()]
    assert "policy.product.ttl=1s" in arguments[0]
    assert {"cache.kind=memory", "cache.memory_bytes=8MiB", "local.bytes=0"} <= set(arguments[4])
    prefixes = {word for words in arguments for word in words if word.startswith("cache.key_prefix=")}
    assert len(prefixes) == 6


def test_an_engine_does_not_outlive_its_front(tmp_path: Path) -> None:
    with subprocess.Popen([*FRONT, "run", "--rate", "100", "--seconds", "900", "--warmup", "0", "--out", str(tmp_path)],
                          env=environment(FAKE_SLOW="yes"), stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        process.stderr.read(1)
        engine, = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        process.kill()
    end = time.monotonic() + 20
    while Path(f"/proc/{engine}").exists() and time.monotonic() < end:
        time.sleep(0.02)
    assert not Path(f"/proc/{engine}").exists()


WRONG = {
    "no such command": (["fly"], "invalid choice: 'fly'"),
    "no such option": (["run", "--fast"], "unrecognized arguments: --fast"),
    "no such workload": (["run", "--workload", "steal"], "browse, shop, order"),
    "a trace without its file": (["run", "--workload", "trace"], "--trace FILE"),
    "no such configuration": (["run", "--configuration", "turbo"], "primary, replicas"),
    "two loops": (["run", "--rate", "5", "--clients", "5"], "open loop"),
    "a think time in an open loop": (["run", "--rate", "5", "--think", "5"], "--clients"),
    "no rate": (["run", "--rate", "fast"], "a ramp"),
    "a rate of nothing": (["run", "--rate", "0"], "a ramp"),
    "less than no warm-up": (["run", "--rate", "5", "--warmup", "-1"], "--warmup -1"),
    "no rounds": (["compare", "--rounds", "0"], "--rounds 0"),
    "no time to try a rate": (["find", "--target", "p99=5ms", "--seconds", "0"], "--seconds 0"),
    "no time": (["run", "--seconds", "0"], "must be from 1"),
    "a wrong phase": (["run", "--phases", "measure:5,explode"], "`explode`"),
    "nothing measured": (["run", "--phases", "cold:5"], "nothing is measured"),
    "a flush of nothing": (["run", "--phases", "measure:1,flush", "--configuration", "primary"], "nothing to empty"),
    "a flush that cannot be": (["run", "--phases", "measure:1,flush", "--set", "cache.mode=ttl"], "cache.mode ttl"),
    "a failover that nobody permits": (["run", "--phases", "measure:1,failover:1"], "--failover COMMAND"),
    "a wrong target": (["find", "--target", "fast"], "p99=5ms"),
    "no target": (["find"], "--target is missing"),
    "a start in the past": (["run", "--start-at", "2020-01-01T00:00:00Z"], "in the future"),
    "a TTL without a unit": (["compare", "--ttl", "10"], "1s,10s,1m"),
    "a TTL of nothing": (["compare", "--ttl", "5s", "--configurations", "primary"], "with a cache"),
    "one to merge": (["merge", "a.json", "--out", "b.json"], "two agents"),
    "a demo without data": (["demo", "--data", "/nowhere"], "catalogue"),
    "a clean that nobody confirms": (["load", "--scale", "0"], "--scale 0"),
}


@pytest.mark.parametrize(("words", "why"), WRONG.values(), ids=list(WRONG))
def test_wrong_command_lines(words: list[str], why: str) -> None:
    done = front(*words)
    assert done.returncode == 2 and why in done.stderr
    assert done.stderr.startswith("shopbench: ") and done.stderr.count("\n") == 1 and done.stdout == ""


def test_no_servers_are_named() -> None:
    nowhere = {name: value for name, value in environment().items() if name not in SERVERS}
    done = subprocess.run([*FRONT, "status"], capture_output=True, text=True, check=False, env=nowhere)
    assert done.returncode == 2 and "--primary is missing" in done.stderr


def test_an_engine_that_ends_says_why(tmp_path: Path) -> None:
    done = front("run", "--rate", "5", "--seconds", "1", "--quiet", "--out", str(tmp_path),
                 FAKE_FAIL="mix.txt:3: fly: there is no such interaction")
    assert done.returncode == 1
    assert done.stderr == "shopbench: mix.txt:3: fly: there is no such interaction\n"


def test_no_answer_at_all_is_no_success(tmp_path: Path) -> None:
    done = front("run", "--rate", "5", "--seconds", "1", "--quiet", "--out", str(tmp_path), FAKE_CAPACITY="0")
    assert done.returncode == 1 and done.stderr == "shopbench: no request at all was answered\n"
    assert len(list(tmp_path.iterdir())) == 2


def test_a_full_disk_leaves_nothing_half_done(tmp_path: Path) -> None:
    """A limit on the size of files does as a full disk does; what was measured is on the terminal."""
    done = subprocess.run(["bash", "-c", 'ulimit -f 1; trap "" XFSZ; exec "$@"', "-", *FRONT, "run", "--rate", "1000",
                           "--seconds", "30", "--out", str(tmp_path), "--quiet"], capture_output=True, text=True,
                          env=environment(), check=False)
    assert done.returncode == 1 and "cannot be written" in done.stderr and done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == [] and "p99.9" in done.stdout


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = front("run", "--rate", "1", "--out", str(tmp_path / "file" / "x"), "--quiet")
    assert done.returncode == 1 and done.stderr.startswith("shopbench: --out")


def test_the_script_around_it() -> None:
    script = str(ROOT / "bench" / "shopbench")
    for words, code, told in (([], 2, "bench/shopbench demo"), (["--help"], 0, "find"),
                              (["run", "--help"], 0, "--rate"), (["report", "/nothing.json"], 1, "/nothing.json")):
        done = subprocess.run([script, *words], capture_output=True, text=True, env=environment(), check=False)
        assert done.returncode == code and told in done.stdout + done.stderr, done.stderr


def test_help_tells_of_every_command() -> None:
    done = front("--help")
    assert done.returncode == 0
    for verb in ("demo", "load", "run", "compare", "find", "report", "merge", "clean", "check", "status"):
        assert verb in done.stdout and front(verb, "--help").returncode == 0
