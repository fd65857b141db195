"""The extension as an application has it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Optional

from flask import Flask, Response, current_app
from flask.logging import default_handler
from werkzeug.exceptions import ServiceUnavailable

import shopdata
from shopdata.errors import Busy, OperationalError, Timeout, Unavailable

from . import visit
from .blueprints import health_blueprint, metrics_blueprint
from .commands import commands
from .settings import Settings
from .state import State, state_of_current_app

__all__ = ["Shopdata"]

_log = logging.getLogger("shopdata.flask")


class Shopdata:
    """Gives a Flask application a client, and each of its requests a session.

    ``Shopdata(app)``, or ``ext = Shopdata()`` and ``ext.init_app(app)`` in a factory, for any number of applications.
    ``config`` is the path of a configuration file and ``sections`` are sections of one, as ``shopdata.open`` takes
    them; what an application's own configuration says (``SHOPDATA_CONFIG``, ``SHOPDATA_CACHE``...) comes on top.
    """

    def __init__(
        self, app: Optional[Flask] = None, config: Optional[str] = None, **sections: Mapping[str, object]
    ) -> None:
        self._config = config
        self._sections = sections
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Reads the configuration, opens the client (unless ``SHOPDATA_LAZY``), and makes ``app`` use it.

        An unreachable server is no error here. ConfigError: a key or value that cannot be, no ``token_keys`` for the
        cookie. RuntimeError: ``app`` has a Shopdata already.
        """
        settings = Settings.read(app.config, app.root_path, self._config, self._sections)
        state = State(settings)
        state.attach(app)
        if not settings.lazy:
            state.client  # noqa: B018 (opens it)
        _register(app, settings)
        _be_heard()

    @property
    def client(self) -> shopdata.Client:
        """The client of the current application."""
        return state_of_current_app().client

    @property
    def session(self) -> shopdata.Session:
        """The session of the current request: the same as ``shopdata.flask.session``."""
        return visit.current_session()


def _register(app: Flask, settings: Settings) -> None:
    app.after_request(visit.save)
    app.teardown_request(visit.leave)
    app.teardown_appcontext(visit.leave_application)
    app.cli.add_command(commands)
    if settings.metrics:
        app.register_blueprint(metrics_blueprint(), url_prefix=settings.url_prefix)
    if settings.health:
        app.register_blueprint(health_blueprint(), url_prefix=settings.url_prefix)
    if settings.retry_after is not None:
        for error in (Busy, Timeout, Unavailable):
            app.register_error_handler(error, _unavailable)


# As Flask does for its own: where nobody has configured logging, what is worth a warning is not to be lost.
def _be_heard() -> None:
    logger = logging.getLogger("shopdata")
    if not logging.getLogger().handlers and all(isinstance(one, logging.NullHandler) for one in logger.handlers):
        logger.addHandler(default_handler)


# Through the application's own page for 503, where it has one.
def _unavailable(error: OperationalError) -> Response:
    _log.warning("answered with 503: %s: %s", type(error).__name__, error)
    seconds = state_of_current_app().settings.retry_after
    answer = current_app.handle_user_exception(ServiceUnavailable())
    response = current_app.make_response(answer)
    response.headers["Retry-After"] = str(seconds)
    return response
