"""What the tests of the load benchmark's front share: its modules, and results that were made up."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench" / "load"))

import results  # noqa: E402
import samples  # noqa: E402


@pytest.fixture(scope="session")
def demo() -> results.Results:
    return results.object_of(results.Results, samples.demo())


@pytest.fixture(scope="session")
def sweep() -> results.Results:
    return results.object_of(results.Results, samples.sweep())
