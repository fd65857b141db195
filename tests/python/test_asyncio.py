"""asyncio: the event loop goes on while a query runs, and cancelling a task cancels its query."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

import shopdata

from things import Things


async def until(holds: Callable[[], bool], seconds: float = 20.0) -> None:
    """Waits until it holds, while the loop goes on."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"not within {seconds} s"
        await asyncio.sleep(0.01)


async def cancelled(task: asyncio.Task[Any]) -> BaseException:
    """Cancels it, and returns what came of that."""
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as ended:
        await task
    return ended.value


def test_queries_are_awaited(things: Things) -> None:
    async def run() -> None:
        with things.client.session() as s:
            assert (await s.aquery(things.by_id, 1)).one().name == "one"
            assert (await s.aquery(f"SELECT name FROM {things.table} WHERE id = :id", id=2)).scalar() == "two"
            assert (await s.aexecute(things.rename, 3, "tre")).changed == 1
            assert [result.one().name for result in await s.aquery_many([(things.by_id, 2), (things.by_id, 3)])] == [
                "two",
                "tre",
            ]

    asyncio.run(run())


def test_the_loop_goes_on(things: Things) -> None:
    async def run() -> bool:
        with things.client.session(deadline=60) as s:
            task = asyncio.create_task(s.aquery("SELECT pg_sleep(60)"))
            for _ in range(10):
                await asyncio.sleep(0.005)
            was_done = task.done()
            await cancelled(task)
            return was_done

    assert not asyncio.run(run())


def test_several_sessions_at_once(things: Things) -> None:
    async def one(number: int) -> object:
        with things.client.session(cache=False) as s:
            return (await s.aquery("SELECT $1::int, pg_sleep(0.1)", number)).one()[0]

    async def run() -> None:
        assert await asyncio.gather(*[one(number) for number in range(40)]) == list(range(40))

    asyncio.run(run())


def test_one_session_is_one_tasks_at_a_time(things: Things) -> None:
    async def run() -> None:
        with things.client.session(deadline=60, primary=True) as s:
            first = asyncio.create_task(s.aquery("SELECT pg_sleep(60) -- onesession"))
            await until(lambda: things.is_running("onesession"))
            with pytest.raises(shopdata.ProgrammingError, match="in use by another call"):
                await s.aquery(things.by_id, 1)
            await cancelled(first)

    asyncio.run(run())


def test_an_error_comes_out_of_await(things: Things) -> None:
    async def run() -> None:
        with things.client.session() as s:
            with pytest.raises(shopdata.DataError):
                await s.aquery("SELECT 1/0")
            with pytest.raises(shopdata.ParameterError):
                await s.aquery(things.by_id)

    asyncio.run(run())


def test_cancelling_a_task_cancels_the_query(things: Things) -> None:
    async def run() -> None:
        with things.client.session(primary=True, deadline=60) as s:
            task = asyncio.create_task(s.aquery("SELECT pg_sleep(60) -- tobecancelled"))
            await until(lambda: things.is_running("tobecancelled"))
            await cancelled(task)
            assert (await s.aquery(things.by_id, 1)).one().name == "one"
        await until(lambda: not things.is_running("tobecancelled"))

    asyncio.run(run())


def test_wait_for(things: Things) -> None:
    async def run() -> None:
        with things.client.session(deadline=60) as s:
            began = time.monotonic()
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(s.aquery("SELECT pg_sleep(30)"), 0.2)
            assert time.monotonic() - began < 15
            assert (await s.aquery("SELECT 1")).scalar() == 1

    asyncio.run(run())


def test_a_task_cancelled_before_its_turn_never_runs(things: Things, sections: dict[str, Any]) -> None:
    async def run() -> None:
        with shopdata.open(threads=1, **sections) as client:
            busy, waiting = client.session(deadline=60, primary=True), client.session()
            first = asyncio.create_task(busy.aquery("SELECT pg_sleep(60) -- takesthread"))
            await until(lambda: things.is_running("takesthread"))
            second = asyncio.create_task(waiting.aexecute("CREATE TABLE never_made (x int)"))
            await asyncio.sleep(0.1)
            await cancelled(second)
            await cancelled(first)
            assert (await waiting.aquery("SELECT to_regclass('never_made') IS NULL")).scalar()

    asyncio.run(run())


