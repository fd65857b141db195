"""The library's log lines come to logging.getLogger("shopdata")."""

from __future__ import annotations

import logging
import subprocess
import sys
from typing import Any

import pytest

import shopdata

from things import Things


def test_lines_come_with_their_levels(
    things: Things, sections: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "shopdata"):
        slow = {"slow_query": "1ms", "log_level": "debug"}
        with shopdata.open(shopdata=slow, **sections) as client, client.session() as s:
            s.query("SELECT pg_sleep(0.05)")
    lines = [(record.levelno, record.getMessage()) for record in caplog.records if record.name == "shopdata"]
    assert any(level == logging.WARNING and "event=query_slow" in line for level, line in lines)
    assert any(level == logging.INFO and "event=node_found" in line for level, line in lines)


def test_nothing_is_printed_unless_asked_for(sections: dict[str, Any]) -> None:
    program = """
import sys, shopdata
with shopdata.open(shopdata={"slow_query": "1ms"}, **eval(sys.argv[1])) as client, client.session() as s:
    s.query("SELECT pg_sleep(0.05)")
"""
    done = subprocess.run([sys.executable, "-c", program, repr(sections)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


class Handler(logging.Handler):
    """Calls what it was given for each line."""

    def __init__(self, call: object) -> None:
        super().__init__()
        self.call = call

    def emit(self, record: logging.LogRecord) -> None:
        self.call(record)


@pytest.fixture
def slow(sections: dict[str, Any]) -> object:
    with shopdata.open(shopdata={"slow_query": "1ms", "log_rate": 1000}, **sections) as client:
        yield client


def with_handler(client: shopdata.Client, call: object) -> object:
    handler = Handler(call)
    logger = logging.getLogger("shopdata")
    logger.addHandler(handler)
    try:
        with client.session() as s:
            return s.query("SELECT pg_sleep(0.01), 7").one()[1]
    finally:
        logger.removeHandler(handler)


def test_a_handler_may_use_the_library(slow: shopdata.Client) -> None:
    seen: list[object] = []

    def call(record: logging.LogRecord) -> None:
        if "query_slow" in record.getMessage() and not seen:
            seen.append(None)
            with slow.session() as s:
                seen.append(s.query("SELECT 42").scalar())

    assert with_handler(slow, call) == 7
    assert seen == [None, 42]


def test_a_faulty_handler_fails_no_call(slow: shopdata.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[object] = []
    monkeypatch.setattr("sys.unraisablehook", told.append)

    def call(record: logging.LogRecord) -> None:
        raise ValueError

    assert with_handler(slow, call) == 7
    assert told


def test_who_wants_to_end_the_program_does(slow: shopdata.Client) -> None:
    def call(record: logging.LogRecord) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        with_handler(slow, call)
    with slow.session() as s:
        assert s.query("SELECT 1").scalar() == 1
