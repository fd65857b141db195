"""A cursor of PEP 249."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Optional, Union

from shopdata import errors
from shopdata.result import Result

if TYPE_CHECKING:
    from shopdata.dbapi.connection import Connection

Parameters = Union[Mapping[str, Any], Sequence[Any], None]
Description = list[tuple[str, int, None, None, None, None, None]]


class Cursor:
    """Runs statements and hands out their rows. The rows of a result are there as a whole: fetching does no I/O."""

    def __init__(self, connection: Connection) -> None:
        self._connection: Optional[Connection] = connection
        self.arraysize = 1
        """How many rows `fetchmany` gives."""
        self.policy: Optional[str] = None
        """The [policy NAME] of the statements to come; None: `default`."""
        self.tags: Sequence[str] = ()
        """Tags of your own, declared on the statements to come."""
        self.primary = False
        """Whether the reads to come ask the primary only."""
        self.cache = True
        """Whether the reads to come may use the cache."""
        self._result: Optional[Result[Any]] = None
        self._rows: Optional[list[tuple[Any, ...]]] = None
        self._description: Optional[Description] = None
        self._rowcount = -1
        self._next = 0

    # ------------------------------------------------------------------------------------------------------ running

    def execute(self, operation: str, parameters: Parameters = None) -> Cursor:
        """Runs one statement and returns the cursor. `parameters`: a mapping for `:name`, a sequence for `$1`."""
        connection = self.connection
        self._forget()
        self._take(connection._run(operation, parameters, self))
        return self

    def executemany(self, operation: str, seq_of_parameters: Sequence[Parameters]) -> Cursor:
        """Runs one statement for each set of parameters. There are no rows of it; `rowcount` is the sum."""
        connection = self.connection
        self._forget()
        changed = 0
        for parameters in seq_of_parameters:
            result = connection._run(operation, parameters, self)
            changed += result.changed if result is not None else 0
        self._rowcount = changed
        return self

    def callproc(self, procname: str, parameters: Sequence[Any] = ()) -> NoReturn:
        """Not supported: what a procedure writes, no SQL tells."""
        raise errors.NotSupportedError(
            f'callproc("{procname}"): execute "CALL {procname}(...)" with the cursor\'s tags set to what it changes; '
            f'"SELECT {procname}(...)" for a function'
        )

    def setinputsizes(self, sizes: Sequence[Any]) -> None:
        """Does nothing: PostgreSQL finds the types out."""
        self._check()

    def setoutputsize(self, size: int, column: Optional[int] = None) -> None:
        """Does nothing: values come whole."""
        self._check()

    # ----------------------------------------------------------------------------------------------------- fetching

    def fetchone(self) -> Optional[tuple[Any, ...]]:
        """The next row, None if there is none. ProgrammingError if the last statement gives no rows."""
        rows = self._fetched()
        if self._next == len(rows):
            return None
        self._next += 1
        row: tuple[Any, ...] = rows[self._next - 1]
        return row

    def fetchmany(self, size: Optional[int] = None) -> list[tuple[Any, ...]]:
        """The next `size` rows, `arraysize` if that is None; fewer at the end."""
        rows = self._fetched()
        begin = self._next
        self._next = min(len(rows), begin + max(0, self.arraysize if size is None else size))
        return rows[begin : self._next]

    def fetchall(self) -> list[tuple[Any, ...]]:
        """All rows that are left."""
        rows = self._fetched()
        begin, self._next = self._next, len(rows)
        return rows[begin:]

    def nextset(self) -> None:
        """None: a statement gives one set of rows."""
        self._check()

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return self

    def __next__(self) -> tuple[Any, ...]:
        row = self.fetchone()
        if row is None:
            raise StopIteration
        return row

    # -------------------------------------------------------------------------------------------------------- facts

    @property
    def connection(self) -> Connection:
        """The connection that made the cursor."""
        self._check()
        assert self._connection is not None
        return self._connection

    @property
    def result(self) -> Optional[Result[Any]]:
        """What the last `execute` gave: where it came from (`.source`), how old it is (`.age`) and so on."""
        return self._result

    @property
    def description(self) -> Optional[Description]:
        """A tuple of name, OID of the type and five times None for each column; None where there are no rows."""
        return self._description

    @property
    def rowcount(self) -> int:
        """How many rows were found or changed; -1 before the first statement."""
        return self._rowcount

    @property
    def rownumber(self) -> Optional[int]:
        """The number of the next row, from 0; None where there are no rows."""
        return None if self._rows is None else self._next

    @property
    def lastrowid(self) -> None:
        """None: use RETURNING."""

    def close(self) -> None:
        """Ends the cursor. Closing twice does no harm."""
        self._connection = None
        self._rows = None

    def __enter__(self) -> Cursor:
        self._check()
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    # ------------------------------------------------------------------------------------------------------- inside

    def _forget(self) -> None:
        self._result = self._rows = self._description = None
        self._rowcount = -1
        self._next = 0

    def _take(self, result: Optional[Result[Any]]) -> None:
        self._result = result
        if result is None:
            return
        self._rowcount = result.changed
        if result.columns:
            self._rows = result.all()
            columns = zip(result.columns, result.types)
            self._description = [(name, oid, None, None, None, None, None) for name, oid in columns]

    def _fetched(self) -> list[tuple[Any, ...]]:
        self._check()
        if self._rows is None:
            raise errors.ProgrammingError("there are no rows to fetch: execute a statement that gives some")
        return self._rows

    def _check(self) -> None:
        if self._connection is None:
            raise errors.InterfaceError("the cursor is closed; get another one from the connection")
        self._connection._check()
