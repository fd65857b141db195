"""Style of the Python code, by ruff: rules in bindings/python/ruff.toml."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RULES = str(ROOT / "bindings" / "python" / "ruff.toml")


def ruff(*arguments: str, code: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "ruff", "check", "--no-cache", "--config", RULES, *arguments],
                          input=code, capture_output=True, text=True, cwd=ROOT)


@pytest.mark.parametrize("folder", ["bench", "bindings/python", "tests/python"])
def test_style(folder: str) -> None:
    done = ruff(folder)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("F401", "import os\n"),
        ("E501", f"long = '{'x' * 120}'\n"),
        ("I001", "import sys\nimport os\n\nprint(sys, os)\n"),
        ("B006", "def add(to: list[int] = []) -> None: ...\n"),
        ("D103", '"""A module."""\n\n\ndef undocumented() -> None: ...\n'),
    ],
)
def test_each_rule_can_fail(rule: str, code: str) -> None:
    done = ruff("--output-format", "concise", "--stdin-filename", "bindings/python/shopdata/sample.py", "-", code=code)
    assert done.returncode == 1 and rule in done.stdout, done.stdout + done.stderr
