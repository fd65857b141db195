"""A client's counters and gauges, as of one moment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, Optional, Union, overload

from shopdata import _native

if TYPE_CHECKING:
    from shopdata._native import Handle

__all__ = ["Metric", "Metrics"]

_TYPES = {_native.COUNTER: "counter", _native.GAUGE: "gauge", _native.HISTOGRAM: "histogram"}


class Metric(NamedTuple):
    """One value. Of a histogram these are ``..._bucket`` (label ``le``), ``..._sum`` and ``..._count``."""

    name: str
    labels: dict[str, str]
    value: float
    type: str
    """``"counter"``, ``"gauge"`` or ``"histogram"``."""
    help: str
    unit: str


class Metrics(Sequence[Metric]):
    """A snapshot of all values; doc/metrics.md lists them."""

    __slots__ = ("_handle", "_values")

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self._values = [
            Metric(name, _labels(labels), value, _TYPES.get(kind, "gauge"), description, unit)
            for name, labels, value, kind, description, unit in _native.metrics_values(handle)
        ]

    @overload
    def __getitem__(self, index: int) -> Metric: ...
    @overload
    def __getitem__(self, index: slice) -> list[Metric]: ...
    def __getitem__(self, index: Union[int, slice]) -> Union[Metric, list[Metric]]:
        return self._values[index]

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[Metric]:
        return iter(self._values)

    def __repr__(self) -> str:
        return f"<shopdata.Metrics: {len(self)} values>"

    def get(self, name: str, **labels: str) -> float:
        """The sum of all values of this name whose labels are (among others) these; 0.0 if there are none."""
        wanted = labels.items()
        return sum((one.value for one in self._values if one.name == name and wanted <= one.labels.items()), 0.0)

    def prometheus(self) -> str:
        """The snapshot in Prometheus' text format 0.0.4."""
        return _native.metrics_prometheus(self._handle)

    def emf(self, namespace: str, *, dimensions: str = "", since: Optional[Metrics] = None) -> str:
        """The snapshot in CloudWatch's embedded metric format: JSON documents, one a line.

        :param namespace: of the metrics in CloudWatch, ``"Shop"`` say.
        :param dimensions: further ones for all of them, ``"service=shop,host=web1"``.
        :param since: an older snapshot of the same client: counters are sent as what was added since.
        """
        return _native.metrics_emf(self._handle, since._handle if since else None, namespace, dimensions)


def _labels(text: str) -> dict[str, str]:
    """``source="cache",node="primary"`` as a dict. What the library names has no quotes and no commas in it."""
    pairs = (pair.partition("=") for pair in text.split(",") if pair)
    return {name: value.strip('"') for name, _, value in pairs}
