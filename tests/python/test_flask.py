"""shopdata.flask in an application: sessions, the cookie, errors, streams, tests, commands."""

from __future__ import annotations

import contextlib
import gc
import io
import logging
import re
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

import shopdata
from shopdata.flask import Shopdata, session
from shopdata.flask.workers import total

import flask_shop
from flask_shop import KEYS, configuration, database, make_shop
from servers import Servers, wait_until

pytest.importorskip("flask")
Table = Callable[..., str]


@pytest.fixture
def things(table: Table) -> str:
    return table("id int PRIMARY KEY, name text", rows="(1, 'one'), (2, 'two'), (3, 'three')")


@pytest.fixture
def shop(servers: Servers, things: str) -> Flask:
    return make_shop(configuration(servers), things)


@pytest.fixture
def visitor(shop: Flask) -> FlaskClient:
    return shop.test_client()


def headers(response: Any) -> set[str]:
    return {name for name in ("Set-Cookie", "Vary", "Cache-Control") if name in response.headers}


def cookie(response: Any) -> str:
    """The value of the cookie that it sets; "" if it sets none, or tells the browser to forget it."""
    found = re.match(r"shopdata=([^;]*);", response.headers.get("Set-Cookie", ""))
    return found[1] if found else ""


def come(app: Flask, path: str, token: str) -> Any:
    """A GET with this in the cookie, whatever it is: a test client with a cookie jar would not send it."""
    return app.test_client(use_cookies=False).get(path, headers={"Cookie": f"shopdata={token}"})


# ------------------------------------------------------------------------------------------------------------ sessions


def test_a_request_has_one_session_which_ends_with_it(shop: Flask) -> None:
    seen = []

    @shop.get("/session")
    def note() -> str:
        seen.extend((session._get_current_object(), database.session))  # type: ignore[attr-defined]
        return str(session.closed)

    visitor = shop.test_client()
    assert [visitor.get("/session").text, visitor.get("/session").text] == ["False", "False"]
    assert seen[0] is seen[1] and seen[2] is seen[3] and seen[0] is not seen[2]
    assert all(one.closed for one in seen)


def test_who_asks_for_no_session_gets_none(shop: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shopdata.Client, "session", lambda *_: pytest.fail("a session was made"))
    response = shop.test_client().get("/plain")
    assert response.status_code == 200 and not headers(response)


def test_outside_a_request_the_application_context_has_a_session(shop: Flask, things: str) -> None:
    with shop.app_context():
        outer = session._get_current_object()  # type: ignore[attr-defined]
        session.execute(f"UPDATE {things} SET name = 'outer' WHERE id = 1")
        assert shop.test_client().get("/1").text == "outer"
        assert session._get_current_object() is outer and not outer.closed  # type: ignore[attr-defined]
    assert outer.closed


def test_without_an_application_context_flask_says_so() -> None:
    with pytest.raises(RuntimeError, match="application context"):
        session.query("SELECT 1")


def test_without_the_extension_it_says_so() -> None:
    with Flask("bare").app_context(), pytest.raises(RuntimeError, match="bare has no Shopdata"):
        session.query("SELECT 1")


def test_a_transaction_left_open_is_rolled_back_and_told(
    shop: Flask, servers: Servers, things: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "shopdata")
    with pytest.raises(LookupError, match="the view broke"):
        shop.test_client().post("/broken/1")
    assert servers.sql(f"SELECT name FROM {things} WHERE id = 1") == [("one",)]
    assert "event=transaction_abandoned" in caplog.text


@pytest.mark.parametrize("configured", [True, False])
def test_warnings_are_heard_without_any_configuration(
    servers: Servers, things: str, monkeypatch: pytest.MonkeyPatch, configured: bool
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [logging.NullHandler()] if configured else [])
    monkeypatch.setattr(logging.getLogger("shopdata"), "handlers", [logging.NullHandler()])
    told = io.StringIO()
    shop = make_shop(configuration(servers), things)
    response = shop.test_client(use_cookies=False).get("/1", headers={"Cookie": "shopdata=evil"}, errors_stream=told)
    assert response.status_code == 200
    assert ("the cookie shopdata was ignored" in told.getvalue()) != configured


