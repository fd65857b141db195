"""Ctrl-C, and any signal whose handler raises, ends a call that waits, and its statement on the server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import shopdata

from servers import wait_until
from things import Things


class Alarm(Exception):
    """What a handler raises."""


class SuddenAlarm(BaseException):
    """What a handler raises that may run while a log line is handed over: there an Exception is logging's own fault."""


@contextmanager
def handler(raised: type[BaseException]) -> Iterator[None]:
    def raise_it(number: int, frame: object) -> None:
        raise raised

    before = signal.signal(signal.SIGUSR1, raise_it)
    try:
        yield
    finally:
        signal.signal(signal.SIGUSR1, before)


@contextmanager
def signal_soon(number: int = signal.SIGUSR1, after: float = 0.3) -> Iterator[None]:
    timer = threading.Timer(after, lambda: os.kill(os.getpid(), number))
    timer.start()
    try:
        yield
    finally:
        timer.join()


@contextmanager
def signal_when(holds: Callable[[], bool]) -> Iterator[None]:
    def watch() -> None:
        wait_until(holds)
        os.kill(os.getpid(), signal.SIGUSR1)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def test_keyboard_interrupt_ends_a_query(things: Things) -> None:
    with things.client.session(deadline=60, primary=True) as s:
        process = s.query("SELECT pg_backend_pid()").scalar()
        began = time.monotonic()
        with pytest.raises(KeyboardInterrupt), signal_soon(signal.SIGINT):
            s.query("SELECT pg_sleep(60)")
        assert time.monotonic() - began < 20
        assert s.query(things.by_id, 1).one().name == "one"
        state = s.client.statement(
            "SELECT state FROM pg_stat_activity WHERE pid = $1 AND query LIKE '%pg_sl' || 'eep%'"
        )
        wait_until(lambda: s.query(state, process).first() != ("active",))


@pytest.mark.parametrize("raised", [Alarm, SystemExit, shopdata.Timeout])
def test_what_a_handler_raises_comes_out(things: Things, raised: type[BaseException]) -> None:
    with things.client.session(deadline=60) as s, handler(raised):
        with pytest.raises(raised), signal_soon():
            s.query("SELECT pg_sleep(60)")
        assert s.query(things.by_id, 1).one().name == "one"


def test_a_handler_that_does_not_raise_ends_nothing(things: Things) -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, frame: heard.append(number))
    try:
        with things.client.session(deadline=60) as s, signal_soon(after=0.2):
            assert s.query("SELECT pg_sleep(0.6), 7").one()[1] == 7
        assert heard == [signal.SIGUSR1]
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_a_write_that_waits_for_a_lock_is_undone(things: Things) -> None:
    with things.client.session(deadline=60) as s, things.client.session() as holder, handler(Alarm):
        with holder.transaction():
            holder.execute(things.rename, 1, "held")
            with pytest.raises(Alarm), signal_soon():
                s.execute(things.rename, 1, "uno")
    assert things.name() == "held"


def test_a_transaction_is_rolled_back(things: Things) -> None:
    with things.client.session(deadline=60) as s, handler(Alarm):
        with pytest.raises(Alarm), signal_soon(), s.transaction():
            s.execute(things.rename, 1, "uno")
            s.query("SELECT pg_sleep(60)")
        assert s.query(things.by_id, 1).one().name == "one"
        with s.transaction():
            s.execute(things.rename, 1, "due")
    assert things.name() == "due"


def test_a_commit_in_doubt_is_told_beside_what_was_raised(things: Things) -> None:
    write = things.write_with_a_slow_commit()
    with things.client.session(deadline=60) as s, handler(Alarm):
        with pytest.raises(Alarm) as alone, signal_when(things.is_committing):
            s.execute(write)
        wait_until(lambda: not things.is_committing())
        with pytest.raises(Alarm) as within, signal_when(things.is_committing), s.transaction():
            s.execute(write)
        assert s.query(things.by_id, 2).one().name == "two"
    for raised in (alone.value, within.value):
        assert isinstance(raised.__context__, shopdata.AmbiguousCommit)


def test_waiting_for_a_node_is_ended(things: Things) -> None:
    sections = {"node": {"primary": "host=127.0.0.1 port=1"}, "shopdata": {"deadline": "60s"}}
    with shopdata.open(**sections) as client, client.session() as s, handler(Alarm):
        began = time.monotonic()
        with pytest.raises(Alarm), signal_soon():
            s.query("SELECT 1")
        assert time.monotonic() - began < 20


def test_only_the_main_threads_call_is_ended(things: Things) -> None:
    done: list[object] = []

    def work() -> None:
        with things.client.session(deadline=60) as s:
            done.append(s.query("SELECT pg_sleep(1), 7").one()[1])

    thread = threading.Thread(target=work)
    thread.start()
    with handler(Alarm), pytest.raises(Alarm), signal_soon(after=0.2):
        time.sleep(30)
    thread.join()
    assert done == [7]


def test_many_interruptions(things: Things) -> None:
    """A signal at any moment: the session answers rightly, or the handler's exception comes out."""
    counts = {True: 0, False: 0}
    with things.client.session(cache=False) as s, handler(SuddenAlarm):
        signal.siginterrupt(signal.SIGUSR1, False)
        for turn in range(60):
            timer = threading.Timer(turn / 3000, lambda: os.kill(os.getpid(), signal.SIGUSR1))
            try:
                timer.start()
                for _ in range(100000):
                    assert s.query(things.by_id, 1).one().name == "one"
            except SuddenAlarm:
                counts[True] += 1
            timer.join()
    assert counts == {True: 60, False: 0}


def test_ctrl_c_in_a_program(sections: dict[str, Any]) -> None:
    program = """
import sys, shopdata
with shopdata.open(**eval(sys.argv[1])) as client, client.session(deadline=60) as s:
    s.query("SELECT 1")
    print("waiting", flush=True)
    s.query("SELECT pg_sleep(60)")
"""
    with subprocess.Popen(
        [sys.executable, "-c", program, repr(sections)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == "waiting\n"
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert errors.rstrip().endswith("KeyboardInterrupt")
    assert process.returncode == -signal.SIGINT
