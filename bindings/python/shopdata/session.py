"""Sessions: what one request or one user reads and writes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Callable, Optional, TypeVar, Union, overload

from shopdata import _native, aio, targets
from shopdata.errors import ParameterError, ProgrammingError
from shopdata.result import Result
from shopdata.statement import AnyStatement, LazyStatement, Statement

if TYPE_CHECKING:
    from shopdata._native import Handle, Row
    from shopdata.client import Client

__all__ = ["Session", "Transaction"]

T = TypeVar("T")

_ISOLATION = {
    "read committed": _native.READ_COMMITTED,
    "repeatable read": _native.REPEATABLE_READ,
    "serializable": _native.SERIALIZABLE,
}


class Session:
    """What one request or one user does; make it with :meth:`Client.session`.

    It sees its own writes, whoever answers, and does not go back in time. One thread uses it at a time: another one
    gets a :class:`~shopdata.ProgrammingError`. It is cheap, and holds a connection only within a transaction.
    """

    __slots__ = ("__weakref__", "_client", "_depth", "_handle", "_wrote")

    def __init__(self, client: Client, handle: Handle) -> None:
        self._client = client
        self._handle = handle
        self._depth = 0  # of transactions that are open: one, and savepoints in it
        self._wrote = False

    def close(self) -> None:
        """Ends the session; a transaction that is still open is rolled back. Closing twice does no harm."""
        self._handle.close()

    @property
    def closed(self) -> bool:
        """Has it been closed?"""
        return self._handle.closed

    @property
    def client(self) -> Client:
        """The client that it was made of."""
        return self._client

    @property
    def wrote(self) -> bool:
        """Has :meth:`execute` sent anything, whatever became of it? Then its user's next request needs the token."""
        return self._wrote

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    # ------------------------------------------------------------------------------------------------ reads and writes

    @overload
    def query(self, statement: AnyStatement, /, *params: Any, into: None = None, **named: Any) -> Result[Row]: ...
    @overload
    def query(
        self, statement: AnyStatement, /, *params: Any, into: Union[type[T], Callable[..., T]], **named: Any
    ) -> Result[T]: ...
    def query(
        self, statement: AnyStatement, /, *params: Any, into: Optional[Callable[..., Any]] = None, **named: Any
    ) -> Result[Any]:
        """Runs a read: through the cache, else on a replica that is new enough, else on the primary.

        In a transaction it runs on that transaction's connection, and touches no cache.

        :param statement: a statement, or SQL, of which the client keeps the statement.
        :param params: ``$1``, ``$2``... Parameters that have names in the SQL are passed by keyword.
        :param into: a dataclass, a TypedDict or any callable: each row is made one, its columns passed by name.
        :raises: :class:`~shopdata.ParameterError`, :class:`~shopdata.Refused` for a statement that writes,
            :class:`~shopdata.Timeout`, :class:`~shopdata.Busy`, :class:`~shopdata.Unavailable`,
            :class:`~shopdata.TooLarge`, :class:`~shopdata.TransactionError`, and what PostgreSQL says.
        """
        if named or into is not None or type(statement) is not Statement or statement._names is not None:
            statement = self._statement(statement)
            values = statement._values(params, named)
            return _into(into, _native.query(self._handle, statement._handle, values, statement._names))
        return _native.query(self._handle, statement._handle, params, None)

    def query_many(self, calls: Iterable[Any], /) -> list[Result[Row]]:
        """Runs several reads in as few round trips as there are tiers: one to the cache, one to each node.

        :param calls: of each read its statement (or SQL), or a tuple of that and its parameters: ``(statement, 1, 2)``,
            ``(statement, {"id": 1})``.
        :returns: the results in the same order. If one read fails, all do: the error names it, counted from 0.
        """
        return _native.query_many(self._handle, [self._call(call) for call in calls])

    def execute(self, statement: AnyStatement, /, *params: Any, **named: Any) -> Result[Row]:
        """Runs a write on the primary, in a transaction of its own unless one is open.

        When it returns, no cached statement answers with older rows, in any process (what another one keeps itself may
        trail by ``local.coherence``). Parameters are as in :meth:`query`. The result has ``changed``, the rows of
        ``RETURNING``, and ``fenced``: ``False`` if the write stands, but the shared cache could not be told of it yet.

        :raises: :class:`~shopdata.AmbiguousCommit` if nobody knows whether it stands; after all others nothing was
            written: those of :meth:`query`, and :class:`~shopdata.Refused` if the SQL does not tell what it writes.
        """
        statement = self._statement(statement)
        values = statement._values(params, named)
        self._wrote = True
        return _native.execute(self._handle, statement._handle, values, statement._names)

    @overload
    async def aquery(
        self, statement: AnyStatement, /, *params: Any, into: None = None, **named: Any
    ) -> Result[Row]: ...
    @overload
    async def aquery(
        self, statement: AnyStatement, /, *params: Any, into: Union[type[T], Callable[..., T]], **named: Any
    ) -> Result[T]: ...
    async def aquery(
        self, statement: AnyStatement, /, *params: Any, into: Optional[Callable[..., Any]] = None, **named: Any
    ) -> Result[Any]:
        """:meth:`query` for asyncio: no thread waits for it. Cancelling the task cancels the query."""
        result: Result[Any] = await aio.call(self, "one", lambda: [self._named_call(statement, params, named)])
        return _into(into, result)

    async def aquery_many(self, calls: Iterable[Any], /) -> list[Result[Row]]:
        """:meth:`query_many` for asyncio, as :meth:`aquery`."""
        results: list[Result[Row]] = await aio.call(self, "many", lambda: [self._call(call) for call in calls])
        return results

    async def aexecute(self, statement: AnyStatement, /, *params: Any, **named: Any) -> Result[Row]:
        """:meth:`execute` for asyncio, as :meth:`aquery`. A write that is cancelled after COMMIT was sent may stand:
        where nobody knows, the ``CancelledError`` has :class:`~shopdata.AmbiguousCommit` as its ``__context__``."""
        self._wrote = True
        result: Result[Row] = await aio.call(self, "write", lambda: [self._named_call(statement, params, named)])
        return result

    # ---------------------------------------------------------------------------------------------------- transactions

    def transaction(self, isolation: Optional[str] = None, *, read_only: bool = False) -> Transaction:
        """A transaction on the primary, for ``with`` or ``async with``: committed at the end of the block, rolled back
        if an exception leaves it. Within another one it is a savepoint.

        :param isolation: ``"read committed"`` (the default), ``"repeatable read"`` or ``"serializable"``.
        :param read_only: PostgreSQL refuses writes in it.
        """
        return Transaction(self, isolation, read_only)

    def begin(self, isolation: Optional[str] = None, *, read_only: bool = False) -> None:
        """Opens a transaction, for those who end it by hand; :meth:`transaction` is less to forget."""
        flags = _flags(isolation, read_only)
        try:
            _native.begin(self._handle, flags)
            self._depth = 1
        except ProgrammingError:  # one is open already, or another thread is in the session
            raise
        except BaseException:  # a signal's handler may have raised when it had begun: nobody else would end it
            self._abandon()
            raise

    def commit(self) -> bool:
        """Commits the open transaction, which is over then in every case.

        :returns: ``False`` if it stands, but the shared cache could not be told of it yet.
        """
        self._depth = 0
        return _native.commit(self._handle)

    def rollback(self) -> None:
        """Undoes the open transaction."""
        self._depth = 0
        _native.rollback(self._handle)

    def _abandon(self) -> None:
        with contextlib.suppress(Exception):
            self.rollback()

    # -------------------------------------------------------------------------------------------------------- settings

    @property
    def token(self) -> str:
        """What the session wrote and saw, as a short text for the user's next request, wherever that is answered.

        Take it when the request is done. ASCII letters, digits, ``-``, ``_`` and ``.``; at most 1536 of them.
        """
        return _native.session_token(self._handle)

    def advance(self, token: str) -> None:
        """Takes a token: from now on the session reads as if it had done itself what the token tells.

        :class:`~shopdata.ProgrammingError` for a text that is no token, or not signed where ``token_keys`` are set; the
        session goes on as it was.
        """
        _native.session_advance(self._handle, _text(token, "token"))

    def set_deadline(self, seconds: float) -> None:
        """Gives every later call so many seconds, from 0.001 to 86400, in place of the configuration's ``deadline``."""
        _native.session_set_deadline(self._handle, _milliseconds(seconds, "deadline"))

    def set_max_staleness(self, seconds: float) -> None:
        """Lets every later read lack what others wrote up to so many seconds ago, so that more of them come from the
        cache and from replicas; 0 takes it back. It never lacks what the session itself wrote."""
        _native.session_set_max_staleness(self._handle, _milliseconds(seconds, "max_staleness"))

    def set(self, name: str, value: Optional[str]) -> None:
        """Declares a setting, ``"app.tenant"`` say, for ``current_setting()`` in row-level security policies.

        What depends on it is cached for each value by itself. ``None`` takes it back. Not within a transaction.
        """
        _native.session_set(self._handle, _text(name, "name"), value if value is None else _text(value, "value"))

    def _set_flags(self, primary: bool, cache: bool) -> None:
        flags = (_native.PRIMARY if primary else 0) | (0 if cache else _native.NO_CACHE)
        _native.session_set_flags(self._handle, flags)

    # ------------------------------------------------------------------------------------------------------- internals

    def _statement(self, statement: object) -> Statement:
        if isinstance(statement, Statement):
            return statement
        if isinstance(statement, str):
            return self._client._kept.get(statement)
        if isinstance(statement, LazyStatement):
            return statement.of(self._client)
        raise ParameterError(f"a Statement or SQL as a str is wanted, not {type(statement).__name__}")

    def _call(self, call: object) -> aio.Call:
        """One read of `query_many`: the statement's handle, its values in order, and their names."""
        parts = call if isinstance(call, (tuple, list)) else (call,)
        if not parts:
            raise ParameterError("a call of query_many is a statement, or a tuple of it and its parameters, not ()")
        statement = self._statement(parts[0])
        return statement._handle, statement._values(tuple(parts[1:]), {}), statement._names

    def _named_call(self, statement: object, params: tuple[Any, ...], named: dict[str, Any]) -> aio.Call:
        """The same of one call, whose parameters may be named by keyword."""
        found = self._statement(statement)
        return found._handle, found._values(params, named), found._names

    def __repr__(self) -> str:
        state = "closed" if self.closed else "in a transaction" if self._depth else "open"
        return f"<shopdata.Session: {state}>"


