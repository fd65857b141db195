"""Values as a target's annotations want them, where that loses nothing."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import ipaddress
import types
import typing
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any, Literal, Optional, Union
from uuid import UUID

__all__ = ["Conversion", "Mismatch", "conversion_to", "hints_of", "is_typed_dict"]

Convert = Callable[[Any], Any]


class Mismatch(Exception):
    """A value that is not what the annotation says, and cannot become it without a loss."""


class Conversion:
    """To one annotation: whose values need nothing, and what makes the others fit."""

    __slots__ = ("exact", "of")

    def __init__(self, exact: Collection[type], of: Convert) -> None:
        self.exact = frozenset(exact)
        self.of = of

    def fits(self, values: Sequence[Any]) -> bool:
        """Are all of them what is wanted already?"""
        return self.exact.issuperset(map(type, values))


def conversion_to(hint: Any) -> Optional[Conversion]:
    """How values come to be what an annotation says; ``None`` if anything is right."""
    hint = _bare(hint)
    if hint is Any or hint is object or isinstance(hint, typing.TypeVar):
        return None
    origin = typing.get_origin(hint)
    if origin is Union or isinstance(hint, getattr(types, "UnionType", ())):
        return _to_union(typing.get_args(hint))
    if origin is Literal:
        return _to_literal(typing.get_args(hint))
    if hint is None or hint is type(None):
        return Conversion((type(None),), _none)
    if is_typed_dict(hint) or (isinstance(hint, type) and dataclasses.is_dataclass(hint)):
        return Conversion((), _to_object(hint))
    container = origin or hint
    return _to_container(container, typing.get_args(hint)) if origin else _to_class(container)


def hints_of(target: Any) -> dict[str, Any]:
    """The annotations of what a target takes."""
    if target is dict:
        return {}
    if isinstance(target, functools.partial):
        return hints_of(target.func)
    if not isinstance(target, type):
        return typing.get_type_hints(target if inspect.isroutine(target) else target.__call__)
    described = is_typed_dict(target) or dataclasses.is_dataclass(target) or hasattr(target, "_field_defaults")
    return typing.get_type_hints(target if described else target.__init__)  # type: ignore[misc]


def is_typed_dict(hint: Any) -> bool:
    """Is it a TypedDict's class, of :mod:`typing` or of typing_extensions?"""
    return isinstance(hint, type) and issubclass(hint, dict) and hasattr(hint, "__required_keys__")


def _bare(hint: Any) -> Any:
    """What stands within NewType, Annotated, InitVar, Final, Required..."""
    while True:
        if isinstance(hint, dataclasses.InitVar):
            hint = hint.type
        elif hasattr(hint, "__supertype__"):
            hint = hint.__supertype__
        elif hasattr(hint, "__metadata__"):
            hint = hint.__origin__
        elif typing.get_origin(hint) is typing.Final or str(typing.get_origin(hint)).endswith("Required"):
            hint = typing.get_args(hint)[0]
        else:
            return hint


def _no(value: Any, wanted: str) -> Mismatch:
    if value is None:
        return Mismatch(f"it is NULL, not {wanted}; annotate it as Optional if it may be")
    shown = repr(value)
    return Mismatch(f"{shown if len(shown) <= 60 else shown[:60] + '...'} is no {wanted}")


def _none(value: Any) -> None:
    if value is not None:
        raise _no(value, "NULL")


# -------------------------------------------------------------------------------------------------------- single values


def _to_int(value: Any) -> Optional[int]:
    """A whole number, whatever class it is of: ``sum()`` of integers is numeric."""
    if isinstance(value, (Decimal, float)) and value == value and abs(value) != float("inf") and value == int(value):
        return int(value)
    return None


def _to_float(value: Any) -> Optional[float]:
    """A number whose digits a float has too."""
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            return None
        same = Decimal(repr(number)) == value or value != value
        return number if same else None
    return None


def _to_decimal(value: Any) -> Optional[Decimal]:
    if isinstance(value, float):
        return Decimal(repr(value))
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _parsed(parse: Callable[[str], Any]) -> Convert:
    """Of text only: what json has no type for."""
    return lambda value: parse(value) if isinstance(value, str) else None


_TO: dict[type, Convert] = {
    int: _to_int,
    float: _to_float,
    Decimal: _to_decimal,
    UUID: _parsed(UUID),
    date: _parsed(date.fromisoformat),
    datetime: _parsed(datetime.fromisoformat),
    time: _parsed(time.fromisoformat),
    ipaddress.IPv4Address: _parsed(ipaddress.IPv4Address),
    ipaddress.IPv6Address: _parsed(ipaddress.IPv6Address),
    ipaddress.IPv4Network: _parsed(ipaddress.IPv4Network),
    ipaddress.IPv6Network: _parsed(ipaddress.IPv6Network),
    ipaddress.IPv4Interface: _parsed(ipaddress.IPv4Interface),
    ipaddress.IPv6Interface: _parsed(ipaddress.IPv6Interface),
}


def _to_class(cls: Any) -> Optional[Conversion]:
    if not isinstance(cls, type):
        return None
    if issubclass(cls, Enum):
        return Conversion((cls,), _to_enum(cls))
    convert = _TO.get(cls)

    def of(value: Any) -> Any:
        # A datetime is a date by class, but has an hour to lose; a bool is an int by class, and Python's own business.
        if isinstance(value, cls) and not (cls is date and isinstance(value, datetime)):
            return value
        try:
            converted = convert(value) if convert else None
        except ValueError as error:
            raise _no(value, cls.__name__) from error
        if converted is None:
            raise _no(value, cls.__name__)
        return converted

    return Conversion((cls,), of)


