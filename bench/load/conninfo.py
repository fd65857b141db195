"""Connection strings of PostgreSQL: read as libpq reads them, and written for it."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Mapping

from faults import UsageError

KEYWORD = re.compile(r"\s*([a-z_]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s\\']|\\.)*))", re.DOTALL)
ENDPOINT = re.compile(r"([\w.-]+|\[[0-9a-fA-F:]+\])(?::([0-9]{1,5}))?")
EXAMPLE = "`shop.abc.eu-west-1.rds.amazonaws.com:5432`, `host=db1 dbname=shop user=shop` or `postgresql://shop@db1/shop`"

ADVICE = (
    ("certificate verify failed", "--sslrootcert FILE must have the authority that signed its certificate"),
    ("does not match host name", "give the name that its certificate has"),
    ("none of the nodes is a primary", "--primary is the writer's endpoint"),
    ("PAM authentication failed", "a token of IAM is of one host, port, role and region, and the role wants rds_iam"),
    ("certificate, expected for", "--cache-ca FILE must have the authority that signed its certificate"),
    ("NOAUTH", "--cache-password-env, -file or -command tells the password"),
    ("WRONGPASS", "--cache-password-env, -file or -command tells the password, and --cache-user whose it is"),
    ("connection was lost", "--cache-tls, if it talks TLS"),
)
"""What is right where a server was not reached: a piece of what is told, and the advice."""


def advised(message: str) -> str:
    """What went wrong, and what would be right, if that is known."""
    return message + next((f" ({advice})" for piece, advice in ADVICE if piece in message), "")


def unescaped(text: str) -> str:
    """A backslash makes the next character mean itself."""
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)


def read_keywords(text: str, where: str) -> dict[str, str]:
    """``host=db1 user='a b'``. What is wrong is not shown: it may be a password."""
    found: dict[str, str] = {}
    at = 0
    while text[at:].strip():
        match = KEYWORD.match(text, at)
        if not match:
            raise UsageError(f"{where}: character {at + 1} of it begins no `keyword=value`; right is {EXAMPLE}")
        quoted, bare = match[2], match[3]
        found[match[1]] = unescaped(bare if quoted is None else quoted)
        at = match.end()
    return found


def read_uri(text: str, where: str) -> dict[str, str]:
    """``postgresql://user@host:5432/database?sslmode=verify-full``."""
    try:
        parts = urllib.parse.urlsplit(text)
        given = {"host": parts.hostname, "port": str(parts.port) if parts.port else None, "user": parts.username,
                 "password": parts.password, "dbname": parts.path.lstrip("/")}
    except ValueError:
        raise UsageError(f"{where}: is no connection URI; right is {EXAMPLE}") from None
    found = {name: urllib.parse.unquote(value) for name, value in given.items() if value}
    return {**found, **dict(urllib.parse.parse_qsl(parts.query))}


def read(text: str, where: str) -> dict[str, str]:
    """Keywords and values of a connection string, a URI, or a bare ``host:port``. Raises UsageError, in which
    ``where`` names the option."""
    if re.match(r"postgres(ql)?://", text):
        return read_uri(text, where)
    endpoint = ENDPOINT.fullmatch(text.strip())
    if endpoint:
        return {"host": endpoint[1].strip("[]"), **({"port": endpoint[2]} if endpoint[2] else {})}
    found = read_keywords(text, where)
    if not found:
        raise UsageError(f"{where}: is empty; right is {EXAMPLE}")
    return found


def written(keywords: Mapping[str, str]) -> str:
    """One line for libpq."""
    pairs = []
    for name, value in keywords.items():
        escaped = value.replace("\\", "\\\\").replace("'", "\\'")
        pairs.append(f"{name}='{escaped}'")
    return " ".join(pairs)


def shown(keywords: Mapping[str, str]) -> str:
    """Which server that is, for people: no user and no password."""
    port = keywords.get("port", "5432")
    return f"{keywords.get('host', keywords.get('service', 'local'))}:{port}/{keywords.get('dbname', '')}".rstrip("/")