def test_after_an_exception_the_next_request_works(shop: Flask) -> None:
    shop.config.update(TESTING=False, PROPAGATE_EXCEPTIONS=False)
    shop.logger.disabled = True
    visitor = shop.test_client()
    assert visitor.post("/broken/1").status_code == 500
    assert visitor.get("/1").text == "one"


def test_a_stream_goes_on_with_what_the_view_did(shop: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    make = shopdata.Client.session
    monkeypatch.setattr(shopdata.Client, "session", lambda self, **how: made.append(make(self, **how)) or made[-1])
    for number in range(10):
        name = f"number {number}"
        response = shop.test_client().post("/stream/1", data={"name": name})
        assert response.text == f"renamed to {name}"  # though a replica may not know that yet
        response.close()
    assert made and all(one.closed for one in made)


def test_a_session_that_the_view_closed_is_told(shop: Flask, things: str, caplog: pytest.LogCaptureFixture) -> None:
    @shop.get("/closing")
    def close() -> str:
        with session:
            return str(session.execute(f"UPDATE {things} SET name = 'uno' WHERE id = 1").changed)

    response = shop.test_client().get("/closing")
    assert response.text == "1" and not headers(response)
    assert "the token of this request is not sent: the session" in caplog.text


def test_a_thread_that_the_view_left_in_the_session_is_told(shop: Flask, caplog: pytest.LogCaptureFixture) -> None:
    left = []

    @shop.get("/leaving")
    def leave() -> str:
        mine = session._get_current_object()  # type: ignore[attr-defined]
        left.append(threading.Thread(target=sleep_in, args=(mine,)))
        left[0].start()
        wait_until(lambda: is_busy(mine))
        return "gone"

    assert shop.test_client().get("/leaving").text == "gone"
    left[0].join()
    assert "the session of this request was not closed: " in caplog.text


def sleep_in(one: shopdata.Session) -> None:
    """Begins as soon as is_busy(), which has it for a moment, is out of it: who tried without a pause would keep that
    from coming back for the interpreter's lock."""
    for _ in range(1000):
        with contextlib.suppress(shopdata.ProgrammingError):
            one.query("SELECT pg_sleep(2)")
            return
        time.sleep(0.001)


def is_busy(one: shopdata.Session) -> bool:
    try:
        return not one.token
    except shopdata.ProgrammingError:
        return True


def test_async_views_have_the_session(visitor: FlaskClient) -> None:
    pytest.importorskip("asgiref")
    assert visitor.get("/async").text == "one two three"


def test_a_request_s_deadline_is_for_all_its_calls(servers: Servers, things: str) -> None:
    shop = make_shop(configuration(servers, SHOPDATA_REQUEST_DEADLINE=0.5), things)
    with pytest.raises(shopdata.Timeout):
        shop.test_client().get("/slow")


def test_max_staleness_is_each_session_s(servers: Servers, things: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[dict[str, Any]] = []
    make = shopdata.Client.session
    monkeypatch.setattr(shopdata.Client, "session", lambda self, **how: given.append(how) or make(self, **how))
    shop = make_shop(configuration(servers, SHOPDATA_MAX_STALENESS=2.5), things)
    assert shop.test_client().get("/1").text == "one"
    assert given[-1] == {"max_staleness": 2.5}


# ---------------------------------------------------------------------------------------------------------- the cookie


def test_reading_alone_leaves_the_response_as_it_is(visitor: FlaskClient) -> None:
    for path in "/1", "/newest/1", "/public/1":
        assert headers(visitor.get(path)) <= {"Cache-Control"}
    assert visitor.get("/public/1").headers["Cache-Control"] == "public, max-age=60"


def test_a_write_sets_the_cookie(visitor: FlaskClient) -> None:
    response = visitor.post("/1", data={"name": "uno"})
    told = response.headers["Set-Cookie"]
    for attribute in "Max-Age=3600", "HttpOnly", "SameSite=Lax", "Path=/":
        assert attribute in told
    assert "Secure" not in told and "Domain" not in told
    assert response.headers["Cache-Control"] == "private" and response.headers["Vary"] == "Cookie"
    assert "Secure" in visitor.post("/1", data={"name": "uno"}, base_url="https://localhost").headers["Set-Cookie"]


def test_the_cookie_s_attributes_are_the_configuration_s(servers: Servers, things: str) -> None:
    config = configuration(
        servers, SHOPDATA_COOKIE_NAME="seen", SHOPDATA_COOKIE_MAX_AGE=60, SHOPDATA_COOKIE_SECURE=True,
        SHOPDATA_COOKIE_HTTPONLY=False, SHOPDATA_COOKIE_SAMESITE="Strict", SHOPDATA_COOKIE_PATH="/shop",
        SHOPDATA_COOKIE_DOMAIN="shop.example",
    )  # fmt: skip
    told = make_shop(config, things).test_client().post("/1", data={"name": "uno"}).headers["Set-Cookie"]
    assert told.startswith("seen=1") and "HttpOnly" not in told
    for attribute in "Max-Age=60", "Secure", "SameSite=Strict", "Path=/shop", "Domain=shop.example":
        assert attribute in told


def test_with_the_cookie_what_is_new_is_sent_and_what_is_not_is_not(visitor: FlaskClient, servers: Servers,
                                                                    things: str) -> None:  # fmt: skip
    first = cookie(visitor.post("/1", data={"name": "uno"}))
    wait_until(lambda: headers(visitor.get("/1")) == {"Vary"})  # once it comes from the cache
    servers.sql(f"UPDATE {things} SET name = 'due' WHERE id = 2")
    servers.settle()
    assert headers(visitor.get("/public/2")) == {"Cache-Control"}
    second = cookie(visitor.get("/newest/2"))
    assert second not in ("", first)


def test_what_a_view_says_for_all_is_kept_from_those_who_wrote(shop: Flask) -> None:
    @shop.after_request
    def publish(response: Any) -> Any:
        response.cache_control.public = True
        response.cache_control.s_maxage = 60
        return response

    visitor = shop.test_client()
    assert visitor.post("/1", data={"name": "uno"}).headers["Cache-Control"] == "private"
    response = visitor.get("/newest/2")
    assert headers(response) == {"Cache-Control"} and response.headers["Cache-Control"] == "public, s-maxage=60"


def test_what_readers_saw_is_sent_where_that_is_wanted(servers: Servers, things: str) -> None:
    visitor = make_shop(configuration(servers, SHOPDATA_COOKIE_READS=True), things).test_client()
    assert not headers(visitor.get("/plain"))
    assert cookie(visitor.get("/newest/1"))


def test_without_the_cookie_none_is_read_or_written(servers: Servers, things: str) -> None:
    config = configuration(servers, SHOPDATA_COOKIE=False)
    del config["SHOPDATA_TOKEN_KEYS"]
    visitor = make_shop(config, things).test_client()
    assert not headers(visitor.post("/1", data={"name": "uno"}))
    assert visitor.get("/1").text == "uno"


@pytest.mark.parametrize("wrong", ["evil", "", "1" * 4000, "1AAAA.k1.AAAA", "1..", "\U0001f600"])
def test_a_cookie_that_is_no_token_is_ignored(shop: Flask, wrong: str, caplog: pytest.LogCaptureFixture) -> None:
    response = come(shop, "/1", wrong)
    assert (response.status_code, response.text) == (200, "one")
    assert ("the cookie shopdata was ignored" in caplog.text) == bool(wrong)
    assert not wrong or wrong not in caplog.text
    assert ("shopdata=; Expires=Thu, 01 Jan 1970" in response.headers.get("Set-Cookie", "")) == bool(wrong)


@pytest.mark.parametrize("wrong", ["é\x7f%00\"'", '"\\000\\377"', "=;=", " ", ";" * 5000])
def test_a_cookie_that_is_none_does_no_harm(shop: Flask, wrong: str) -> None:
    assert come(shop, "/1", wrong).text == "one"


def test_a_tampered_cookie_is_ignored(shop: Flask, caplog: pytest.LogCaptureFixture) -> None:
    token = cookie(shop.test_client().post("/1", data={"name": "uno"}))
    other = "A" if token[6] != "A" else "B"
    response = come(shop, "/1", f"{token[:6]}{other}{token[7:]}")
    assert response.text == "uno"
    assert "the cookie shopdata was ignored" in caplog.text


def test_keys_are_changed_in_steps(servers: Servers, things: str, caplog: pytest.LogCaptureFixture) -> None:
    config = configuration(servers)
    new = "k2:" + "fedcba9876543210" * 2
    old_shop = make_shop(config, things)
    both_shop, new_shop = (
        make_shop({**config, "SHOPDATA_TOKEN_KEYS": keys}, things) for keys in (f"{new},{KEYS}", new)
    )
    old = cookie(old_shop.test_client().post("/1", data={"name": "uno"}))
    assert ".k1." in old
    both = cookie(come(both_shop, "/1", old))
    assert ".k2." in both and "was ignored" not in caplog.text  # taken, and signed anew
    come(new_shop, "/1", both)
    assert "was ignored" not in caplog.text
    come(new_shop, "/1", old)
    assert "the cookie shopdata was ignored" in caplog.text


# ------------------------------------------------------------------------------------------------------- configuration


def test_keys_must_be_set_for_the_cookie(servers: Servers, things: str) -> None:
    with pytest.raises(shopdata.ConfigError, match=r"token_keys is not set.*SHOPDATA_COOKIE to False"):
        make_shop(configuration(servers, SHOPDATA_TOKEN_KEYS=""), things)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("SHOPDATA_COOKIE_SECUR", True, "unknown key `cookie_secur`"),
        ("SHOPDATA_CACHE", {"kin": "redis"}, "unknown key `kin`"),
        ("SHOPDATA_CACHE", "redis", "cache"),
        ("SHOPDATA_COOKIE", "yes", "SHOPDATA_COOKIE: True or False is wanted, not 'yes'"),
        ("SHOPDATA_COOKIE_NAME", None, "SHOPDATA_COOKIE_NAME: a text is wanted, not None"),
        ("SHOPDATA_COOKIE_MAX_AGE", 0, "SHOPDATA_COOKIE_MAX_AGE: a whole number of seconds over 0"),
        ("SHOPDATA_REQUEST_DEADLINE", -1, "SHOPDATA_REQUEST_DEADLINE: a number of seconds over 0 is wanted, not -1"),
        ("SHOPDATA_MAX_STALENESS", True, "SHOPDATA_MAX_STALENESS: a number of seconds over 0 is wanted, not True"),
        ("SHOPDATA_CONFIG", "nowhere.ini", "nowhere.ini"),
    ],
)
def test_a_wrong_key_is_named(servers: Servers, key: str, value: Any, message: str) -> None:
    with pytest.raises(shopdata.ConfigError, match=re.escape(message)):
        make_shop(configuration(servers, **{key: value}), "things")


