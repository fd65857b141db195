"""Statements: SQL that was looked at once, and is run often."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Callable, Optional, Union
from weakref import WeakKeyDictionary

from shopdata import _native
from shopdata.errors import ParameterError
from shopdata.parameters import parse, values_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from shopdata._native import Handle
    from shopdata.client import Client

__all__ = ["AnyStatement", "LazyStatement", "Statement"]


class Statement:
    """One SQL statement under one policy. It never changes; any number of threads and sessions share it.

    Make it with :meth:`Client.statement`, once, and keep it.
    """

    __slots__ = ("__weakref__", "_handle", "_names", "_policy", "_sql", "_tags")

    def __init__(self, client: Handle, sql: str, policy: Optional[str], tags: tuple[str, ...]) -> None:
        parsed = parse(sql)
        self._handle = _native.statement_new(client, policy, parsed.sql)
        self._names = parsed.names
        self._policy = policy
        self._sql = sql
        self._tags = tags
        for tag in tags:
            _native.statement_add_tag(self._handle, tag)

    @property
    def sql(self) -> str:
        """The text as it was given."""
        return self._sql

    @property
    def policy(self) -> str:
        """The name of its ``[policy NAME]``."""
        return self._policy or "default"

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags that were added to those that the SQL tells."""
        return self._tags

    @property
    def parameters(self) -> tuple[str, ...]:
        """Its parameters: their names, or ``("$1", "$2")``."""
        if self._names is not None:
            return self._names
        return tuple(f"${number + 1}" for number in range(_native.statement_parameters(self._handle)))

    @property
    def is_read(self) -> bool:
        """Does it belong into :meth:`Session.query`, rather than :meth:`Session.execute`?

        Until its first use this goes by the SQL alone: a read that calls a function which may write is found out then.
        """
        return _native.statement_is_read(self._handle)

    def explain(self) -> str:
        """A few lines about what the library made of the SQL: cached or not and why, on which tags it hangs, or which
        it bumps. Asks the database for the tables' keys if they are not known yet."""
        return _native.statement_explain(self._handle)

    def close(self) -> None:
        """Lets go of it, before the garbage collector would. Using it afterwards is :class:`~shopdata.Closed`."""
        self._handle.close()

    def __repr__(self) -> str:
        return f"<shopdata.Statement: {self._sql!r}>"

    def _values(self, params: tuple[Any, ...], named: Mapping[str, Any]) -> tuple[Any, ...]:
        """The parameters of a call in the order of their numbers."""
        if self._names is not None:
            return values_of(self._names, params, named)
        if named:
            raise ParameterError(f"the statement has no parameter {', '.join(f':{name}' for name in named)}")
        return params


class LazyStatement:
    """SQL that stands in a module before there is a client: each client makes its own statement of it, at its first use
    there. It goes wherever a :class:`Statement` goes; whether the SQL is right is found out then.
    """

    __slots__ = ("_made", "_policy", "_sql", "_tags")

    def __init__(self, sql: str, *, policy: Optional[str] = None, tags: Iterable[str] = ()) -> None:
        self._sql = sql
        self._policy = policy
        self._tags = tags if isinstance(tags, str) else tuple(tags)  # Client.statement tells what is wrong with a str
        self._made: WeakKeyDictionary[Client, Statement] = WeakKeyDictionary()

    def of(self, client: Client) -> Statement:
        """The client's own statement."""
        made = self._made.get(client)
        if made is None:
            made = self._made[client] = client.statement(self._sql, policy=self._policy, tags=self._tags)
        return made

    def __repr__(self) -> str:
        return f"<shopdata.LazyStatement: {self._sql!r}>"


AnyStatement = Union[Statement, LazyStatement, str]
"""What a session runs: a statement, or SQL that the client makes one of."""


class KeptStatements:
    """Statements made of plain SQL, kept for the next time; the one that was not used for longest goes first."""

    def __init__(
        self, make: Callable[[str, Optional[str], tuple[str, ...]], Statement], limit: int = 1000
    ) -> None:
        self._make = make
        self._limit = limit
        self._kept: OrderedDict[tuple[str, Optional[str], tuple[str, ...]], Statement] = OrderedDict()
        self._lock = threading.RLock()  # a signal's handler may ask, too

    def get(self, sql: str, policy: Optional[str] = None, tags: tuple[str, ...] = ()) -> Statement:
        """The statement of this text; any number of threads at once."""
        key = (sql, policy, tags)
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found
        made = self._make(sql, policy, tags)
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > self._limit:
                self._kept.popitem(last=False)
        return made

    def clear(self) -> None:
        """Lets go of all of them."""
        with self._lock:
            self._kept.clear()

    def after_fork(self) -> None:
        """In a forked child: another thread of the parent may have held the lock, and does not exist here."""
        self._lock = threading.RLock()