def _to_enum(cls: type[Enum]) -> Convert:
    def of(value: Any) -> Any:
        try:
            return cls(value)
        except ValueError:
            raise Mismatch(
                f"{value!r} is no {cls.__name__}; there are: {', '.join(repr(member.value) for member in cls)}"
            ) from None

    return of


def _to_literal(allowed: tuple[Any, ...]) -> Conversion:
    def of(value: Any) -> Any:
        for one in allowed:
            if type(one) is type(value) and one == value:
                return value
            if isinstance(one, Enum) and one.value == value:
                return one
        raise Mismatch(f"{value!r} is none of: {', '.join(map(repr, allowed))}")

    return Conversion((), of)


def _to_union(members: tuple[Any, ...]) -> Optional[Conversion]:
    """The first that fits as it is, else the first that it can become."""
    conversions = [conversion_to(member) for member in members]
    known = [conversion for conversion in conversions if conversion is not None]
    if len(known) < len(conversions):
        return None

    def of(value: Any) -> Any:
        fault = None
        for conversion in known:
            if type(value) in conversion.exact:
                return value
        for conversion in known:
            try:
                return conversion.of(value)
            except Mismatch as mismatch:
                fault = fault or mismatch
        raise fault or _no(value, "such value")

    return Conversion([cls for conversion in known for cls in conversion.exact], of)


# ----------------------------------------------------------------------------------------------- arrays, json's objects


def _to_container(cls: Any, inner: tuple[Any, ...]) -> Optional[Conversion]:
    if isinstance(cls, type) and issubclass(cls, tuple) and not (len(inner) == 2 and inner[1] is ...):
        return Conversion((), _to_fixed_tuple(inner))
    if isinstance(cls, type) and issubclass(list, cls):
        return _to_sequence(list, inner)
    if cls is tuple:
        return _to_sequence(tuple, inner[:1])
    if isinstance(cls, type) and issubclass(dict, cls) and len(inner) == 2:
        return _to_mapping(inner[1])
    return _to_class(cls)


def _item(conversion: Optional[Conversion], value: Any, place: object) -> Any:
    if conversion is None:
        return value
    try:
        return conversion.of(value)
    except Mismatch as mismatch:
        raise Mismatch(f"at [{place!r}]: {mismatch}") from mismatch.__cause__


def _to_sequence(cls: Callable[[list[Any]], Any], inner: tuple[Any, ...]) -> Conversion:
    conversion = conversion_to(inner[0])

    def of(value: Any) -> Any:
        if not isinstance(value, (list, tuple)):
            raise _no(value, "list")
        return cls([_item(conversion, one, place) for place, one in enumerate(value)])

    return Conversion((list,) if conversion is None and cls is list else (), of)


def _to_fixed_tuple(inner: tuple[Any, ...]) -> Convert:
    conversions = [conversion_to(one) for one in inner if one != ()]

    def of(value: Any) -> Any:
        if not isinstance(value, (list, tuple)) or len(value) != len(conversions):
            raise _no(value, f"tuple of {len(conversions)}")
        return tuple(_item(conversion, one, place) for place, (conversion, one) in enumerate(zip(conversions, value)))

    return of


def _to_mapping(hint: Any) -> Conversion:
    conversion = conversion_to(hint)

    def of(value: Any) -> Any:
        if not isinstance(value, dict):
            raise _no(value, "dict")
        return {key: _item(conversion, one, key) for key, one in value.items()}

    return Conversion((dict,) if conversion is None else (), of)


def _to_object(cls: Any) -> Convert:
    """An object of json as a dataclass or TypedDict. Its annotations are looked at when the first value comes: it may
    hold itself."""
    known: list[tuple[Mapping[str, Optional[Conversion]], frozenset[str]]] = []

    def of(value: Any) -> Any:
        if isinstance(value, cls if not is_typed_dict(cls) else ()):
            return value
        if not isinstance(value, dict):
            raise _no(value, cls.__name__)
        if not known:
            known.append(_keys_of(cls))
        conversions, required = known[0]
        _check_keys(cls, value, conversions, required)
        return cls(**{key: _item(conversions[key], one, key) for key, one in value.items()})

    return of


def _keys_of(cls: Any) -> tuple[Mapping[str, Optional[Conversion]], frozenset[str]]:
    hints = hints_of(cls)
    if is_typed_dict(cls):
        return {key: conversion_to(hint) for key, hint in hints.items()}, cls.__required_keys__
    fields = [field for field in dataclasses.fields(cls) if field.init]
    missing = dataclasses.MISSING
    required = [f.name for f in fields if f.default is missing and f.default_factory is missing]
    return {field.name: conversion_to(hints[field.name]) for field in fields}, frozenset(required)


def _check_keys(cls: Any, value: dict[str, Any], known: Collection[str], required: frozenset[str]) -> None:
    missing = sorted(required.difference(value))
    if missing:
        raise Mismatch(f"the object has no {', '.join(map(repr, missing))} for {cls.__name__}")
    surplus = [key for key in value if key not in known]
    if surplus:
        raise Mismatch(f"{cls.__name__} has nothing for the object's {', '.join(map(repr, surplus))}")
