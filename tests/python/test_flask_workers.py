"""A shop under gunicorn with two workers: the metrics of both from either, whatever becomes of them."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Optional

import pytest

from shopdata.flask.page import Look
from shopdata.flask.workers import total

from flask_shop import configuration, make_shop
from servers import Servers, wait_until

HERE = Path(__file__).resolve().parent


class Gunicorn:
    """The shop, served by two workers."""

    def __init__(self, config: dict[str, Any], table: str, *options: str) -> None:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{listener.getsockname()[1]}"
        environment = {**os.environ, "SHOP_CONFIG": json.dumps(config), "SHOP_TABLE": table, "PYTHONUNBUFFERED": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--workers", "2", "--bind", self.address, "--log-level", "warning",
             "--chdir", str(HERE), *options, "gunicorn_shop:app"],
            env=environment,
        )  # fmt: skip
        self.answered: Counter[int] = Counter()

    def ask(self, path: str, data: Optional[dict[str, str]] = None, cookie: str = "") -> tuple[str, str]:
        """The answer's text, and the cookie that it sets."""
        body = urllib.parse.urlencode(data).encode() if data else None
        request = urllib.request.Request(f"http://{self.address}{path}", body, {"Cookie": cookie})
        with urllib.request.urlopen(request, timeout=30) as answer:
            self.answered[int(answer.headers["X-Worker"])] += 1
            return answer.read().decode(), (answer.headers["Set-Cookie"] or "").split(";")[0]

    def is_up(self) -> bool:
        assert self.process.poll() is None, "gunicorn has ended"
        try:
            return self.ask("/healthz")[0] == "ready\n"
        except (urllib.error.URLError, ConnectionError):
            return False

    def read_until_both_answered(self) -> int:
        """How many reads that took."""
        self.answered.clear()
        reads = 0
        while len(self.answered) < 2 or reads < 20:
            assert self.ask("/1")[0] and reads < 5000
            reads += 1
        return reads

    def look(self) -> Look:
        return Look(self.ask("/metrics")[0], 0)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)


def reads(look: Look) -> float:
    return look.sum("shopdata_queries_total")


def looked_up(look: Look) -> float:
    return look.sum("shopdata_cache_hits_total") + look.sum("shopdata_cache_misses_total")


@pytest.fixture
def config(servers: Servers, tmp_path: Path) -> dict[str, Any]:
    return configuration(servers, SHOPDATA_METRICS_DIR=str(tmp_path / "metrics"))


@pytest.fixture(params=["loaded in each worker", "preloaded", "preloaded and lazy"])
def gunicorn(request: Any, config: dict[str, Any], table: Callable[..., str]) -> Iterator[Gunicorn]:
    if "lazy" in request.param:
        config["SHOPDATA_LAZY"] = True
    things = table("id int PRIMARY KEY, name text", rows="(1, 'one')")
    server = Gunicorn(config, things, *(["--preload"] if "preloaded" in request.param else []))
    try:
        wait_until(server.is_up, 60)
        yield server
    finally:
        server.stop()


def test_workers_together(gunicorn: Gunicorn, config: dict[str, Any]) -> None:
    directory = Path(config["SHOPDATA_METRICS_DIR"])
    asked = gunicorn.read_until_both_answered()
    wait_until(lambda: reads(gunicorn.look()) == asked)
    look = gunicorn.look()
    assert look.sum("shopdata_workers") == 2
    assert look.values("shopdata_node_role", 'node="primary",worker="') == [2, 2]
    assert look.sum("shopdata_query_seconds_count") == asked

    # One is killed: what it had counted stays, and the one that comes in its place goes on from there.
    dead = next(iter(gunicorn.answered))
    os.kill(dead, signal.SIGKILL)
    wait_until(gunicorn.is_up)
    asked += gunicorn.read_until_both_answered()
    assert dead not in gunicorn.answered
    wait_until(lambda: reads(gunicorn.look()) == asked)
    look = gunicorn.look()
    assert look.sum("shopdata_workers") == 2 and looked_up(look) == asked
    assert sorted(path.name for path in directory.glob("*.prom")) == ["worker-1.prom", "worker-2.prom"]

    # All end: the numbers are there still, and nobody says that anything holds.
    gunicorn.stop()
    look = Look(total(directory), 0)
    assert reads(look) == asked and look.sum("shopdata_workers") == 0
    assert look.values("shopdata_node_role") == []


@pytest.mark.parametrize("gunicorn", ["preloaded"], indirect=True)
def test_a_write_on_one_worker_is_seen_on_the_other(gunicorn: Gunicorn) -> None:
    for name in "uno", "due", "tre":
        gunicorn.answered.clear()
        _, cookie = gunicorn.ask("/1", {"name": name})
        assert cookie.startswith("shopdata=1")
        while len(gunicorn.answered) < 2:
            assert gunicorn.ask("/1", cookie=cookie)[0] == name
            assert gunicorn.ask("/newest/1", cookie=cookie)[0].startswith(f"{name} from ")


def watch_in_a_terminal(config: dict[str, Any], table: str, address: str) -> str:
    """What `top` shows there until two pages came and somebody pressed Control-C."""
    environment = {**os.environ, "SHOP_CONFIG": json.dumps(config), "SHOP_TABLE": table}
    words = ["--app", "gunicorn_shop", "shopdata", "top", "--interval", "0.1", address]
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(HERE)
        os.execve(sys.executable, [sys.executable, "-m", "flask", *words], environment)
    shown = ""
    while shown.count("NODE ") < 2:
        shown += os.read(terminal, 65536).decode()
    os.write(terminal, b"\x03")
    with contextlib.suppress(OSError):  # it has ended
        while os.read(terminal, 65536):
            pass
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert "\x1b[2J" in shown
    return shown


def test_top(servers: Servers, config: dict[str, Any], table: Callable[..., str]) -> None:
    things = table("id int PRIMARY KEY, name text", rows="(1, 'one')")
    server = Gunicorn(config, things)
    try:
        wait_until(server.is_up, 60)
        asked = server.read_until_both_answered()
        wait_until(lambda: reads(server.look()) == asked)
        runner = make_shop(config, things).test_cli_runner()
        pages = []
        for source in [[], [server.address]]:
            done = runner.invoke(args=["shopdata", "top", "--once", "--interval", "0.1", *source])
            assert done.exit_code == 0, done.output
            pages.append(done.output.split("\n", 1))
        assert pages[0][0].split()[2] == config["SHOPDATA_METRICS_DIR"]
        assert pages[1][0].split()[2] == f"http://{server.address}/metrics"
        assert watch_in_a_terminal(config, things, server.address).count("NODE ") >= 2
        for _, page in pages:
            assert len(re.findall(r"^primary +primary +closed +- +0/16 ", page, re.M)) == 1
            assert len(re.findall(r"^replica1 +replica +closed ", page, re.M)) == 1
    finally:
        server.stop()
