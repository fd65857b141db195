"""What can go wrong: the exceptions of PEP 249, and below them those that a caller may want to tell apart.

Every message is one line that says what is wrong, where, and what would be right.
"""

from __future__ import annotations

import re
from typing import Optional

__all__ = [
    "AmbiguousCommit",
    "Busy",
    "Cancelled",
    "Closed",
    "ConfigError",
    "DataError",
    "DatabaseError",
    "Error",
    "Forked",
    "IntegrityError",
    "InterfaceError",
    "InternalError",
    "ManyRows",
    "NoRow",
    "NotSupportedError",
    "OperationalError",
    "ParameterError",
    "ProgrammingError",
    "Refused",
    "Timeout",
    "TooLarge",
    "TransactionError",
    "Unavailable",
    "Warning",
]


class Warning(Exception):  # noqa: A001 (PEP 249 calls it so)
    """Part of PEP 249's tree; the library raises none."""


class Error(Exception):
    """The parent of all that the library raises."""

    sqlstate: Optional[str] = None
    """PostgreSQL's five characters, ``"23505"`` say; ``None`` if the server did not speak."""
    retriable: bool = False
    """``True`` if the same call may succeed later and repeating it can do no harm."""
    status: Optional[str] = None
    """The library's name of it, ``"SHOPDATA_ERR_SQL"`` say; ``None`` for what Python's side found itself."""


class InterfaceError(Error):
    """The call cannot be right, whatever the database says."""


class DatabaseError(Error):
    """The parent of what concerns the database."""


class DataError(DatabaseError):
    """A value that PostgreSQL cannot take or compute: out of range, malformed, divided by zero."""


class OperationalError(DatabaseError):
    """Nothing is wrong with the call: servers, connections, time, locks."""


class IntegrityError(DatabaseError):
    """A constraint is broken: a key that is there already, a row that is referred to."""


class InternalError(DatabaseError):
    """The database is in a state that it should not be in."""


class ProgrammingError(DatabaseError):
    """The statement or the call is wrong: syntax, unknown tables, parameters."""


class NotSupportedError(DatabaseError):
    """The database or the library does not do that."""


class ConfigError(InterfaceError, ValueError):
    """An unknown key, a value out of range, an unreadable file. Several faults are a line each."""


class Refused(NotSupportedError):
    """The library will not run this statement so; the message names the call to use, or the tag to declare."""


class Timeout(OperationalError, TimeoutError):
    """The deadline passed. A write that gets this is sure not to stand."""


class Cancelled(OperationalError):
    """The call was given up because its asyncio task was cancelled. A write that gets this is sure not to stand."""


class Busy(OperationalError):
    """No connection came free within the wait limit, or the primary's share of reads was full."""


class Unavailable(OperationalError, ConnectionError):
    """No node that could answer can be reached; in ``cache.mode`` strict nor the cache, for a write."""


class AmbiguousCommit(OperationalError):
    """The connection was lost after COMMIT was sent: the write may or may not stand. Look before repeating it."""


class TooLarge(DataError):
    """The result is over ``max_result_bytes``."""


class Forked(InterfaceError):
    """Made before ``fork()``, and cannot follow into this process: make it anew here."""


class Closed(InterfaceError):
    """The client, session or statement was closed."""


class ParameterError(ProgrammingError, TypeError):
    """A parameter is missing, unknown, one too many, or of a type that no SQL type stands for."""


class NoRow(ProgrammingError, LookupError):
    """``one()`` or ``scalar()`` of a result without rows."""


class ManyRows(ProgrammingError, LookupError):
    """``one()``, ``one_or_none()`` or ``scalar()`` of a result with several rows."""


class TransactionError(ProgrammingError):
    """Not in this state: no transaction is open, one is open already, or the open one has failed."""


