"""One session a request, and the cookie that carries its token to the next one."""

from __future__ import annotations

import logging
import time
from typing import Any, Optional

from flask import Request, Response, g, has_request_context, request

import shopdata
from shopdata.errors import OperationalError

from .state import State, state_of_current_app

__all__ = ["current_session", "leave", "leave_application", "save"]

_PLACE, _LEFT = "_shopdata_visit", "_shopdata_left"
_SHORTEST = 0.001  # seconds: the least that a deadline can be
_log = logging.getLogger("shopdata.flask")


class Visit:
    """A request's session from its first use on; outside a request that of an application context."""

    def __init__(
        self, state: State, asked: Optional[Request], outer: Optional[Visit], before: Optional[Visit] = None
    ) -> None:
        self.asked = asked
        self.outer = outer  # that of an application context which was there before, a test's say: it goes on after
        self._settings = state.settings
        self._token: Optional[str] = before._token if before else None  # as it was saved last
        self._came = asked.cookies.get(self._settings.cookie_name) if asked and self._settings.cookie else None
        self._refused = False
        self._ends: Optional[float] = None
        self._session = self._open(state)
        self._began_as = self._session.token if self._settings.cookie_reads else None

    def _open(self, state: State) -> shopdata.Session:
        settings = self._settings
        session = state.work().session(max_staleness=settings.max_staleness)
        if settings.request_deadline is not None:
            self._ends = time.monotonic() + settings.request_deadline
            session.set_deadline(settings.request_deadline)
        try:
            self._go_on(session)
        except BaseException:
            session.close()
            raise
        return session

    def _go_on(self, session: shopdata.Session) -> None:
        if self._token:
            session.advance(self._token)
        elif self._came:
            self._take(session, self._came)

    def _take(self, session: shopdata.Session, token: str) -> None:
        try:
            session.advance(token)
        except OperationalError:
            raise  # that is not the token's fault
        except (shopdata.Error, ValueError) as error:
            _log.warning("the cookie %s was ignored: %s", self._settings.cookie_name, error)
            self._came, self._refused = None, True

    @property
    def session(self) -> shopdata.Session:
        """The session, with what is left of the request's time."""
        if self._ends is not None:
            self._session.set_deadline(max(self._ends - time.monotonic(), _SHORTEST))
        return self._session

    def save(self, response: Response) -> None:
        """Puts the token into the cookie where the next request has to know of it."""
        if not (self._session.wrote or self._came or self._refused or self._began_as):
            return  # nobody will ask for it
        try:
            self._token = self._session.token
        except shopdata.Error as error:  # the view closed it, or left a thread in it
            _log.warning("the token of this request is not sent: %s", error)
            return
        if self._settings.cookie:
            self._answer(response, self._token)

    def _answer(self, response: Response, token: str) -> None:
        shared = response.cache_control.public or response.cache_control.s_maxage is not None
        if self._session.wrote or (self._is_news(token) and not shared):
            self._send(response, token)
        elif self._refused and not shared:
            response.delete_cookie(self._settings.cookie_name, **self._place())
        elif self._came and not shared:
            response.vary.add("Cookie")

    def _is_news(self, token: str) -> bool:
        before = self._came or self._began_as
        return before is not None and token != before

    def _send(self, response: Response, token: str) -> None:
        settings = self._settings
        secure = settings.cookie_secure
        response.set_cookie(
            settings.cookie_name,
            token,
            max_age=settings.cookie_max_age,
            secure=request.is_secure if secure is None else secure,
            httponly=settings.cookie_httponly,
            samesite=settings.cookie_samesite,
            **self._place(),
        )
        response.vary.add("Cookie")
        response.cache_control.public = False
        response.cache_control.private = True
        del response.cache_control.s_maxage

    def _place(self) -> dict[str, Any]:
        return {"path": self._settings.cookie_path, "domain": self._settings.cookie_domain}

    def close(self) -> None:
        """Ends the session. The library rolls a transaction back that was left open, and says so in its log."""
        try:
            self._session.close()
        except shopdata.Error as error:  # a thread of the view's is still in it
            _log.error("the session of this request was not closed: %s", error)


def _request_now() -> Optional[Request]:
    return request._get_current_object() if has_request_context() else None  # type: ignore[attr-defined]


def current_session() -> shopdata.Session:
    """The session of this request: made at its first use."""
    visit: Optional[Visit] = g.get(_PLACE)
    now = _request_now()
    if visit is None or visit.asked is not now:
        visit = Visit(state_of_current_app(), now, visit, _left(now))
        setattr(g, _PLACE, visit)
    return visit.session


# A stream goes on with the request's context when that was torn down once already: it goes on from what was done then.
def _left(now: Optional[Request]) -> Optional[Visit]:
    left: Optional[Visit] = g.get(_LEFT)
    return left if left is not None and now is not None and left.asked is now else None


def _visit_of_request() -> Optional[Visit]:
    visit: Optional[Visit] = g.get(_PLACE)
    return visit if visit is not None and visit.asked is _request_now() else None


def save(response: Response) -> Response:
    """After a request: see Visit.save. A request that asked for no session is left as it is."""
    visit = _visit_of_request()
    if visit is not None and visit.asked is not None:
        visit.save(response)
    return response


def leave(_error: Optional[BaseException]) -> None:
    """When a request is torn down."""
    visit = _visit_of_request()
    if visit is not None:
        setattr(g, _PLACE, visit.outer)
        setattr(g, _LEFT, visit)
        visit.close()


def leave_application(_error: Optional[BaseException]) -> None:
    """When an application context is torn down."""
    visit: Optional[Visit] = g.pop(_PLACE, None)
    while visit is not None:
        visit.close()
        visit = visit.outer
