"""The back office: finding products, and editing their price and stock. Here everybody is an editor."""

import json
from time import perf_counter

from flask import Blueprint, abort, jsonify, redirect, request, url_for

from shopdata.flask import session

from .arguments import Edit, last_page, page_number, read_edit, window
from .catalogue import NO_PRODUCT
from .reads import ask, note, served, show
from .statements import NAMED, NAMED_COUNT, PRODUCT, SAVE

pages = Blueprint("admin", __name__)


@pages.get("/api/admin")
@pages.get("/admin")
def products():
    page, search = page_number(), request.args.get("q", "")
    found = ask(count=(NAMED_COUNT, search), products=(NAMED, search, *window(page)))
    count = found.count.scalar()
    return show("admin.html", search=search, products=found.products, count=count, page=page,
                pages=last_page(count, page))


@pages.get("/admin/product/<number:product_id>")
def edit(product_id, complaint=None):
    found = ask(product=(PRODUCT, product_id))
    product = found.product.one_or_none() or abort(404, NO_PRODUCT)
    typed = request.form if complaint else {"price": product.price, "stock": product.stock}
    return show("edit.html", 400 if complaint else 200, product=product, typed=typed, complaint=complaint)


def save(product_id: int, wanted: Edit):
    began = perf_counter()
    saved = session.execute(SAVE, product_id=product_id, price=wanted.price, stock=wanted.stock)
    note(perf_counter() - began, edit=saved)
    return saved if saved.changed else abort(404, NO_PRODUCT)


@pages.post("/admin/product/<number:product_id>")
def save_form(product_id):
    try:
        wanted = read_edit(request.form.get("price", ""), request.form.get("stock", ""))
    except ValueError as complaint:
        return edit(product_id, str(complaint))
    told = "saved" if save(product_id, wanted).fenced else "late"
    return redirect(url_for("admin.edit", product_id=product_id, **{told: 1}), 303)


@pages.route("/api/product/<number:product_id>", methods=["PUT", "POST"])
def save_json(product_id):
    saved = save(product_id, read_json())
    return jsonify(**saved.one()._asdict(), cache_told=saved.fenced, served=served())


def read_json() -> Edit:
    """Numbers stay the text that they are: a float would not be the price that was sent."""
    try:
        fields = json.loads(request.get_data(), parse_int=str, parse_float=str)
        if set(fields) != {"price", "stock"} or not all(isinstance(value, str) for value in fields.values()):
            raise ValueError
    except (ValueError, TypeError):
        abort(400, 'Send {"price": "19.99", "stock": 3} and nothing else.')
    try:
        return read_edit(**fields)
    except ValueError as complaint:
        abort(400, str(complaint))
