"""The package's types: clean in themselves, true of the module, and right for a user's code."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
PACKAGE = os.environ["SHOPDATA_PACKAGE"]


def mypy(cache: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(cache), *arguments],
        capture_output=True, text=True, env={**os.environ, "MYPYPATH": PACKAGE}, cwd=cache,
    )


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mypy")


def test_package_is_strictly_typed(cache: Path) -> None:
    done = mypy(cache, "--package", "shopdata")
    assert done.returncode == 0, done.stdout


def test_a_user_s_code_gets_the_types_it_expects(cache: Path) -> None:
    done = mypy(cache, str(HERE / "typing_sample.py"))
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "wrong",
    [
        "client.session(deadline='1s')",
        "client.session().query(1)",
        "client.session().query('SELECT 1', into=1)",
        "client.session().tokn",
        "shopdata.open(node='host=db')",
        "x: str = client.session().query('SELECT 1').age",
    ],
)
def test_a_user_s_mistake_is_found(cache: Path, wrong: str) -> None:
    done = mypy(cache, "-c", f"import shopdata\nclient = shopdata.open('shop.ini')\n{wrong}\n")
    assert done.returncode == 1, done.stdout + done.stderr


def test_stub_tells_what_the_module_has(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mypy.stubtest", "shopdata._native", "--allowlist", str(HERE / "stubtest.allowed")],
        capture_output=True, text=True, env={**os.environ, "MYPYPATH": PACKAGE}, cwd=tmp_path,
    )
    assert done.returncode == 0, done.stdout + done.stderr
