"""What the tests of the load engine share: the program, and a small shop in the launcher's servers."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest
from runs import LONGEST_S, PROGRAM, Engine


def sections(nodes: dict[str, str]) -> str:
    return "".join(f"[node {name}]\nconninfo = {conninfo}\n" for name, conninfo in nodes.items())


@pytest.fixture(scope="session")
def program() -> str:
    if not PROGRAM:
        pytest.skip("SHOPLOAD does not say where the program is")
    return PROGRAM


@pytest.fixture(scope="session")
def engine(program: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    primary = os.environ.get("SHOPDATA_PRIMARY")
    if not primary:
        pytest.skip("needs the launcher's servers")
    made = Engine(tmp_path_factory.mktemp("engine"))
    nodes = {"primary": primary, "r1": os.environ["SHOPDATA_REPLICA1"]}
    # A slow moment of a busy machine shall not look like a broken cache, nor like a lost node.
    made.ini.write_text(f"{sections(nodes)}[cache]\nkind = redis\naddress = {os.environ['SHOPDATA_REDIS']}\n"
                        f"timeout = 5s\n[shopdata]\ndeadline = 30s\n[pool]\nwait_timeout = 30s\n")
    (made.folder / "primary.ini").write_text(f"{sections({'primary': primary})}[shopdata]\ndeadline = 30s\n")
    made.conninfo.write_text(primary + "\n")
    # What the shop is loaded into is nobody else's: the other tests' tables may be there before.
    subprocess.run([program, "load", "--conninfo", str(made.conninfo), "--products", "500", "--customers", "300",
                    "--orders", "400", "--beside-others"], check=True, capture_output=True, timeout=LONGEST_S)
    yield made
    subprocess.run([program, "clean", "--conninfo", str(made.conninfo)], check=True, capture_output=True,
                   timeout=LONGEST_S)
