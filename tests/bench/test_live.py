"""The view of a terminal while it runs, in a real pseudo terminal, and what a pipe gets in its place."""

from __future__ import annotations

import io
import os
import pty
import re
from contextlib import suppress
from dataclasses import replace

import live
import pytest
from results import Results, Second

ESCAPE = re.compile(r"\x1b\[[?0-9;]*[A-Za-z]")


@pytest.fixture
def seconds(demo: Results) -> list[Second]:
    return demo.runs[4].seconds


def painted(seconds: list[Second], columns: int, rows: int, monkeypatch: pytest.MonkeyPatch,
            term: str = "xterm") -> str:
    """What a terminal of that size got."""
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("LINES", str(rows))
    monkeypatch.setenv("TERM", term)
    theirs, ours = pty.openpty()
    got = b""
    with open(ours, "w", encoding="utf-8") as stream, live.View(stream, "cache \x1b[2J+ replicas") as view:
        for second in seconds:
            view.show(second)
        view.close()
        os.set_blocking(theirs, False)
        with suppress(BlockingIOError):
            while piece := os.read(theirs, 1 << 16):
                got += piece
    os.close(theirs)
    return got.decode()


@pytest.mark.parametrize(("columns", "rows"), [(100, 40), (60, 20), (20, 6), (1, 1)])
def test_a_screen_stays_within_the_terminal(seconds: list[Second], columns: int, rows: int,
                                            monkeypatch: pytest.MonkeyPatch) -> None:
    got = painted(seconds[:3], columns, rows, monkeypatch)
    assert got.startswith(live.OTHER_SCREEN) and got.endswith(live.SHOW + live.FIRST_SCREEN)
    last = got.split(live.HOME)[-1].split(live.CLEAR_BELOW)[0]
    lines = ESCAPE.sub("", last).split("\r\n")
    assert len(lines) <= max(1, rows - 1) and max(map(len, lines)) <= max(1, columns - 1)
    assert "\x1b[2J" not in got


def test_a_screen_tells_what_matters(seconds: list[Second], monkeypatch: pytest.MonkeyPatch) -> None:
    bad = replace(seconds[9], failed=3, dropped=2, errors={"timeout": 3})
    text = ESCAPE.sub("", painted([*seconds[5:9], bad], 100, 40, monkeypatch).split(live.HOME)[-1])
    for told in ("measure, 10 s", "answered/s", "p50", "p99", "longest", "hit ratio", "local", "cache", "replica1",
                 "processors", "failed      3 in this second", "dropped     2 in this second", "errors      timeout 3"):
        assert told in text
    assert "█" in text


def test_a_new_phase_begins_new_curves(seconds: list[Second]) -> None:
    view = live.View(io.StringIO(), "")
    for second in seconds[:8]:  # 5 cold, 3 measured
        view.show(second)
    assert len([one for one in view.lines(200) if one.startswith(" p99")][0].split()[-1]) == 3


def test_without_a_terminal_there_is_a_line_a_second(seconds: list[Second]) -> None:
    stream = io.StringIO()
    with live.View(stream, "cache\n+ replicas") as view:
        view.show(seconds[0])
        view.show(replace(seconds[9], dropped=4))
    lines = stream.getvalue().splitlines()
    assert len(lines) == 2 and "\x1b" not in stream.getvalue()
    assert re.fullmatch(r"cache \+ replicas: measure   10 s, [\d,]+/s, p50 .+, p99 .+, longest .+, hits .+ %,"
                        " dropped 4", lines[1])


def test_a_dumb_terminal_gets_lines(seconds: list[Second], monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b" not in painted(seconds[:2], 80, 24, monkeypatch, term="dumb")


def test_a_terminal_without_these_letters(seconds: list[Second]) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    live.View(stream, "cache").show(seconds[9])
    assert b"p50" in raw.getvalue() and b"?s" in raw.getvalue()


def test_a_reader_that_has_gone_stops_nothing(seconds: list[Second]) -> None:
    theirs, ours = os.pipe()
    os.close(theirs)
    stream = open(ours, "w", encoding="utf-8")
    live.View(stream, "cache").show(seconds[0])
    with pytest.raises(BrokenPipeError):
        stream.close()


def test_curves_begin_at_nothing() -> None:
    assert live.spark([0, 1, 4, 8], 10) == " ▁▄█" and live.spark([0, 0], 10) == "  " and live.spark([], 10) == ""
    assert len(live.spark(list(range(99)), 10)) == 10
