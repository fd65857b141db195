"""What a query or a write returns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Optional, SupportsIndex, TypeVar, overload

from shopdata import _native
from shopdata.errors import ManyRows, NoRow

__all__ = ["Result"]

T = TypeVar("T")


class Result(_native.Answer, Sequence[T]):
    """The rows of an answer, in order, and where they came from. It never changes and needs no connection.

    Iterate over it, index it, ask for its length, or let :meth:`one`, :meth:`scalar` and the like say how many rows
    there have to be. Besides, it tells

    ``columns``
        the names of the columns;
    ``types``
        PostgreSQL's type OIDs of the columns: 23 is ``int4``, 25 ``text``;
    ``changed``
        how many rows a write inserted, updated or deleted; for a read, the rows that it found;
    ``fenced``
        ``False`` if a write stands, but the shared cache could not be told of it yet;
    ``source``
        who answered: ``"cache"``, ``"replica"``, ``"primary"``, ``"local"`` for the cache in this process,
        or ``"stale"`` for an old answer that was allowed;
    ``node``
        the node that read the rows from the database, also if they come from the cache;
    ``age``
        seconds since it read them (``None``: not known);
    ``staleness``
        a bound in seconds for how long ago a write may have overtaken the rows; 0.0: none that had returned before
        the call began has; ``None``: not known.
    """

    __slots__ = ()

    if TYPE_CHECKING:  # what the extension module does for a sequence of anything

        def __iter__(self) -> Iterator[T]: ...
        @overload
        def __getitem__(self, index: SupportsIndex) -> T: ...
        @overload
        def __getitem__(self, index: slice) -> list[T]: ...
        def __getitem__(self, index: Any) -> Any: ...

    def all(self) -> list[T]:
        """All rows, as a new list."""
        return list(self._rows)

    def first(self) -> Optional[T]:
        """The first row; ``None`` if there is none."""
        return self._rows[0] if self._rows else None

    def one(self) -> T:
        """The only row. :class:`~shopdata.NoRow` and :class:`~shopdata.ManyRows` if it is not so."""
        rows: list[T] = self._rows
        if len(rows) != 1:
            raise self._not_one()
        return rows[0]

    def one_or_none(self) -> Optional[T]:
        """The only row, or ``None`` if there is no row. :class:`~shopdata.ManyRows` if there are several."""
        return self.one() if self._rows else None

    def scalar(self) -> Any:
        """The first column of the only row. :class:`~shopdata.NoRow` and :class:`~shopdata.ManyRows` as :meth:`one`."""
        row = self.one()
        return row[0] if isinstance(row, tuple) else row

    def __repr__(self) -> str:
        return f"<shopdata.Result: {len(self)} rows of {', '.join(self.columns) or 'no columns'}, from {self.source}>"

    def _not_one(self) -> Exception:
        if not self._rows:
            return NoRow("one row was wanted, and there is none; one_or_none() allows for that")
        return ManyRows(f"one row was wanted, and there are {len(self._rows)}; all() or a loop takes them")


_native.answers_are(Result)
