"""Figures as people read them: three digits that matter, and the unit beside them."""

from __future__ import annotations

import math

NOTHING = "–"
TIMES = ((1e6, "s"), (1e3, "ms"), (1.0, "µs"), (1e-3, "ns"))
SIZES = ((1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"), (1, "B"))


def digits(value: float) -> str:
    """Three digits that matter, none behind the point of a number over 100, thousands apart."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else NOTHING
    behind = max(0, 2 - math.floor(math.log10(abs(value))))
    shown = f"{value:,.{min(behind, 6)}f}"
    return shown.rstrip("0").rstrip(".") if behind > 2 else shown


def whole(value: float) -> str:
    """A count, thousands apart."""
    return f"{value:,.0f}"


def duration(microseconds: float) -> str:
    """A time in the unit that it is best read in: ``4.21 ms``."""
    if microseconds <= 0:
        return "0 ms"
    # What rounds up to 1,000 of a unit is 1 of the next.
    size, unit = next(((size, unit) for size, unit in TIMES if microseconds >= 0.9995 * size), TIMES[-1])
    return f"{digits(microseconds / size)} {unit}"


def tick(microseconds: float) -> str:
    """A round time, as an axis or an option has it: ``5 ms``."""
    if microseconds <= 0:
        return "0"
    size, unit = next(((size, unit) for size, unit in TIMES if microseconds >= 0.9995 * size), TIMES[-1])
    return f"{microseconds / size:.4g} {unit}"


def seconds(value: float) -> str:
    """A span of time that people wait: ``45 s``, ``12 min 5 s``, ``3 h 20 min``."""
    rounded = round(value)
    if rounded < 60:
        return f"{digits(value)} s" if value < 10 else f"{rounded} s"
    big, small, names = (rounded // 60, rounded % 60, ("min", "s")) if rounded < 3600 else (
        rounded // 3600, rounded % 3600 // 60, ("h", "min"))
    return f"{big} {names[0]}" + (f" {small} {names[1]}" if small else "")


def size(octets: float) -> str:
    """A number of bytes: ``64 MiB``."""
    unit, name = next(((unit, name) for unit, name in SIZES if octets >= unit), SIZES[-1])
    return f"{digits(octets / unit)} {name}"


def share(value: float) -> str:
    """A part of a whole (0 to 1) in per cent. What is not nothing and not all never reads as if it were."""
    percent = 100 * value
    if value in (0, 1):
        return f"{percent:.0f} %"
    if 0 < percent < 0.01:
        return "< 0.01 %"
    if 99.99 < percent < 100:
        return "> 99.99 %"
    return f"{percent:.2f} %" if percent < 10 or percent > 99 else f"{percent:.1f} %"


def rate(a_second: float) -> str:
    """So many a second: whole, but for a trickle."""
    return whole(a_second) if a_second >= 100 else digits(a_second)


def percentile_name(percent: float) -> str:
    """``p99.9``."""
    return f"p{percent:g}"
