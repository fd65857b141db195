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
from .caches import Memcached, Redis
from .errors import LaunchError
from .node import Node
from .postgres import Postgres


@dataclass
class Options:
    """What to start."""

    postgres: bool = True
    replicas: int = 0
    redis: bool = False
    memcached: bool = False
    redis_user: str = ""
    redis_password: str = ""
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
            self._add(Redis(ports.reserve(), self.directory / "redis", self.user,
                            options.redis_user, options.redis_password))
        if options.memcached:
            self._add(Memcached(ports.reserve(), self.directory / "memcached", self.user))

    def _add(self, node: Node) -> None:
        self.nodes[node.name] = node

    def databases(self) -> list[Postgres]:
        return [node for node in self.nodes.values() if isinstance(node, Postgres)]

    def start(self) -> None:
        """Spawn what needs nothing first, prepare the clusters meanwhile, then wait for all."""
        for node in self.nodes.values():
            node.make_directory()
        for node in self.nodes.values():
            if not isinstance(node, Postgres):
                self._spawn(node)
        if self.options.postgres:
            self._start_databases(*self.databases())
        for node in self.nodes.values():
            node.wait_ready()
        if self.options.replicas:
            self._wait_for_replication()

    def _start_databases(self, primary: Postgres, *replicas: Postgres) -> None:
        primary.initialise(self.options.settings)
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
