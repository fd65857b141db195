"""What a monitoring system and a load balancer ask for."""

from __future__ import annotations

import logging

from flask import Blueprint, Response

from shopdata.errors import Error

from .state import state_of_current_app

__all__ = ["health_blueprint", "metrics_blueprint"]

_PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
_log = logging.getLogger("shopdata.flask")


def _answer(text: str, status: int = 200, content_type: str = "text/plain; charset=utf-8") -> Response:
    return Response(text, status, {"Cache-Control": "no-store"}, content_type=content_type)


def metrics_blueprint() -> Blueprint:
    """A blueprint with ``/metrics``: what ``doc/metrics.md`` lists, in Prometheus' text format 0.0.4.

    ``init_app`` registers one unless ``SHOPDATA_METRICS`` is False; register it yourself to have it elsewhere, or
    behind a check of your own (``blueprint.before_request``). With ``SHOPDATA_METRICS_DIR`` it tells of all processes
    of the service, else of the one that answers.
    """
    blueprint = Blueprint("shopdata_metrics", __name__)

    @blueprint.get("/metrics")
    def metrics() -> Response:
        return _answer(state_of_current_app().prometheus(), content_type=_PROMETHEUS)

    return blueprint


def health_blueprint() -> Blueprint:
    """A blueprint with ``/healthz`` and ``/livez``; ``init_app`` registers one unless ``SHOPDATA_HEALTH`` is False.

    ``/healthz`` is 200 if a node answers reads now, else 503: whether to send requests here. It asks what the client
    knows, not a server, so it may be asked often. ``/livez`` is 200 as long as the process answers at all: whether to
    restart it. A database that is down is no reason for that.
    """
    blueprint = Blueprint("shopdata_health", __name__)

    @blueprint.get("/healthz")
    def ready() -> Response:
        try:
            state_of_current_app().client.ready()
        except Error as error:
            _log.warning("not ready: %s", error)
            return _answer("not ready: no node of the database answers\n", 503)
        return _answer("ready\n")

    @blueprint.get("/livez")
    def live() -> Response:
        return _answer("alive\n")

    return blueprint
