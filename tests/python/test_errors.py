"""Every fault of a caller is one exception with one line that names it."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import pytest

import shopdata

from things import Things


def test_the_tree_is_pep_249s() -> None:
    assert issubclass(shopdata.IntegrityError, shopdata.DatabaseError)
    assert issubclass(shopdata.DatabaseError, shopdata.Error)
    assert issubclass(shopdata.InterfaceError, shopdata.Error)
    assert not issubclass(shopdata.InterfaceError, shopdata.DatabaseError)
    assert not issubclass(shopdata.Warning, shopdata.Error)


@pytest.mark.parametrize(
    ("error", "parents"),
    [
        (shopdata.Timeout, (shopdata.OperationalError, TimeoutError)),
        (shopdata.Unavailable, (shopdata.OperationalError, ConnectionError)),
        (shopdata.ConfigError, (shopdata.InterfaceError, ValueError)),
        (shopdata.ParameterError, (shopdata.ProgrammingError, TypeError)),
        (shopdata.NoRow, (shopdata.ProgrammingError, LookupError)),
        (shopdata.ManyRows, (shopdata.ProgrammingError, LookupError)),
    ],
)
def test_builtin_parents(error: type[Exception], parents: tuple[type[Exception], ...]) -> None:
    assert all(issubclass(error, parent) for parent in parents)
    assert str(error("why")) == "why"


@pytest.mark.parametrize(
    ("sql", "error", "sqlstate"),
    [
        ("SELECT * FROM no_such_table", shopdata.ProgrammingError, "42P01"),
        ("SELECT 1 +", shopdata.ProgrammingError, "42601"),
        ("SELECT 1/0", shopdata.DataError, "22012"),
        ("SELECT 'x'::int", shopdata.DataError, "22P02"),
        ("SELECT 'x'::no_such_type", shopdata.ProgrammingError, "42704"),
    ],
)
def test_what_postgresql_rejects(client: shopdata.Client, sql: str, error: type[shopdata.Error], sqlstate: str) -> None:
    with client.session() as s, pytest.raises(error) as caught:
        s.query(sql)
    assert caught.value.sqlstate == sqlstate
    assert caught.value.status == "SHOPDATA_ERR_SQL"
    assert caught.value.retriable is False
    assert "\n" not in str(caught.value)


def test_a_broken_constraint(things: Things) -> None:
    with things.client.session() as s, pytest.raises(shopdata.IntegrityError, match=r"\(id\)=\(1\)") as caught:
        s.execute(f"INSERT INTO {things.table} VALUES (1)")
    assert caught.value.sqlstate == "23505"
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (type(copy), str(copy), copy.sqlstate) == (shopdata.IntegrityError, str(caught.value), "23505")


def test_an_own_sqlstate(client: shopdata.Client) -> None:
    raising = client.statement("DO $$ BEGIN RAISE 'no such shelf' USING ERRCODE = '23X01'; END $$", tags=["nothing"])
    with client.session() as s, pytest.raises(shopdata.IntegrityError, match="no such shelf") as caught:
        s.execute(raising)
    assert caught.value.sqlstate == "23X01"


FAULTS: list[tuple[Callable[[shopdata.Session, Things], object], type[Exception], str]] = [
    (lambda s, t: s.query(t.by_id), shopdata.ParameterError, r"^0 parameters given, but the statement takes 1"),
    (lambda s, t: s.query(t.by_id, 1, 2), shopdata.ParameterError, r"^2 parameters given, but the statement takes 1"),
    (lambda s, t: s.query_many([(t.by_id, 1), t.by_id]), shopdata.ParameterError, r"0 parameters given"),
    (lambda s, t: s.execute(t.rename, 1), shopdata.ParameterError, r"^1 parameter"),
    (lambda s, t: s.query(t.by_id, object()), shopdata.ParameterError, r"^parameter \$1: .*object"),
    (lambda s, t: s.query("SELECT :what", what=object()), shopdata.ParameterError, r"what.*object"),
    (lambda s, t: s.query("SELECT :what"), shopdata.ParameterError, r"^no value for :what; its parameters are :what$"),
    (lambda s, t: s.query("SELECT 1", what=1), shopdata.ParameterError, r"^the statement has no parameter :what$"),
    (lambda s, t: s.query(t.by_id, id=1), shopdata.ParameterError, r"^the statement has no parameter :id$"),
    (lambda s, t: s.query(42), shopdata.ParameterError, r"^a Statement or SQL as a str is wanted, not int$"),
    (lambda s, t: s.execute(None), shopdata.ParameterError, r"not NoneType$"),
    (lambda s, t: s.query_many([()]), shopdata.ParameterError, r"not \(\)$"),
    (lambda s, t: s.query("SELECT 'a\0b'"), shopdata.ParameterError, r"NUL character"),
    (lambda s, t: s.query("SELECT '\ud800'"), shopdata.ParameterError, r"lone surrogate"),
    (lambda s, t: s.query("DELETE FROM " + t.table), shopdata.Refused, r"use session\.execute\(\)"),
    (lambda s, t: s.execute("BEGIN"), shopdata.Refused, r"use session\.transaction\(\), session\.commit\(\)"),
    (
        lambda s, t: s.query("SELECT 1; SELECT 2"),
        shopdata.Refused,
        r"^more than one statement: make one statement of each",
    ),
    (lambda s, t: s.commit(), shopdata.TransactionError, r"call session\.transaction\(\) first"),
    (
        lambda s, t: s.begin("sometimes"),
        shopdata.ParameterError,
        r"^isolation 'sometimes'; there are 'read committed', ",
    ),
    (lambda s, t: s.advance("nonsense"), shopdata.ProgrammingError, r"^the token was refused"),
    (lambda s, t: s.advance(b"x"), shopdata.ParameterError, r"^token is a str, not bytes$"),
    (lambda s, t: s.set_deadline(0), shopdata.ProgrammingError, r"^a deadline of 0 ms"),
    (lambda s, t: s.set_deadline(float("inf")), shopdata.ProgrammingError, r"^a deadline of \d+ ms"),
    (lambda s, t: s.set_deadline(float("nan")), shopdata.ParameterError, r"^deadline is a number of seconds, not nan$"),
    (lambda s, t: s.set_deadline("5s"), shopdata.ParameterError, r"^deadline is a number of seconds, not '5s'$"),
    (lambda s, t: s.set_max_staleness(-1), shopdata.ProgrammingError, r"^a staleness of -1000 ms"),
    (lambda s, t: s.set("tenant", "1"), shopdata.Refused, r"^tenant is none of"),
    (lambda s, t: s.set("app.tenant", 1), shopdata.ParameterError, r"^value is a str, not int$"),
    (lambda s, t: t.client.statement("SELECT 1", policy="none"), shopdata.ProgrammingError, r"^no policy \"none\""),
    (lambda s, t: t.client.statement("SELECT 1", tags="shelf"), shopdata.ParameterError, r"not a str: \['shelf'\]$"),
    (lambda s, t: t.client.statement("SELECT 1", tags=[1]), shopdata.ParameterError, r"^a tag is a str"),
    (lambda s, t: t.client.statement("SELECT :a, $1"), shopdata.ProgrammingError, r"named or numbered, not both"),
    (lambda s, t: t.client.invalidate(""), shopdata.ProgrammingError, r"^tag 0 is empty"),
    (lambda s, t: t.client.invalidate(None), shopdata.ParameterError, r"^a tag is a str"),
    (lambda s, t: t.client.ready(wait=-1), shopdata.ProgrammingError, r"^wait_ms is -1000"),
    (lambda s, t: t.client.metrics().emf(""), shopdata.ProgrammingError, r"name"),
]


@pytest.mark.parametrize("number", range(len(FAULTS)))
def test_a_fault_is_named_and_does_no_harm(things: Things, number: int) -> None:
    attempt, error, message = FAULTS[number]
    with things.client.session() as s:
        with pytest.raises(error, match=message) as caught:
            attempt(s, things)
        assert type(caught.value) is error
        assert "\n" not in str(caught.value)
        assert "shopdata_" not in str(caught.value)
        assert "argument" not in str(caught.value)  # SWIG's word
        assert s.query(things.by_id, 1).one().name == "one"


def test_a_statement_of_another_client(things: Things, sections: dict[str, Any]) -> None:
    with shopdata.open(**sections) as other, other.session() as s:
        with pytest.raises(shopdata.ProgrammingError, match="another client"):
            s.query(things.by_id, 1)


def test_closed(things: Things, sections: dict[str, Any]) -> None:
    client = shopdata.open(**sections)
    session = client.session()
    statement = client.statement("SELECT 1")
    statement.close()
    for attempt in (lambda: session.query(statement), statement.explain, lambda: statement.parameters):
        with pytest.raises(shopdata.Closed, match="^the statement is closed$"):
            attempt()
    session.close()
    session.close()
    assert session.closed
    for attempt in (lambda: session.query("SELECT 1"), session.commit, lambda: session.token, lambda: session.begin()):
        with pytest.raises(shopdata.Closed, match="^the session is closed$"):
            attempt()
    client.close()
    client.close()
    assert client.closed
    for attempt in (
        client.session,
        client.ready,
        client.metrics,
        lambda: client.invalidate("x"),
        lambda: client.statement("SELECT 1"),
    ):
        with pytest.raises(shopdata.Closed, match="^the client is closed$"):
            attempt()
    assert [repr(one) for one in (client, session)] == ["<shopdata.Client: closed>", "<shopdata.Session: closed>"]


def test_a_session_outlives_its_client(things: Things, sections: dict[str, Any]) -> None:
    client = shopdata.open(**sections)
    with client.session() as s:
        statement = client.statement("SELECT 1")
        client.close()
        assert s.query(statement).scalar() == 1
        with pytest.raises(shopdata.Closed, match="^the client is closed$"):
            s.query("SELECT 2")


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"cache": {"kinds": "redis"}}, r"^cache.kinds: unknown key `kinds`; did you mean `kind`\?$"),
        ({"node": {"primary": {"conninfo": "host=x", "wait": 1}}}, r"^node\.primary\.wait: unknown key"),
        ({"node": {"primary": "host=x"}, "shopdata": {"deadline": "5"}}, r"deadline"),
        ({"node": "host=x"}, r"^node is a section: a mapping of its keys, not str$"),
        (
            {"node": {"primary": object()}},
            r"^node\.primary: a value is a str, a number, a bool or a timedelta, not object$",
        ),
        ({}, r"node"),
        ({"shelf": {"x": 1}}, r"shelf"),
    ],
)
def test_a_wrong_configuration(sections: dict[str, Any], message: str) -> None:
    with pytest.raises(shopdata.ConfigError, match=message) as caught:
        shopdata.open(**sections)
    assert isinstance(caught.value, ValueError)


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(shopdata.ConfigError, match=r"^/no/such\.ini: cannot open"):
        shopdata.open("/no/such.ini")


def test_nobody_answers() -> None:
    sections = {"node": {"primary": "host=127.0.0.1 port=1"}, "shopdata": {"deadline": "200ms"}}
    with shopdata.open(**sections) as client, client.session() as s:
        with pytest.raises(shopdata.Unavailable) as caught:
            s.query("SELECT 1")
        assert isinstance(caught.value, ConnectionError) and caught.value.retriable
        with pytest.raises(shopdata.Unavailable):
            client.ready()