class Transaction:
    """What :meth:`Session.transaction` returns: ``with session.transaction():``."""

    __slots__ = ("_around", "_isolation", "_read_only", "_savepoint", "_session", "_state", "fenced")

    fenced: bool
    """After the block: ``False`` if the writes stand, but the shared cache could not be told of them yet."""

    def __init__(self, session: Session, isolation: Optional[str], read_only: bool) -> None:
        self._session = session
        self._isolation = isolation
        self._read_only = read_only
        self._savepoint: Optional[str] = None
        self._around = 0  # how many are open around it
        self._state = "new"
        self.fenced = True

    def __enter__(self) -> Transaction:
        self._enter()
        try:
            self._open()
        except BaseException as error:
            if self._session._depth > self._around:  # a signal's handler raised: it is open, and no block will end it
                self._undo_for(error)
            raise
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        if self._state == "undone":
            self._leave_undone()
        elif error is None:
            self.fenced = self._run(self._ending())
        else:
            self._undo_for(error)

    def rollback(self) -> None:
        """Undoes at once what was done in the block. What is left of the block can do nothing more in the session."""
        self._check_open()
        self._run(self._undoing())
        self._block()

    async def arollback(self) -> None:
        """:meth:`rollback` for asyncio."""
        self._check_open()
        await aio.finish(self._session, self._undoing())
        self._block()

    async def __aenter__(self) -> Transaction:
        self._enter()
        step = self._first()
        await aio.begin(self._session, step, lambda: self._steps_to_undo(step[2]))
        self._began(step[2])
        return self

    async def __aexit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        if self._state == "undone":
            self._leave_undone()
        elif error is None:
            self.fenced = await aio.finish(self._session, self._ending())
        else:
            with self._undoing_for(error):
                await aio.finish(self._session, self._undoing())

    def _enter(self) -> None:
        if self._state != "new":
            raise ProgrammingError("a transaction is entered once; ask session.transaction() for another one")
        self._around = self._session._depth

    def _check_open(self) -> None:
        if self._state != "open":
            raise ProgrammingError("the transaction is not open: it was rolled back, or its block is over")

    def _block(self) -> None:
        self._state = "undone"
        self._session._handle.block("the transaction was rolled back; leave its block first")

    # ----------------------------------------------------------------------------------------------------------- steps

    def _first(self) -> aio.Step:
        if not self._around:
            return _native.STEP_BEGIN, _flags(self._isolation, self._read_only), None
        if self._isolation is not None or self._read_only:
            raise ProgrammingError("an inner transaction is a savepoint: isolation and read_only are the outer one's")
        return _native.STEP_SAVEPOINT, 0, f"shopdata_{self._around}"

    def _ending(self) -> list[aio.Step]:
        self._leave()
        if self._savepoint is None:
            return [(_native.STEP_COMMIT, 0, None)]
        return [(_native.STEP_RELEASE, 0, self._savepoint)]

    def _undoing(self) -> list[aio.Step]:
        self._leave()
        return self._steps_to_undo(self._savepoint)

    def _steps_to_undo(self, savepoint: Optional[str]) -> list[aio.Step]:
        if savepoint is None:
            return [(_native.STEP_ROLLBACK, 0, None)]
        return [(_native.STEP_ROLLBACK_TO, 0, savepoint), (_native.STEP_RELEASE, 0, savepoint)]

    def _open(self) -> None:
        _, _, savepoint = self._first()
        if savepoint is None:
            self._session.begin(self._isolation, read_only=self._read_only)
        else:
            _native.savepoint(self._session._handle, savepoint)
        self._began(savepoint)

    def _began(self, savepoint: Optional[str]) -> None:
        self._savepoint = savepoint
        self._session._depth = self._around + 1
        self._state = "open"

    def _leave(self) -> None:
        """Who ended the outer transaction by hand left none of them open."""
        self._state = "over"
        self._session._depth = min(self._session._depth, self._around)

    def _run(self, steps: list[aio.Step]) -> bool:
        fenced = True
        for step in steps:
            fenced = _now(self._session._handle, step)
        return fenced

    def _undo_for(self, error: BaseException) -> None:
        with self._undoing_for(error):
            self._run(self._undoing())

    @contextlib.contextmanager
    def _undoing_for(self, error: BaseException) -> Iterator[None]:
        """What goes wrong now does not take the place of what went wrong first."""
        try:
            yield
        except Exception as further:
            if error.__context__ is None and further is not error:
                error.__context__ = further

    def _leave_undone(self) -> None:
        self._state = "over"
        self._session._handle.block(None)


