"""The package as its users get it: built by pip, installed into an empty environment, used as the README shows it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from servers import Servers

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def run(*command: object, cwd: Path, **environment: str) -> str:
    """Runs it without what leads to the build tree. What it prints."""
    outside = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "LD_PRELOAD")}
    done = subprocess.run(list(map(str, command)), cwd=cwd, env={**outside, **environment}, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", folder, ROOT / "bindings/python", cwd=folder)
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that has the wheel and pip, and nothing else."""
    folder = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", folder, cwd=folder)
    python = folder / "bin" / "python"
    run(python, "-m", "pip", "install", "--no-index", wheel, cwd=folder)
    return python


def test_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    package = Path(os.environ["SHOPDATA_PACKAGE"])
    laid_out = {str(path.relative_to(package)) for path in (package / "shopdata").rglob("*") if path.is_file()}
    compiled = {name for name in laid_out if re.search(r"\.so\.p/|__pycache__", name)}
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert held == laid_out - compiled


def test_metadata(environment: Path, tmp_path: Path) -> None:
    code = """
from importlib.metadata import entry_points, metadata
import shopdata
told = metadata("shopdata")
assert told["Version"] == shopdata.__version__, told["Version"]
print(told["License-Expression"], *sorted(told.get_all("Provides-Extra")))
print(*(point.value for point in entry_points(group="sqlalchemy.dialects", name="postgresql.shopdata")))
"""
    told = run(environment, "-c", code, cwd=tmp_path)
    assert told == "Apache-2.0 flask sqlalchemy\nshopdata.sqlalchemy:ShopdataDialect\n"


def test_a_user_s_types(environment: Path, tmp_path: Path) -> None:
    """py.typed and the stub are in the wheel: mypy finds the package where pip has put it."""
    run(sys.executable, "-m", "mypy", "--strict", "--cache-dir", tmp_path, "--python-executable", environment,
        HERE / "typing_sample.py", cwd=tmp_path)


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", (ROOT / "README.md").read_text(), re.S | re.M)


def configuration(servers: Servers) -> str:
    """The README's file, with the servers of this test in the places of those it names."""
    (text,) = blocks("ini")
    for node, conninfo in (("primary", servers.primary), ("replica1", servers.replicas[0])):
        text, replaced = re.subn(rf"(\[node {node}\]\nconninfo = ).*", rf"\g<1>{conninfo}", text)
        assert replaced == 1, node
    text, replaced = re.subn(r"(?m)^(address = ).*", rf"\g<1>{servers.redis}", text)
    assert replaced == 1
    return text


def test_readme_s_example_runs_as_printed(environment: Path, database: Servers, tmp_path: Path) -> None:
    database.sql("CREATE TABLE products (product_id int PRIMARY KEY, category text, name text, price numeric(8, 2))")
    database.sql("INSERT INTO products VALUES (42, 'shoes', 'Clog', 50), (41, 'shoes', 'Boot', 80), (7, '', 'Fez', 9)")
    database.settle()
    (tmp_path / "shop.ini").write_text(configuration(database))
    (example,) = blocks("python")
    (tmp_path / "example.py").write_text(example)
    assert run(environment, "example.py", cwd=tmp_path) == "Boot 80.00\nClog 50.00\n45.00\n"
    assert database.sql("SELECT price::text FROM products WHERE product_id = 42") == [("45.00",)]
