"""Sessions, statements and results: what a program does with them on an ordinary day."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import shopdata

from things import Things


def test_a_read_comes_from_the_database_and_then_from_the_cache(things: Things) -> None:
    with things.client.session() as s:
        first = s.query(things.by_id, 1)
        second = s.query(things.by_id, 1)
    assert first.source in ("replica", "primary")
    assert second.source == "cache"
    assert first.one() == second.one() == (1, "one", 1.5)


def test_a_row_has_its_columns_by_name_key_and_number(things: Things) -> None:
    with things.client.session() as s:
        row = s.query(things.by_id, 2).one()
    number, name, price = row
    assert (row.id, row["name"], row[2]) == (number, name, price) == (2, "two", 2.5)


def test_a_result_is_a_sequence(things: Things) -> None:
    with things.client.session() as s:
        result = s.query(f"SELECT id FROM {things.table} ORDER BY id")
    assert len(result) == 3
    assert [row.id for row in result] == [1, 2, 3]
    assert result[0].id == 1
    assert result[-1].id == 3
    assert [row.id for row in result[1:]] == [2, 3]
    assert result.all() == list(result)
    assert result.first() == (1,)
    assert (2,) in result
    assert result.columns == ("id",)
    assert result.types == (23,)
    assert result.changed == 3
    with pytest.raises(IndexError):
        result[3]


def test_one_and_none_and_many(things: Things) -> None:
    with things.client.session() as s:
        none = s.query(things.by_id, 9)
        many = s.query(f"SELECT id FROM {things.table} ORDER BY id")
    assert none.one_or_none() is None
    assert none.first() is None
    with pytest.raises(shopdata.NoRow, match="there is none"):
        none.one()
    with pytest.raises(shopdata.NoRow):
        none.scalar()
    for question in (many.one, many.one_or_none, many.scalar):
        with pytest.raises(shopdata.ManyRows, match="there are 3"):
            question()


def test_scalar(things: Things) -> None:
    with things.client.session() as s:
        assert s.query(f"SELECT count(*) FROM {things.table}").scalar() == 3


def test_a_result_tells_where_it_came_from(things: Things) -> None:
    with things.client.session(primary=True) as s:
        result = s.query(things.by_id, 1)
    assert result.node == "primary"
    assert result.age is not None and 0 <= result.age < 60
    assert result.staleness == 0.0
    assert result.fenced
    assert repr(result) == "<shopdata.Result: 1 rows of id, name, price, from primary>"


def test_a_write_tells_what_it_changed_and_returns_rows(things: Things) -> None:
    with things.client.session() as s:
        result = s.execute(f"UPDATE {things.table} SET price = price + 1 WHERE id < 3 RETURNING id")
        assert result.changed == 2
        assert sorted(row.id for row in result) == [1, 2]
        assert result.fenced
        assert s.execute(things.rename, 9, "nine").changed == 0


def test_a_write_is_seen_by_everybody(things: Things) -> None:
    with things.client.session() as reader, things.client.session() as writer:
        assert reader.query(things.by_id, 1).one().name == "one"
        writer.execute(things.rename, 1, "uno")
        assert reader.query(things.by_id, 1).one().name == "uno"


def test_plain_sql_and_named_parameters(things: Things) -> None:
    with things.client.session() as s:
        sql = f"SELECT name FROM {things.table} WHERE id = :id AND price < :most"
        assert s.query(sql, id=1, most=2).scalar() == "one"
        assert s.query(sql, {"id": 2, "most": 9}).scalar() == "two"
        assert s.execute(f"UPDATE {things.table} SET name = :name WHERE id = :id", id=3, name="tre").changed == 1


def test_many_reads_at_once(things: Things) -> None:
    named = things.client.statement(f"SELECT name FROM {things.table} WHERE id = :id")
    with things.client.session() as s:
        results = s.query_many(
            [(things.by_id, 1), (named, {"id": 2}), f"SELECT count(*) FROM {things.table}", [named, {"id": 3}]]
        )
        assert [result[0][-1] for result in results] == [1.5, "two", 3, "three"]
        assert s.query_many([]) == []


def test_rows_into_classes(things: Things) -> None:
    @dataclass
    class Thing:
        id: int
        name: str
        price: float

    with things.client.session() as s:
        assert s.query(things.by_id, 1, into=Thing).one() == Thing(1, "one", 1.5)


def test_a_statement_tells_what_it_is(things: Things) -> None:
    statement = things.client.statement(
        f"SELECT 1 FROM {things.table} WHERE id = :id OR id = :other", tags=["shelf/$1"]
    )
    assert statement.parameters == ("id", "other")
    assert statement.is_read
    assert statement.policy == "default"
    assert statement.tags == ("shelf/$1",)
    assert ":id" in statement.sql and ":id" in repr(statement)
    assert "shelf/$1" in statement.explain()
    assert things.rename.parameters == ("$1", "$2")
    assert not things.rename.is_read
    assert "bumps" in things.rename.explain()


def test_tags_of_ones_own_are_bumped(things: Things) -> None:
    statement = things.client.statement(f"SELECT count(*) FROM {things.table}", tags=["count"])
    with things.client.session() as s:
        s.query(statement)
        assert s.query(statement).source == "cache"
        assert things.client.invalidate("count") is True
        assert s.query(statement).source != "cache"


def test_a_token_carries_what_was_written(things: Things) -> None:
    with things.client.session() as s:
        s.execute(things.rename, 1, "uno")
        token = s.token
    with things.client.session(token=token, cache=False) as s:
        assert s.query(things.by_id, 1).one().name == "uno"
        s.advance(token)


def test_settings_of_a_session(things: Things) -> None:
    with things.client.session(settings={"app.tenant": "7"}) as s:
        assert s.query("SELECT current_setting('app.tenant', true)").scalar() == "7"
        s.set("app.tenant", None)
        assert s.query("SELECT current_setting('app.tenant', true)").scalar() in (None, "")


def test_a_deadline_ends_a_query(things: Things) -> None:
    with things.client.session(deadline=0.2) as s:
        with pytest.raises(shopdata.Timeout) as caught:
            s.query("SELECT pg_sleep(20)")
        assert isinstance(caught.value, TimeoutError)
        s.set_deadline(5)
        assert s.query("SELECT 1").scalar() == 1


def test_staleness_may_be_allowed(things: Things) -> None:
    with things.client.session() as s, things.client.session(max_staleness=60) as tolerant:
        tolerant.query(things.by_id, 1)
        s.execute(things.rename, 1, "uno")
        assert tolerant.query(things.by_id, 1).one().name in ("one", "uno")
        tolerant.set_max_staleness(0)
        assert tolerant.query(things.by_id, 1).one().name == "uno"


def test_without_the_cache(things: Things) -> None:
    with things.client.session(cache=False) as s:
        s.query(things.by_id, 1)
        assert s.query(things.by_id, 1).source != "cache"


def test_metrics(things: Things) -> None:
    with things.client.session() as s:
        s.query(things.by_id, 1)
        s.query(things.by_id, 1)
    metrics = things.client.metrics()
    assert metrics.get("shopdata_queries_total", source="cache") >= 1
    assert metrics.get("shopdata_queries_total") >= 2
    assert metrics.get("no_such_metric") == 0
    assert {one.type for one in metrics} == {"counter", "gauge", "histogram"}
    assert metrics[0] in metrics[:1] and len(metrics) > 100
    assert "# TYPE shopdata_queries_total counter" in metrics.prometheus()
    assert '"Namespace":"Shop"' in metrics.emf("Shop", dimensions="service=test").replace(" ", "")
    assert things.client.metrics().emf("Shop", since=metrics)


def test_a_client_is_ready(things: Things) -> None:
    things.client.ready()
    things.client.ready(wait=1)


def test_a_file_and_keywords_on_top(tmp_path: Path, sections: dict[str, Any]) -> None:
    path = tmp_path / "shop.ini"
    node = f"[node primary]\nconninfo = {sections['node']['primary']}\n"
    path.write_text(node + "[policy catalog]\nttl = 5m\n[policy other]\nttl = 1m\n")
    with shopdata.open(path, policy={"other": {"ttl": datetime.timedelta(minutes=2)}}, pool={"size": 2}) as client:
        with client.session() as s:
            assert s.query(client.statement("SELECT 1", policy="catalog")).scalar() == 1
            assert s.query(client.statement("SELECT 2", policy="other")).scalar() == 2
    assert client.closed


def test_kept_statements_are_bounded(things: Things) -> None:
    kept = things.client._kept
    with things.client.session() as s:
        for number in range(1100):
            s.query_many([]) if number % 100 else s.query(f"SELECT {number}")
            kept.get(f"SELECT {number}")
    assert len(kept._kept) == 1000
    assert kept.get("SELECT 1099") is kept.get("SELECT 1099")
    assert kept.get("SELECT 1", "default") is not kept.get("SELECT 1")
