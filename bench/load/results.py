"""The file of a whole run, results.json, and in it the engine's lines as FORMAT.md has them: typed, read and written.

What a line lacks is nothing, or does not apply; what a newer engine adds is passed over.
"""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, Optional, TypeVar, Union, get_args, get_origin, get_type_hints

import figures
from histogram import Histogram

FORMAT = 1
T = TypeVar("T")


class ReportError(Exception):
    """What is wrong with a file that was given, where, and what would be right: one line."""


# The engine's lines.


@dataclass(frozen=True)
class Moment:
    """The requests of one second."""

    count: int = 0
    mean_us: float = 0.0
    p50_us: float = 0.0
    p90_us: float = 0.0
    p99_us: float = 0.0
    p999_us: float = 0.0
    max_us: float = 0.0


@dataclass(frozen=True)
class Host:
    """The machine that the engine ran on."""

    name: str = ""
    kernel: str = ""
    cpu_model: str = ""
    cores: int = 0
    memory_bytes: int = 0


@dataclass(frozen=True)
class Workload:
    """What visitors do: the share of each interaction in per cent."""

    name: str
    mix: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Keys:
    """Which products are asked for."""

    kind: str = ""
    exponent: Optional[float] = None
    count: int = 0
    hot_keys: Optional[float] = None
    hot_accesses: Optional[float] = None


@dataclass(frozen=True)
class Trace:
    """Recorded accesses."""

    file: str
    accesses: int = 0
    distinct: int = 0
    has_times: bool = False


@dataclass(frozen=True)
class Scale:
    """How much is in the database."""

    products: int = 0
    customers: int = 0
    orders: int = 0
    categories: int = 0


@dataclass(frozen=True)
class Asked:
    """One of the statements that are asked."""

    sql: str
    policy: str = ""
    cached: bool = False
    """Is its answer kept in the caches, where there are any?"""


@dataclass(frozen=True)
class Start:
    """What the engine says of itself before anything is sent."""

    format: int
    unix_s: float = 0.0
    version: str = ""
    library: str = ""
    build: str = ""
    compiler: str = ""
    host: Host = Host()
    seed: int = 0
    threads: int = 0
    patience_s: float = 0.0
    workload: Workload = Workload("")
    keys: Keys = Keys()
    trace: Optional[Trace] = None
    scale: Scale = Scale()
    settings: dict[str, str] = field(default_factory=dict)
    servers: dict[str, str] = field(default_factory=dict)
    statements: dict[str, Asked] = field(default_factory=dict)
    command: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Client:
    """What the engine's process used."""

    cpu_s: float = 0.0
    cpu_cores: float = 0.0
    """Processors in use on average."""
    cpu_us_per_request: float = 0.0
    machine_busy: float = 0.0
    """How busy the machine was, 0 to 1."""
    memory_bytes: int = 0
    cores: int = 0


@dataclass(frozen=True)
class Second:
    """One second of a phase."""

    phase: str
    number: int = 0
    second: int = 0
    unix_s: float = 0.0
    length_s: float = 1.0
    intended: int = 0
    requests: int = 0
    failed: int = 0
    late: int = 0
    dropped: int = 0
    waiting: int = 0
    busy_threads: int = 0
    latency: Moment = Moment()
    sources: dict[str, int] = field(default_factory=dict)
    hits: int = 0
    misses: int = 0
    stale_reads: int = 0
    database_statements: int = 0
    errors: dict[str, int] = field(default_factory=dict)
    lag_ms: dict[str, float] = field(default_factory=dict)
    connections: dict[str, float] = field(default_factory=dict)
    client: Client = Client()


@dataclass(frozen=True)
class Requests:
    """Requests of one interaction that went as far as one source."""

    interaction: str
    source: str
    failed: int = 0
    latency: Histogram = Histogram()
    service: Histogram = Histogram()


@dataclass(frozen=True)
class Statements:
    """One statement, answered by one source."""

    statement: str
    source: str
    cached: str = "none"
    rows: int = 0
    service: Histogram = Histogram()


@dataclass(frozen=True)
class Staleness:
    """Reads that were held against the newest version that was acknowledged before they began."""

    checked: int = 0
    stale: int = 0
    writes: int = 0
    age: Histogram = Histogram()


@dataclass(frozen=True)
class Stampedes:
    """What happened when a product was missing from the caches."""

    expiries: int = 0
    readers: int = 0
    joined: int = 0
    most_readers: int = 0
    crowded: int = 0


@dataclass(frozen=True)
class Octets:
    """Bytes that went over the network."""

    answers: int = 0
    cache_read: int = 0
    cache_written: int = 0


