"""Behind the scenes: what the library tells of the servers, and who answered this worker so far."""

from flask import Blueprint, current_app

from .reads import ask, show

pages = Blueprint("status", __name__)

ROLES = ["unknown", "replica", "primary"]
BREAKERS = ["closed", "half open", "open"]
SOURCES = ("local", "cache", "replica", "primary")


@pages.get("/status")
def status():
    ask()
    metrics = current_app.extensions["shopdata"].client.metrics()
    names = [metric.labels["node"] for metric in metrics if metric.name == "shopdata_node_role"]
    nodes = [{"name": name,
              "role": ROLES[int(metrics.get("shopdata_node_role", node=name))],
              "lag": metrics.get("shopdata_node_lag_seconds", node=name),
              "breaker": BREAKERS[int(metrics.get("shopdata_node_breaker_state", node=name))],
              "answers": metrics.get("shopdata_node_queries_total", node=name)} for name in names]
    sources = {name: metrics.get("shopdata_queries_total", source=name) for name in SOURCES}
    hits, misses = (metrics.get(f"shopdata_cache_{name}_total") for name in ("hits", "misses"))
    return show("status.html", nodes=nodes, sources=sources, hit_ratio=hits / max(hits + misses, 1),
                unfenced=metrics.get("shopdata_unfenced_writes_total"))
