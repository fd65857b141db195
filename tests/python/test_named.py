"""Named parameters: what is one, and what only looks like one."""

from __future__ import annotations

import pytest

import shopdata
from shopdata.parameters import parse, values_of


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT :a", "SELECT $1"),
        ("SELECT :a, :b, :a", "SELECT $1, $2, $1"),
        (":a", "$1"),
        ("SELECT :a::int", "SELECT $1::int"),
        ("SELECT x::int + :a", "SELECT x::int + $1"),
        ("SELECT ':a', :b", "SELECT ':a', $1"),
        ("SELECT 'it''s :a', :b", "SELECT 'it''s :a', $1"),
        (r"SELECT 'back\', :b", r"SELECT 'back\', $1"),
        (r"SELECT E'quote\' :a', :b", r"SELECT E'quote\' :a', $1"),
        (r"SELECT e'\\', :b", r"SELECT e'\\', $1"),
        ("SELECT E'x'\n  'quote\\' :a', :b", "SELECT E'x'\n  'quote\\' :a', $1"),
        ("SELECT E'x' -- y\n-- z\n'quote\\' :a', :b", "SELECT E'x' -- y\n-- z\n'quote\\' :a', $1"),
        ("SELECT E'x' || 'back\\', :b", "SELECT E'x' || 'back\\', $1"),
        ('SELECT ":a", :b', 'SELECT ":a", $1'),
        ('SELECT "say "":a""", :b', 'SELECT "say "":a""", $1'),
        ("SELECT $$:a$$, :b", "SELECT $$:a$$, $1"),
        ("SELECT $x$ $$ :a $x$, :b", "SELECT $x$ $$ :a $x$, $1"),
        ("SELECT a$b$c, :d, x$b$", "SELECT a$b$c, $1, x$b$"),
        ("SELECT 1 -- :a\n, :b", "SELECT 1 -- :a\n, $1"),
        ("SELECT /* :a /* :b */ :c */ :d", "SELECT /* :a /* :b */ :c */ $1"),
        ("SELECT f(x := :a)", "SELECT f(x := $1)"),
        ("SELECT f(x:=:a)", "SELECT f(x:=$1)"),
        ("SELECT p[1:n], :a", "SELECT p[1:n], $1"),
        ("SELECT p[lo:hi], :a", "SELECT p[lo:hi], $1"),
        ("SELECT p[(1+1):n], :a", "SELECT p[(1+1):n], $1"),
        ("SELECT p[:i]", "SELECT p[$1]"),
        ("SELECT p[1: :n]", "SELECT p[1: $1]"),
        ("SELECT p[:a::int]", "SELECT p[$1::int]"),
        ("SELECT ARRAY[:a, :b]", "SELECT ARRAY[$1, $2]"),
        ("SELECT ARRAY[1+:a, CASE WHEN :b THEN :c END]", "SELECT ARRAY[1+$1, CASE WHEN $2 THEN $3 END]"),
        ("SELECT ARRAY[t AT TIME ZONE :a]", "SELECT ARRAY[t AT TIME ZONE $1]"),
        ("SELECT ARRAY[p[1:n], :b]", "SELECT ARRAY[p[1:n], $1]"),
        ("SELECT :größe, :_x1", "SELECT $1, $2"),
        ("SELECT :a AS b,:c", "SELECT $1 AS b,$2"),
        ("SELECT a<:b AND c>=:d", "SELECT a<$1 AND c>=$2"),
    ],
)
def test_parameters_become_numbers(sql: str, expected: str) -> None:
    assert parse(sql).sql == expected


@pytest.mark.parametrize(
    "sql",
    ["SELECT 1", "SELECT $1::text", "SELECT ':a'", "SELECT 'open :a", "SELECT $q$ :a", "/* :a", "SELECT 1 : 2", ":"],
)
def test_what_has_no_named_parameter_stays_as_it_is(sql: str) -> None:
    assert parse(sql) == (sql, None)


def test_names_come_in_the_order_of_their_numbers() -> None:
    assert parse("SELECT :b, :a, :b").names == ("b", "a")


def test_named_and_numbered_do_not_mix() -> None:
    with pytest.raises(shopdata.ProgrammingError, match=r"not both: there are :a and \$2"):
        parse("SELECT :a, $2")


def test_values_by_keyword_and_by_mapping() -> None:
    assert values_of(("b", "a"), (), {"a": 1, "b": 2}) == (2, 1)
    assert values_of(("b", "a"), ({"a": 1, "b": 2},), {}) == (2, 1)


@pytest.mark.parametrize(
    ("params", "named", "message"),
    [
        ((), {"a": 1}, r"^no value for :b; its parameters are :b, :a$"),
        ((), {"a": 1, "b": 2, "c": 3}, r"^the statement has no parameter :c; its parameters are :b, :a$"),
        ((), {"c": 1}, r"^no value for :b, :a; the statement has no parameter :c; its"),
        ((1, 2), {}, r"parameters are named \(:b, :a\): pass them by keyword$"),
        (({"a": 1},), {"b": 2}, r"pass them by keyword$"),
    ],
)
def test_wrong_values_are_named(params: tuple[object, ...], named: dict[str, object], message: str) -> None:
    with pytest.raises(shopdata.ParameterError, match=message):
        values_of(("b", "a"), params, named)
