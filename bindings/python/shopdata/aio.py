"""asyncio: calls that wait without a thread, and the threads for those few that need one.

What reads and writes is started, and the event loop goes on; a descriptor of the library's tells the loop what is over.
Beginning and ending a transaction runs in a thread of the client's own, one step at a time.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Callable, Optional, TypeVar
from weakref import WeakKeyDictionary

from shopdata import _native
from shopdata.errors import Cancelled, Closed

if TYPE_CHECKING:
    from shopdata._native import Handle, Op
    from shopdata.session import Session

T = TypeVar("T")

Call = tuple["Handle", tuple[Any, ...], Optional[tuple[str, ...]]]


async def call(session: Session, kind: str, calls: Callable[[], list[Call]]) -> Any:
    """Starts a call of the session, and returns what it brought. Cancelled, it ends the call (within about 50 ms where
    that waits for a server), and is over only when the session is free again.

    :param kind: ``"one"``, ``"many"`` or ``"write"``.
    :param calls: makes the statements and their values, once the client is known to be open.
    """
    loop = asyncio.get_running_loop()
    queue = session._client._fronts.queue(loop)
    future: asyncio.Future[None] = loop.create_future()
    op = _native.start(session._handle, queue, calls(), kind, future)
    try:
        if not op.over:
            await future
    except asyncio.CancelledError as cancelled:
        op.cancel()
        await _end(op, loop)
        _tell(cancelled, _failure(op))
        raise
    return op.take()


async def _end(op: Op, loop: asyncio.AbstractEventLoop) -> None:
    """Until it is over, however often that is cancelled."""
    while not op.over:
        op.future = loop.create_future()
        try:
            await op.future
        except asyncio.CancelledError:
            continue


def _failure(op: Op) -> Optional[BaseException]:
    try:
        op.take()
    except Exception as error:
        return error
    return None


def _tell(cancelled: asyncio.CancelledError, error: Optional[BaseException]) -> None:
    """What was raised meanwhile is told as the context: a commit may be in doubt, or have failed."""
    if error is not None and not isinstance(error, Cancelled):
        cancelled.__context__ = error


async def run(session: Session, step: Callable[[], T]) -> T:
    """Runs a step of a transaction in a thread; cancelled, as `call`."""
    handle = session._handle
    future = session._client._threads.submit(step)
    waiter = asyncio.wrap_future(future)
    try:
        return await asyncio.shield(waiter)
    except asyncio.CancelledError as cancelled:
        if not future.cancel():
            handle.cancel(True)
            await _over(waiter, cancelled)
            handle.cancel(False)
        raise


async def finish(session: Session, step: Callable[[], T]) -> T:
    """As `run`, for what must not be given up half-way: who cancels waits until it is done."""
    waiter = asyncio.wrap_future(session._client._threads.submit(step))
    try:
        return await asyncio.shield(waiter)
    except asyncio.CancelledError as cancelled:
        await _over(waiter, cancelled)
        raise


async def _over(waiter: asyncio.Future[T], cancelled: asyncio.CancelledError) -> None:
    """Until it is done, however often that is cancelled."""
    while not waiter.done():
        try:
            await asyncio.wait([waiter])
        except asyncio.CancelledError:
            continue
    _tell(cancelled, None if waiter.cancelled() else waiter.exception())


class Fronts:
    """The queues of a client: one for each event loop that awaits something of it, which it lives as long as."""

    def __init__(self, client: Handle) -> None:
        self._client = client
        self._closed = False
        self._queues: WeakKeyDictionary[asyncio.AbstractEventLoop, Handle] = WeakKeyDictionary()

    def queue(self, loop: asyncio.AbstractEventLoop) -> Handle:
        """The loop's own, which it watches from then on."""
        if self._closed:
            raise Closed("the client is closed: nothing of it can be awaited any more")
        queue = self._queues.get(loop)
        if queue is None:
            queue = self._queues[loop] = _native.queue_new(self._client)
            loop.add_reader(_native.queue_fd(queue), _wake, queue)
        return queue

    def close(self) -> None:
        """What is on its way is still told of."""
        self._closed = True

    def after_fork(self) -> None:
        """In a forked child: the queues are the parent's."""
        self._queues = WeakKeyDictionary()


def _wake(queue: Handle) -> None:
    for future in _native.queue_ready(queue):
        if not future.done():
            future.set_result(None)


class Threads:
    """The threads of a client: none until a transaction is awaited."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._closed = False
        self._pool = ThreadPoolExecutor(limit, "shopdata")

    def submit(self, step: Callable[[], T]) -> Future[T]:
        """Runs it when a thread is free."""
        if self._closed:
            raise Closed("the client is closed: nothing of it can be awaited any more")
        return self._pool.submit(step)

    def close(self) -> None:
        """Lets the threads end when they are done."""
        self._closed = True
        self._pool.shutdown(wait=False)

    def after_fork(self) -> None:
        """In a forked child: the threads are the parent's."""
        self._pool = ThreadPoolExecutor(self._limit, "shopdata")
