"""How things look and are written. The style sheet and the signs are those of the shop in C: copy them along."""

import re
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from flask import Flask, Response, send_from_directory

FOLDER = Path(__file__).resolve().parents[2] / "storefront"
FILES = ("style.css", "icons.svg", "icon.svg")
SIGNS = set(re.findall(r'<g id="([\w-]+)"', (FOLDER / "icons.svg").read_text()))
TINTS, FEW = 12, 5


def send(name: str) -> Response:
    return send_from_directory(FOLDER, name, max_age=300)


def sign(category: str) -> str:
    """The sign of a department in icons.svg; those that have none get a parcel."""
    name = category.replace(" ", "-")
    return name if name in SIGNS else "parcel"


def tint(seed: int) -> str:
    return f"tint-{seed % TINTS}"


def scarcity(stock: int) -> str:
    return "none" if stock == 0 else "few" if stock <= FEW else "plenty"


def money(amount: Decimal) -> str:
    return f"${amount:,.2f}"


def cents(amount: Decimal) -> int:
    return int(amount * 100)


def day(moment: datetime) -> str:
    return f"{moment:%-d %B %Y}"


def init_app(app: Flask) -> None:
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    for function in (sign, tint, scarcity, money, cents, day):
        app.add_template_filter(function)
    for name in FILES:
        app.add_url_rule(f"/{name}", name, send, defaults={"name": name})
