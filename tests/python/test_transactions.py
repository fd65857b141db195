"""Transactions: what stands, what does not, and what is said."""

from __future__ import annotations

import asyncio

import pytest

import shopdata
from shopdata import _native

from things import Things


def test_a_block_commits(things: Things) -> None:
    with things.client.session() as s:
        with s.transaction() as t:
            s.execute(things.rename, 1, "uno")
            assert s.query(things.by_id, 1).one().name == "uno"
            assert things.name() == "one"
        assert t.fenced
    assert things.name() == "uno"


def test_an_exception_undoes_the_block_and_goes_on(things: Things) -> None:
    with things.client.session() as s:
        with pytest.raises(ZeroDivisionError):
            with s.transaction():
                s.execute(things.rename, 1, "uno")
                raise ZeroDivisionError
        s.execute(things.rename, 2, "due")
    assert (things.name(1), things.name(2)) == ("one", "due")


def test_an_sql_error_undoes_the_block(things: Things) -> None:
    with things.client.session() as s:
        with pytest.raises(shopdata.DataError):
            with s.transaction():
                s.execute(things.rename, 1, "uno")
                s.query("SELECT 1/0")
        assert s.query(things.by_id, 1).one().name == "one"


def test_a_swallowed_sql_error_is_not_committed(things: Things) -> None:
    with things.client.session() as s:
        with pytest.raises(shopdata.TransactionError):
            with s.transaction():
                s.execute(things.rename, 1, "uno")
                with pytest.raises(shopdata.DataError):
                    s.query("SELECT 1/0")
        assert s.query(things.by_id, 1).one().name == "one"
        with s.transaction():
            s.execute(things.rename, 1, "uno")
    assert things.name() == "uno"


def test_inner_blocks_are_savepoints(things: Things) -> None:
    with things.client.session() as s, s.transaction():
        s.execute(things.rename, 1, "uno")
        with pytest.raises(shopdata.DataError):
            with s.transaction():
                s.execute(things.rename, 2, "due")
                with s.transaction():
                    s.execute(things.rename, 3, "tre")
                s.query("SELECT 1/0")
        with s.transaction():
            s.execute(things.rename, 3, "drei")
    assert [things.name(number) for number in (1, 2, 3)] == ["uno", "two", "drei"]


def test_rollback_by_hand_ends_what_the_block_can_do(things: Things) -> None:
    with things.client.session() as s:
        with s.transaction() as t:
            s.execute(things.rename, 1, "uno")
            t.rollback()
            assert things.name() == "one"
            with pytest.raises(shopdata.TransactionError, match="^the transaction was rolled back; leave its block"):
                s.execute(things.rename, 1, "uno")
            with pytest.raises(shopdata.ProgrammingError, match="not open"):
                t.rollback()
        s.execute(things.rename, 2, "due")
    assert (things.name(1), things.name(2)) == ("one", "due")


def test_rollback_of_an_inner_block(things: Things) -> None:
    with things.client.session() as s, s.transaction():
        s.execute(things.rename, 1, "uno")
        with s.transaction() as inner:
            s.execute(things.rename, 2, "due")
            inner.rollback()
        s.execute(things.rename, 3, "tre")
    assert [things.name(number) for number in (1, 2, 3)] == ["uno", "two", "tre"]


def test_rollback_of_the_outer_block_from_within(things: Things) -> None:
    with things.client.session() as s:
        with pytest.raises(shopdata.TransactionError, match="leave its block"), s.transaction() as outer:
            with s.transaction():
                s.execute(things.rename, 1, "uno")
                outer.rollback()
        with s.transaction():
            s.execute(things.rename, 2, "due")
    assert (things.name(1), things.name(2)) == ("one", "due")


def test_by_hand(things: Things) -> None:
    with things.client.session() as s:
        s.begin()
        with pytest.raises(shopdata.TransactionError, match="open already"):
            s.begin()
        with s.transaction():
            s.execute(things.rename, 1, "uno")
        assert s.commit() is True
        s.begin()
        s.execute(things.rename, 1, "eins")
        s.rollback()
        with pytest.raises(shopdata.TransactionError, match="no transaction is open"):
            s.rollback()
    assert things.name() == "uno"


def test_isolation_and_read_only(things: Things) -> None:
    with things.client.session() as s:
        with s.transaction("repeatable read"):
            assert s.query("SHOW transaction_isolation").scalar() == "repeatable read"
        with s.transaction("serializable", read_only=True):
            assert s.query("SHOW transaction_isolation").scalar() == "serializable"
            with pytest.raises(shopdata.DatabaseError) as caught:
                with s.transaction():
                    s.execute(things.rename, 1, "uno")
            assert caught.value.sqlstate == "25006"
        with s.transaction(), pytest.raises(shopdata.ProgrammingError, match="are the outer one's"):
            s.transaction("serializable").__enter__()


def test_a_conflict_is_retriable(things: Things) -> None:
    with things.client.session() as first, things.client.session() as second:
        with pytest.raises(shopdata.OperationalError) as caught:
            with first.transaction("repeatable read"):
                first.query(things.by_id, 1)
                second.execute(things.rename, 1, "uno")
                first.execute(things.rename, 1, "eins")
        assert caught.value.sqlstate == "40001" and caught.value.retriable
        assert first.query(things.by_id, 1).one().name == "uno"


