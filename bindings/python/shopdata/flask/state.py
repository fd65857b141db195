"""What the extension keeps of one application: its settings, its client, its metrics."""

from __future__ import annotations

import atexit
import logging
import os
import threading
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Optional

from flask import current_app

import shopdata
from shopdata.errors import ConfigError

from .settings import Settings
from .workers import Publisher, total

if TYPE_CHECKING:
    from flask import Flask

__all__ = ["State", "state_of_current_app"]

_EXTENSION = "shopdata"
_log = logging.getLogger("shopdata.flask")
_states: weakref.WeakSet[State] = weakref.WeakSet()


class State:
    """One application's. It does not know the application: that shall be collected when nobody else wants it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._lock = threading.Lock()
        self._client: Optional[shopdata.Client] = None
        self._publisher: Optional[Publisher] = None
        self._may_publish = settings.metrics_dir is not None
        _states.add(self)

    def attach(self, app: Flask) -> None:
        """Becomes that of ``app``: it goes with it, and is closed when the interpreter ends."""
        if _EXTENSION in app.extensions:
            raise RuntimeError(f"shopdata.flask: the application {app.name} has a Shopdata already; init_app once")
        app.extensions[_EXTENSION] = self

    @property
    def client(self) -> shopdata.Client:
        """The client: opened when the first one asks."""
        if self._client is None:
            with self._lock:
                if self._client is None:
                    self._client = self._open()
        return self._client

    def _open(self) -> shopdata.Client:
        client = shopdata.open(self.settings.config, threads=self.settings.threads, **self.settings.sections)
        if self.settings.cookie and not _signs(client):
            client.close()
            raise ConfigError(
                "shopdata.token_keys is not set, so anybody could write the session token that the cookie carries: set"
                ' SHOPDATA_TOKEN_KEYS to "1:SECRET" with 64 digits of `openssl rand -hex 32`, the same on all'
                " instances, or SHOPDATA_COOKIE to False"
            )
        return client

    def work(self) -> shopdata.Client:
        """The client, for a request: from the first one on the process's metrics are published."""
        if self._may_publish and self._publisher is None:
            self._try_to_publish()
        return self.client

    def _try_to_publish(self) -> None:
        try:
            self._publish()
        except OSError as error:
            self._may_publish = False
            _log.error("SHOPDATA_METRICS_DIR: the metrics of this process are not published: %s", error)

    def _publish(self) -> Publisher:
        client = self.client
        with self._lock:
            if self._publisher is None:
                directory = Path(str(self.settings.metrics_dir))
                self._publisher = Publisher(directory, lambda: client.metrics().prometheus())
            return self._publisher

    def prometheus(self) -> str:
        """The metrics of all processes where they share a directory, else those of this process."""
        if self.settings.metrics_dir is None:
            return self.client.metrics().prometheus()
        self._publish().publish()
        return total(Path(self.settings.metrics_dir))

    def close(self) -> None:
        """Publishes for the last time, then closes the client."""
        with self._lock:
            publisher, self._publisher = self._publisher, None
            client, self._client = self._client, None
        if publisher is not None:
            publisher.stop()
        if client is not None:
            client.close()

    def after_fork(self) -> None:
        """In a child. The client goes on there by itself; what the parent publishes stays the parent's."""
        self._lock = threading.Lock()
        publisher, self._publisher = self._publisher, None
        self._may_publish = self.settings.metrics_dir is not None
        if publisher is not None:
            publisher.abandon()


# A signed token is BODY.ID.MAC, one without a signature has no dot (doc/sessions.md).
def _signs(client: shopdata.Client) -> bool:
    with client.session() as session:
        return "." in session.token


def _after_fork() -> None:
    for state in list(_states):
        state.after_fork()


# Before the library's own, which closes all clients: there would be nothing left to publish.
def _close_all() -> None:
    for state in list(_states):
        state.close()


os.register_at_fork(after_in_child=_after_fork)
atexit.register(_close_all)


def state_of_current_app() -> State:
    """That of the application that this code works for."""
    state = current_app.extensions.get(_EXTENSION)
    if not isinstance(state, State):
        raise RuntimeError(
            f"shopdata.flask: the application {current_app.name} has no Shopdata; make one with Shopdata(app), or call"
            " its init_app(app)"
        )
    return state
