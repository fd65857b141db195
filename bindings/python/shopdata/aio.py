"""asyncio: calls that wait without a thread.

What reads and writes, and each step of a transaction, is started, and the event loop goes on; a descriptor of the
library's tells the loop what is over.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Callable, Optional
from weakref import WeakKeyDictionary

from shopdata import _native
from shopdata.errors import Cancelled, Closed

if TYPE_CHECKING:
    from shopdata._native import Handle, Op
    from shopdata.session import Session

Call = tuple["Handle", tuple[Any, ...], Optional[tuple[str, ...]]]
Step = tuple[int, int, Optional[str]]
"""What a transaction does: one of ``_native.STEP_*``, the isolation of a begin, the name of a savepoint."""


async def call(session: Session, kind: str, calls: Callable[[], list[Call]]) -> Any:
    """Starts a call of the session, and returns what it brought. Cancelled, it ends the call (within about 50 ms where
    that waits for a server), and is over only when the session is free again.

    :param kind: ``"one"``, ``"many"`` or ``"write"``.
    :param calls: makes the statements and their values, once the client is known to be open.
    """
    op = _started(session, lambda queue, future: _native.start(session._handle, queue, calls(), kind, future))
    try:
        await _over(op)
    except asyncio.CancelledError as cancelled:
        _tell(cancelled, await _give_up(op))
        raise
    return op.take()


async def begin(session: Session, step: Step, undo: Callable[[], Iterable[Step]]) -> None:
    """Runs the first step of a transaction. Cancelled, it is as if it had never been.

    :param undo: the steps that end it again, if it began nevertheless.
    """
    op = _start_step(session, step)
    try:
        await _over(op)
    except asyncio.CancelledError as cancelled:
        error = await _give_up(op)
        if error is None:
            with contextlib.suppress(Exception):
                await finish(session, undo())
        _tell(cancelled, error)
        raise
    op.take()


async def finish(session: Session, steps: Iterable[Step]) -> bool:
    """Runs steps that must not be given up half-way: who cancels waits until they are done, or one has failed.

    :returns: ``False`` if something was committed, but the shared cache could not be told of it yet.
    """
    fenced = True
    cancelled: Optional[asyncio.CancelledError] = None
    try:
        for step in steps:
            op = _start_step(session, step)
            cancelled = await _end(op) or cancelled
            fenced = op.take()
    except Exception as error:
        if cancelled is None:
            raise
        _tell(cancelled, error)
    if cancelled is not None:
        raise cancelled
    return fenced


def _started(session: Session, start: Callable[[Handle, asyncio.Future[None]], Op]) -> Op:
    loop = asyncio.get_running_loop()
    return start(session._client._fronts.queue(loop), loop.create_future())


def _start_step(session: Session, step: Step) -> Op:
    return _started(session, lambda queue, future: _native.start_step(session._handle, queue, *step, future))


async def _over(op: Op) -> None:
    if not op.over:
        await op.future


async def _end(op: Op) -> Optional[asyncio.CancelledError]:
    """Until it is over, however often that is cancelled; returns the last such wish."""
    cancelled = None
    while not op.over:
        if op.future.done():
            op.future = asyncio.get_running_loop().create_future()
        try:
            await op.future
        except asyncio.CancelledError as error:
            cancelled = error
    return cancelled


async def _give_up(op: Op) -> Optional[BaseException]:
    """Has it ended, and returns what it raised; ``None``: it was done all the same."""
    op.cancel()
    await _end(op)
    try:
        op.take()
    except Exception as error:
        return error
    return None


def _tell(cancelled: asyncio.CancelledError, error: Optional[BaseException]) -> None:
    """What was raised meanwhile is told as the context: a commit may be in doubt, or have failed."""
    if error is not None and not isinstance(error, Cancelled):
        cancelled.__context__ = error


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