@dataclass(frozen=True)
class Result:
    """A whole phase."""

    phase: str
    measured: bool = True
    seconds: float = 0.0
    loop: str = ""
    arrivals: str = ""
    rate: str = ""
    clients: int = 0
    think_us: float = 0.0
    think: str = ""
    ended: str = "done"
    began_unix_s: float = 0.0
    length_s: float = 0.0
    intended: int = 0
    requests: int = 0
    failed: int = 0
    dropped: int = 0
    late: int = 0
    late_busy: int = 0
    late_free: int = 0
    latency: Histogram = Histogram()
    service: Histogram = Histogram()
    failed_latency: Histogram = Histogram()
    start_delay: Histogram = Histogram()
    requests_by: list[Requests] = field(default_factory=list)
    statements_by: list[Statements] = field(default_factory=list)
    sources: dict[str, int] = field(default_factory=dict)
    hits: int = 0
    misses: int = 0
    saved: int = 0
    database_statements: int = 0
    staleness: Staleness = Staleness()
    stampedes: Stampedes = Stampedes()
    errors: dict[str, int] = field(default_factory=dict)
    error_samples: dict[str, str] = field(default_factory=dict)
    library: dict[str, float] = field(default_factory=dict)
    gauges: dict[str, float] = field(default_factory=dict)
    bytes: Octets = Octets()
    lag_ms: dict[str, float] = field(default_factory=dict)
    connections: dict[str, float] = field(default_factory=dict)
    client: Client = Client()
    bottleneck: str = "none"
    bottleneck_why: str = ""
    trace_passes: float = 0.0


# The file.


@dataclass(frozen=True)
class Target:
    """The latency that was aimed at."""

    percent: float
    latency_us: float

    def share_within(self, result: Result) -> float:
        """Which share of all that arrived was answered in time: what failed or was never sent was not."""
        arrived = result.requests + result.failed + result.dropped
        points = (point.values for point in result.latency.points() if point.us <= self.latency_us)
        return max(points, default=0) / arrived if arrived else 0.0

    def met_by(self, result: Result) -> bool:
        """Was the latency kept for as many as were to be?"""
        return self.share_within(result) >= self.percent / 100

    def __str__(self) -> str:
        """As it is written on the command line, near enough: ``p99 ≤ 5 ms``."""
        return f"{figures.percentile_name(self.percent)} ≤ {figures.tick(self.latency_us)}"


@dataclass(frozen=True)
class Varied:
    """What a sweep turned for this run; one of them."""

    ttl_s: Optional[float] = None
    memory_bytes: Optional[float] = None


@dataclass(frozen=True)
class Run:
    """One measured phase of one configuration, and the seconds around it."""

    configuration: str
    workload: str
    start: Start
    result: Result
    seconds: list[Second] = field(default_factory=list)
    """Those of all phases, in order."""
    round: int = 1
    started_at: str = ""
    rate: Optional[float] = None
    """Requests a second that were intended; none in a closed loop."""
    rate_label: str = ""
    varied: Varied = Varied()
    kind: str = "measure"
    """``measure``, or ``search`` for a step of --find."""
    found: bool = False
    """A search settled on this rate."""
    nodes: dict[str, int] = field(default_factory=dict)
    """The servers that the configuration needs: ``{"primary": 1, "replica": 2, "cache": 1}``."""
    settings: dict[str, str] = field(default_factory=dict)
    """What may be shown of how the library was configured."""
    agents: int = 1
    """How many agents' results are in it."""
    remarks: list[str] = field(default_factory=list)
    """What did not go as it was planned, in words."""


@dataclass(frozen=True)
class Operation:
    """A command of the operator's that a phase began with: a replica that stops, a failover."""

    kind: str
    """``replica-stop``, ``replica-start`` or ``failover``."""
    began_unix_s: float = 0.0
    took_s: float = 0.0
    exit_code: Optional[int] = None
    """None: it had not ended when the results were written."""
    says: str = ""
    """Its last words on standard error."""

    def __str__(self) -> str:
        """In one line."""
        if self.exit_code is None:
            return f"{self.kind}: not done after {self.took_s:.1f} s"
        if self.exit_code == 0:
            return f"{self.kind}: done after {self.took_s:.1f} s"
        told = f"{self.kind}: failed with exit code {self.exit_code} after {self.took_s:.1f} s"
        return f"{told}: {self.says}" if self.says else told


