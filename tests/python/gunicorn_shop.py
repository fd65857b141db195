"""The shop as gunicorn serves it: its configuration comes as JSON in the environment."""

from __future__ import annotations

import json
import os

from flask import Response

from flask_shop import make_shop

app = make_shop(json.loads(os.environ["SHOP_CONFIG"]), os.environ["SHOP_TABLE"])


@app.after_request
def tell_worker(response: Response) -> Response:
    response.headers["X-Worker"] = str(os.getpid())
    return response
