"""What visitors are told when something does not work: a page, or JSON below /api."""

import logging

from flask import Flask, jsonify, render_template, request
from werkzeug.exceptions import HTTPException

from shopdata import AmbiguousCommit, Busy, OperationalError, Timeout

from .reads import is_twin

log = logging.getLogger(__name__)

TITLES = {400: "That does not look right", 403: "Please begin again", 404: "Not on our shelves", 405: "Not in that way",
          413: "That is too much", 503: "Back in a moment"}
SENTENCES = {404: "There is no such page.", 405: "This page does not know that method.",
             413: "A form of this shop is never so long."}
DATABASE = {
    AmbiguousCommit: "The connection was lost while saving: the edit may stand or not. Look before you repeat it.",
    Timeout: "The database took too long to answer. Please try again in a moment.",
    Busy: "The shop is very busy. Please try again in a moment.",
    OperationalError: "The shop cannot reach its database. Please try again in a moment.",
}


def answer(code: int, sentence: str):
    if is_twin():
        return jsonify(error=sentence), code
    title = TITLES.get(code, "That did not work")
    return render_template("error.html", code=code, title=title, sentence=sentence), code


def refused(error: HTTPException):
    """What the views abort with, in our words; and what Flask finds wrong with a request, in its own."""
    code = error.code or 500
    is_ours = error.description != type(error).description
    sentence = error.description if is_ours else SENTENCES.get(code)
    headers = [(name, value) for name, value in error.get_headers() if name != "Content-Type"]   # Allow, say
    return *answer(code, sentence or error.name), headers


def out_of_reach(error: OperationalError):
    log.warning("%s: %s", request.path, error)
    sentence = next(DATABASE[kind] for kind in type(error).__mro__ if kind in DATABASE)
    return *answer(503, sentence), {"Retry-After": "1"}


def init_app(app: Flask) -> None:
    app.register_error_handler(HTTPException, refused)
    app.register_error_handler(OperationalError, out_of_reach)