@dataclass(frozen=True)
class Results:
    """Everything that one command measured."""

    runs: list[Run]
    format: int = FORMAT
    title: str = ""
    command: str = ""
    started_at: str = ""
    ended_at: str = ""
    target: Optional[Target] = None
    operations: list[Operation] = field(default_factory=list)
    """The operator's commands, in the order in which they began."""
    broken_off: str = ""
    """The fault that ended it before all was measured."""
    settings: dict[str, str] = field(default_factory=dict)
    host: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)


# From JSON, and to it.

NUMBERS: dict[Any, tuple[type, ...]] = {int: (int,), float: (int, float), str: (str,), bool: (bool,)}
CALLED = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}


def wrong(where: str, wanted: str, value: object) -> ReportError:
    """The complaint about one value."""
    shown = json.dumps(value, default=str)
    return ReportError(f"{where}: wants {wanted}, not {shown if len(shown) <= 40 else shown[:37] + '...'}")


def plain(kind: Any, value: object, where: str) -> Any:
    """A number, a text or a truth."""
    if not isinstance(value, NUMBERS[kind]) or (isinstance(value, bool) and kind is not bool):
        raise wrong(where, CALLED[kind], value)
    return kind(value)


def typed(kind: Any, value: Any, where: str) -> Any:
    """A value of JSON as this type, for reading: told where it stands if it is none."""
    origin = get_origin(kind)
    if origin is Union:
        return None if value is None else typed(get_args(kind)[0], value, where)
    if kind in NUMBERS:
        return plain(kind, value, where)
    if kind is Histogram:
        return histogram_of(value, where)
    if origin is list:
        if not isinstance(value, list):
            raise wrong(where, "a list", value)
        return [typed(get_args(kind)[0], one, f"{where}[{number}]") for number, one in enumerate(value)]
    if not isinstance(value, dict):
        raise wrong(where, "an object", value)
    if origin is dict:
        return {name: typed(get_args(kind)[1], one, f"{where}.{name}") for name, one in value.items()}
    return object_of(kind, value, where)


def histogram_of(value: Any, where: str) -> Histogram:
    """An object of times."""
    try:
        return Histogram.from_json(value)
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise ReportError(f"{where}: is no object of times: {error}") from None


def object_of(kind: type[T], value: dict[str, Any], where: str = "") -> T:
    """One of the classes above, of an object of JSON. Raises ReportError, which names the field within ``where``."""
    hints, given = get_type_hints(kind), {}
    for one in fields(kind):  # type: ignore[arg-type]
        path = f"{where}.{one.name}" if where else one.name
        if one.name in value:
            given[one.name] = typed(hints[one.name], value[one.name], path)
        elif one.default is MISSING and one.default_factory is MISSING:
            raise ReportError(f"{path}: is missing")
    return kind(**given)


def to_json(value: Any) -> Any:
    """What :func:`object_of` reads again; what is None is left out."""
    if isinstance(value, Histogram):
        return value.to_json()
    if is_dataclass(value) and not isinstance(value, type):
        pairs = ((one.name, getattr(value, one.name)) for one in fields(value))
        return {name: to_json(one) for name, one in pairs if one is not None}
    if isinstance(value, dict):
        return {name: to_json(one) for name, one in value.items()}
    return [to_json(one) for one in value] if isinstance(value, list) else value


def refuse(constant: str) -> None:
    """JSON has no such number."""
    raise ValueError(f"{constant} is no number")


def read(path: Path) -> Results:
    """The results in a file. Raises ReportError: not there, no JSON, of another format, or not as it should be."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)
    except OSError as error:
        raise ReportError(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise ReportError(f"{path}: is no JSON: {error}") from None
    if not isinstance(value, dict) or "runs" not in value:
        raise ReportError(f"{path}: has no `runs`: is it a results.json that shopbench wrote?")
    if value.get("format") != FORMAT:
        raise ReportError(f"{path}: has format {value.get('format')}, and this shopbench reads {FORMAT}")
    try:
        return object_of(Results, value)
    except ReportError as error:
        raise ReportError(f"{path}: {error}") from None


def write_whole(path: Path, text: str) -> None:
    """A file that is there whole or not at all, whatever was there before. Raises ReportError: disk full, no right."""
    name = ""
    try:
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.",
                                         delete=False) as file:
            name = file.name
            file.write(text)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except OSError as error:
        if name:
            os.unlink(name)
        raise ReportError(f"{path}: cannot be written: {error.strerror}") from None


def write(results: Results, path: Path) -> None:
    """Writes results.json; see :func:`write_whole`."""
    write_whole(path, json.dumps(to_json(results), ensure_ascii=False) + "\n")
