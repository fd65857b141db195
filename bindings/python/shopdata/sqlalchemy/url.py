"""What an engine's URL says: the nodes, the cache, and any key of the configuration."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError

Sections = dict[str, Any]

# libpq's own, which every node is given. Where a server is, and which one it must be, is not among them.
_LIBPQ = frozenset(
    """application_name channel_binding connect_timeout fallback_application_name gssdelegation gssencmode gsslib
    keepalives keepalives_count keepalives_idle keepalives_interval krbsrvname options passfile require_auth
    requirepeer service ssl_max_protocol_version ssl_min_protocol_version sslcert sslcertmode sslcompression sslcrl
    sslcrldir sslkey sslmode sslpassword sslrootcert sslsni tcp_user_timeout""".split()
)
_SWITCHES = ("lazy", "share_writes")
_SECTIONS = ("shopdata", "node", "pool", "route", "cache", "local", "policy")
_NAMED = ("node", "policy")


def connect_arguments(url: URL) -> dict[str, Any]:
    """The keywords for `shopdata.dbapi.connect` that a URL stands for.

    Errors: sqlalchemy.exc.ArgumentError for what a URL cannot say, with what would be right.
    """
    arguments: dict[str, Any] = {}
    sections: Sections = {}
    libpq: list[tuple[str, str]] = []
    hosts = [(url.host or "", url.port)] if url.host else []
    replicas: list[str] = []
    for name, value in _query(url):
        if name == "config":
            arguments["config"] = value
        elif name == "host":
            hosts.append(_host(value))
        elif name == "replica":
            replicas += value.split(",")
        elif name == "cache":
            sections.setdefault("cache", {}).update(_cache(value))
        elif name in _SWITCHES:
            arguments[name] = _switch(name, value)
        elif "." in name:
            _set(sections, name, value)
        elif name in _LIBPQ:
            libpq.append((name, value))
        else:
            raise ArgumentError(_unknown(name))
    nodes = _nodes(url, hosts, [_host(replica) for replica in replicas], libpq)
    if nodes:
        sections["node"] = {**nodes, **sections.get("node", {})}
    elif "config" not in arguments and "node" not in sections:
        raise ArgumentError("the URL names neither a host nor a configuration: ...://host/database or ...:///?config=FILE")
    return {**arguments, **sections}


def _query(url: URL) -> Iterator[tuple[str, str]]:
    for name, value in url.query.items():
        for one in (value,) if isinstance(value, str) else value:
            yield name, one


def _unknown(name: str) -> str:
    return (
        f"the URL's {name!r} is not known: there are config, replica, host, cache, lazy, share_writes, libpq's "
        "parameters (sslmode...), and any key of the configuration with its section in front (policy.default.ttl=5m)"
    )


def _switch(name: str, value: str) -> bool:
    if value not in ("on", "off"):
        raise ArgumentError(f"the URL's {name} is {value!r}: it is on or off")
    return value == "on"


def _set(sections: Sections, name: str, value: str) -> None:
    """Puts section.key or section.NAME.key at its place."""
    path = name.split(".")
    if path[0] not in _SECTIONS or len(path) != (3 if path[0] in _NAMED else 2):
        raise ArgumentError(_unknown(name))
    section = sections
    for part in path[:-1]:
        section = section.setdefault(part, {})
    section[path[-1]] = value


# -------------------------------------------------------------------------------------------------------------- nodes


def _host(text: str) -> tuple[str, Any]:
    """host, host:port, [IPv6]:port, or a socket's directory."""
    match = re.fullmatch(r"(\[[^]]+\]|[^:]+)(?::(\d+))?", text) if not text.startswith("/") else None
    if match:
        return match[1].strip("[]"), match[2]
    if not text.startswith("/"):
        raise ArgumentError(f"the URL's host {text!r} is none: write host:port or [IPv6]:port")
    return text, None


def _nodes(
    url: URL, hosts: list[tuple[str, Any]], replicas: list[tuple[str, Any]], libpq: list[tuple[str, str]]
) -> Sections:
    """A node for each server. The first is called primary, but who is it is found out, not set."""
    if replicas and not hosts:
        raise ArgumentError("the URL names replicas but no primary: ...://host/database?replica=host2")
    nodes = {}
    for number, (host, port) in enumerate(hosts[:1] + hosts[1:] + replicas):
        words = [("host", host), ("port", port or url.port), ("user", url.username), ("password", url.password)]
        words += [("dbname", url.database), *libpq]
        conninfo = " ".join(f"{word}={_quoted(str(value))}" for word, value in words if value)
        nodes[f"replica{number}" if number else "primary"] = {"conninfo": conninfo}
    return nodes


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


# -------------------------------------------------------------------------------------------------------------- cache


def _cache(value: str) -> Sections:
    """redis://user:password@host:port/database, rediss:// for TLS, memcached://host:port,host:port, memory, none."""
    kind, _, rest = value.partition("://")
    if kind in ("memory", "none") and not rest:
        return {"kind": kind}
    if kind == "memcached":
        return {"kind": kind, "address": rest or "127.0.0.1:11211"}
    if kind not in ("redis", "rediss"):
        raise ArgumentError(
            f"the URL's cache {value!r} is none: redis://host:port, rediss://host:port, memcached://host:port, memory"
        )
    return {"kind": "redis", **({"tls": "on"} if kind == "rediss" else {}), **_redis(value)}


def _redis(value: str) -> Sections:
    parts = urlsplit(value)
    servers = parts.netloc.rpartition("@")[2] or "127.0.0.1"
    found = {"address": ",".join(s if re.search(r":\d+$", s) else f"{s}:6379" for s in servers.split(","))}
    if parts.username:
        found["user"] = unquote(parts.username)
    if parts.password:
        found["password"] = unquote(parts.password)
    if parts.path.strip("/"):
        found["database"] = parts.path.strip("/")
    return found
