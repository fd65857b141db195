#!/usr/bin/env python3
"""Fills an empty database with the shop's catalogue: a generated one, or the one in DIR/catalogue.

usage: catalogue.py [--data DIR] CONNINFO
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path
from typing import Iterator

import generate

HERE = Path(__file__).resolve().parent
CATEGORY_COLUMNS = ["category_id", "name"]
PRODUCT_COLUMNS = ["product_id", "category", "style", "name", "description", "price", "stock", "image"]
NUMBER = re.compile(r"[0-9]{1,9}")
PRICE = re.compile(r"[0-9]{1,8}(\.[0-9]{1,2})?")


class CatalogueError(Exception):
    """One line that says which file and line is wrong, and how."""


def read_table(path: Path, columns: list[str]) -> Iterator[tuple[int, list[str]]]:
    """The rows of a tab separated file, with their line numbers. The first line must name the columns."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except FileNotFoundError:
        raise CatalogueError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise CatalogueError(f"{path}: {error}") from None
    if lines[0].split("\t") != columns:
        raise CatalogueError(f"{path}:1: the first line must name the columns {' '.join(columns)}, tab separated")
    for number, line in enumerate(lines[1:], 2):
        fields = line.split("\t")
        if len(fields) == len(columns):
            yield number, fields
        elif line or number < len(lines):
            raise CatalogueError(f"{path}:{number}: {len(fields)} fields instead of {len(columns)}")


def require(good: object, path: Path, line: int, complaint: str) -> None:
    if not good:
        raise CatalogueError(f"{path}:{line}: {complaint}")


def read_categories(path: Path) -> dict[str, str]:
    """Each department's number, by its name."""
    categories: dict[str, str] = {}
    for line, (number, name) in read_table(path, CATEGORY_COLUMNS):
        require(NUMBER.fullmatch(number), path, line, f"category_id {number!r} is no number")
        require(number not in categories.values(), path, line, f"category_id {number} comes a second time")
        require(name and name not in categories, path, line, f"the name {name!r} is empty or comes a second time")
        categories[name] = number
    require(categories, path, 2, "there is no category")
    return categories


def read_products(path: Path, categories: dict[str, str]) -> Iterator[list[str]]:
    seen: set[str] = set()
    for line, fields in read_table(path, PRODUCT_COLUMNS):
        number, category, _, name, _, price, stock, _ = fields
        require(NUMBER.fullmatch(number), path, line, f"product_id {number!r} is no number")
        require(number not in seen, path, line, f"product_id {number} comes a second time")
        require(category in categories, path, line, f"the category {category!r} is not in categories.tsv")
        require(name, path, line, "the name is empty")
        require(PRICE.fullmatch(price), path, line, f"the price {price!r} is no amount such as 19.99")
        require(NUMBER.fullmatch(stock), path, line, f"the stock {stock!r} is no number")
        seen.add(number)
        yield [number, categories[category], *fields[2:]]
    require(seen, path, 2, "there is no product")


def read(data: Path) -> tuple[dict[str, str], list[list[str]]]:
    categories = read_categories(data / "catalogue" / "categories.tsv")
    return categories, list(read_products(data / "catalogue" / "products.tsv", categories))


def copy_line(fields: list[str]) -> str:
    """A row as COPY reads it. A backslash in a file is a backslash, but COPY would take it for an escape."""
    return "\t".join(field.replace("\\", "\\\\").replace("\r", "\\r") for field in fields) + "\n"


def copy(table: str, columns: str, rows: list[list[str]]) -> str:
    return f"COPY {table} ({columns}) FROM stdin;\n" + "".join(map(copy_line, rows)) + "\\.\n"


def script(categories: dict[str, str], products: list[list[str]]) -> str:
    """All in one transaction: a catalogue that stops half-way is worse than none."""
    return "".join([
        "BEGIN;\n", (HERE / "schema.sql").read_text(),
        copy("categories", "category_id, name", [[number, name] for name, number in categories.items()]),
        copy("products", "product_id, category_id, style, name, description, price, stock, image", products),
        "COMMIT;\nANALYZE categories, products;\n"])


def load(conninfo: str, categories: dict[str, str], products: list[list[str]]) -> None:
    done = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", conninfo],
                          input=script(categories, products), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CatalogueError(f"loading the catalogue failed: {' '.join(done.stderr.split())}")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, metavar="DIR")
    parser.add_argument("conninfo", metavar="CONNINFO")
    given = parser.parse_args(arguments)
    try:
        load(given.conninfo, *(read(given.data) if given.data else generate.catalogue()))
    except CatalogueError as error:
        print(f"catalogue: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
