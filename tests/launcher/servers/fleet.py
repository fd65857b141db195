"""All the servers of one launch: started side by side, found by name, ended together, described in state.json."""

import json
import os
import pwd
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

from . import ports, postgres, processes
from .caches import Memcached
from .certificates import Certificates
from .errors import LaunchError
from .node import Node
from .pgpool import Pgpool
from .postgres import Postgres
from .redis import WATCHED, ClusterNode, Redis, RedisTls, Sentinel, Watched, form_cluster, wait_in_sync, \
    wait_watching


@dataclass
class Options:
    """What to start."""

    postgres: bool = True
    replicas: int = 0
    redis: bool = False
    memcached: int = 0
    pgpool: bool = False
    redis_user: str = ""
    redis_password: str = ""
    valkey: bool = False
    redis_tls: bool = False
    redis_tls_password: str = ""
    postgres_tls: bool = False
    redis_cluster: bool = False
    sentinel: bool = False
    user: Optional[str] = None
    postgres_programs: Optional[str] = None
    settings: dict[str, str] = field(default_factory=dict)


def choose_user(name: Optional[str]) -> Optional[pwd.struct_passwd]:
    """The user who runs the servers: initdb refuses root. None means ourselves."""
    if os.geteuid() != 0:
        if name and pwd.getpwnam(name).pw_uid != os.geteuid():
            raise LaunchError(f"only root can run servers as {name}: leave --user away")
        return None
    for candidate in [name] if name else ["postgres", "nobody"]:
        try:
            found = pwd.getpwnam(candidate)
        except KeyError:
            continue
        if found.pw_uid == 0:
            raise LaunchError("PostgreSQL refuses to run as root: give --user an unprivileged user")
        return found
    raise LaunchError(f"no user {name or 'postgres or nobody'} on this machine: give --user one that exists")


