"""SQLAlchemy's dialect: PostgreSQL's own, with shopdata as the driver."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from types import ModuleType
from typing import Any, Optional

from sqlalchemy import event, exc
from sqlalchemy.dialects.postgresql.base import PGDialect, PGExecutionContext
from sqlalchemy.engine import URL, Engine

from shopdata import dbapi, errors
from shopdata.client import Client, open as open_client
from shopdata.sqlalchemy.types import colspecs
from shopdata.sqlalchemy.url import connect_arguments

_ISOLATIONS = ("AUTOCOMMIT", "READ COMMITTED", "READ UNCOMMITTED", "REPEATABLE READ", "SERIALIZABLE")
_OF_CONNECTIONS = ("autocommit", "isolation_level", "read_only", "lazy", "share_writes", "deadline", "settings")


class ExecutionContext(PGExecutionContext):
    """Hands the options of a statement to its cursor."""

    def pre_exec(self) -> None:
        """Before the cursor executes."""
        options = self.execution_options
        cursor: Any = self.cursor
        cursor.policy = options.get("shopdata_policy")
        cursor.tags = options.get("shopdata_tags", ())
        cursor.primary = options.get("shopdata_primary", False)
        cursor.cache = options.get("shopdata_cache", True)
        super().pre_exec()  # type: ignore[no-untyped-call]


# Of all engines: what is done under it takes no time.
_lock = threading.RLock()


class SharedClient:
    """A client, closed when the engine and its last connection have given it back."""

    def __init__(self, arguments: dict[str, Any]) -> None:
        sections = dict(arguments)
        self.client: Client = open_client(sections.pop("config", None), **sections)
        self.arguments = arguments
        self._users = 1

    def take(self) -> SharedClient:
        """One more uses it."""
        with _lock:
            self._users += 1
        return self

    def give(self) -> None:
        """One less uses it."""
        with _lock:
            self._users -= 1
            last = self._users == 0
        if last:
            self.client.close()


class ShopdataDialect(PGDialect):
    """One for each engine; its connections share a client, which is opened with the first and closed by `dispose`."""

    driver = "shopdata"
    default_paramstyle = "numeric_dollar"
    supports_statement_cache = True
    supports_sane_multi_rowcount = True
    supports_server_side_cursors = False
    supports_native_decimal = True
    colspecs = colspecs
    execution_ctx_cls = ExecutionContext

    def __init__(self, paramstyle: str = "numeric_dollar", **kwargs: Any) -> None:
        # Not the driver's own :name, which in a slice [:a::b] could be two things.
        super().__init__(paramstyle=paramstyle, **kwargs)  # type: ignore[no-untyped-call]
        self._shared: Optional[SharedClient] = None

    @classmethod
    def import_dbapi(cls) -> ModuleType:
        """The driver."""
        return dbapi

    # -------------------------------------------------------------------------------------------------- connections

    def create_connect_args(self, url: URL) -> tuple[Sequence[Any], dict[str, Any]]:
        """What the URL says, as keywords for `connect`."""
        return (), connect_arguments(url)

    def connect(self, *cargs: Any, **cparams: Any) -> Any:
        """A session of the engine's client, or of the one in connect_args={"client": ...}."""
        own = {name: cparams.pop(name) for name in _OF_CONNECTIONS if name in cparams}
        client = cparams.pop("client", None)
        if client is not None:
            return dbapi.connect(client=client, **own)
        shared = self._client_of(cparams)
        try:
            return dbapi.connect(client=shared.client, on_close=shared.give, **own)
        except BaseException:
            shared.give()
            raise

    def _client_of(self, arguments: dict[str, Any]) -> SharedClient:
        with _lock:
            if self._shared is not None and self._shared.arguments != arguments:
                self._shared.give()
                self._shared = None
            self._shared = self._shared or SharedClient(arguments)
            return self._shared.take()

    @classmethod
    def engine_created(cls, engine: Engine) -> None:
        """From now on its `dispose()` lets go of the client."""
        event.listen(engine, "engine_disposed", _disposed)

    def let_go(self) -> None:
        """Closes the client; connections that are still in use keep it until they are closed."""
        with _lock:
            shared, self._shared = self._shared, None
        if shared is not None:
            shared.give()

    def do_ping(self, dbapi_connection: Any) -> bool:
        """A session has no connection of its own that could have been lost."""
        return not dbapi_connection.closed

    def is_disconnect(self, e: BaseException, connection: Any, cursor: Any) -> bool:
        """Whether no session of this pool will work any more. Lost connections to servers are mended below."""
        return isinstance(e, (errors.Closed, errors.Forked))

    # ------------------------------------------------------------------------------------------------- transactions

    def get_isolation_level_values(self, dbapi_conn: Any) -> Any:
        """Those of PostgreSQL, and AUTOCOMMIT."""
        return list(_ISOLATIONS)

    def set_isolation_level(self, dbapi_connection: Any, level: str) -> None:
        """For the transactions to come. No I/O."""
        dbapi_connection.autocommit = level == "AUTOCOMMIT"
        if level != "AUTOCOMMIT":
            dbapi_connection.isolation_level = level

    def get_isolation_level(self, dbapi_connection: Any) -> Any:
        """What the connection's next transaction will have. No I/O."""
        if dbapi_connection.autocommit:
            return "AUTOCOMMIT"
        return str(dbapi_connection.isolation_level).upper()

    def detect_autocommit_setting(self, dbapi_conn: Any) -> bool:
        """Whether each statement is a transaction of its own."""
        return bool(dbapi_conn.autocommit)

    def set_readonly(self, connection: Any, value: bool) -> None:
        """The execution option `postgresql_readonly`."""
        connection.read_only = value

    def get_readonly(self, connection: Any) -> bool:
        """The execution option `postgresql_readonly`."""
        return bool(connection.read_only)

    def set_deferrable(self, connection: Any, value: bool) -> None:
        """The execution option `postgresql_deferrable`: refused."""
        if value:
            raise exc.NotSupportedError("DEFERRABLE", None, errors.NotSupportedError("shopdata has no DEFERRABLE"))

    def get_deferrable(self, connection: Any) -> bool:
        """The execution option `postgresql_deferrable`."""
        return False

    def do_begin_twophase(self, connection: Any, xid: Any) -> None:
        """Refused."""
        raise NotImplementedError("two-phase transactions belong to one connection: shopdata has none")


def _disposed(engine: Engine) -> None:
    dialect: Any = engine.dialect
    dialect.let_go()


def _in_child() -> None:
    """In a forked child: another thread of the parent may have held the lock, and does not exist here."""
    global _lock
    _lock = threading.RLock()


os.register_at_fork(after_in_child=_in_child)
