"""Named parameters: ``:name`` in SQL, as the ``$1`` that PostgreSQL knows.

A colon begins a parameter if a name follows at once, and it stands where PostgreSQL's own colons do not: not in quotes
of any kind, dollar quotes and comments, not in ``::`` and ``:=``, and within brackets only where a value may begin. So
``ARRAY[:a, :b]`` and ``prices[:i]`` have parameters, and ``prices[1:n]`` is a slice up to the column ``n``. A slice
that ends at a parameter has a blank in it: ``prices[1: :n]``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Optional

from shopdata.errors import ParameterError, ProgrammingError

__all__ = ["Parsed", "parse", "values_of"]


class Parsed(NamedTuple):
    """SQL as PostgreSQL reads it, and the names of its parameters in the order of their numbers."""

    sql: str
    names: Optional[tuple[str, ...]]
    """``None`` if the SQL has no named parameters."""


# What is to be told apart; everything else goes by a character at a time. An unfinished quote runs to the end of the
# text: PostgreSQL will complain of it. E'...' goes on, with its backslashes, in a quote on a later line.
_TOKEN = re.compile(
    r"""
      (?P<escaped>  [eE]'(?:[^'\\]|\\.|''|'[ \t\f\v]*(?:--[^\r\n]*)?[\r\n](?:\s|--[^\r\n]*[\r\n])*')*(?:'|$) )
    | (?P<quoted>   '(?:[^']|'')*(?:'|$) | "(?:[^"]|"")*(?:"|$) )
    | (?P<dollar>   \$(?P<tag>[A-Za-z_\x80-\U0010ffff][\w]*)?\$ )
    | (?P<line>     --[^\r\n]* )
    | (?P<comment>  /\* )
    | (?P<number>   \$[0-9]+ )
    | (?P<colons>   :: | := )
    | (?P<name>     :(?P<called>[A-Za-z_\x80-\U0010ffff][\w]*) )
    | (?P<word>     [A-Za-z_\x80-\U0010ffff][\w$]* )
    | (?P<blank>    \s+ )
    | (?P<other>    . )
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT_EDGE = re.compile(r"/\*|\*/")
# Words behind which a value begins, as behind an operator.
_NO_OPERAND = frozenset(
    "all and any array between by case distinct else escape from having ilike in is like limit not offset on or select"
    " similar some symmetric then to using when where zone".split()
)


class _Scanner:
    def __init__(self, sql: str) -> None:
        self.sql = sql
        self.at = 0
        self.pieces: list[str] = []
        self.numbers: dict[str, int] = {}
        self.numbered: Optional[str] = None
        self.brackets = 0
        self.after_operand = False

    def run(self) -> Parsed:
        while self.at < len(self.sql):
            self.step()
        if self.numbers and self.numbered:
            name = next(iter(self.numbers))
            raise ProgrammingError(f"parameters are named or numbered, not both: there are :{name} and {self.numbered}")
        return Parsed("".join(self.pieces), tuple(self.numbers)) if self.numbers else Parsed(self.sql, None)

    def step(self) -> None:
        match = _TOKEN.match(self.sql, self.at)
        assert match is not None  # the last alternative takes any character
        handler = getattr(self, f"on_{match.lastgroup}", None)
        if handler:
            handler(match)
        else:
            self.take(match.end(), operand=True)

    def take(self, end: int, *, operand: Optional[bool] = None) -> None:
        """What lies before `end` stays as it is; `operand`: it is one (``None``: no matter, blanks and comments)."""
        self.pieces.append(self.sql[self.at : end])
        self.at = end
        if operand is not None:
            self.after_operand = operand

    def on_blank(self, match: re.Match[str]) -> None:
        self.take(match.end())

    on_line = on_blank

    def on_comment(self, match: re.Match[str]) -> None:
        depth, end = 1, match.end()
        while depth:
            edge = _COMMENT_EDGE.search(self.sql, end)
            if not edge:
                end = len(self.sql)
                break
            depth += 1 if edge.group() == "/*" else -1
            end = edge.end()
        self.take(end)

    def on_dollar(self, match: re.Match[str]) -> None:
        closing = self.sql.find(match.group(), match.end())
        self.take(len(self.sql) if closing < 0 else closing + len(match.group()), operand=True)

    def on_number(self, match: re.Match[str]) -> None:
        self.numbered = self.numbered or match.group()
        self.take(match.end(), operand=True)

    def on_colons(self, match: re.Match[str]) -> None:
        self.take(match.end(), operand=False)

    def on_word(self, match: re.Match[str]) -> None:
        self.take(match.end(), operand=match.group().lower() not in _NO_OPERAND)

    def on_name(self, match: re.Match[str]) -> None:
        if self.brackets and self.after_operand:
            self.take(self.at + 1, operand=False)
            return
        number = self.numbers.setdefault(match.group("called"), len(self.numbers) + 1)
        self.pieces.append(f"${number}")
        self.at = match.end()
        self.after_operand = True

    def on_other(self, match: re.Match[str]) -> None:
        character = match.group()
        if character == "[":
            self.brackets += 1
        elif character == "]":
            self.brackets = max(0, self.brackets - 1)
        self.take(match.end(), operand=character in ")]" or character.isdigit())


def parse(sql: str) -> Parsed:
    """Finds the named parameters of a statement. ``ProgrammingError`` if it has numbered ones as well."""
    if ":" not in sql:
        return Parsed(sql, None)
    return _Scanner(sql).run()


def values_of(names: tuple[str, ...], params: Sequence[Any], named: Mapping[str, Any]) -> tuple[Any, ...]:
    """The values in the order of their numbers. A mapping as the only parameter is taken for keywords."""
    if params:
        if len(params) != 1 or named or not isinstance(params[0], Mapping):
            raise ParameterError(f"the statement's parameters are named ({_list(names)}): pass them by keyword")
        named = params[0]
    if named.keys() != set(names):
        raise _wrong(names, named)
    return tuple([named[name] for name in names])


def _list(names: Sequence[str]) -> str:
    return ", ".join(f":{name}" for name in names)


def _wrong(names: tuple[str, ...], named: Mapping[str, Any]) -> ParameterError:
    missing = [name for name in names if name not in named]
    unknown = [str(name) for name in named if name not in names]
    faults = []
    if missing:
        faults.append(f"no value for {_list(missing)}")
    if unknown:
        faults.append(f"the statement has no parameter {_list(unknown)}")
    return ParameterError(f"{'; '.join(faults)}; its parameters are {_list(names)}")
