"""Runs the blocks of code of a page, in their order, as a reader would who types them.

pages.py PAGE < SERVERS

```sql      on the primary, past the library
```ini      is shop.ini, with the servers that there are in place of the ones it names
```python   in one namespace; a first line `# NAME.py` makes it a module instead
```sh       `flask ...` and `gunicorn ...`, in the folder; what installs things is another test's
```         behind Python code: what that prints
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import shlex
import socket
import subprocess
import sys
import types
import urllib.request
from pathlib import Path
from typing import Any, NamedTuple, Optional

import psycopg

import shopdata

from servers import wait_until

_ELSEWHERE = ("tests/setup", "python3 -m venv", "venv/bin/pip", "pip")
_PAGE_S_PORT = ":8000"
_open = shopdata.open


class Block(NamedTuple):
    """A block of code, and where it stands."""

    language: str
    line: int
    code: str


def blocks(page: str) -> list[Block]:
    """All of a page."""
    found = re.finditer(r"^```(\w*)\n(.*?)^```$", page, re.S | re.M)
    return [Block(one[1], page.count("\n", 0, one.start()) + 1, one[2]) for one in found]


class Reader:
    """Who follows the page, in a folder of his own."""

    def __init__(self, page: list[Block], servers: dict[str, Any]) -> None:
        self.page = page
        self.servers = servers
        self.port = free_port()
        self.server: Optional[subprocess.Popen[bytes]] = None
        self.module = types.ModuleType("page")  # dataclasses look for the module that they are of
        sys.modules["page"] = self.module
        self.printed = ""

    def follow(self, block: Block) -> None:
        """Does what the block says."""
        getattr(self, f"do_{block.language or 'output'}")(block)

    def do_sql(self, block: Block) -> None:
        with psycopg.connect(self.servers["primary"], autocommit=True) as connection:
            connection.execute(block.code.encode())

    def do_ini(self, block: Block) -> None:
        nodes = iter([self.servers["primary"], *self.servers["replicas"]])
        text = re.sub(r"^conninfo = .*$", lambda _: f"conninfo = {next(nodes)}", block.code, flags=re.M)
        own = f"address = {self.servers['redis']}\nkey_prefix = {self.servers['prefix']}"
        text = re.sub(r"^address = .*$", own, text, flags=re.M)
        Path("shop.ini").write_text(text)

    def do_python(self, block: Block) -> None:
        name = re.match(r"# (\w+\.py)\n", block.code)
        if name:
            Path(name[1]).write_text(block.code)
            return
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            code = compile("\n" * block.line + block.code, "the page", "exec", dont_inherit=True)
            exec(code, self.module.__dict__)
        self.printed = printed.getvalue()

    def do_output(self, block: Block) -> None:
        assert self.printed == block.code, f"it prints\n{self.printed}and not\n{block.code}"

    def do_sh(self, block: Block) -> None:
        for line in block.code.replace("\\\n", " ").splitlines():
            if line.startswith(_ELSEWHERE):
                continue
            if _PAGE_S_PORT in line:
                self.serve()
            words = shlex.split(line.replace(_PAGE_S_PORT, self.port))
            assert words[0] in ("flask", "gunicorn"), f"nobody runs {words[0]}"
            if words[0] == "flask":
                done = subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True, timeout=60)
                assert done.returncode == 0, done.stdout + done.stderr

    def serve(self) -> None:
        """Starts what the page serves with gunicorn, wherever it says so."""
        if self.server is None:
            line = next(line for block in self.page for line in block.code.splitlines() if line.startswith("gunicorn"))
            words = shlex.split(line.replace(_PAGE_S_PORT, self.port))
            self.server = subprocess.Popen([sys.executable, "-m", *words], stderr=subprocess.DEVNULL)
            wait_until(self.is_served, 60)

    def is_served(self) -> bool:
        """Does it answer?"""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1{self.port}/healthz", timeout=10) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def end(self) -> None:
        """Leaves nothing running."""
        if self.server is not None:
            self.server.terminate()
            self.server.wait(30)


def free_port() -> str:
    """As a page writes it behind an address."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f":{listener.getsockname()[1]}"


def open_and_wait(*path: str, **sections: Any) -> shopdata.Client:
    """`shopdata.open`, and the moment that a reader needs to type his first query: a read that comes before the primary
    is found out is answered, but not cached."""
    client = _open(*path, **sections)
    nodes = [metric.labels for metric in client.metrics() if metric.name == "shopdata_node_role"]
    wait_until(lambda: any(client.metrics().get("shopdata_node_role", **node) == 2 for node in nodes))
    return client


def main(path: str) -> int:
    """Follows the page in the current folder, among the servers that standard input tells (JSON)."""
    page = blocks(Path(path).read_text())
    reader = Reader(page, json.load(sys.stdin))
    sys.path.insert(0, "")
    shopdata.open = open_and_wait
    try:
        for block in page:
            try:
                reader.follow(block)
            except BaseException as error:
                raise AssertionError(f"{path}:{block.line}: {type(error).__name__}: {error}") from error
    finally:
        reader.end()
    print(f"{len(page)} blocks")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