def test_a_file_is_looked_for_beside_the_application(servers: Servers, things: str, tmp_path: Any) -> None:
    (tmp_path / "shop.ini").write_text(
        f"[shopdata]\ntoken_keys = {KEYS}\n[node one]\nconninfo = {servers.primary}\n[cache]\nkind = memory\n"
    )
    app = Flask("flask_shop", root_path=str(tmp_path))
    Shopdata(app, "shop.ini", policy={"default": {"ttl": "5s"}})
    flask_shop.add_views(app, things)
    assert app.test_client().get("/1").text == "one"


def test_one_extension_an_application(shop: Flask) -> None:
    with pytest.raises(RuntimeError, match="has a Shopdata already"):
        Shopdata(shop)


def test_applications_have_clients_of_their_own(servers: Servers, things: str, table: Table) -> None:
    others = table("id int PRIMARY KEY, name text", rows="(1, 'other')")
    shops = [make_shop(configuration(servers), name) for name in (things, others)]
    assert [shop.test_client().get("/1").text for shop in shops] == ["one", "other"]
    clients = []
    for shop in shops:
        with shop.app_context():
            clients.append(database.client)
    assert clients[0] is not clients[1]


def test_a_lazy_application_opens_its_client_when_it_is_wanted(
    servers: Servers, things: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []
    real = shopdata.open
    monkeypatch.setattr(shopdata, "open", lambda *path, **how: opened.append(path) or real(*path, **how))
    shop = make_shop(configuration(servers, SHOPDATA_LAZY=True), things)
    assert not opened
    visitor = shop.test_client()
    assert [visitor.get("/1").text, visitor.get("/2").text] == ["one", "two"]
    assert len(opened) == 1


def test_an_application_that_is_gone_takes_its_client_along(servers: Servers, things: str, tmp_path: Any) -> None:
    shop = make_shop(configuration(servers, SHOPDATA_METRICS_DIR=str(tmp_path)), things)
    assert shop.test_client().get("/1").text == "one"
    with shop.app_context():
        gone = [weakref.ref(shop), weakref.ref(database.client)]
    del shop
    gc.collect()
    wait_until(lambda: [reference() for reference in gone] == [None, None])
    assert total(tmp_path).count("\nshopdata_workers 0\n") == 1


# -------------------------------------------------------------------------------------------------------------- errors


def nobody_there(**config: Any) -> Flask:
    """A shop whose database is down."""
    app = Flask("flask_shop")
    app.config.from_mapping(
        SHOPDATA_NODE={"db1": "host=127.0.0.1 port=1 dbname=shop user=shop"}, SHOPDATA_TOKEN_KEYS=KEYS,
        SHOPDATA_DEADLINE="200ms", **config,
    )  # fmt: skip
    Shopdata(app)
    flask_shop.add_views(app, "things")
    return app


def test_503_where_it_is_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    response = nobody_there(SHOPDATA_RETRY_AFTER=7).test_client().get("/1")
    assert response.status_code == 503 and response.headers["Retry-After"] == "7"
    assert "answered with 503: Unavailable: " in caplog.text


def test_503_has_the_application_s_own_page() -> None:
    app = nobody_there(SHOPDATA_RETRY_AFTER=7)
    app.register_error_handler(503, lambda error: ("come back later", 503))
    response = app.test_client().get("/1")
    assert response.text == "come back later" and response.headers["Retry-After"] == "7"


def test_503_leaves_the_application_s_own_handlers_alone() -> None:
    app = nobody_there(SHOPDATA_RETRY_AFTER=7)
    app.register_error_handler(shopdata.Unavailable, lambda error: ("mine", 500))
    assert app.test_client().get("/1").text == "mine"


def test_errors_are_the_view_s_without() -> None:
    with pytest.raises(shopdata.Unavailable):
        nobody_there(TESTING=True).test_client().get("/1")


def test_a_cookie_does_not_hide_that_the_database_is_down(visitor: FlaskClient) -> None:
    token = cookie(visitor.post("/1", data={"name": "uno"}))
    response = come(nobody_there(SHOPDATA_RETRY_AFTER=7), "/1", token)
    assert response.status_code == 503 and not cookie(response)


# ----------------------------------------------------------------------------------------------------------- blueprints


def test_health_with_the_database_up(visitor: FlaskClient) -> None:
    for path, text in ("/healthz", "ready\n"), ("/livez", "alive\n"):
        response = visitor.get(path)
        assert (response.status_code, response.text, headers(response)) == (200, text, {"Cache-Control"})


def test_health_with_the_database_down(caplog: pytest.LogCaptureFixture) -> None:
    visitor = nobody_there().test_client()
    response = visitor.get("/healthz")
    assert (response.status_code, response.text) == (503, "not ready: no node of the database answers\n")
    assert "not ready: no node can be reached (db1" in caplog.text
    assert visitor.get("/livez").status_code == 200
    assert "shopdata_node_role" in visitor.get("/metrics").text


def test_metrics(visitor: FlaskClient) -> None:
    visitor.post("/1", data={"name": "uno"})
    response = visitor.get("/metrics")
    assert response.content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert "\nshopdata_writes_total 1\n" in response.text


def test_blueprints_elsewhere_and_left_out(servers: Servers, things: str) -> None:
    moved = make_shop(configuration(servers, SHOPDATA_URL_PREFIX="/internal"), things).test_client()
    assert [moved.get(path).status_code for path in ("/internal/metrics", "/internal/healthz")] == [200, 200]
    assert [moved.get(path).status_code for path in ("/metrics", "/healthz", "/livez")] == [404, 404, 404]
    without = make_shop(configuration(servers, SHOPDATA_METRICS=False, SHOPDATA_HEALTH=False), things).test_client()
    assert [without.get(path).status_code for path in ("/metrics", "/healthz", "/livez")] == [404, 404, 404]


def test_metrics_that_cannot_be_published_fail_no_request(
    servers: Servers, things: str, tmp_path: Any, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    shop = make_shop(configuration(servers, SHOPDATA_METRICS_DIR=str(tmp_path / "file" / "metrics")), things)
    shop.config.update(TESTING=False, PROPAGATE_EXCEPTIONS=False)
    shop.logger.disabled = True
    visitor = shop.test_client()
    assert [visitor.get("/1").text, visitor.get("/2").text] == ["one", "two"]
    assert caplog.text.count("SHOPDATA_METRICS_DIR: the metrics of this process are not published") == 1
    assert visitor.get("/metrics").status_code == 500


# ------------------------------------------------------------------------------------------------------------- commands


def invoke(app: Flask, *words: str, **how: Any) -> tuple[int, str]:
    done = app.test_cli_runner().invoke(args=["shopdata", *words], **how)
    return done.exit_code, done.output


def test_explain(shop: Flask, things: str) -> None:
    code, text = invoke(shop, "explain", f"SELECT name FROM {things} WHERE id = $1")
    tag = f"public.{things}"
    assert (code, text) == (0, f"read, cached\nhangs on {tag}/id=$1, {tag}/*\nan empty answer also on {tag}\n")
    assert invoke(shop, "explain", "-", input=f"SELECT name FROM {things} WHERE id = $1") == (code, text)


def test_explain_with_tags_and_a_file(shop: Flask, things: str, tmp_path: Any) -> None:
    (tmp_path / "shelf.sql").write_text(f"SELECT name FROM {things}")
    code, text = invoke(shop, "explain", "--tag", "shelf/7", "--file", str(tmp_path / "shelf.sql"))
    assert code == 0 and "shelf/7" in text


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["explain", "SELEC"], 1, "syntax error"),
        (["explain", "SELECT 1; SELECT 2"], 1, "statement"),
        (["explain", "--policy", "nosuch", "SELECT 1"], 1, "nosuch"),
        (["explain"], 2, "SQL is missing"),
        (["explain", "--file", "nowhere.sql"], 2, "nowhere.sql"),
        (["invalidate"], 2, "TAG"),
        (["invalidate", ""], 1, "tag"),
        (["top"], 2, "ADDRESS is missing, and SHOPDATA_METRICS_DIR is not set"),
        (["top", "--interval", "0", "a"], 2, "0.1<=x<=3600"),
        (["top", "file:///etc/hostname"], 2, "an http or https address is wanted"),
        (["top", "http://127.0.0.1:1/metrics"], 1, "Connection refused"),
    ],
)
def test_what_is_wrong_with_a_command_is_told(shop: Flask, words: list[str], code: int, message: str) -> None:
    ended, text = invoke(shop, *words)
    assert ended == code and message in text and "Traceback" not in text