def test_what_the_process_keeps_is_there_at_once(things: Things, sections: dict[str, Any]) -> None:
    async def run() -> str:
        with shopdata.open(**{**sections, "local": {"coherence": "10s"}}) as client, client.session() as s:
            for _ in range(500):
                result = await s.aquery(f"SELECT name FROM {things.table} WHERE id = $1", 1)
                assert result.scalar() == "one"
                if result.source == "local":
                    break
                await asyncio.sleep(0.01)
            return result.source

    assert asyncio.run(run()) == "local"


def test_a_cancelled_block_is_undone(things: Things) -> None:
    async def work(s: shopdata.Session) -> None:
        async with s.transaction():
            await s.aexecute(things.rename, 1, "uno")
            await s.aquery("SELECT pg_sleep(60) -- blocksleep")

    async def run() -> None:
        with things.client.session(deadline=60) as s:
            task = asyncio.create_task(work(s))
            await until(lambda: things.is_running("blocksleep"))
            await cancelled(task)
            assert (await s.aquery(things.by_id, 1)).one().name == "one"

    asyncio.run(run())


def test_a_closed_client_is_told_of(sections: dict[str, Any]) -> None:
    async def run() -> None:
        client = shopdata.open(**sections)
        session = client.session()
        client.close()
        with pytest.raises(shopdata.Closed, match="^the client is closed"):
            await session.aquery("SELECT 1")

    asyncio.run(run())


def test_cancelled_while_it_begins(things: Things) -> None:
    async def work(s: shopdata.Session) -> None:
        async with s.transaction():
            await asyncio.sleep(60)

    async def run() -> None:
        with things.client.session() as s:
            for pause in (0, 0.0005, 0.001, 0.002, 0.004, 0.05):
                task = asyncio.create_task(work(s))
                await asyncio.sleep(pause)
                await cancelled(task)
                s.begin()
                s.rollback()

    asyncio.run(run())


def test_transactions_need_no_thread_of_pythons(things: Things) -> None:
    async def rename(number: int, name: str) -> None:
        with things.client.session() as s:
            async with s.transaction():
                await s.aexecute(things.rename, number, name)
                await s.aquery("SELECT pg_sleep(0.1)")

    async def run() -> None:
        before = threading.active_count()
        tasks = [asyncio.create_task(rename(1 + number % 3, f"{number}")) for number in range(6)]
        while not all(task.done() for task in tasks):
            assert threading.active_count() == before
            await asyncio.sleep(0.01)
        await asyncio.gather(*tasks)

    asyncio.run(run())
    assert {things.name(1), things.name(2), things.name(3)} <= {str(number) for number in range(6)}


def test_cancelled_while_it_commits(things: Things) -> None:
    """It stands, or does not: the session knows, and is free again."""

    async def work(s: shopdata.Session, name: str) -> None:
        async with s.transaction():
            await s.aexecute(things.rename, 1, name)

    async def run() -> None:
        with things.client.session() as s:
            for number in range(12):
                task = asyncio.create_task(work(s, f"name {number}"))
                await asyncio.sleep(number * 0.0005)
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
                assert repr(s) == "<shopdata.Session: open>"
                s.begin()
                s.rollback()

    asyncio.run(run())


def test_a_commit_in_doubt_is_told_beside_the_cancelling(things: Things) -> None:
    async def run() -> BaseException:
        with things.client.session(deadline=60) as s:
            task = asyncio.create_task(s.aexecute(things.write_with_a_slow_commit()))
            await until(things.is_committing)
            return await cancelled(task)

    assert isinstance(asyncio.run(run()).__context__, shopdata.AmbiguousCommit)
