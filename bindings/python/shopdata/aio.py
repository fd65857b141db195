"""asyncio: calls of the library that block run in a thread of the client's own.

The library has no asynchronous side yet, so an awaited query takes one of the client's ``threads`` for as long as it
runs; more of them wait in line. What is gained is that the event loop goes on meanwhile.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Callable, TypeVar

from shopdata.errors import Cancelled, Closed

if TYPE_CHECKING:
    from shopdata.session import Session

T = TypeVar("T")


async def run(session: Session, call: Callable[[], T]) -> T:
    """Runs a call of the session in a thread. Cancelled, it ends the call (within about 50 ms where that waits for a
    server), and is over only when the session is free again."""
    handle = session._handle
    future = session._client._executor().submit(call)
    waiter = asyncio.wrap_future(future)
    try:
        return await asyncio.shield(waiter)
    except asyncio.CancelledError as cancelled:
        if not future.cancel():
            handle.cancel(True)
            await _over(waiter, cancelled)
            handle.cancel(False)
        raise


async def finish(session: Session, call: Callable[[], T]) -> T:
    """As `run`, for what must not be given up half-way: who cancels waits until it is done."""
    waiter = asyncio.wrap_future(session._client._executor().submit(call))
    try:
        return await asyncio.shield(waiter)
    except asyncio.CancelledError as cancelled:
        await _over(waiter, cancelled)
        raise


async def _over(waiter: asyncio.Future[T], cancelled: asyncio.CancelledError) -> None:
    """Until it is done, however often that is cancelled. What it raises is told as the context: a commit may be in
    doubt, or have failed."""
    while not waiter.done():
        try:
            await asyncio.wait([waiter])
        except asyncio.CancelledError:
            continue
    error = None if waiter.cancelled() else waiter.exception()
    if error is not None and not isinstance(error, Cancelled):
        cancelled.__context__ = error


class Threads:
    """The threads of a client: none until the first awaited call."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._closed = False
        self._pool = ThreadPoolExecutor(limit, "shopdata")

    def submit(self, call: Callable[[], T]) -> Future[T]:
        """Runs it when a thread is free."""
        if self._closed:
            raise Closed("the client is closed: nothing of it can be awaited any more")
        return self._pool.submit(call)

    def close(self) -> None:
        """Lets the threads end when they are done."""
        self._closed = True
        self._pool.shutdown(wait=False)

    def after_fork(self) -> None:
        """In a forked child: the threads are the parent's."""
        self._pool = ThreadPoolExecutor(self._limit, "shopdata")
