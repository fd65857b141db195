"""The servers that are measured: a primary, replicas, a cache; and how the library is told of them."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

import conninfo
from faults import UsageError
from passwords import Passfile, Source

LOOPBACK = ("localhost", "127.0.0.1", "::1")
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
SETTING = re.compile(r"[a-z_]+(\.[A-Za-z0-9_-]+)?\.[a-z_]+=.*", re.DOTALL)
READER = re.compile(r"\.cluster-ro-|,")
"""In a host's name: of Aurora and of clusters of RDS; or several hosts."""
POLICIES = ("product", "list", "best_sellers", "order")
"""Those of the engine's statements (FORMAT.md)."""
SECRET = re.compile(r"\.(conninfo|password|sentinel_password|token_keys)$")


@dataclass(frozen=True)
class Cache:
    """A shared cache: its kind, and its keys in the library's section [cache] but for the password."""

    kind: str
    keys: dict[str, str]
    password: Optional[str] = field(default=None, repr=False)


@dataclass(frozen=True)
class Fleet:
    """All servers. Connection strings are kept as keywords, some with a password: never show them but by
    conninfo.shown."""

    primary: dict[str, str] = field(repr=False)
    replicas: tuple[dict[str, str], ...] = field(default=(), repr=False)
    cache: Optional[Cache] = None
    settings: dict[str, str] = field(default_factory=dict)
    """Further keys of the library (--set)."""
    passfile: Optional[Passfile] = None
    """Where the servers' passwords are, unless the keywords have them."""

    def conninfo(self, server: Mapping[str, str]) -> str:
        """One of its servers for libpq, with what is needed to log in. Raises BenchError."""
        return conninfo.written({**server, "passfile": self.passfile.path()} if self.passfile else server)

    def shown(self) -> dict[str, str]:
        """What may be told of it in a result."""
        about = {"primary": conninfo.shown(self.primary)}
        if self.replicas:
            about["replicas"] = ", ".join(map(conninfo.shown, self.replicas))
        if self.cache:
            about["cache"] = f"{self.cache.kind} {self.cache.keys['address']}"
        return about


def add_options(parser: argparse.ArgumentParser, cache: bool = True) -> None:
    """The options that say where the servers are."""
    servers = parser.add_argument_group(
        "servers", "A server is `host:port`, a libpq connection string, or a URI, without a password. Where none is\n"
        "named: SHOPDATA_PRIMARY, SHOPDATA_REPLICA1... and SHOPDATA_REDIS or SHOPDATA_MEMCACHED of the environment,\n"
        "as tests/launcher/launch makes them.")
    servers.add_argument("--primary", metavar="SERVER", help="the primary: the writer's endpoint")
    servers.add_argument("--user", metavar="NAME", help="who logs in to PostgreSQL")
    servers.add_argument("--database", metavar="NAME",
                         help="which database; one of its own (CREATE DATABASE shopbench)")
    servers.add_argument("--sslmode", choices=SSL_MODES, metavar="MODE",
                         help="as libpq has it; verify-full where --sslrootcert is given")
    servers.add_argument("--sslrootcert", type=Path, metavar="FILE",
                         help="the authorities to trust (PEM): for RDS its bundle, global-bundle.pem")
    add_password_options(servers, "--password", "PostgreSQL", "what prints it for the server PGHOST, PGPORT of its "
                         "environment; run again every ten minutes, and asks for nothing")
    if cache:
        add_further_options(servers)


def add_further_options(servers: argparse._ArgumentGroup) -> None:
    """Those that a load does not need."""
    servers.add_argument("--replica", metavar="SERVER", action="append", default=[],
                         help="a replica, by its own endpoint and not a reader endpoint; repeatable")
    servers.add_argument("--redis", metavar="HOST:PORT", help="Redis, Valkey, ElastiCache: the primary endpoint")
    servers.add_argument("--memcached", metavar="HOST:PORT,...", help="memcached, all of its servers")
    servers.add_argument("--cache-tls", action="store_true", help="talk TLS to Redis, and check its certificate")
    servers.add_argument("--cache-ca", type=Path, metavar="FILE", help="the authorities to trust for that (PEM)")
    servers.add_argument("--cache-cluster", action="store_true", help="--redis is a cluster's configuration endpoint")
    servers.add_argument("--cache-user", metavar="NAME", help="who logs in to Redis")
    add_password_options(servers, "--cache-password", "the cache", "what prints it, and asks for nothing")
    servers.add_argument("--set", metavar="KEY=VALUE", action="append", default=[], dest="settings",
                         help="a key of the library (doc/configuration.md), as policy.product.ttl=30s; repeatable")


def add_password_options(group: argparse._ArgumentGroup, option: str, whose: str, command: str) -> None:
    """The three sources of a password, the last of which is a command."""
    group.add_argument(f"{option}-env", metavar="NAME", help=f"the environment variable with the password of {whose}")
    group.add_argument(f"{option}-file", metavar="FILE", type=Path, help="a file with it, that only its owner may read")
    group.add_argument(f"{option}-command", metavar="COMMAND", help=command)


def fleet_of(given: argparse.Namespace, environment: Mapping[str, str] = os.environ) -> Fleet:
    """The servers that a command line names, or else the environment. Raises UsageError."""
    if given.primary is None and "SHOPDATA_PRIMARY" not in environment:
        raise UsageError("--primary is missing: say where the primary is (or run this under tests/launcher/launch)")
    source = Source("--password", given.password_env, given.password_file, given.password_command)
    source.check(environment)
    primary, *replicas = nodes_of(given, environment)
    if not source.named:
        return Fleet(primary, tuple(replicas), cache_of(given, environment), settings_of(given))
    for one in (primary, *replicas):
        one.pop("password", None)
    return Fleet(primary, tuple(replicas), cache_of(given, environment), settings_of(given),
                 Passfile(source, [primary, *replicas]))


