"""Clients: one a process, made of a configuration."""

from __future__ import annotations

import atexit
import logging
import os
import threading
from collections.abc import Iterable, Mapping
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Optional, Union
from weakref import WeakSet

from shopdata import _native
from shopdata.aio import Fronts
from shopdata.errors import ConfigError, ParameterError
from shopdata.metrics import Metrics
from shopdata.session import Session, _milliseconds, _text
from shopdata.statement import KeptStatements, Statement

if TYPE_CHECKING:
    from shopdata._native import Handle

__all__ = ["Client", "open"]

Value = Union[str, int, float, bool, timedelta]
Section = Mapping[str, Union[Value, Mapping[str, Value]]]

_log = logging.getLogger("shopdata")
_log.addHandler(logging.NullHandler())
_LEVELS = {
    _native.LOG_ERROR: logging.ERROR,
    _native.LOG_WARNING: logging.WARNING,
    _native.LOG_INFO: logging.INFO,
    _native.LOG_DEBUG: logging.DEBUG,
}
_NAMED_SECTIONS = {"node": "conninfo", "policy": "ttl"}
_clients: WeakSet[Client] = WeakSet()


def open(path: Union[str, os.PathLike[str], None] = None, /, *, threads: int = 16, **sections: Section) -> Client:
    """Opens a client of a configuration: a file, keywords, or a file with keywords on top.

    It checks, then looks for the nodes in the background: a server that cannot be reached is no error here, the first
    query waits for it. Open one for each process and share it.

    :param path: a file of ``[section]`` and ``key = value`` lines.
    :param threads: how many calls that are awaited (``await session.aquery(...)``) run at a time, as the key
        ``async.threads``; what goes on in a transaction always does.
    :param sections: the sections of the file, by name, each a mapping of its keys:
        ``cache={"kind": "redis", "address": "localhost:6379"}``. Those that have names have a mapping for each, or the
        one value that matters: ``node={"primary": "host=db1", "replica1": {"conninfo": "host=db2", "weight": 2}}``,
        ``policy={"catalog": {"ttl": "5m"}}``. Values are as in the file; a bool is ``on`` or ``off``, a ``timedelta`` a
        duration.
    :raises: :class:`~shopdata.ConfigError` that names every fault.
    """
    config = _native.config_new()
    if path is not None:
        _native.config_read_file(config, os.fspath(path))
    _native.config_set(config, "async.threads", _written("threads", threads))
    for key, value in _keys(sections):
        _native.config_set(config, key, value)
    _native.config_log(config)
    return Client(_native.client_open(config))


