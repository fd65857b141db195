"""What the tests of the real server share: a shop with a database and a catalogue of its own."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import catalogue
import check
import demo
from driver.http import Response

SKIPPED = 77


def require_servers() -> None:
    if "SHOPDATA_PRIMARY" not in os.environ:
        print("needs the servers of tests/launcher/launch run --replicas 1 --redis")
        sys.exit(SKIPPED)


def superuser(sql: str, database: str = "") -> str:
    """What psql prints."""
    conninfo = os.environ["SHOPDATA_SUPERUSER_PRIMARY"] + (f" dbname={database}" if database else "")
    done = subprocess.run(["psql", "-XqwAt", "-v", "ON_ERROR_STOP=1", "-c", sql, conninfo], check=True,
                          capture_output=True, text=True)
    return done.stdout.strip()


def product(number: int, price: str = "1.50", stock: int = 10, category: int = 1) -> list[str]:
    return [str(number), str(category), "kind", f"Thing {number}", f"Description {number}", price, str(stock), "none.svg"]


def text_of(response: Response) -> str:
    """A page, with the one of the two ways to write a quotation mark that the tests know."""
    return response.body.decode().replace("&#34;", "&quot;")


class TestShop:
    """Serves until end()."""

    def __init__(self, program: str, database: str, categories: dict[str, str], products: list[list[str]],
                 replaced: dict[str, str] | None = None, options: tuple[str, ...] = ()):
        self.database = database
        superuser(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
        superuser(f"CREATE DATABASE {database} OWNER shop")
        conninfo = f"{os.environ['SHOPDATA_PRIMARY']} dbname={database}"
        catalogue.load(conninfo, categories, products)
        self.directory = tempfile.TemporaryDirectory()
        self.configuration = Path(self.directory.name) / "shop.ini"
        self.configuration.write_text(self._configured(replaced or {}))
        self.command = [program, "--config", str(self.configuration), "--port", "0"]
        self.shop = self.start(*options)
        self.address = self.shop.address
        self.url = self.shop.url

    def _configured(self, replaced: dict[str, str]) -> str:
        """As the demo does it; `replaced` has other texts for some, a proxy's address for a server's."""
        cache = "redis" if "SHOPDATA_REDIS" in os.environ else "memory"
        text = demo.configuration(cache)
        for name in ("PRIMARY", "REPLICA1", "REPLICA2"):
            if conninfo := os.environ.get(f"SHOPDATA_{name}"):
                text = text.replace(conninfo, f"{conninfo} dbname={self.database}")
        text += f"key_prefix = {self.database}\n"
        text += "[local]\ncoherence = 0ms\n"  # one process's page shall show at once what another wrote
        for old, new in replaced.items():
            assert old in text, f"{old} is not in the configuration"
            text = text.replace(old, new)
        return text

    def start(self, *options: str) -> check.Shop:
        """One more server of the same shop."""
        shop = check.Shop([*self.command, *options])
        shop.wait_ready()
        return shop

    def sql(self, text: str) -> str:
        return superuser(text, self.database)

    def end(self, keep_database: bool = False) -> None:
        complaints = self.shop.end()
        self.directory.cleanup()
        if not keep_database:
            superuser(f"DROP DATABASE {self.database} WITH (FORCE)")
        if complaints:
            raise AssertionError(complaints)