def test_a_lost_connection_undoes_and_is_told(things: Things) -> None:
    with things.client.session() as s, things.client.session() as other:
        with pytest.raises(shopdata.Error):
            with s.transaction():
                s.execute(things.rename, 1, "uno")
                process = s.query("SELECT pg_backend_pid()").scalar()
                other.execute("SELECT pg_terminate_backend($1)", process)
                for _ in range(50):
                    s.query("SELECT pg_sleep(0.1)")
        assert s.query(things.by_id, 1).one().name == "one"


def test_a_block_is_entered_once(things: Things) -> None:
    with things.client.session() as s:
        block = s.transaction()
        with block:
            pass
        with pytest.raises(shopdata.ProgrammingError, match="entered once"):
            block.__enter__()


def test_closing_rolls_back(things: Things) -> None:
    before = things.client.metrics().get("shopdata_transactions_abandoned_total")
    session = things.client.session()
    session.begin()
    session.execute(things.rename, 1, "uno")
    assert repr(session) == "<shopdata.Session: in a transaction>"
    session.close()
    assert things.name() == "one"
    assert things.client.metrics().get("shopdata_transactions_abandoned_total") == before + 1


def test_closing_within_the_block(things: Things) -> None:
    with pytest.raises(shopdata.Closed):
        with things.client.session() as s, s.transaction():
            s.execute(things.rename, 1, "uno")
            s.close()
    assert things.name() == "one"


def test_on_asyncio(things: Things) -> None:
    async def run() -> None:
        with things.client.session() as s:
            async with s.transaction():
                await s.aexecute(things.rename, 1, "uno")
            with pytest.raises(ZeroDivisionError):
                async with s.transaction():
                    await s.aexecute(things.rename, 2, "due")
                    raise ZeroDivisionError

    asyncio.run(run())
    assert (things.name(1), things.name(2)) == ("uno", "two")


def test_inner_blocks_on_asyncio(things: Things) -> None:
    async def run() -> None:
        with things.client.session() as s:
            async with s.transaction("repeatable read") as outer:
                await s.aexecute(things.rename, 1, "uno")
                with pytest.raises(shopdata.DataError):
                    async with s.transaction():
                        await s.aexecute(things.rename, 2, "due")
                        await s.aquery("SELECT 1/0")
                async with s.transaction() as inner:
                    await s.aexecute(things.rename, 3, "tre")
                    await inner.arollback()
                    with pytest.raises(shopdata.TransactionError, match="leave its block"):
                        await s.aquery(things.by_id, 1)
                assert (await s.aquery("SHOW transaction_isolation")).scalar() == "repeatable read"
                with pytest.raises(shopdata.ProgrammingError, match="are the outer one's"):
                    async with s.transaction("serializable"):
                        pass
            assert outer.fenced
            with pytest.raises(shopdata.ParameterError, match="there are 'read committed'"):
                async with s.transaction("none"):
                    pass
            async with s.transaction() as undone:
                await s.aexecute(things.rename, 1, "due")
                await undone.arollback()
            with pytest.raises(shopdata.ProgrammingError, match="not open"):
                await undone.arollback()

    asyncio.run(run())
    assert [things.name(number) for number in (1, 2, 3)] == ["uno", "two", "three"]


def test_a_swallowed_sql_error_is_not_committed_on_asyncio(things: Things) -> None:
    async def run() -> None:
        with things.client.session() as s:
            with pytest.raises(shopdata.TransactionError):
                async with s.transaction():
                    await s.aexecute(things.rename, 1, "uno")
                    with pytest.raises(shopdata.DataError):
                        await s.aquery("SELECT 1/0")
            assert (await s.aquery(things.by_id, 1)).one().name == "one"

    asyncio.run(run())


class Alarm(BaseException):
    """What a signal's handler raises, right behind a call."""


def raise_behind(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The next call of that function does its work, then a handler raises."""
    work = getattr(_native, name)

    def interrupted(*arguments: object) -> None:
        monkeypatch.setattr(_native, name, work)
        work(*arguments)
        raise Alarm

    monkeypatch.setattr(_native, name, interrupted)


@pytest.mark.parametrize("call", ["begin", "transaction"])
def test_one_that_was_interrupted_as_it_began_is_not_left_open(
    things: Things, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    with things.client.session() as s:
        raise_behind(monkeypatch, "begin")
        with pytest.raises(Alarm):
            s.begin() if call == "begin" else s.transaction().__enter__()
        s.execute(things.rename, 1, "uno")
        assert things.name() == "uno"
        with s.transaction():
            s.execute(things.rename, 1, "due")
    assert things.name() == "due"


def test_a_savepoint_that_was_interrupted_as_it_was_set(things: Things, monkeypatch: pytest.MonkeyPatch) -> None:
    with things.client.session() as s, s.transaction():
        raise_behind(monkeypatch, "savepoint")
        with pytest.raises(Alarm), s.transaction():
            raise AssertionError("it is not entered")
        with s.transaction():
            s.execute(things.rename, 1, "uno")
    assert things.name() == "uno"
