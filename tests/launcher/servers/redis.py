"""Redis and Valkey: alone, under TLS, as a primary and a replica with sentinels, as a cluster."""

import os
import pwd
from pathlib import Path
from typing import Optional

from . import ports, processes
from .caches import ask, require_program
from .certificates import Certificates
from .errors import LaunchError
from .node import Node
from .resp import talk, tries

# The name under which the sentinels watch.
WATCHED = "shop"
SLOTS = 16384
READY_SECONDS = 30


class Redis(Node):
    """redis-server or valkey-server without persistence; with a user or a password if asked for."""

    kind = "redis"

    def __init__(self, name: str, port: int, directory: Path, user: Optional[pwd.struct_passwd], *,
                 server: str = "redis", login: str = "", password: str = ""):
        super().__init__(name, port, directory, user)
        self.kind = server
        self.program = require_program(f"{server}-server")
        self.login = login
        self.password = password

    def make_directory(self) -> None:
        """Write the configuration file: a password in the arguments would show in every process list."""
        super().make_directory()
        path = self.directory / "redis.conf"
        path.touch(mode=0o600)
        path.write_text("\n".join(["bind 127.0.0.1", "daemonize no", "dir .", *self.settings()]) + "\n")
        if self.user:
            os.chown(path, self.user.pw_uid, self.user.pw_gid)

    def settings(self) -> list[str]:
        return [f"port {self.port}", 'save ""', "appendonly no", *self._access()]

    def _access(self) -> list[str]:
        if self.login and self.login != "default":
            return ["user default off", f"user {self.login} on >{self.password} ~* &* +@all"]
        return [f"requirepass {self.password}"] if self.password else []

    def command(self) -> list[str]:
        return [self.program, str(self.directory / "redis.conf")]

    def is_ready(self) -> bool:
        return ask(self.port, b"PING\r\n").startswith((b"+PONG", b"-NOAUTH"))

    def environment(self) -> dict[str, str]:
        found = {"SHOPDATA_REDIS": f"127.0.0.1:{self.port}"}
        if self.login:
            found["SHOPDATA_REDIS_USER"] = self.login
        if self.password:
            found["SHOPDATA_REDIS_PASSWORD"] = self.password
        return found


class RedisTls(Redis):
    """Talks nothing but TLS, to clients that show a certificate, or have a password where it has one. A second port without
    TLS is for us alone to ask."""

    def __init__(self, name: str, port: int, directory: Path, user: Optional[pwd.struct_passwd],
                 certificates: Certificates, *, server: str = "redis", password: str = ""):
        super().__init__(name, port, directory, user, server=server, password=password)
        self.certificates = certificates
        self.plain_port = ports.reserve()

    def settings(self) -> list[str]:
        path = self.certificates.path
        return [f"tls-port {self.port}", f"port {self.plain_port}", 'save ""', "appendonly no",
                f"tls-ca-cert-file {path('ca.pem')}", f"tls-cert-file {path('server.pem')}",
                f"tls-key-file {path('server.key')}", f"tls-auth-clients {'no' if self.password else 'yes'}",
                *self._access()]

    def is_ready(self) -> bool:
        return ask(self.plain_port, b"PING\r\n").startswith((b"+PONG", b"-NOAUTH"))

    def environment(self) -> dict[str, str]:
        path = self.certificates.path
        found = {"SHOPDATA_REDIS_TLS": f"127.0.0.1:{self.port}", "SHOPDATA_REDIS_TLS_CERTIFICATES": path(""),
                 "SHOPDATA_REDIS_TLS_CA": path("ca.pem"), "SHOPDATA_REDIS_TLS_CERT": path("client.pem"),
                 "SHOPDATA_REDIS_TLS_KEY": path("client.key")}
        return {**found, "SHOPDATA_REDIS_TLS_PASSWORD": self.password} if self.password else found


def role(port: int) -> str:
    reply = tries(port, "ROLE")
    return {"master": "primary", "slave": "replica"}.get(reply[0], reply[0]) if reply else "unknown"


