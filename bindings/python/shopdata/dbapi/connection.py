"""A connection of PEP 249: a session of a client, and the transaction that it may have begun."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Callable, Literal, Optional, Union

from shopdata import _native, errors
from shopdata.client import Client, open as open_client
from shopdata.dbapi.cursor import Cursor, Parameters
from shopdata.dbapi.shared import shared_by
from shopdata.result import Result
from shopdata.statement import Statement

Isolation = Literal["read committed", "repeatable read", "serializable"]
READ_COMMITTED = "read committed"
# By the name asked for: PostgreSQL's READ UNCOMMITTED is its READ COMMITTED.
_ISOLATIONS: dict[str, Isolation] = {
    "read uncommitted": "read committed",
    "read committed": "read committed",
    "repeatable read": "repeatable read",
    "serializable": "serializable",
}
_SAVEPOINT = re.compile(
    r"\s*(?:(?P<set>SAVEPOINT)|(?P<release>RELEASE)(?:\s+SAVEPOINT)?|ROLLBACK(?:\s+WORK|\s+TRANSACTION)?\s+TO(?:\s+SAVEPOINT)?)"
    r'\s+(?P<name>"(?:[^"]|"")+"|\w+)\s*;?\s*',
    re.IGNORECASE,
)
_CONTROL = re.compile(r"\s*(BEGIN|START|COMMIT|END|ROLLBACK|ABORT)\b", re.IGNORECASE)


def connect(
    config: Union[str, os.PathLike[str], None] = None,
    *,
    client: Optional[Client] = None,
    autocommit: bool = False,
    isolation_level: str = READ_COMMITTED,
    read_only: bool = False,
    lazy: bool = True,
    share_writes: bool = True,
    deadline: Optional[float] = None,
    settings: Optional[Mapping[str, str]] = None,
    on_close: Optional[Callable[[], None]] = None,
    **sections: Any,
) -> Connection:
    """Makes a connection.

    config, sections: as for `shopdata.open`: a client is opened for this connection and closed with it.
    client: the client to use instead; it stays yours, and may have any number of connections.
    autocommit: each statement is a transaction of its own.
    isolation_level: "read committed", "repeatable read" or "serializable".
    read_only: what writes is rejected.
    lazy: a transaction begins with its first write, and reads before that go through cache and replicas; False: with
        its first statement.
    share_writes: this connection sees at once what other connections of the client have written, also where it reads
        from replicas.
    deadline: seconds that a call may take; None: the configuration's.
    settings: declared settings, {"app.tenant": "42"}, for row-level security.
    on_close: called when the connection was closed, for who counts those of a client.

    Errors: ConfigError; InterfaceError if both a client and a configuration are given.
    """
    if client is not None and (config is not None or sections):
        raise errors.InterfaceError("connect() takes a client or the configuration for one, not both")
    if client is None:
        client = open_client(config, **sections)
        on_close = client.close
    connection = Connection(
        client, deadline=deadline, settings=settings, lazy=lazy, share_writes=share_writes, on_close=on_close
    )
    connection.isolation_level = isolation_level
    connection.read_only = read_only
    connection.autocommit = autocommit
    return connection


class Connection:
    """A connection, made by `connect`. For one thread at a time.

    As a context manager it commits at the block's end, or rolls back if that raised; it stays open.
    """

    Warning = errors.Warning
    Error = errors.Error
    InterfaceError = errors.InterfaceError
    DatabaseError = errors.DatabaseError
    DataError = errors.DataError
    OperationalError = errors.OperationalError
    IntegrityError = errors.IntegrityError
    InternalError = errors.InternalError
    ProgrammingError = errors.ProgrammingError
    NotSupportedError = errors.NotSupportedError

    def __init__(
        self,
        client: Client,
        *,
        deadline: Optional[float] = None,
        settings: Optional[Mapping[str, str]] = None,
        lazy: bool = True,
        share_writes: bool = True,
        on_close: Optional[Callable[[], None]] = None,
    ) -> None:
        self.client = client
        self._on_close = on_close
        self._session = client.session(deadline=deadline, settings=settings)
        self._shared = shared_by(client)
        self._share_writes = share_writes
        self._seen = 0  # of the writes that the client's connections share
        self._lazy = lazy
        self._autocommit = False
        self._isolation = READ_COMMITTED
        self._read_only = False
        self._flags = (False, True)  # the primary only; the cache too
        self._begun = self._wrote = self._closed = False

    # ------------------------------------------------------------------------------------------------ transactions

    def commit(self) -> None:
        """Commits what was written since the last commit or rollback; without a write it does nothing.

        Errors: AmbiguousCommit if the connection to the server was lost meanwhile; other errors: nothing was written.
        """
        self._check()
        if self._begun:
            self._begun = False  # it is over in every case
            try:
                self._session.commit()
            finally:
                self._tell()

    def rollback(self) -> None:
        """Takes back what was written since the last commit or rollback. Without a transaction it does nothing."""
        self._check()
        if self._begun:
            self._begun = self._wrote = False
            self._session.rollback()

    def close(self) -> None:
        """Ends the connection; what was not committed is rolled back. Closing twice does no harm."""
        if self._closed:
            return
        try:
            self.rollback()
        finally:
            self._closed = True
            self._session.close()
            if self._on_close is not None:
                self._on_close()

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction has begun on the primary."""
        return self._begun

    def savepoint(self, name: str) -> None:
        """Sets a savepoint; begins the transaction if need be. `SAVEPOINT name` as a statement does the same."""
        self._check()
        if self._autocommit and not self._begun:
            raise errors.TransactionError("a savepoint is one in a transaction: there is none with autocommit")
        self._begin()
        _native.savepoint(self._session._handle, name)

    def rollback_to(self, name: str) -> None:
        """Takes back what was written since the savepoint, which stays. Also as `ROLLBACK TO SAVEPOINT name`."""
        self._check()
        _native.rollback_to(self._session._handle, name)

    def release(self, name: str) -> None:
        """Forgets a savepoint and keeps what was written since. Also as `RELEASE SAVEPOINT name`."""
        self._check()
        _native.release(self._session._handle, name)

    # ----------------------------------------------------------------------------------------------------- settings

    @property
    def autocommit(self) -> bool:
        """Whether each statement is a transaction of its own. Not to be set within a transaction: TransactionError."""
        return self._autocommit

    @autocommit.setter
    def autocommit(self, value: bool) -> None:
        self._check_between("autocommit")
        self._autocommit = bool(value)

    @property
    def isolation_level(self) -> str:
        """"read committed", "repeatable read" or "serializable", for the transactions to come.

        "read uncommitted" is taken too: PostgreSQL knows it as "read committed".
        """
        return self._isolation

    @isolation_level.setter
    def isolation_level(self, value: str) -> None:
        self._check_between("isolation_level")
        if value.lower() not in _ISOLATIONS:
            raise errors.InterfaceError(f"no isolation level {value!r}: there are {', '.join(_ISOLATIONS)}")
        self._isolation = value.lower()

    @property
    def read_only(self) -> bool:
        """Whether the transactions to come may only read."""
        return self._read_only

    @read_only.setter
    def read_only(self, value: bool) -> None:
        self._check_between("read_only")
        self._read_only = bool(value)

    @property
    def token(self) -> str:
        """What this connection has written and seen, for another one of the same user: see `Session.token`."""
        self._check()
        return self._session.token

    def advance(self, token: str) -> None:
        """Lets the connection see what a token tells of: see `Session.advance`."""
        self._check()
        self._session.advance(token)

    # ------------------------------------------------------------------------------------------------------ cursors

    def cursor(self) -> Cursor:
        """A new cursor."""
        self._check()
        return Cursor(self)

    def __enter__(self) -> Connection:
        self._check()
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        if self._closed:
            return
        if kind is None:
            self.commit()
        else:
            self.rollback()

    # ------------------------------------------------------------------------------------------- what cursors ask for

    def _run(self, sql: str, parameters: Parameters, cursor: Cursor) -> Optional[Result[Any]]:
        """Runs one statement; None for a savepoint."""
        self._check()
        if not isinstance(sql, str):
            raise errors.ParameterError(f"SQL is a str, not {type(sql).__name__}")
        if self._ran_savepoint(sql):
            return None
        statement = self._statement(sql, cursor)
        values = _values(statement, parameters)
        self._set_flags(cursor)
        if not self._begun and not self._may_stay_outside(statement):
            self._begin()
        if statement.is_read:
            try:
                return self._query(statement, values)
            except errors.Refused:  # it calls what may write, says the database: it is run so, or refused for good
                if not self._autocommit:
                    self._begin()
        return self._execute(statement, values)

    def _set_flags(self, cursor: Cursor) -> None:
        flags = (cursor.primary, cursor.cache)
        if flags != self._flags:
            self._session._set_flags(*flags)
            self._flags = flags

    def _query(self, statement: Statement, values: Sequence[Any]) -> Result[Any]:
        if not self._begun and self._share_writes and self._seen != self._shared.writes:
            self._seen = self._shared.advance(self._session)
        return self._session.query(statement, *values)

    def _execute(self, statement: Statement, values: Sequence[Any]) -> Result[Any]:
        self._wrote = True
        try:
            if self._read_only and not self._begun:
                with self._session.transaction(read_only=True):  # of its own: the server says what it rejects
                    return self._session.execute(statement, *values)
            return self._session.execute(statement, *values)
        finally:
            if not self._begun:
                self._tell()

    def _may_stay_outside(self, statement: Statement) -> bool:
        if self._autocommit:
            return True
        return self._lazy and _ISOLATIONS[self._isolation] == READ_COMMITTED and self._shared.is_free(statement)

    def _begin(self) -> None:
        if not self._begun:
            self._session.begin(isolation=_ISOLATIONS[self._isolation], read_only=self._read_only)
            self._begun = True

    def _tell(self) -> None:
        if self._wrote and self._share_writes:
            self._seen = self._shared.wrote(self._session)
        self._wrote = False

    def _ran_savepoint(self, sql: str) -> bool:
        match = _SAVEPOINT.fullmatch(sql)
        if not match:
            return False
        name = match["name"]
        name = name[1:-1].replace('""', '"') if name.startswith('"') else name.lower()
        if match["set"]:
            self.savepoint(name)
        elif match["release"]:
            self.release(name)
        else:
            self.rollback_to(name)
        return True

    def _statement(self, sql: str, cursor: Cursor) -> Statement:
        if isinstance(cursor.tags, str):
            raise errors.ParameterError(f"tags is a list of tags, not a str: [{cursor.tags!r}]")
        try:
            return self.client._kept.get(sql, cursor.policy, tuple(cursor.tags))
        except errors.Refused:
            if _CONTROL.match(sql):
                raise errors.Refused(
                    "transactions are not begun and ended by SQL: they begin by themselves, and end with the "
                    f"connection's commit() and rollback(): {sql.strip()[:60]}"
                ) from None
            raise

    def _check(self) -> None:
        if self._closed:
            raise errors.Closed("the connection is closed; open another one with connect()")

    def _check_between(self, what: str) -> None:
        self._check()
        if self._begun:
            raise errors.TransactionError(f"{what} is set between transactions: commit() or rollback() first")


def _values(statement: Statement, parameters: Parameters) -> Sequence[Any]:
    """What `Session.query` takes: values by number, or one mapping of values by name."""
    if isinstance(parameters, (str, bytes)):
        raise errors.ParameterError(f"parameters are a sequence or a mapping, not {type(parameters).__name__}")
    if not isinstance(parameters, Mapping):
        return () if parameters is None else tuple(parameters)
    if parameters and statement._names is None:
        raise errors.ParameterError("the statement's parameters have numbers: pass a sequence, not a mapping")
    return (parameters,) if parameters else ()
