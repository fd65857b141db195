"""Reading and writing results.json, and what is said of a file that is none."""

from __future__ import annotations

import json
import os
import re
from copy import deepcopy
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
import results
import samples
from histogram import Histogram
from results import ReportError, Results, Target

FORMAT_PAGE = Path(results.__file__).with_name("FORMAT.md")


def test_what_is_written_is_read_again(tmp_path: Path, demo: Results) -> None:
    path = tmp_path / "results.json"
    results.write(demo, path)
    assert results.read(path) == demo
    assert [one.name for one in tmp_path.iterdir()] == ["results.json"]


def test_what_a_newer_engine_adds_is_passed_over(tmp_path: Path) -> None:
    told = samples.results([samples.run("cache", samples.random.Random(1), seconds=1)], new=[1])
    told["runs"][0]["result"]["invented"] = {"a": 1}
    (tmp_path / "r.json").write_text(json.dumps(told))
    assert results.read(tmp_path / "r.json").runs[0].configuration == "cache"


def path_in(value: Any, path: str) -> tuple[Any, Any]:
    """The holder of a place like ``runs[0].start.format``, and the place in it."""
    *way, last = [int(part) if part.isdigit() else part for part in re.findall(r"\w+", path)]
    for part in way:
        value = value[part]
    return value, last


@pytest.mark.parametrize(("path", "value", "says"), [
    ("runs[0].result.intended", "x", 'runs[0].result.intended: wants a whole number, not "x"'),
    ("runs[0].result.intended", 1.5, "runs[0].result.intended: wants a whole number, not 1.5"),
    ("runs[0].result.intended", True, "runs[0].result.intended: wants a whole number, not true"),
    ("runs[0].result.requests_by", {}, "runs[0].result.requests_by: wants a list, not {}"),
    ("runs[0].result.requests_by[0].source", None, "runs[0].result.requests_by[0].source: wants text, not null"),
    ("runs[0].seconds[1].sources.cache", [], "runs[0].seconds[1].sources.cache: wants a whole number, not []"),
    ("runs[0].result.latency.count", 7, "runs[0].result.latency: is no object of times: the buckets hold"),
    ("runs[0].start", 3, "runs[0].start: wants an object, not 3"),
    ("format", 2, "has format 2, and this shopbench reads 1"),
    ("runs", "x" * 99, "runs: wants a list, not \"xxxxxx"),
])
def test_a_fault_is_told_with_its_place(tmp_path: Path, path: str, value: Any, says: str) -> None:
    told = deepcopy(SMALL)
    holder, last = path_in(told, path)
    holder[last] = value
    file = tmp_path / "r.json"
    file.write_text(json.dumps(told))
    with pytest.raises(ReportError) as caught:
        results.read(file)
    assert str(caught.value).startswith(f"{file}: ") and says in str(caught.value) and "\n" not in str(caught.value)


SMALL = samples.results([samples.run("cache", samples.random.Random(1), seconds=1)])


def test_what_is_missing_is_told(tmp_path: Path) -> None:
    told = deepcopy(SMALL)
    del told["runs"][0]["result"]["phase"]
    (tmp_path / "r.json").write_text(json.dumps(told))
    with pytest.raises(ReportError, match=r"runs\[0\]\.result\.phase: is missing"):
        results.read(tmp_path / "r.json")


@pytest.mark.parametrize(("text", "says"), [
    ("{", "is no JSON"), ("[]", "has no `runs`"), ('{"runs": NaN}', "NaN is no number"), ("{}", "has no `runs`")])
def test_what_is_no_results_file(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(ReportError, match=says):
        results.read(tmp_path / "r.json")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"none\.json: No such file"):
        results.read(tmp_path / "none.json")


def test_a_disk_that_is_full_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "results.json"
    path.write_text("old")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")
    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(ReportError, match=r"results\.json: cannot be written: No space left on device"):
        results.write_whole(path, "new")
    assert path.read_text() == "old" and [one.name for one in tmp_path.iterdir()] == ["results.json"]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="cannot be written: No such file"):
        results.write_whole(tmp_path / "none" / "r.json", "")


def table_names(heading: str) -> set[str]:
    """The first column of a section's table in FORMAT.md."""
    section = FORMAT_PAGE.read_text().split(f"\n### {heading}")[1].split("\n### ")[0]
    cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}


@pytest.mark.parametrize(("heading", "kind"), [("`second`", results.Second), ("`result`", results.Result)])
def test_every_field_of_the_format_is_read(heading: str, kind: type[Any]) -> None:
    assert table_names(heading) and table_names(heading) <= {one.name for one in fields(kind)}


def test_a_target_counts_what_was_never_answered(demo: Results) -> None:
    one = replace(demo.runs[0].result, latency=Histogram.from_json(samples.times([1_000_000] * 99)), requests=99)
    assert Target(99, 1000).met_by(one) and not Target(99, 999).met_by(one)
    assert Target(99, 1000).met_by(replace(one, failed=1)) and not Target(99, 1000).met_by(replace(one, dropped=2))
    assert not Target(99, 1000).met_by(replace(one, latency=Histogram(), requests=0))
    assert str(Target(99.9, 5000)) == "p99.9 ≤ 5 ms"
