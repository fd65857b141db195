"""A PostgreSQL primary and its streaming replicas.

initdb runs once; the replicas are copies of that cluster while it is stopped, which is several times faster than
pg_basebackup. Every replica has a physical replication slot, so one that was paused or down can always catch up.
"""

import glob
import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Optional

from . import processes
from .certificates import Certificates
from .errors import LaunchError
from .node import Node

# The data is thrown away at the end, so nothing is made safe against the machine's crash; a killed server still
# recovers everything that it committed, because the kernel keeps what was written.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "wal_level": "replica",
    "max_wal_senders": "20",
    "max_replication_slots": "20",
    "hot_standby": "on",
    "fsync": "off",
    "full_page_writes": "off",
    "wal_init_zero": "off",
    "synchronous_commit": "on",
    "wal_retrieve_retry_interval": "100ms",
    # Files in the data directory go with it; segments in /dev/shm would outlive a killed server.
    "dynamic_shared_memory_type": "mmap",
    "log_line_prefix": "%m [%p] %q%u ",
}
SUPERUSER = "postgres"
ROLE = DATABASE = "shop"
QUERY_SECONDS = 10


def tls_settings(certificates: Certificates) -> dict[str, str]:
    """TLS to who asks for it; the others are served as ever."""
    return {"ssl": "on", "ssl_cert_file": certificates.path("server.pem"),
            "ssl_key_file": certificates.path("server.key")}


def find_programs(given: Optional[str]) -> Path:
    """The directory with initdb and postgres: the one given, PATH's, or the newest that a package installed."""
    def version(path: str) -> int:
        return int((re.findall(r"\d+", path) or ["0"])[-1])
    installed = sorted(glob.glob("/usr/lib/postgresql/*/bin") + glob.glob("/usr/pgsql-*/bin"), key=version)
    on_path = shutil.which("initdb")
    candidates = [given] if given else [os.path.dirname(os.path.realpath(on_path))] if on_path else installed[::-1]
    for candidate in candidates:
        if all(os.access(os.path.join(candidate, name), os.X_OK) for name in ("initdb", "postgres", "psql")):
            return Path(candidate)
    where = given or "PATH or /usr/lib/postgresql/*/bin"
    raise LaunchError(f"PostgreSQL programs (initdb, postgres, psql) not found in {where}: run tests/setup servers")


