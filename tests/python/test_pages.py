"""What the pages on Python say holds: every block of code on them is run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from shopdata.flask.settings import Settings

from pages import Block, Reader, blocks
from servers import Servers, own_name

HERE = Path(__file__).resolve().parent
PAGES = [HERE.parents[1] / "doc" / name for name in ("python.md", "sqlalchemy.md")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page(page: Path, database: Servers, tmp_path: Path) -> None:
    servers = {
        "primary": database.primary,
        "replicas": database.replicas,
        "redis": database.redis,
        "prefix": own_name("page"),
    }
    environment = {**os.environ, "PYTHONPATH": f"{HERE}:{os.environ['PYTHONPATH']}"}
    done = subprocess.run(
        [sys.executable, str(HERE / "pages.py"), str(page)],
        input=json.dumps(servers), capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=200,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout == f"{len(blocks(page.read_text()))} blocks\n"


def test_each_key_of_the_flask_extension_is_on_the_page() -> None:
    page = (HERE.parents[1] / "doc" / "python.md").read_text()
    rows = re.findall(r"^\| (`SHOPDATA_.*?) \|", page, re.M)
    told = {name.removeprefix("SHOPDATA_").lstrip("_") for row in rows for name in re.findall(r"`(\w+)`", row)}
    with_prefix = {f"COOKIE_{name}" for name in told}  # `SHOPDATA_COOKIE_NAME`, `_DOMAIN`
    own = {field.name.upper() for field in fields(Settings)} - {"SECTIONS"}
    assert own <= told | with_prefix, own - told - with_prefix


def test_blocks_are_found_with_their_lines() -> None:
    assert blocks("# A\n\n```python\nprint(1)\n```\n\n```\n1\n```\n") == [
        Block("python", 3, "print(1)\n"),
        Block("", 7, "1\n"),
    ]


def test_output_that_is_not_so_is_found() -> None:
    reader = Reader([], {})
    reader.follow(Block("python", 1, "print(6 * 7)\n"))
    reader.follow(Block("", 1, "42\n"))
    with pytest.raises(AssertionError, match="it prints"):
        reader.follow(Block("", 1, "43\n"))


def test_a_language_that_nobody_runs_is_found() -> None:
    with pytest.raises(AttributeError):
        Reader([], {}).follow(Block("perl", 1, "print 1\n"))
