"""Rows as objects of your own: what ``into=`` does.

How a target is made of certain columns is worked out once, and kept. Then whole columns are looked at, not single
cells: one whose values are of the annotated class already, as most are, costs next to nothing.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterable, Sequence
from itertools import repeat, starmap
from typing import Any, NamedTuple, Protocol

from shopdata.conversions import Conversion, Mismatch, conversion_to, hints_of, is_typed_dict
from shopdata.errors import DataError, ParameterError

__all__ = ["rows_into"]

Make = Callable[[Iterable[tuple[Any, ...]]], "list[Any]"]
_KEPT_MAX = 512
_kept: dict[tuple[Any, tuple[str, ...]], Plan] = {}


class Rows(Protocol):
    """What a target is made of: a result."""

    _rows: list[Any]

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns."""


class Plan(NamedTuple):
    """How rows of certain columns become a target: convert what needs it, then make."""

    columns: tuple[str, ...]
    conversions: tuple[tuple[int, Conversion], ...]
    make: Make

    def rows(self, rows: Sequence[tuple[Any, ...]]) -> list[Any]:
        """The targets of these rows."""
        if self.conversions and rows:
            columns: list[Sequence[Any]] = list(zip(*rows))
            for place, conversion in self.conversions:
                if not conversion.fits(columns[place]):
                    columns[place] = self._converted(place, conversion, columns[place])
            return self.make(zip(*columns))
        return self.make(rows)

    def _converted(self, place: int, conversion: Conversion, column: Sequence[Any]) -> list[Any]:
        converted = []
        for number, value in enumerate(column):
            try:
                converted.append(conversion.of(value))
            except Mismatch as mismatch:
                raise DataError(f'row {number}, column "{self.columns[place]}": {mismatch}') from mismatch.__cause__
        return converted


def rows_into(into: Callable[..., Any], result: Rows) -> list[Any]:
    """The rows of a result as targets.

    :param into: a dataclass, a NamedTuple, a TypedDict, ``dict``, or any callable whose parameters have names: each row
        is passed to it by the columns' names. Values become what their annotations say where that loses nothing.
    :raises: :class:`~shopdata.ParameterError` if the columns are not what it takes, :class:`~shopdata.DataError` for a
        value that its annotation does not allow.
    """
    columns = result.columns
    try:
        plan = _kept.get((into, columns))
    except TypeError:  # a callable without a hash
        return _plan(into, columns).rows(result._rows)
    if plan is None:
        plan = _plan(into, columns)
        if len(_kept) >= _KEPT_MAX:
            _kept.clear()
        _kept[into, columns] = plan
    return plan.rows(result._rows)


def _plan(into: Any, columns: tuple[str, ...]) -> Plan:
    name = getattr(into, "__name__", None) or repr(into)
    if not callable(into):
        raise ParameterError(f"into={name}: a dataclass, NamedTuple, TypedDict or another callable is wanted")
    twice = sorted({column for column in columns if columns.count(column) > 1})
    if twice:
        raise ParameterError(f"into={name}: more than one column is named {_list(twice)}; name them with AS")
    takes = _takes(into, name)
    _check(name, takes, columns)
    hints = _hints(into, name)
    wanted = [(place, conversion_to(hints[column])) for place, column in enumerate(columns) if column in hints]
    needed = tuple((place, conversion) for place, conversion in wanted if conversion is not None)
    return Plan(columns, needed, _make(into, takes, columns))


class Takes(NamedTuple):
    """The parameters of a target: their names in order, those that must be there, whether any other may."""

    names: tuple[str, ...]
    required: frozenset[str]
    any: bool
    by_order: bool


def _takes(into: Any, name: str) -> Takes:
    if into is dict:
        return Takes((), frozenset(), any=True, by_order=False)
    if is_typed_dict(into):
        return Takes(tuple(typing.get_type_hints(into)), into.__required_keys__, any=False, by_order=False)
    try:
        parameters = list(inspect.signature(into).parameters.values())
    except (ValueError, TypeError):
        raise ParameterError(
            f"into={name}: it does not tell which columns it takes; pass a dataclass, NamedTuple, TypedDict or function"
        ) from None
    nameless = [p.name for p in parameters if p.kind is p.POSITIONAL_ONLY and p.default is p.empty]
    if nameless:
        raise ParameterError(f"into={name}: it takes {_list(nameless)} by position; columns are passed by name")
    named = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    return Takes(
        tuple(p.name for p in named),
        frozenset(p.name for p in named if p.default is p.empty),
        any=any(p.kind is p.VAR_KEYWORD for p in parameters),
        by_order=all(p.kind is p.POSITIONAL_OR_KEYWORD for p in parameters),
    )


def _check(name: str, takes: Takes, columns: tuple[str, ...]) -> None:
    missing = [wanted for wanted in takes.names if wanted in takes.required and wanted not in columns]
    if missing:
        raise ParameterError(f"into={name}: no column for {_list(missing)}; there are: {', '.join(columns)}")
    surplus = [column for column in columns if column not in takes.names]
    if surplus and not takes.any:
        raise ParameterError(
            f"into={name}: it has nothing for column {_list(surplus)}; it takes: {', '.join(takes.names)}"
        )


def _hints(into: Any, name: str) -> dict[str, Any]:
    try:
        return hints_of(into)
    except Exception as error:
        raise ParameterError(f"into={name}: its annotations cannot be resolved: {error}") from error


def _make(into: Any, takes: Takes, columns: tuple[str, ...]) -> Make:
    if into is dict or is_typed_dict(into):
        return lambda rows: [dict(zip(columns, row)) for row in rows]
    if takes.by_order and columns == takes.names[: len(columns)]:
        return lambda rows: list(starmap(into, rows))
    return lambda rows: [into(**dict(pairs)) for pairs in map(zip, repeat(columns), rows)]


def _list(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