class Postgres(Node):
    kind = "postgres"
    stop_signal = signal.SIGINT  # fast shutdown
    end_signal = signal.SIGQUIT  # immediate shutdown, which still removes its shared memory
    verbs = Node.verbs | {"pause", "resume", "promote", "follow"}

    def __init__(self, name: str, port: int, directory: Path, user: Optional[pwd.struct_passwd],
                 programs: Path, passwords: dict[str, str]):
        super().__init__(name, port, directory, user)
        self.programs = programs
        self.passwords = passwords
        self._copy: Optional[subprocess.Popen] = None

    @property
    def data(self) -> Path:
        return self.directory / "data"

    def conninfo(self, role: str, database: str) -> str:
        return (f"host=127.0.0.1 port={self.port} dbname={database} user={role} "
                f"password={self.passwords[role]}")

    def environment(self) -> dict[str, str]:
        name = self.name.upper()
        return {f"SHOPDATA_{name}": self.conninfo(ROLE, DATABASE),
                f"SHOPDATA_SUPERUSER_{name}": self.conninfo(SUPERUSER, DATABASE)}

    def command(self) -> list[str]:
        return [str(self.programs / "postgres"), "-D", str(self.data), "-p", str(self.port)]

    # Set-up, before the first start.

    def initialise(self, settings: dict[str, str]) -> None:
        self._write_private("password", self.passwords[SUPERUSER])
        self._run([self.programs / "initdb", "-D", self.data, "-U", SUPERUSER, "-A", "scram-sha-256", "--pwfile",
                   self.directory / "password", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8"])
        self._configure({**SETTINGS, **settings})
        self._run([self.programs / "postgres", "--single", "-D", self.data, "postgres"],
                  f"CREATE ROLE {ROLE} LOGIN PASSWORD '{self.passwords[ROLE]}'\n"
                  f"GRANT pg_monitor TO {ROLE}\n"
                  f"CREATE DATABASE {DATABASE} OWNER {ROLE}\n")

    def begin_copy(self, primary: "Postgres") -> None:
        """Begin to become a replica of a primary that is stopped. The log's unused rest is zeroes: leave holes."""
        self._copy = self._begin(["cp", "-a", "--sparse=always", primary.data, self.data])

    def finish_copy(self, primary: "Postgres") -> None:
        self._finish(self._copy)
        self._configure({"primary_conninfo": self._upstream(primary), "primary_slot_name": self.name})
        (self.data / "standby.signal").touch()

    def add_slot(self, name: str) -> None:
        self.query(f"SELECT pg_create_physical_replication_slot('{name}', true) WHERE NOT EXISTS "
                   f"(SELECT FROM pg_replication_slots WHERE slot_name = '{name}')")

    def _upstream(self, node: "Postgres") -> str:
        return f"{node.conninfo(SUPERUSER, DATABASE)} application_name={self.name}"

    def _configure(self, settings: dict[str, str]) -> None:
        with (self.data / "postgresql.auto.conf").open("a") as file:
            for name, value in settings.items():
                escaped = value.replace("'", "''")
                file.write(f"{name} = '{escaped}'\n")

    def _write_private(self, name: str, text: str) -> None:
        path = self.directory / name
        path.touch(mode=0o600)
        path.write_text(text + "\n")
        if self.user:
            os.chown(path, self.user.pw_uid, self.user.pw_gid)

    def _run(self, command: list, stdin: str = "") -> None:
        self._finish(self._begin(command), stdin)

    def _begin(self, command: list) -> subprocess.Popen:
        """Begin a program of the set-up as the servers' user."""
        parent = os.getpid()

        def prepare() -> None:
            processes.become(self.user)
            processes.die_with(parent, signal.SIGKILL)
        return subprocess.Popen([str(part) for part in command], cwd=self.directory, text=True, preexec_fn=prepare,
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def _finish(self, program: subprocess.Popen, stdin: str = "") -> None:
        """Wait for it; its output is the reason if it fails."""
        output, _ = program.communicate(stdin)
        with self.log.open("a") as log:
            log.write(output)
        if program.returncode != 0 or "ERROR" in output or "FATAL" in output:
            raise LaunchError(f"{self.name}: {Path(program.args[0]).name} failed: {self.last_words()}")

    # Running.

    def is_ready(self) -> bool:
        """As pg_ctl does: the postmaster writes its state into line 8 of its pid file; a stale file has another pid."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[0].strip() == str(self.process.pid) and lines[7].strip() == "ready"

    def query(self, sql: str) -> str:
        """Run SQL as the superuser; the answer's single value. Never waits for a server that hangs."""
        environment = {**os.environ, "PGCONNECT_TIMEOUT": str(QUERY_SECONDS)}
        command = [str(self.programs / "psql"), "-XAtqw", "-v", "ON_ERROR_STOP=1", "-c", sql,
                   self.conninfo(SUPERUSER, DATABASE)]
        try:
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False,
                                  stdin=subprocess.DEVNULL, timeout=QUERY_SECONDS)
        except subprocess.TimeoutExpired:
            raise LaunchError(f"{self.name} did not answer in {QUERY_SECONDS} s") from None
        if done.returncode != 0:
            raise LaunchError(f"{self.name}: {' '.join(done.stderr.split())}")
        return done.stdout.strip()

    def role(self) -> str:
        if self.state() != "running":
            return "-"
        try:
            if self.query("SELECT pg_is_in_recovery()") == "f":
                return "primary"
            return "replica" if self.query("SELECT pg_get_wal_replay_pause_state()") == "not paused" else "paused"
        except LaunchError:
            return "unknown"

    def require_replica(self, verb: str) -> None:
        self.require_running(verb)
        if self.query("SELECT pg_is_in_recovery()") == "f":
            raise LaunchError(f"cannot {verb} {self.name}: it is a primary, and only a replica replays")

    def pause(self) -> None:
        """Pausing is a request that the replay honours a moment later: wait for that."""
        self.require_replica("pause")
        self.query("SELECT pg_wal_replay_pause()")
        self._wait_for("SELECT pg_get_wal_replay_pause_state() = 'paused'", "pause")

    def resume(self) -> None:
        self.require_replica("resume")
        self.query("SELECT pg_wal_replay_resume()")

    def promote(self) -> None:
        self.require_replica("promote")
        self.query("SELECT pg_promote(false)")
        self._wait_for("SELECT NOT pg_is_in_recovery()", "promote")

    def follow(self, upstream: "Postgres") -> None:
        """Replicate from another node from now on, for instance from one that was promoted."""
        self.require_replica("follow")
        if upstream is self:
            raise LaunchError(f"{self.name} cannot follow itself: name another node")
        upstream.require_running("follow")
        upstream.add_slot(self.name)
        self.query(f"ALTER SYSTEM SET primary_conninfo = '{self._upstream(upstream)}'")
        self.query("SELECT pg_reload_conf()")

    def is_streaming_to(self, count: int) -> bool:
        return self.query("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'") == str(count)

    def _wait_for(self, sql: str, verb: str) -> None:
        if not processes.wait_until(lambda: self.query(sql) == "t", 30):
            raise LaunchError(f"cannot {verb} {self.name}: it had not done so after 30 s, see {self.log}")

    # Ending.

    def finish_end(self) -> None:
        super().finish_end()
        remove_interlock(self.data)


def remove_interlock(data: Path) -> None:
    """A postmaster that was killed leaves a small System V segment, whose id is in line 7 of its pid file."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        processes.remove_shared_memory(int(lines[6].split()[1]))
    except (OSError, IndexError, ValueError):
        pass


def new_passwords() -> dict[str, str]:
    return {SUPERUSER: secrets.token_hex(8), ROLE: secrets.token_hex(8)}
