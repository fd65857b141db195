"""The report's colours: read by day and by night, and told apart by who sees fewer of them."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence

import pytest
import report

LIGHT, DARK = report.STYLE.read_text().split("@media screen and (prefers-color-scheme: dark)")
THEMES = {name: dict(re.findall(r"--([\w-]+): (#[0-9a-f]+);", text))
          for name, text in (("light", LIGHT), ("dark", DARK.split("\n}\n")[0]))}
LINES = ["s0", "s1", "s2", "s3", "s4"]
BANDS = ["local", "cache", "stale", "replica", "primary"]
Vector = Sequence[float]
# What becomes of red, green and blue light, by Machado, Oliveira and Fernandes (2009), where a kind of cone is missing.
EYES: dict[str, list[list[float]]] = {
    "all": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "no long": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "no middle": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "no short": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]]}
TO_XYZ = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]


def light_of(colour: str) -> list[float]:
    """Red, green and blue light of `#rgb` or `#rrggbb`, 0 to 1."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * one for one in colour[1:])
    shares = [int(digits[at:at + 2], 16) / 255 for at in (0, 2, 4)]
    return [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in shares]


def through(matrix: Sequence[Vector], vector: Vector) -> list[float]:
    return [sum(factor * value for factor, value in zip(row, vector)) for row in matrix]


def lab(light: Vector) -> tuple[float, float, float]:
    """Where a colour lies for people: a distance of 2 is just seen side by side."""
    x, y, z = (one / white for one, white in zip(through(TO_XYZ, light), (0.95047, 1, 1.08883)))
    x, y, z = (one ** (1 / 3) if one > 0.008856 else 7.787 * one + 16 / 116 for one in (x, y, z))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def seen(colour: str, eye: str) -> tuple[float, float, float]:
    return lab([min(1.0, max(0.0, one)) for one in through(EYES[eye], light_of(colour))])


def contrast(one: str, other: str) -> float:
    """As WCAG 2 has it: 4.5 for text, 3 for what is drawn."""
    low, high = sorted(through(TO_XYZ, light_of(colour))[1] for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", THEMES)
def test_words_and_lines_stand_out_from_the_paper(theme: str) -> None:
    colours = THEMES[theme]
    for name in ("ink", "quiet", "thin", "link", "good", "bad", *LINES):
        assert contrast(colours[name], colours["paper"]) >= 4.4, name  # names of lines are words in their colour
    for name in ("s5", "s6", "s7", "mild-line"):
        assert contrast(colours[name], colours["paper"]) >= 3, name
    for name in ("mild", "grave"):
        assert contrast(colours["ink"], colours[name]) >= 4.5, name


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize(("names", "apart"), [(LINES, 11), (BANDS, 18)])
def test_every_eye_tells_them_apart(theme: str, eye: str, names: list[str], apart: float) -> None:
    for one, other in itertools.combinations(names, 2):
        assert math.dist(seen(THEMES[theme][one], eye), seen(THEMES[theme][other], eye)) >= apart, (one, other)


def test_the_measure_can_fail() -> None:
    assert math.dist(seen("#c9500a", "no middle"), seen("#7f7a00", "no middle")) < 11
    assert contrast("#c5c5c5", "#fff") < 3 < 20 < contrast("#000", "#fff")
