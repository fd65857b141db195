"""Statements that stand in a module, before there is an application and its client."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Optional

from shopdata.statement import LazyStatement

__all__ = ["statement"]


def statement(sql: str, *, policy: Optional[str] = None, tags: Iterable[str] = ()) -> LazyStatement:
    """A statement for the top of a module: each application's client makes its own of it, at its first use there.

    What it takes is what ``Client.statement`` takes; whether the SQL is right is found out at that first use.
    """
    return LazyStatement(sql, policy=policy, tags=tags)
