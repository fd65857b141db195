"""The goods: home page, departments, products, search."""

from flask import Blueprint, abort, request

from .arguments import last_page, page_number, window
from .reads import ask, show
from .statements import CATEGORY, CATEGORY_COUNT, FEATURED, PRODUCT, RELATED, SEARCH, SHELVES

pages = Blueprint("catalogue", __name__)

NO_PRODUCT = "There is no such product."


@pages.get("/api/home")
@pages.get("/")
def home():
    found = ask(featured=FEATURED)
    return show("home.html", featured=found.featured, categories=[row.name for row in found.departments])


@pages.get("/api/category/<name>")
@pages.get("/category/<name>")
def category(name):
    page = page_number()
    found = ask(count=(CATEGORY_COUNT, name), products=(CATEGORY, name, *window(page)))
    row = found.count.one_or_none() or abort(404, "There is no such department.")
    return show("category.html", category=name, products=found.products, count=row.count, page=page,
                pages=last_page(row.count, page))


@pages.get("/api/product/<number:product_id>")
@pages.get("/product/<number:product_id>")
def product(product_id):
    found = ask(product=(PRODUCT, product_id), related=(RELATED, product_id))
    return show("product.html", product=found.product.one_or_none() or abort(404, NO_PRODUCT), related=found.related)


@pages.get("/api/search")
@pages.get("/search")
def search():
    words, shelf = request.args.get("q", ""), request.args.get("in", "")
    sort = request.args.get("sort", "best")
    if len(words) > 100:
        abort(400, "The search must have at most 100 characters.")
    if sort not in SEARCH:
        abort(400, "The order must be best, price, price-down or name.")
    page = page_number()
    found = ask(shelves=(SHELVES, words), products=(SEARCH[sort], words, shelf, *window(page)))
    count = sum(row.found for row in found.shelves if shelf in ("", row.name))
    facts = {"search": words, "in": shelf, "sort": sort, "shelves": found.shelves, "products": found.products}
    return show("search.html", **facts, count=count, page=page, pages=last_page(count, page))
