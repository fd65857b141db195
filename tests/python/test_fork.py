"""A client that was opened before fork() works in the child; what cannot follow says so."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any

import pytest

import shopdata

from servers import wait_until
from things import Things


def in_child(work: Callable[[], object]) -> None:
    """Runs it in a forked child, and fails with what went wrong there."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(reading)
        fault = ""
        try:
            work()
        except BaseException:
            fault = traceback.format_exc()
        os.write(writing, fault.encode()[-4000:])
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        fault = pipe.read().decode()
    _, status = os.waitpid(process, 0)
    assert not fault, fault
    assert status == 0


def test_client_session_and_statement_work_in_the_child(things: Things) -> None:
    with things.client.session() as s:
        s.query(things.by_id, 1)

        def work() -> None:
            assert s.query(things.by_id, 1).one().name == "one"
            s.execute(things.rename, 1, "child's")
            assert things.name() == "child's"
            assert s.query("SELECT 1").scalar() == 1

        in_child(work)
        assert s.query(things.by_id, 1).one().name == "child's"


def test_the_child_has_connections_of_its_own(things: Things) -> None:
    with things.client.session(cache=False, primary=True) as s:
        backend = s.query("SELECT pg_backend_pid()").scalar()

        def work() -> None:
            assert s.query("SELECT pg_backend_pid()").scalar() != backend

        in_child(work)
        in_child(work)
        assert s.query("SELECT pg_backend_pid()").scalar() == backend


def test_forked_while_it_connects(sections: dict[str, Any]) -> None:
    """libpq and OpenSSL have locks of their own: a child must not be left with one that nobody gives back."""
    for turn in range(20):
        with shopdata.open(**sections) as client:
            time.sleep(turn / 5000)

            def work(client: shopdata.Client = client) -> None:
                with client.session() as s:
                    assert s.query("SELECT 1").scalar() == 1

            in_child(work)


def test_a_child_of_a_child(things: Things) -> None:
    in_child(lambda: in_child(lambda: things.name()))


def test_an_open_transaction_is_the_parents(things: Things) -> None:
    with things.client.session() as s:
        with s.transaction():
            s.execute(things.rename, 1, "parent's")

            def work() -> None:
                with pytest.raises(shopdata.TransactionError, match=r"before fork\(\)"):
                    s.query(things.by_id, 1)
                s.close()
                assert things.name() == "one"

            in_child(work)
    assert things.name() == "parent's"


def test_a_session_that_another_thread_was_using_does_not_follow(things: Things) -> None:
    busy = things.client.session(primary=True)
    statement = things.client.statement("SELECT pg_sleep($1) -- whileforked")
    thread = threading.Thread(target=lambda: busy.query(statement, 3.0))
    thread.start()
    wait_until(lambda: things.is_running("whileforked"))

    def work() -> None:
        with pytest.raises(shopdata.Forked, match="^another thread was using this session when the process was forked"):
            busy.query(things.by_id, 1)
        with things.client.session() as s:
            s.query(statement, 0.0)
        busy.close()
        statement.close()
        assert things.name() == "one"

    in_child(work)
    thread.join()
    assert busy.query(things.by_id, 1).one().name == "one"


def test_a_closed_client_cannot_follow(things: Things, sections: dict[str, Any]) -> None:
    client = shopdata.open(**sections)
    session = client.session()
    client.close()

    def work() -> None:
        with pytest.raises(shopdata.Forked, match=r"before fork\(\)"):
            session.query(things.by_id, 1)

    in_child(work)


def test_many_threads_while_it_forks(things: Things) -> None:
    over = threading.Event()
    faults: list[BaseException] = []

    def reader() -> None:
        try:
            with things.client.session() as s:
                while not over.is_set():
                    s.query(things.by_id, 1)
        except BaseException as fault:
            faults.append(fault)

    def work() -> None:
        for _ in range(20):
            assert things.name() == "one"

    threads = [threading.Thread(target=reader) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(10):
            in_child(work)
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert not faults


def test_multiprocessing(things: Things, sections: dict[str, Any]) -> None:
    """In a process of its own: multiprocessing leaves one behind."""
    program = """
import multiprocessing, sys, shopdata
client = shopdata.open(**eval(sys.argv[1]))

def read(number):
    with client.session() as s:
        return s.query("SELECT $1::int", number).scalar()

with client.session() as s:
    s.query("SELECT 1")
with multiprocessing.get_context("fork").Pool(3) as pool:
    assert pool.map(read, range(20)) == list(range(20))
"""
    subprocess.run([sys.executable, "-W", "error", "-c", program, repr(sections)], check=True, timeout=60)
