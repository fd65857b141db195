"""What the connections of one client have in common: what they wrote, and which statements need a transaction."""

from __future__ import annotations

import os
import threading
from collections.abc import MutableMapping
from typing import Optional
from weakref import WeakKeyDictionary

from shopdata.client import Client
from shopdata.session import Session
from shopdata.statement import Statement

_shared: MutableMapping[Client, Shared] = WeakKeyDictionary()
_shared_lock = threading.RLock()  # a signal's handler may ask, too


class Shared:
    """One for each client. Any number of threads."""

    def __init__(self) -> None:
        self.writes = 0
        """How often a connection has told of a write."""
        self._token = ""
        self._lock = threading.RLock()
        self._free: MutableMapping[Statement, bool] = WeakKeyDictionary()

    def wrote(self, session: Session) -> int:
        """The session has written: from now on others read as if they had. Returns the number of this write."""
        with self._lock:
            if self._token:
                session.advance(self._token)  # what others wrote since: one token stands for all
            self._token = session.token
            self.writes += 1
            return self.writes

    def advance(self, session: Session) -> int:
        """Lets the session see what all have written. Returns the number of the last write that it sees."""
        with self._lock:
            token, writes = self._token, self.writes
        session.advance(token)
        return writes

    def is_free(self, statement: Statement) -> bool:
        """A read that is the same within a transaction and outside: it writes nothing and takes no locks."""
        free: Optional[bool] = self._free.get(statement)
        if free is None:
            free = statement.is_read and statement.explain().startswith("read, ")
            self._free[statement] = free
        return free


def shared_by(client: Client) -> Shared:
    """What the client's connections share."""
    with _shared_lock:
        return _shared.setdefault(client, Shared())


def _in_child() -> None:
    """In a forked child: another thread of the parent may have held a lock, and does not exist here."""
    global _shared_lock
    _shared_lock = threading.RLock()
    for shared in list(_shared.values()):
        shared._lock = threading.RLock()


os.register_at_fork(after_in_child=_in_child)