def fleet_of_launcher() -> Fleet:
    """The servers of tests/launcher/launch. Raises UsageError."""
    parser = argparse.ArgumentParser()
    add_options(parser)
    return fleet_of(parser.parse_args([]))


def nodes_of(given: argparse.Namespace, environment: Mapping[str, str]) -> list[dict[str, str]]:
    """The primary and the replicas: those that are named, or else the launcher's, for which the options hold too."""
    extra, replicas = common_keywords(given), getattr(given, "replica", [])
    if given.primary is not None:
        return [server("--primary", given.primary, extra), *(server("--replica", one, extra) for one in replicas)]
    if replicas:
        raise UsageError("--replica is given and --primary is not: name both, or neither")
    names = ["SHOPDATA_PRIMARY", *(f"SHOPDATA_REPLICA{number}" for number in range(1, 65))]
    return [{**conninfo.read(environment[name], name), **extra} for name in names if name in environment]


def server(option: str, text: str, extra: dict[str, str]) -> dict[str, str]:
    """What an option's server is, as keywords."""
    keywords = conninfo.read(text, option)
    if "password" in keywords:
        raise UsageError(f"{option}: there is a password in it, and everybody on this machine can read a command line: "
                         "give it by --password-env, --password-file or --password-command")
    merged = {**keywords, **extra}
    warn_of_strangers(merged)
    if READER.search(merged.get("host", "")):
        print(f"shopbench: {option} {merged['host']} is a reader endpoint, behind which several servers look like one: "
              "name each by its own", file=sys.stderr)
    return merged


def warn_of_strangers(keywords: Mapping[str, str]) -> None:
    """A server elsewhere that nobody has shown to be the right one."""
    host = keywords.get("host", "")
    if host and not host.startswith("/") and host not in LOOPBACK and "sslmode" not in keywords:
        print(f"shopbench: {host} will not be verified: give --sslrootcert FILE (for RDS its bundle), or --sslmode",
              file=sys.stderr)


def common_keywords(given: argparse.Namespace) -> dict[str, str]:
    """What holds for all PostgreSQL servers."""
    found: dict[str, Optional[str]] = {"user": given.user, "dbname": given.database, "sslmode": given.sslmode}
    if given.sslrootcert:
        found["sslrootcert"] = str(readable(given.sslrootcert, "--sslrootcert"))
        found["sslmode"] = given.sslmode or "verify-full"
    elif given.sslmode in ("verify-ca", "verify-full"):
        raise UsageError(f"--sslmode {given.sslmode} needs --sslrootcert FILE: the authorities to trust")
    return {name: value for name, value in found.items() if value is not None}


def readable(path: Path, option: str) -> Path:
    """The file as a path that holds from any folder. Raises UsageError if it cannot be read, or is no PEM."""
    try:
        if "-----BEGIN CERTIFICATE-----" not in path.read_text(encoding="utf-8", errors="replace"):
            raise UsageError(f"{option} {path}: there is no certificate in it; right is a PEM file")
    except OSError as error:
        raise UsageError(f"{option} {path}: {error.strerror}") from None
    return path.resolve()


def cache_of(given: argparse.Namespace, environment: Mapping[str, str]) -> Optional[Cache]:
    """The cache, if there is one."""
    redis, memcached = getattr(given, "redis", None), getattr(given, "memcached", None)
    if redis and memcached:
        raise UsageError("--redis and --memcached: give one of them")
    if given.primary is None and not redis and not memcached:
        redis, memcached = environment.get("SHOPDATA_REDIS"), environment.get("SHOPDATA_MEMCACHED")
    if redis or memcached is None:
        return redis_of(given, redis, environment) if redis else None
    return Cache("memcached", {"address": memcached})


def redis_of(given: argparse.Namespace, address: str, environment: Mapping[str, str]) -> Cache:
    """Redis, with what is needed to log in."""
    keys = {"address": address}
    if getattr(given, "cache_tls", False) or getattr(given, "cache_ca", None):
        keys["tls"] = "on"
    if getattr(given, "cache_ca", None):
        keys["tls_ca_file"] = str(readable(given.cache_ca, "--cache-ca"))
    if getattr(given, "cache_cluster", False):
        keys["cluster"] = "on"
    if getattr(given, "cache_user", None):
        keys["user"] = given.cache_user
    password = None
    if hasattr(given, "cache_password_env"):
        source = Source("--cache-password", given.cache_password_env, given.cache_password_file,
                        given.cache_password_command)
        source.check(environment)
        password = source.read(environment)
    return Cache("redis", keys, password)


def settings_of(given: argparse.Namespace) -> dict[str, str]:
    """What --set gives. The library itself says which keys there are."""
    found: dict[str, str] = {}
    for one in getattr(given, "settings", []):
        name, _, value = one.partition("=")
        if not SETTING.fullmatch(one):
            raise UsageError(f"--set {name}: right is SECTION.KEY=VALUE, as in --set policy.product.ttl=30s")
        if SECRET.search(name):
            raise UsageError(f"--set {name}: a secret has no place on a command line: there are --password-env and "
                             "--cache-password-env, -file and -command")
        found[name] = value
    return {**for_all_policies(found), **found}


def for_all_policies(settings: Mapping[str, str]) -> dict[str, str]:
    """What `policy.default.KEY` says, for each policy of the engine's statements: none of them takes it from there."""
    said = [(name.rsplit(".", 1)[1], value) for name, value in settings.items() if name.startswith("policy.default.")]
    return {f"policy.{policy}.{key}": value for policy in POLICIES for key, value in said}