class Watched(Redis):
    """One of a primary and its replicas that sentinels watch."""

    def __init__(self, name: str, port: int, directory: Path, user: Optional[pwd.struct_passwd],
                 primary: Optional["Watched"] = None, *, server: str = "redis"):
        super().__init__(name, port, directory, user, server=server)
        self.primary = primary

    def settings(self) -> list[str]:
        following = [f"replicaof 127.0.0.1 {self.primary.port}"] if self.primary else []
        return [*super().settings(), "repl-diskless-sync-delay 0", *following]

    def is_in_sync(self) -> bool:
        return not self.primary or (tries(self.port, "ROLE") or [])[3:4] == ["connected"]

    def role(self) -> str:
        return role(self.port)

    def environment(self) -> dict[str, str]:
        return {f"SHOPDATA_REDIS_{self.name.upper()}": f"127.0.0.1:{self.port}"}


class Sentinel(Redis):
    kind = "sentinel"
    verbs = Redis.verbs | {"failover"}

    def __init__(self, name: str, port: int, directory: Path, user: Optional[pwd.struct_passwd], primary: Watched,
                 sentinels: int, *, server: str = "redis"):
        super().__init__(name, port, directory, user, server=server)
        self.kind = "sentinel"
        self.primary = primary
        self.sentinels = sentinels

    def settings(self) -> list[str]:
        quorum = self.sentinels // 2 + 1
        return [f"port {self.port}", f"sentinel monitor {WATCHED} 127.0.0.1 {self.primary.port} {quorum}",
                f"sentinel down-after-milliseconds {WATCHED} 500", f"sentinel failover-timeout {WATCHED} 2000"]

    def command(self) -> list[str]:
        return [*super().command(), "--sentinel"]

    def primary_port(self) -> Optional[int]:
        found = tries(self.port, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", WATCHED)
        return int(found[1]) if found else None

    def sees(self, sentinels: int, replicas: int) -> bool:
        others, copies = tries(self.port, "SENTINEL", "SENTINELS", WATCHED), tries(self.port, "SENTINEL", "REPLICAS",
                                                                                     WATCHED)
        return bool(others and copies) and len(others) >= sentinels - 1 and len(copies) >= replicas

    def failover(self) -> None:
        """Returns when the sentinel names another primary, and that one is one."""
        before = self.primary_port()
        talk(self.port, "SENTINEL", "FAILOVER", WATCHED)
        moved = lambda: self.primary_port() != before and role(self.primary_port()) == "primary"
        if not processes.wait_until(moved, READY_SECONDS):
            raise LaunchError(f"no failover in {READY_SECONDS} s: {self.last_words()}")

    def role(self) -> str:
        return "sentinel"

    def environment(self) -> dict[str, str]:
        return {}


class ClusterNode(Redis):
    """One node of a cluster: a primary with slots, or a replica of one."""

    verbs = Redis.verbs | {"failover", "reshard"}

    def __init__(self, name: str, port: int, directory: Path, user: Optional[pwd.struct_passwd],
                 primary: Optional["ClusterNode"] = None, *, server: str = "redis"):
        super().__init__(name, port, directory, user, server=server)
        self.primary = primary
        self.bus_port = ports.reserve()

    def settings(self) -> list[str]:
        """A replica counts only when something was replicated: on an empty primary that is the first ping."""
        return [*super().settings(), "repl-ping-replica-period 1", "cluster-enabled yes", "cluster-config-file nodes.conf",
                f"cluster-port {self.bus_port}", "cluster-node-timeout 1000", "repl-diskless-sync-delay 0",
                "cluster-replica-validity-factor 0"]

    def talk(self, *words: str):
        return talk(self.port, "CLUSTER", *words)

    def identity(self) -> str:
        return self.talk("MYID")

    def role(self) -> str:
        return role(self.port)

    def is_whole(self, primaries: int, nodes: int) -> bool:
        info = tries(self.port, "CLUSTER", "INFO") or ""
        slots = tries(self.port, "CLUSTER", "SLOTS") or []
        return ("cluster_state:ok" in info and f"cluster_known_nodes:{nodes}" in info and len(slots) == primaries and
                sum(len(slot) - 2 for slot in slots) == nodes)

    def failover(self) -> None:
        """This replica takes its primary's place, in agreement with it; returns when it has."""
        if self.role() != "replica":
            raise LaunchError(f"cannot failover {self.name}: it is no replica (ctl status tells which are)")
        self.talk("FAILOVER")
        if not processes.wait_until(lambda: self.role() == "primary", READY_SECONDS):
            raise LaunchError(f"no failover in {READY_SECONDS} s: {self.last_words()}")

    def owned(self) -> list[int]:
        mine = self.identity()
        return [slot for first, last, node, *_ in self.talk("SLOTS") if node[2] == mine
                for slot in range(first, last + 1)]

    def reshard(self, target: "ClusterNode") -> None:
        """Move the first quarter of our slots to another primary, key by key, as redis-cli does it."""
        owned = self.owned()
        for slot in owned[:max(len(owned) // 4, 1)]:
            self.move_slot(slot, target)

    def move_slot(self, slot: int, target: "ClusterNode") -> None:
        number, mine, its = str(slot), self.identity(), target.identity()
        target.talk("SETSLOT", number, "IMPORTING", mine)
        self.talk("SETSLOT", number, "MIGRATING", its)
        while keys := self.talk("GETKEYSINSLOT", number, "100"):
            talk(self.port, "MIGRATE", "127.0.0.1", str(target.port), "", "0", "5000", "REPLACE", "KEYS", *keys)
        target.talk("SETSLOT", number, "NODE", its)
        self.talk("SETSLOT", number, "NODE", its)

    def environment(self) -> dict[str, str]:
        return {}


def form_cluster(nodes: list[ClusterNode]) -> None:
    """Slots to the primaries, everybody introduced, replicas behind their primaries; returns when all agree."""
    primaries = [node for node in nodes if not node.primary]
    for number, node in enumerate(primaries):
        first, after = number * SLOTS // len(primaries), (number + 1) * SLOTS // len(primaries)
        node.talk("SET-CONFIG-EPOCH", str(number + 1))
        node.talk("ADDSLOTSRANGE", str(first), str(after - 1))
    for node in nodes[1:]:
        node.talk("MEET", "127.0.0.1", str(nodes[0].port), str(nodes[0].bus_port))
    _wait(nodes, lambda node: f"cluster_known_nodes:{len(nodes)}" in (node.talk("INFO")), "meet")
    for node in nodes:
        if node.primary:
            primary = node.primary.identity()
            _wait([node], lambda node, primary=primary: primary in node.talk("NODES"), "know its primary")
            node.talk("REPLICATE", primary)
    _wait(nodes, lambda node: node.is_whole(len(primaries), len(nodes)), "agree")


def _wait(nodes: list[ClusterNode], done, what: str) -> None:
    for node in nodes:
        if not processes.wait_until(lambda node=node: done(node), READY_SECONDS):
            raise LaunchError(f"{node.name} did not {what} in {READY_SECONDS} s: {node.last_words()}")


def wait_in_sync(watched: list[Watched]) -> None:
    if not processes.wait_until(lambda: all(node.is_in_sync() for node in watched), READY_SECONDS):
        raise LaunchError(f"{watched[-1].name} does not follow in {READY_SECONDS} s: {watched[-1].last_words()}")


def wait_watching(sentinels: list[Sentinel], replicas: int) -> None:
    """Returns when every sentinel knows the others and the replicas."""
    if not processes.wait_until(lambda: all(one.sees(len(sentinels), replicas) for one in sentinels), READY_SECONDS):
        raise LaunchError(f"the sentinels are not ready in {READY_SECONDS} s: {sentinels[0].last_words()}")
