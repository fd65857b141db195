"""The front's types and style: mypy --strict, and ruff's rules of bindings/python/ruff.toml."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_front_is_strictly_typed(tmp_path: Path) -> None:
    files = sorted(map(str, (ROOT / "bench" / "load").glob("*.py")))
    done = subprocess.run([sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path), *files],
                          capture_output=True, text=True, check=False)
    assert files and done.returncode == 0, done.stdout


def test_style() -> None:
    done = subprocess.run([sys.executable, "-m", "ruff", "check", "--no-cache", "--config",
                           str(ROOT / "bindings" / "python" / "ruff.toml"), "bench/load", "tests/bench"],
                          capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