class Client:
    """The way to one database and its cache, for any number of threads. :func:`shopdata.open` makes one.

    A client that was opened before ``fork()`` works in the child too, with connections of its own.
    """

    __slots__ = ("__weakref__", "_fronts", "_handle", "_kept")

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self._kept = KeptStatements(lambda sql, policy, tags: Statement(handle, sql, policy, tags))
        self._fronts = Fronts(handle)
        _clients.add(self)

    def close(self) -> None:
        """Lets go of it. Sessions and statements that still stand keep working; the connections close with the last of
        them. Closing twice does no harm."""
        _clients.discard(self)
        self._fronts.close()
        self._kept.clear()
        self._handle.close()

    @property
    def closed(self) -> bool:
        """Has it been closed?"""
        return self._handle.closed

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    def session(
        self,
        *,
        token: Optional[str] = None,
        deadline: Optional[float] = None,
        max_staleness: Optional[float] = None,
        settings: Optional[Mapping[str, str]] = None,
        primary: bool = False,
        cache: bool = True,
    ) -> Session:
        """Makes a session: what one request or one user does. Cheap: make one for each request.

        :param token: of the same user's request before: :meth:`Session.advance`.
        :param deadline: seconds for each call: :meth:`Session.set_deadline`.
        :param max_staleness: seconds: :meth:`Session.set_max_staleness`.
        :param settings: names and values: :meth:`Session.set`.
        :param primary: ask the primary, and no replica; the answer is cached as ever.
        :param cache: ``False``: neither look into the cache nor fill it.
        """
        session = Session(self, _native.session_new(self._handle))
        if primary or not cache:
            session._set_flags(primary, cache)
        if deadline is not None:
            session.set_deadline(deadline)
        if max_staleness is not None:
            session.set_max_staleness(max_staleness)
        for name, value in (settings or {}).items():
            session.set(name, value)
        if token is not None:
            session.advance(token)
        return session

    def statement(self, sql: str, *, policy: Optional[str] = None, tags: Iterable[str] = ()) -> Statement:
        """Makes a statement of SQL: it is parsed, and what may be cached or has to be bumped is worked out. No I/O.

        :param sql: one statement, with ``$1`` or ``:name`` for its parameters.
        :param policy: the name of a ``[policy NAME]``; the default's is ``"default"``.
        :param tags: tags of your own, ``"shelf/$1"`` say: a read hangs on them, a write bumps them. They also declare
            what the SQL does not tell. ``$1`` is the first parameter, also where they have names.
        :raises: :class:`~shopdata.ProgrammingError` for SQL that does not parse, :class:`~shopdata.Refused` for what
            would change a pooled connection.
        """
        if isinstance(tags, str):
            raise ParameterError(f"tags is a list of tags, not a str: [{tags!r}]")
        policy = policy if policy is None else _text(policy, "policy")
        return Statement(self._handle, _text(sql, "sql"), policy, tuple(_text(tag, "a tag") for tag in tags))

    def invalidate(self, *tags: str) -> bool:
        """Bumps tags, for writes that were made elsewhere: ``"public.products/product_id=42"``, ``"public.products"``
        for any row, or tags of your own. ``False`` if the shared cache could not be told yet."""
        return _native.invalidate(self._handle, [_text(tag, "a tag") for tag in tags])

    def ready(self, wait: float = 0.0) -> None:
        """Returns if a node answers reads, else raises :class:`~shopdata.Unavailable` with the reason.

        :param wait: seconds to wait for one at most.
        """
        _native.ready(self._handle, _milliseconds(wait, "wait"))

    def metrics(self) -> Metrics:
        """All counters and gauges, as of one moment."""
        return Metrics(_native.metrics_take(self._handle))

    def __repr__(self) -> str:
        return f"<shopdata.Client: {'closed' if self.closed else 'open'}>"

    def _after_fork(self) -> None:
        self._fronts.after_fork()
        self._kept.after_fork()
        _native.after_fork(self._handle)


def _keys(sections: Mapping[str, Section]) -> Iterable[tuple[str, str]]:
    """The keys and values of all sections, as the library names them."""
    for section, keys in sections.items():
        if not isinstance(keys, Mapping):
            raise ConfigError(f"{section} is a section: a mapping of its keys, not {type(keys).__name__}")
        for key, value in keys.items():
            if isinstance(value, Mapping):
                for inner, innermost in value.items():
                    yield f"{section}.{key}.{inner}", _written(f"{section}.{key}.{inner}", innermost)
            elif section in _NAMED_SECTIONS:
                yield f"{section}.{key}.{_NAMED_SECTIONS[section]}", _written(f"{section}.{key}", value)
            else:
                yield f"{section}.{key}", _written(f"{section}.{key}", value)


def _written(key: str, value: object) -> str:
    """A value as the file would have it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, timedelta):
        return f"{round(value / timedelta(milliseconds=1))}ms"
    raise ConfigError(f"{key}: a value is a str, a number, a bool or a timedelta, not {type(value).__name__}")


def _hear(level: int, line: str) -> None:
    _log.log(_LEVELS.get(level, logging.INFO), "%s", line)


def _close_all() -> None:
    """At exit, while everything is still there: threads of the library must not outlive what they use."""
    for client in list(_clients):
        client.close()


def _main_thread() -> None:
    _native.interrupt_here(threading.main_thread().ident or 0)


def _in_child() -> None:
    """In a forked child, before anything else runs: connections and threads are the parent's."""
    _native.forked()
    _main_thread()
    for client in list(_clients):
        try:
            client._after_fork()
        except Exception:
            _log.exception("a client could not follow into a forked process")


_native.log_to(_hear)
_main_thread()
atexit.register(_close_all)
os.register_at_fork(after_in_child=_in_child)
