"""SQLAlchemy's own tests of a dialect (sqlalchemy.testing.suite), run against `postgresql+shopdata://`.

What they skip, and why, is the table in doc/sqlalchemy.md: this file's table, which a run is held against.
With SHOPDATA_TEST_BRIEF=1 what is long and tries the same with other names is left out.
"""

from __future__ import annotations

import ast
import contextlib
import os
import re
import runpy
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote
from xml.etree import ElementTree

import psycopg
from sqlalchemy.testing import suite

from servers import Servers

HERE = Path(__file__).resolve().parent / "sqlalchemy_suite"
PAGE = Path(__file__).resolve().parents[2] / "doc" / "sqlalchemy.md"
# Run beside each other, each with a database of its own: most of the time they wait.
LONG = ("ComponentReflectionTest", "BizarroCharacterTest or DifficultParametersTest or ReturningTest")
REST = f"not ({' or '.join(LONG)})"
BRIEF = os.environ.get("SHOPDATA_TEST_BRIEF") == "1"


def url_of(servers: Servers) -> str:
    """The engine's URL for all nodes and Redis. Without what a process keeps, which may trail others' writes."""
    parts = psycopg.conninfo.conninfo_to_dict(servers.primary)
    places = [psycopg.conninfo.conninfo_to_dict(replica) for replica in servers.replicas]
    replicas = "".join(f"&replica={place['host']}:{place['port']}" for place in places)
    login = f"{parts['user']}:{quote(str(parts['password']))}@{parts['host']}:{parts['port']}"
    rest = f"cache=redis://{servers.redis}{replicas}&local.coherence=0ms"
    return f"postgresql+shopdata://{login}/{parts['dbname']}?{rest}"


@contextlib.contextmanager
def suite_database(servers: Servers) -> Iterator[Servers]:
    """A database with what the suite expects to be there."""
    with servers.own_database() as made:
        ((owner,),) = made.sql("SELECT current_user")
        for text in ("EXTENSION hstore", "EXTENSION citext", f"SCHEMA test_schema AUTHORIZATION {owner}"):
            made.sql(f"CREATE {text}", as_superuser=True)
        made.settle()
        yield made


def run_part(servers: Servers, part: str, report: Path) -> list[ElementTree.Element]:
    """Runs those tests. What became of each."""
    with suite_database(servers) as database:
        command = [sys.executable, "-m", "pytest", "--dburi", url_of(database), f"--junitxml={report}", "-k", part]
        done = subprocess.run(command, cwd=HERE, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-20000:] + done.stderr
    return list(ElementTree.parse(report).iter("testcase"))


def skipped(cases: list[ElementTree.Element]) -> dict[str, set[str]]:
    """The tests that were skipped, by the reason."""
    found = defaultdict(set)
    for case in cases:
        skip = case.find("skipped")
        if skip is not None:
            name = re.sub(r"_postgresql.*", "", str(case.get("classname")).rpartition(".")[2])
            reason = str(skip.get("message")).rpartition("' : ")[2]
            found[reason].add(f"{name}.{str(case.get('name')).partition('[')[0]}")
    return dict(found)


def left_out(cases: list[ElementTree.Element]) -> dict[str, set[str]]:
    """Whole classes of tests that were not even looked at, by the reason."""
    seen = {str(case.get("classname")).rpartition(".")[2].partition("_postgresql")[0] for case in cases}
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


def test_suite(servers: Servers, tmp_path: Path) -> None:
    parts = (REST,) if BRIEF else (*LONG, REST)
    with ThreadPoolExecutor() as threads:
        running = [threads.submit(run_part, servers, part, tmp_path / f"{at}.xml") for at, part in enumerate(parts)]
    cases = [case for one in running for case in one.result()]
    assert len(cases) > (500 if BRIEF else 1500)
    if not BRIEF:
        found = skipped(cases)
        for reason, classes in left_out(cases).items():
            found[reason] = found.get(reason, set()) | classes
        table = table_of(found)
        assert table in PAGE.read_text(), f"{PAGE} has another table; this run's is\n{table}"
