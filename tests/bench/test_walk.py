"""doc/benchmarking.md from its top: each of its commands, as it stands, is one that a shell and shopbench take."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import cost
import pytest
import samples

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "doc" / "benchmarking.md").read_text(encoding="utf-8")
VARIABLES = "".join(re.findall(r"```sh\n(.*?)```", TEXT, re.S))
COMMANDS = re.findall(r"(?:^    \S.*\n(?:^    .*\n)*)", TEXT, re.M)
STUBS = {"bench/shopbench": f'exec {sys.executable} -B {ROOT}/bench/load/shopbench.py "$@"\n',
         "bin/aws": "echo geheim\n"}
RESULTS = ("find-a", "find-b", "client-1", "client-2", "local")


def of_agent(host: str) -> str:
    told = deepcopy(samples.results([samples.run("cache", samples.random.Random(1), seconds=1)]))
    told["runs"][0]["start"]["host"]["name"] = host
    told["runs"][0]["start"]["seed"] = sum(map(ord, host))
    return json.dumps(told)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the page has its reader make, or get, before."""
    made = tmp_path_factory.mktemp("walk")
    (prices,) = re.findall(r"```ini\n(.*?)```", TEXT, re.S)
    files = {"prices.ini": prices, "global-bundle.pem": "-----BEGIN CERTIFICATE-----\n", "DIR/catalogue/a": "",
             "DIR/traces/product-pages.keys.xz": "", **{f"{name}/results.json": of_agent(name) for name in RESULTS}}
    for name, text in {**files, **{name: f"#!/bin/sh\n{body}" for name, body in STUBS.items()}}.items():
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_text(text)
        (made / name).chmod(0o755)
    return made


def test_the_page_has_its_commands() -> None:
    verbs = set(re.findall(r"bench/shopbench (\w+)", "".join(COMMANDS)))
    assert verbs == {"demo", "check", "load", "run", "compare", "find", "report", "merge", "clean"}
    assert "fleet=(" in VARIABLES and "readers=(" in VARIABLES


@pytest.mark.parametrize("command", [one for one in COMMANDS if "bench/shopbench" in one])
def test_each_is_taken(command: str, folder: Path) -> None:
    environment = {**os.environ, "SHOPBENCH_ONLY_CHECK": "yes", "PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-euc", VARIABLES + command], cwd=folder, env=environment, capture_output=True,
                          text=True, stdin=subprocess.DEVNULL, timeout=60, check=False)
    assert done.returncode == 0, f"{command}{done.stderr}"


def test_its_prices_are_taken(folder: Path) -> None:
    assert cost.read(folder / "prices.ini").currency == "USD"