class Fleet:
    def __init__(self, options: Options):
        self.options = options
        self.user = choose_user(options.user)
        self.nodes: dict[str, Node] = {}
        programs = postgres.find_programs(options.postgres_programs) if options.postgres else None
        self.directory = Path(tempfile.mkdtemp(prefix="shopdata-"))
        # The servers' user must get through to his own directories; their contents stay closed.
        self.directory.chmod(0o711)
        try:
            self._plan(programs)
        except BaseException:
            self.remove_directory()
            raise

    def _plan(self, programs: Optional[Path]) -> None:
        options = self.options
        passwords = postgres.new_passwords()
        names = ["primary"] + [f"replica{number + 1}" for number in range(options.replicas)]
        for name in names if programs else []:
            self._add(Postgres(name, ports.reserve(), self.directory / name, self.user, programs, passwords))
        if options.redis:
            self._add(self._redis("redis", Redis, login=options.redis_user, password=options.redis_password))
        if options.redis_tls or options.postgres_tls:
            self.certificates = Certificates(self.directory / "certificates", self.user)
        if options.redis_tls:
            self._add(self._redis("redis-tls", RedisTls, self.certificates, password=options.redis_tls_password))
        self._plan_cluster()
        self._plan_sentinels()
        for number in range(options.memcached):
            name = f"memcached{number + 1}" if number else "memcached"
            self._add(Memcached(name, ports.reserve(), self.directory / name, self.user))
        if options.pgpool:
            self._add(Pgpool("pgpool", ports.reserve(), self.directory / "pgpool", self.user, self.databases()))

    def _redis(self, name: str, kind: type, *arguments, **options) -> Redis:
        return kind(name, ports.reserve(), self.directory / name, self.user, *arguments,
                    server="valkey" if self.options.valkey else "redis", **options)

    def _plan_cluster(self) -> None:
        """Three primaries, and a replica behind each."""
        self.cluster: list[ClusterNode] = []
        for number in range(6 if self.options.redis_cluster else 0):
            primary = self.cluster[number - 3] if number >= 3 else None
            self.cluster.append(self._add(self._redis(f"cluster{number + 1}", ClusterNode, primary)))

    def _plan_sentinels(self) -> None:
        """A primary, a replica, and three who watch them."""
        self.watched: list[Watched] = []
        self.sentinels: list[Sentinel] = []
        if self.options.sentinel:
            self.watched.append(self._add(self._redis("watched1", Watched)))
            self.watched.append(self._add(self._redis("watched2", Watched, self.watched[0])))
            self.sentinels += [self._add(self._redis(f"sentinel{number}", Sentinel, self.watched[0], 3))
                               for number in (1, 2, 3)]

    def _add(self, node: Node) -> Node:
        self.nodes[node.name] = node
        return node

    def databases(self) -> list[Postgres]:
        return [node for node in self.nodes.values() if isinstance(node, Postgres)]

    def start(self) -> None:
        """Spawn what needs nothing first, prepare the clusters meanwhile, then wait for all."""
        if self.options.redis_tls or self.options.postgres_tls:
            self.certificates.make()
        for node in self.nodes.values():
            node.make_directory()
        for node in self.nodes.values():
            if not isinstance(node, (Postgres, Pgpool, Sentinel)):
                self._spawn(node)
        if self.options.postgres:
            self._start_databases(*self.databases())
        for node in self.nodes.values():
            if not isinstance(node, (Pgpool, Sentinel)):
                node.wait_ready()
        if self.cluster:
            form_cluster(self.cluster)
        if self.sentinels:
            self._start_sentinels()
        if self.options.replicas:
            self._wait_for_replication()
        if self.options.pgpool:
            self.node("pgpool").start()
            self.write_state()

    def _start_sentinels(self) -> None:
        """Last: a sentinel that starts before the replica follows asks again only ten seconds later."""
        wait_in_sync(self.watched)
        for sentinel in self.sentinels:
            self._spawn(sentinel)
        wait_watching(self.sentinels, len(self.watched) - 1)

    def _start_databases(self, primary: Postgres, *replicas: Postgres) -> None:
        tls = postgres.tls_settings(self.certificates) if self.options.postgres_tls else {}
        primary.initialise({**tls, **self.options.settings})
        for replica in replicas:
            replica.begin_copy(primary)
        for replica in replicas:
            replica.finish_copy(primary)
        self._spawn(primary)
        primary.wait_ready()
        for replica in replicas:
            primary.add_slot(replica.name)
            self._spawn(replica)

    def _spawn(self, node: Node) -> None:
        node.spawn()
        self.write_state()

    def _wait_for_replication(self) -> None:
        primary = self.databases()[0]
        if not processes.wait_until(lambda: primary.is_streaming_to(self.options.replicas), 30):
            raise LaunchError(f"the replicas do not stream: {self.databases()[1].last_words()}")

    def node(self, name: str) -> Node:
        try:
            return self.nodes[name]
        except KeyError:
            raise LaunchError(f"no node {name}: there are {', '.join(self.nodes)}") from None

    def environment(self) -> dict[str, str]:
        found = {"SHOPDATA_SERVERS": str(self.directory)}
        for node in self.nodes.values():
            found.update(node.environment())
        if self.cluster:
            found["SHOPDATA_REDIS_CLUSTER"] = ",".join(f"127.0.0.1:{node.port}" for node in self.cluster)
        if self.sentinels:
            found["SHOPDATA_REDIS_SENTINELS"] = ",".join(f"127.0.0.1:{node.port}" for node in self.sentinels)
            found["SHOPDATA_REDIS_SENTINEL_PRIMARY"] = WATCHED
        if self.options.postgres_tls:
            found["SHOPDATA_POSTGRES_TLS_CERTIFICATES"] = self.certificates.path("")
        return found

    def status(self) -> list[str]:
        rows = [("NAME", "KIND", "PORT", "PID", "STATE", "ROLE")]
        for node in self.nodes.values():
            state = node.state()
            pid = "-" if state == "stopped" else str(node.process.pid)
            rows.append((node.name, node.kind, str(node.port), pid, state, node.role()))
        return ["{:<10} {:<10} {:<6} {:<8} {:<8} {}".format(*row) for row in rows]

    def write_state(self) -> None:
        """Replace state.json in one step: a reader sees the old one or the new one."""
        path, draft = self.directory / "state.json", self.directory / "state.json.new"
        draft.touch(mode=0o600)
        draft.write_text(json.dumps({"launcher": os.getpid(), "nodes": [n.record() for n in self.nodes.values()]},
                                    indent=1) + "\n")
        draft.rename(path)

    def end(self) -> None:
        for node in self.nodes.values():
            node.begin_end()
        for node in self.nodes.values():
            node.finish_end()

    def remove_directory(self) -> None:
        shutil.rmtree(self.directory, ignore_errors=True)