def _now(session: Handle, step: aio.Step) -> bool:
    """Takes a step that ends something; ``False`` if it stands, but the shared cache could not be told of it yet."""
    what, _, savepoint = step
    if what == _native.STEP_COMMIT:
        return _native.commit(session)
    if what == _native.STEP_ROLLBACK or savepoint is None:
        _native.rollback(session)
    elif what == _native.STEP_ROLLBACK_TO:
        _native.rollback_to(session, savepoint)
    else:
        _native.release(session, savepoint)
    return True


def _flags(isolation: Optional[str], read_only: bool) -> int:
    level = _native.READ_COMMITTED if isolation is None else _ISOLATION.get(isolation)
    if level is None:
        raise ParameterError(f"isolation {isolation!r}; there are {', '.join(map(repr, _ISOLATION))}")
    return level | (_native.READ_ONLY if read_only else 0)


def _text(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise ParameterError(f"{what} is a str, not {type(value).__name__}")
    return value


def _milliseconds(seconds: object, what: str) -> int:
    """Seconds as the library wants them; the ranges it checks itself, once the number fits."""
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or seconds != seconds:
        raise ParameterError(f"{what} is a number of seconds, not {seconds!r}")
    return round(min(max(seconds, -1e15), 1e15) * 1000)


def _into(into: Optional[Callable[..., Any]], result: Result[Any]) -> Result[Any]:
    if into is not None:
        result._rows = targets.rows_into(into, result)
    return result
