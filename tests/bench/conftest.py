"""What the tests of the load benchmark's front share: its modules, and results that were made up."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench" / "load"))

import results  # noqa: E402
import samples  # noqa: E402
from shops import sql  # noqa: E402


@pytest.fixture(scope="session")
def demo() -> results.Results:
    return results.object_of(results.Results, samples.demo())


@pytest.fixture(scope="session")
def sweep() -> results.Results:
    return results.object_of(results.Results, samples.sweep())


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty one on the launcher's primary."""
    if "SHOPDATA_PRIMARY" not in os.environ:
        pytest.skip("no SHOPDATA_PRIMARY: tests/launcher/launch run -- ...")
    name = f"bench_{os.getpid()}_{request.node.name[:40]}".lower()
    sql("shop", f'CREATE DATABASE "{name}" OWNER shop', as_superuser=True)
    yield name
    sql("shop", f'DROP DATABASE "{name}" WITH (FORCE)', as_superuser=True)
