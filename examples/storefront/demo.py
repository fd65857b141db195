#!/usr/bin/env python3
"""What `run` does once the servers are up: loads the catalogue, writes the shop's configuration, serves or checks.

Takes the servers from the environment that `launch run` makes.
"""

import argparse
import os
import secrets
import sys
from pathlib import Path

import catalogue
import check
import generate

CACHES = ("redis", "valkey", "redis-tls", "memcached", "memory", "none")
REDIS = {"redis": {"address": "SHOPDATA_REDIS"}, "valkey": {"address": "SHOPDATA_REDIS"},
         "redis-tls": {"address": "SHOPDATA_REDIS_TLS", "tls_ca_file": "SHOPDATA_REDIS_TLS_CA",
                       "tls_cert_file": "SHOPDATA_REDIS_TLS_CERT", "tls_key_file": "SHOPDATA_REDIS_TLS_KEY"}}
MEMCACHED = ("SHOPDATA_MEMCACHED", "SHOPDATA_MEMCACHED2", "SHOPDATA_MEMCACHED3")


def configuration(cache: str) -> str:
    """The library's configuration: the nodes by name, so that the pages can tell who answered."""
    nodes = {"primary": "SHOPDATA_PRIMARY", "replica1": "SHOPDATA_REPLICA1", "replica2": "SHOPDATA_REPLICA2"}
    lines: list[str] = []
    for name, variable in nodes.items():
        if variable in os.environ:
            lines += [f"[node {name}]", f"conninfo = {os.environ[variable]}", ""]
    lines += ["[cache]", f"kind = {'redis' if cache in REDIS else cache}"]
    if cache in REDIS:
        lines += [f"{key} = {os.environ[variable]}" for key, variable in REDIS[cache].items()]
    if cache == "redis-tls":
        lines += ["tls = on"]
    if cache == "memcached":
        lines += [f"address = {','.join(os.environ[variable] for variable in MEMCACHED)}"]
    return "\n".join(lines) + "\n"


def write_configuration(cache: str) -> Path:
    """In the launcher's own directory, which goes away with it; only for our eyes, because it holds the password."""
    path = Path(os.environ["SHOPDATA_SERVERS"]) / "storefront.ini"
    path.touch(mode=0o600)
    path.write_text(configuration(cache))
    return path


def write_keys() -> Path:
    """What carts and links are signed with, as long as this demo runs."""
    path = Path(os.environ["SHOPDATA_SERVERS"]) / "storefront.keys"
    path.touch(mode=0o600)
    path.write_text(f"{secrets.token_hex(32)}\n")
    return path


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--server", type=Path, required=True, metavar="PROGRAM")
    parser.add_argument("--cache", choices=CACHES, default="redis")
    parser.add_argument("--data", type=Path, metavar="DIR")
    parser.add_argument("--port", type=int, default=0, metavar="N")
    parser.add_argument("--check", type=int, metavar="SECONDS")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="how many processes the server has")
    parser.add_argument("--buttons", action="store_true", help="the server takes --demo-control, for who looks at it")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    given = parse(arguments)
    try:
        catalogue.load(os.environ["SHOPDATA_PRIMARY"],
                       *(catalogue.read(given.data) if given.data else generate.catalogue()))
        command = [str(given.server), "--config", str(write_configuration(given.cache)), "--keys", str(write_keys()),
                   "--port", str(given.port)]
        if given.check:
            return check.run(command, given.check, given.cache, given.data, given.workers)
        if given.buttons:
            command += ["--demo-control", str(Path(os.environ["SHOPDATA_SERVERS"]) / "control")]
        os.execv(command[0], command)
    except (catalogue.CatalogueError, check.CheckError) as error:
        print(f"run: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