def test_invalidate(shop: Flask, servers: Servers, things: str) -> None:
    visitor = shop.test_client()
    visitor.get("/1")
    servers.sql(f"UPDATE {things} SET name = 'past the library' WHERE id = 1")
    servers.settle()
    assert visitor.get("/1").text == "one"
    assert invoke(shop, "invalidate", f"public.{things}/id=1") == (0, "1 tag bumped\n")
    assert visitor.get("/1").text == "past the library"
    assert invoke(shop, "invalidate", "a", "b") == (0, "2 tags bumped\n")


def test_invalidate_needs_a_shared_cache(servers: Servers, things: str) -> None:
    shop = make_shop(configuration(servers, cache="memory"), things)
    assert invoke(shop, "invalidate", "a") == (
        1, "Error: cache.kind is `memory`: there is no cache that processes share\n",
    )  # fmt: skip


def test_top_of_a_directory(servers: Servers, things: str, tmp_path: Any) -> None:
    shop = make_shop(configuration(servers, SHOPDATA_METRICS_DIR=str(tmp_path / "metrics")), things)
    code, text = invoke(shop, "top", "--once")
    assert code == 1 and "no metrics of libshopdata" in text  # nobody has published yet
    visitor = shop.test_client()
    for _ in range(3):
        visitor.get("/1")
    wait_until(lambda: visitor.get("/metrics").text.count('role="2"') == 0)
    code, text = invoke(shop, "top", "--once", "--interval", "0.1")
    assert code == 0
    assert re.search(r"\nhit ratio +- +since the start 66.7 %", text)
    assert re.search(r"\nprimary +primary +closed +- ", text)
