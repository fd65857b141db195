"""Buckets of HdrHistogram, kept small: in memory as two arrays, in a file as its V2 encoding, compressed, in base64,
which every HdrHistogram library reads. Three significant digits, the lowest discernible value 1.
"""

from __future__ import annotations

import base64
import binascii
import struct
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate
from typing import Union

DIGITS = 3
SUB_BITS = 11
"""2 to the power of it sub-buckets are the fewest of which each is a thousandth of its value at most."""
HALF = 1 << SUB_BITS - 1
COOKIE, COMPRESSED_COOKIE = 0x1C849313, 0x1C849314
HEADER = struct.Struct(">iiiiqqd")
"""Cookie, length of what follows, index offset, significant digits, lowest and highest value, ratio of doubles."""
ENVELOPE = struct.Struct(">ii")
LAST_BYTE = 8
"""The ninth byte of a number has eight bits of it and no mark: 64 bits need no tenth."""


class Buckets:
    """Each bucket's highest value, ascending, and how many values fell into it."""

    def __init__(self, counts: Union[Mapping[int, int], Iterable[tuple[int, int]]] = ()) -> None:
        """:raises OverflowError: a number of more than 64 bits."""
        found = sorted((value, count) for value, count in dict(counts).items() if count)
        self._values, self._counts = (array("q", (pair[of] for pair in found)) for of in (0, 1))
        self.total = sum(self._counts)
        """All that fell into them."""

    def items(self) -> Iterator[tuple[int, int]]:
        """Value and count of each."""
        return zip(self._values, self._counts)

    def running(self) -> Iterator[int]:
        """How many values there are up to each bucket, it included."""
        return accumulate(self._counts)

    @property
    def highest(self) -> int:
        """The last one's value; 2, the least that HdrHistogram can do with, without any."""
        return max(2, self._values[-1]) if self._values else 2

    def at(self, rank: int) -> int:
        """The value of the bucket that the n-th lowest value, counted from 1, fell into."""
        return self._values[bisect_left(list(self.running()), rank)]

    def __bool__(self) -> bool:
        return bool(self._values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Buckets) and (self._values, self._counts) == (other._values, other._counts)

    def __repr__(self) -> str:
        return f"Buckets({dict(self.items())})"


def index_of(value: int) -> int:
    """Which bucket a value falls into, counted from 0."""
    power = max(0, value.bit_length() - SUB_BITS)
    return power * HALF + (value >> power)


def highest_of(index: int) -> int:
    """The highest value of a bucket."""
    power = max(0, index // HALF - 1)
    return (index - power * HALF + 1 << power) - 1


def number(value: int) -> bytes:
    """A number in as few bytes as it needs: ZigZag LEB128."""
    left, written = value << 1 if value >= 0 else (-value << 1) - 1, bytearray()
    while left > 0x7F and len(written) < LAST_BYTE:
        written.append(left & 0x7F | 0x80)
        left >>= 7
    return bytes((*written, left))


def numbers(text: bytes) -> Iterator[int]:
    """The numbers of such bytes. Raises ValueError: the last one breaks off."""
    found = shift = 0
    for byte in text:
        last = shift == 7 * LAST_BYTE or byte < 0x80
        found |= (byte if last else byte & 0x7F) << shift
        shift += 7
        if last:
            yield found >> 1 if found & 1 == 0 else -(found + 1 >> 1)
            found = shift = 0
    if shift:
        raise ValueError("its last number breaks off")


def counts_of(buckets: Buckets) -> Iterator[int]:
    """All counts from the lowest bucket on, each run of empty ones as one number below zero."""
    at = 0
    for value, count in buckets.items():
        index = index_of(value)
        if index > at:
            yield at - index
        yield count
        at = index + 1


def encoded(buckets: Buckets) -> str:
    """The buckets as text."""
    counts = b"".join(map(number, counts_of(buckets)))
    whole = HEADER.pack(COOKIE, len(counts), 0, DIGITS, 1, buckets.highest, 1.0) + counts
    packed = zlib.compress(whole, 9)
    return base64.b64encode(ENVELOPE.pack(COMPRESSED_COOKIE, len(packed)) + packed).decode("ascii")


def unpacked(text: str) -> bytes:
    """The counts in such a text, as bytes. Raises ValueError: it is none, or of other digits than ours."""
    try:
        whole = base64.b64decode(text, validate=True)
        cookie, _ = ENVELOPE.unpack_from(whole)
        plain = zlib.decompress(whole[ENVELOPE.size:])
        inner, _, offset, digits, lowest, _, ratio = HEADER.unpack_from(plain)
    except (binascii.Error, struct.error, zlib.error) as error:
        raise ValueError(f"its histogram is no V2 encoding of HdrHistogram: {error}") from None
    if (cookie, inner, offset, digits, lowest, ratio) != (COMPRESSED_COOKIE, COOKIE, 0, DIGITS, 1, 1.0):
        raise ValueError("its histogram is no V2 encoding of HdrHistogram with three digits and the lowest value 1")
    return plain[HEADER.size:]


def decoded(text: str) -> Buckets:
    """What :func:`encoded` makes text of. Raises ValueError: it is not that."""
    pairs, at = [], 0
    for one in numbers(unpacked(text)):
        if one > 0:
            pairs.append((highest_of(at), one))
        at += max(1, -one)
    return Buckets(pairs)
