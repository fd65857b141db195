"""SQLAlchemy's own tests of a dialect (sqlalchemy.testing.suite), run against `postgresql+shopdata://`.

What they skip, and why, is the table in doc/sqlalchemy.md: this file's table, which a run is held against.
With SHOPDATA_TEST_BRIEF=1 what is long and tries the same with other names is left out.
"""

from __future__ import annotations

import ast
import os
import re
import runpy
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote
from xml.etree import ElementTree

import psycopg
import pytest
from sqlalchemy.testing import suite

from servers import Servers

HERE = Path(__file__).resolve().parent / "sqlalchemy_suite"
PAGE = Path(__file__).resolve().parents[2] / "doc" / "sqlalchemy.md"
LONG = "not (BizarroCharacterTest or DifficultParametersTest or ComponentReflectionTest or ReturningTest)"
BRIEF = os.environ.get("SHOPDATA_TEST_BRIEF") == "1"


def url_of(servers: Servers) -> str:
    """The engine's URL for all nodes and Redis."""
    parts = psycopg.conninfo.conninfo_to_dict(servers.primary)
    places = [psycopg.conninfo.conninfo_to_dict(replica) for replica in servers.replicas]
    replicas = "".join(f"&replica={place['host']}:{place['port']}" for place in places)
    login = f"{parts['user']}:{quote(str(parts['password']))}@{parts['host']}:{parts['port']}"
    return f"postgresql+shopdata://{login}/{parts['dbname']}?cache=redis://{servers.redis}{replicas}"


@pytest.fixture
def suite_database(database: Servers) -> Servers:
    """A database with what the suite expects to be there."""
    ((owner,),) = database.sql("SELECT current_user")
    for text in ("EXTENSION hstore", "EXTENSION citext", f"SCHEMA test_schema AUTHORIZATION {owner}"):
        database.sql(f"CREATE {text}", as_superuser=True)
    database.settle()
    return database


def run_suite(database: Servers, report: Path) -> tuple[int, str]:
    command = [sys.executable, "-m", "pytest", "--dburi", url_of(database), f"--junitxml={report}"]
    if BRIEF:
        command += ["-k", LONG]
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def skipped(report: Path) -> dict[str, set[str]]:
    """The tests that were skipped, by the reason."""
    found = defaultdict(set)
    for case in ElementTree.parse(report).iter("testcase"):
        skip = case.find("skipped")
        if skip is not None:
            name = re.sub(r"_postgresql.*", "", str(case.get("classname")).rpartition(".")[2])
            reason = str(skip.get("message")).rpartition("' : ")[2]
            found[reason].add(f"{name}.{str(case.get('name')).partition('[')[0]}")
    return dict(found)


def left_out(report: Path) -> dict[str, set[str]]:
    """Whole classes of tests that were not even looked at, by the reason."""
    seen = {str(case.get("classname")).rpartition(".")[2].partition("_postgresql")[0]
            for case in ElementTree.parse(report).iter("testcase")}
    reasons = {name: reason for reason, names in closed().items() for name in names}
    found = defaultdict(set)
    for name, wants in wanted_by_class().items():
        if name not in seen:
            found[next((reasons[one] for one in wants if one in reasons), f"requires {wants}")].add(name)
    return dict(found)


def closed() -> dict[str, list[str]]:
    names: dict[str, Any] = runpy.run_path(str(HERE / "requirements.py"))
    return cast("dict[str, list[str]]", names["CLOSED"])


def wanted_by_class() -> dict[str, tuple[str, ...]]:
    """The classes of SQLAlchemy's suite that have tests, and what each requires."""
    wants: dict[str, tuple[str, ...]] = {}
    with_tests: set[str] = set()
    for file in sorted(Path(suite.__file__).parent.glob("test_*.py")):
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.ClassDef):
                bases = [base.id for base in node.bases if isinstance(base, ast.Name)]
                wants[node.name] = own_wants(node) or next((wants[base] for base in bases if base in wants), ())
                if with_tests & set(bases) or any(getattr(part, "name", "").startswith("test_") for part in node.body):
                    with_tests.add(node.name)
    return {name: wants[name] for name in with_tests if name.endswith("Test") and not name.startswith("_")}


def own_wants(node: ast.ClassDef) -> tuple[str, ...]:
    for part in node.body:
        if isinstance(part, ast.Assign) and ast.unparse(part.targets[0]) == "__requires__":
            return tuple(ast.literal_eval(part.value))
    return ()


def table_of(found: dict[str, set[str]]) -> str:
    lines = ["| not run | because |", "| --- | --- |"]
    for reason, tests in sorted(found.items()):
        lines.append(f"| {', '.join(f'`{test}`' for test in sorted(tests))} | {reason} |")
    return "\n".join(lines) + "\n"


def test_suite(suite_database: Servers, tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    code, output = run_suite(suite_database, report)
    print(output[-300:])
    assert code == 0, output[-20000:]
    if not BRIEF:
        found = skipped(report)
        for reason, classes in left_out(report).items():
            found[reason] = found.get(reason, set()) | classes
        table = table_of(found)
        assert table in PAGE.read_text(), f"{PAGE} has another table; this run's is\n{table}"
