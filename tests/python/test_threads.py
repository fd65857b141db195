"""Threads: clients, statements and results are shared; sessions are not, and say so."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import shopdata

from things import Things


def test_threads_share_client_and_statements(things: Things) -> None:
    def work(number: int) -> int:
        with things.client.session() as s:
            for _ in range(100):
                assert s.query(things.by_id, 1 + number % 3).one().id == 1 + number % 3
            return s.execute(things.rename, 1, f"thread {number}").changed

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(work, range(16))) == 16
    assert str(things.name()).startswith("thread ")


def test_the_lock_of_the_interpreter_is_free_while_a_query_waits(things: Things) -> None:
    ticks = 0
    thread = threading.Thread(target=lambda: things.client.session().query("SELECT pg_sleep(1)"))
    thread.start()
    while thread.is_alive():
        ticks += 1
        time.sleep(0.005)
    assert ticks > 10


def test_a_session_is_one_threads_at_a_time(things: Things) -> None:
    session = things.client.session()
    thread = threading.Thread(target=lambda: session.query("SELECT pg_sleep(1)"))
    thread.start()
    time.sleep(0.4)
    for attempt in (lambda: session.query(things.by_id, 1), session.begin, session.close, lambda: session.token):
        with pytest.raises(shopdata.ProgrammingError, match="^the session is in use by another call: one thread at"):
            attempt()
    thread.join()
    assert session.query(things.by_id, 1).one().name == "one"
    session.close()


def test_two_threads_in_one_session_do_no_harm(things: Things) -> None:
    session = things.client.session()
    refused: list[shopdata.Error] = []

    def work(_: int) -> None:
        for _ in range(300):
            try:
                assert session.query(things.by_id, 1).one().name == "one"
            except shopdata.ProgrammingError as error:
                refused.append(error)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert all("in use by another call" in str(error) for error in refused)
    assert session.query(things.by_id, 1).one().name == "one"


def test_handed_over_from_thread_to_thread(things: Things) -> None:
    session = things.client.session()
    for _ in range(5):
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(session.query, things.by_id, 1).result().one().name == "one"


def test_a_client_closed_while_threads_use_it(things: Things, sections: dict[str, Any]) -> None:
    client = shopdata.open(**sections)
    statement = client.statement("SELECT pg_sleep(0.01)")
    answered: list[int] = []

    def work(_: int) -> None:
        while True:
            try:
                with client.session() as s:
                    s.query(statement)
                    s.query("SELECT 1")
                    answered.append(1)
            except shopdata.Closed:
                return

    with ThreadPoolExecutor(8) as pool:
        done = [pool.submit(work, number) for number in range(8)]
        while len(answered) < 50:
            time.sleep(0.01)
        client.close()
        statement.close()
        for future in done:
            future.result()


def test_plain_sql_from_many_threads(things: Things) -> None:
    def work(number: int) -> None:
        with things.client.session() as s:
            for turn in range(50):
                assert s.query(f"SELECT {turn}").scalar() == turn

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