_BY_STATUS: dict[str, type[Error]] = {
    "SHOPDATA_ERR_ARGUMENT": ProgrammingError,
    "SHOPDATA_ERR_CONFIG": ConfigError,
    "SHOPDATA_ERR_REFUSED": Refused,
    "SHOPDATA_ERR_TIMEOUT": Timeout,
    "SHOPDATA_ERR_BUSY": Busy,
    "SHOPDATA_ERR_UNAVAILABLE": Unavailable,
    "SHOPDATA_ERR_AMBIGUOUS": AmbiguousCommit,
    "SHOPDATA_ERR_TOO_LARGE": TooLarge,
    "SHOPDATA_ERR_TRANSACTION": TransactionError,
    "SHOPDATA_ERR_RANGE": InterfaceError,
    "SHOPDATA_ERR_TYPE": DataError,
    "SHOPDATA_ERR_FORKED": Forked,
    "SHOPDATA_ERR_INTERRUPTED": Cancelled,
}

# By the first two characters of the SQLSTATE, else by the first.
_BY_SQLSTATE: dict[str, type[Error]] = {
    "08": OperationalError,
    "0A": NotSupportedError,
    "20": ProgrammingError,
    "21": ProgrammingError,
    "22": DataError,
    "23": IntegrityError,
    "24": InternalError,
    "25": InternalError,
    "26": ProgrammingError,
    "27": OperationalError,
    "28": OperationalError,
    "2B": InternalError,
    "2D": InternalError,
    "2F": OperationalError,
    "34": ProgrammingError,
    "38": OperationalError,
    "39": OperationalError,
    "3B": OperationalError,
    "3D": ProgrammingError,
    "3F": ProgrammingError,
    "40": OperationalError,
    "42": ProgrammingError,
    "44": ProgrammingError,
    "53": OperationalError,
    "54": OperationalError,
    "55": OperationalError,
    "57": OperationalError,
    "58": OperationalError,
    "F": OperationalError,
    "H": OperationalError,
    "P": ProgrammingError,
    "X": InternalError,
}


def class_of_sqlstate(sqlstate: str) -> type[Error]:
    """The exception that stands for one of PostgreSQL's SQLSTATEs; of ``""`` (the parser's): ``ProgrammingError``."""
    if not sqlstate:
        return ProgrammingError
    return _BY_SQLSTATE.get(sqlstate[:2]) or _BY_SQLSTATE.get(sqlstate[:1], DatabaseError)


# What the library's messages call by its name in C.
_PYTHONS_NAMES = {
    "enum shopdata_isolation": "'read committed', 'repeatable read' or 'serializable'",
    "pass NULL": "leave it out",
    "shopdata_after_fork": "shopdata.open()",
    "shopdata_begin": "session.transaction()",
    "shopdata_commit": "session.commit()",
    "shopdata_execute": "session.execute()",
    "shopdata_invalidate": "client.invalidate()",
    "shopdata_open": "shopdata.open()",
    "shopdata_query": "session.query()",
    "shopdata_rollback": "session.rollback()",
    "shopdata_rollback_to": "roll back to",
    "shopdata_savepoint": "session.transaction()",
    "shopdata_session_new": "client.session()",
    "shopdata_session_token": "session.token",
    "shopdata_statement": "statement",
    "shopdata_statement_add_tag": "client.statement(..., tags=[...])",
    "shopdata_statement_free": "statement.close()",
    "shopdata_statement_new": "client.statement()",
}
_C_NAME = re.compile("|".join(rf"\b{name}\b" for name in sorted(_PYTHONS_NAMES, key=len, reverse=True)))


def of_status(status: str, message: str, sqlstate: str, retriable: int) -> Exception:
    """The exception for a call of the library that failed: its status's name and what its error says."""
    message = _C_NAME.sub(lambda found: _PYTHONS_NAMES[found.group()], message)
    if status == "SHOPDATA_ERR_NO_MEMORY":
        return MemoryError(message)
    known = _BY_STATUS.get(status)
    error = (known or class_of_sqlstate(sqlstate))(message)
    error.status = status
    error.sqlstate = sqlstate or None
    error.retriable = bool(retriable)
    return error
