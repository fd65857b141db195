"""What every request must be, and every answer say."""

from flask import Flask, Response, abort, request
from werkzeug.routing import IntegerConverter

POLICY = ("default-src 'self'; script-src 'none'; object-src 'none'; base-uri 'none'; form-action 'self';"
          " frame-ancestors 'none'")


class Number(IntegerConverter):
    """A product's number in an address: so long that PostgreSQL's integer surely holds it. 404 for any other."""

    regex = "[1-9][0-9]{0,8}"


def require_own_page() -> None:
    """Every browser of today says in Sec-Fetch-Site where a request comes from, older ones name the page's Origin with
    a POST; what sends neither is no browser. A real shop adds a log-in, and a token in each form."""
    if request.method in ("GET", "HEAD"):
        return
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site not in (None, "same-origin", "none") or (origin and origin.partition("://")[2] != request.host):
        abort(403, "This request was sent by a page of another site.")


def require_text() -> None:
    """PostgreSQL's text has no zero byte; what is no UTF-8 has become U+FFFD."""
    texts = [request.path, *request.args.values()] + list(request.form.values())
    if any("\0" in text or "\ufffd" in text for text in texts):
        abort(400, "What you send must be UTF-8 text without zero bytes. Nothing was saved.")


def add_headers(response: Response) -> Response:
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"  # a link to an order is a key to it
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Content-Security-Policy"] = POLICY
    # The cache that matters stands behind us and is never stale; one in front of us would be.
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def init_app(app: Flask) -> None:
    app.url_map.converters["number"] = Number
    app.before_request(require_own_page)
    app.before_request(require_text)
    app.after_request(add_headers)
