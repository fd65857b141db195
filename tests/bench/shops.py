"""Databases of the launcher, and the front that is let loose on them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg

FRONT = [sys.executable, "-B", str(Path(__file__).resolve().parents[2] / "bench" / "load" / "shopbench.py")]


def sql(database: str, text: str, as_superuser: bool = False, node: str = "PRIMARY") -> list[tuple[Any, ...]]:
    conninfo = os.environ[f"SHOPDATA_SUPERUSER_{node}" if as_superuser else f"SHOPDATA_{node}"]
    with psycopg.connect(conninfo, dbname=database, autocommit=True) as connection:
        cursor = connection.execute(text.encode())
        return cursor.fetchall() if cursor.description else []


def front(database: str, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*FRONT, *words, "--database", database], capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL, timeout=120, env={**os.environ, **environment})
