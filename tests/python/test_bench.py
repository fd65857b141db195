"""What bench/python measures with, on contenders that cost nothing. Says nothing about speed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench" / "python"))

from compare import Contender, Contest, Line, compare, table, write_report  # noqa: E402

CONTEST = Contest(seconds=0.2, products=10, rounds=3, targets={("b", 2): 1e9})


def reading(name: str, off_by: int = 0) -> Contender:
    return Contender(name, lambda: lambda key: (key + off_by, "a product"))


def test_every_peer_has_a_line_and_every_round_a_ratio() -> None:
    lines, calls = compare(reading("a"), [reading("b"), reading("c")], 2, CONTEST)
    assert [(line.peer, line.threads, len(line.ratios)) for line in lines] == [("b", 2, 3), ("c", 2, 3)]
    assert all(line.ours > 0 and line.theirs > 0 and min(line.ratios) > 0 for line in lines)
    assert calls > 0


def test_a_target_is_met_or_missed(tmp_path: Path) -> None:
    lines = [Line("b", 8, 30.0, 10.0, [2.0, 3.0, 4.0], target) for target in (3.0, 3.1, None)]
    assert [line.missed for line in lines] == [False, True, False]
    rows = table(lines).splitlines()
    assert "[ok]" in rows[1] and "[MISSED]" in rows[2] and "[" not in rows[3]
    write_report(tmp_path / "report.json", lines, 1.0)
    told = json.loads((tmp_path / "report.json").read_text())
    assert [line["missed"] for line in told["lines"]] == [False, True, False]
    assert told["lines"][0]["ratio"] == 3.0 and told["lines"][0]["spread"] == [2.2, 3.8]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_wrong_row_ends_the_run() -> None:
    with pytest.raises(RuntimeError, match="failed"):
        compare(reading("a"), [reading("b", off_by=1)], 1, CONTEST)
