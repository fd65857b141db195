"""How SQLAlchemy's types meet the driver's: which parameters are given their type in the SQL (`$1::INTEGER`), and what
is left to do with values that come out."""

from __future__ import annotations

import decimal
import json
from typing import Any, Callable, Optional, TypeVar, cast

from sqlalchemy import types as sqltypes
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.dialects.postgresql import base, pg_catalog, ranges
from sqlalchemy.engine import processors
from sqlalchemy.engine.interfaces import Dialect

from shopdata.sqlalchemy.ranges import parse_multirange, parse_range

Processor = Optional[Callable[[Any], Any]]
_FLOATS = (700, 701)

T = TypeVar("T")


def _with_cast(parent: type[T]) -> type[T]:
    """The type, with its name behind each parameter: PostgreSQL would else have to guess it from the place."""
    return type(parent.__name__, (parent,), {"render_bind_cast": True, "__module__": __name__})


class _Numbers:
    """numeric comes as Decimal, floats as float: the other way round it is made here."""

    render_bind_cast = True
    asdecimal: bool
    _effective_decimal_return_scale: int

    def bind_processor(self, dialect: Dialect) -> Processor:
        return None

    def result_processor(self, dialect: Dialect, coltype: Any) -> Processor:
        if self.asdecimal and coltype in _FLOATS:
            scale = self._effective_decimal_return_scale
            return cast(Processor, processors.to_decimal_processor_factory(decimal.Decimal, scale))
        to_float: Processor = processors.to_float
        return None if self.asdecimal or coltype in _FLOATS else to_float


class _Numeric(_Numbers, sqltypes.Numeric[Any]):
    """numeric, int and float."""


class _Float(_Numbers, sqltypes.Float[Any]):
    """The same for `Float` and `Double`."""


class _Interval(pg.INTERVAL):
    render_bind_cast = True

    @classmethod
    def adapt_emulated_to_native(cls, interval: Any, **kw: Any) -> _Interval:  # type: ignore[override]
        return cls(precision=interval.second_precision)


def _numbers(value: Any) -> Any:
    return [int(number) for number in value.split()] if isinstance(value, str) else value


class _Int2Vector(pg_catalog.INT2VECTOR):
    """The catalog's `1 2`: a list of numbers."""

    def result_processor(self, dialect: Dialect, coltype: Any) -> Processor:
        return _numbers


class _OidVector(pg_catalog.OIDVECTOR):
    """The catalog's `1 2`: a list of numbers."""

    def result_processor(self, dialect: Dialect, coltype: Any) -> Processor:
        return _numbers


def _json_result(dialect: Any) -> Processor:
    """Documents come decoded. Who has a way of his own to decode them is given their text."""
    decode = dialect._json_deserializer
    return None if decode is None else lambda value: None if value is None else decode(json.dumps(value))


class _JSON(pg.JSON):
    render_bind_cast = True

    def result_processor(self, dialect: Dialect, coltype: Any) -> Processor:
        return _json_result(dialect)


class _JSONB(pg.JSONB):
    render_bind_cast = True

    def result_processor(self, dialect: Dialect, coltype: Any) -> Processor:
        return _json_result(dialect)


class _JSONIndex(sqltypes.JSON.JSONIndexType):
    """By number or by name, as the value is."""


class _JSONIntIndex(sqltypes.JSON.JSONIntIndexType):
    __visit_name__ = "json_int_index"
    render_bind_cast = True


class _JSONStrIndex(sqltypes.JSON.JSONStrIndexType):
    __visit_name__ = "json_str_index"
    render_bind_cast = True


class _Range(ranges.AbstractSingleRangeImpl[Any]):
    def bind_processor(self, dialect: Dialect) -> Processor:
        return lambda value: str(value) if isinstance(value, ranges.Range) else value

    def result_processor(self, dialect: Dialect, coltype: Any) -> Processor:
        return lambda value: None if value is None else parse_range(value, coltype)


class _MultiRange(ranges.AbstractMultiRangeImpl[Any]):
    def bind_processor(self, dialect: Dialect) -> Processor:
        def to_text(value: Any) -> Any:
            return value if value is None or isinstance(value, str) else "{" + ",".join(map(str, value)) + "}"

        return to_text

    def result_processor(self, dialect: Dialect, coltype: Any) -> Processor:
        return lambda value: None if value is None else parse_multirange(value, coltype)


def _colspecs() -> dict[Any, Any]:
    casting = (
        *(sqltypes.String, sqltypes.CHAR, sqltypes.Boolean, sqltypes.DateTime, sqltypes.Date, sqltypes.Time),
        *(sqltypes.Integer, sqltypes.SmallInteger, sqltypes.BigInteger),
        *(pg.REGCONFIG, pg.REGCLASS, pg.OID, pg.BIT),
    )
    found: dict[Any, Any] = {parent: _with_cast(parent) for parent in casting}
    found[sqltypes.ARRAY] = _with_cast(pg.ARRAY)
    found[sqltypes.Enum] = _with_cast(pg.ENUM)
    for name in ("INT4", "INT8", "NUM", "DATE", "TS", "TSTZ"):
        found[getattr(pg, name + "RANGE")] = _Range
        found[getattr(pg, name + "MULTIRANGE")] = _MultiRange
    return found


colspecs: dict[Any, Any] = {
    **base.PGDialect.colspecs,
    **_colspecs(),
    sqltypes.Numeric: _Numeric,
    sqltypes.Float: _Float,
    sqltypes.Interval: _Interval,
    pg.INTERVAL: _Interval,
    pg_catalog.INT2VECTOR: _Int2Vector,
    pg_catalog.OIDVECTOR: _OidVector,
    sqltypes.JSON: _JSON,
    pg.JSONB: _JSONB,
    sqltypes.JSON.JSONIndexType: _JSONIndex,
    sqltypes.JSON.JSONIntIndexType: _JSONIntIndex,
    sqltypes.JSON.JSONStrIndexType: _JSONStrIndex,
}
