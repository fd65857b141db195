"""The extension module: one file that stands alone, and says nothing of its inside."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import shopdata
from shopdata import _native

ROOT = Path(__file__).resolve().parents[2]


def test_it_is_the_build_tree_that_is_tested() -> None:
    package = Path(os.environ["SHOPDATA_PACKAGE"]).resolve()
    assert _native.__file__ and Path(_native.__file__).parent == package / "shopdata"
    assert shopdata.__file__ and Path(shopdata.__file__).parent == package / "shopdata"


def test_every_file_of_the_package_is_listed_for_the_build() -> None:
    written = ROOT / "bindings" / "python" / "shopdata"
    files = {path.relative_to(written) for path in written.rglob("*") if path.suffix in (".py", ".pyi", ".typed")}
    laid_out = Path(os.environ["SHOPDATA_PACKAGE"]) / "shopdata"
    assert [str(path) for path in sorted(files) if not (laid_out / path).exists()] == []


def test_version_is_the_project_s() -> None:
    declared = next(line for line in (ROOT / "meson.build").read_text().splitlines() if "version:" in line)
    assert f"'{shopdata.__version__}'" in declared


def test_only_the_entry_is_exported_and_no_libshopdata_needed() -> None:
    module = str(_native.__file__)
    dynamic = subprocess.run(["nm", "-D", "--defined-only", module], capture_output=True, text=True, check=True).stdout
    assert [line.split()[-1] for line in dynamic.splitlines()] == ["PyInit__native"]
    needed = subprocess.run(["readelf", "-d", module], capture_output=True, text=True, check=True).stdout
    assert "libpq" in needed and "libshopdata" not in needed


def test_import_takes_no_optional_package() -> None:
    """Flask, SQLAlchemy and asyncio's threads are for those who ask for them."""
    code = "import shopdata, sys; print(*sorted({'flask', 'sqlalchemy', 'psycopg'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"


def test_every_public_name_is_there_and_documented() -> None:
    for name in shopdata.__all__:
        assert getattr(shopdata, name).__doc__, name
