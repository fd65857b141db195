"""pgpool-II with its query cache, before all PostgreSQL servers of the launch. For benchmarks: a peer."""

import os
import pwd
import shutil
import signal
from pathlib import Path
from typing import Optional

from .errors import LaunchError
from .node import Node
from .postgres import DATABASE, ROLE, Postgres

# A process for each client; what it has cached is kept until the table that it came from is written.
SETTINGS = {
    "backend_clustering_mode": "streaming_replication",
    "listen_addresses": "127.0.0.1",
    "num_init_children": "100",
    "max_pool": "1",
    "connection_cache": "on",
    "load_balance_mode": "on",
    "enable_pool_hba": "on",
    "memory_cache_enabled": "on",
    "memqcache_method": "shmem",
    "memqcache_total_size": "256MB",
    "memqcache_max_num_cache": "1000000",
    "memqcache_expire": "0",
    "memqcache_auto_cache_invalidation": "on",
    "check_temp_table": "none",
    "check_unlogged_table": "off",
}


def find_program() -> str:
    path = shutil.which("pgpool") or shutil.which("pgpool", path="/usr/sbin")
    if not path:
        raise LaunchError("pgpool not found in PATH: run tests/setup bench")
    return path


class Pgpool(Node):
    kind = "pgpool"
    stop_signal = signal.SIGINT
    end_signal = signal.SIGQUIT  # at once; killed, it would leave its shared memory behind

    def __init__(self, name: str, port: int, directory: Path, user: Optional[pwd.struct_passwd],
                 databases: list[Postgres]):
        super().__init__(name, port, directory, user)
        self.program = find_program()
        self.databases = databases

    def make_directory(self) -> None:
        """Also its files: whoever comes from this machine is let in, and it knows the password for the servers."""
        super().make_directory()
        (self.directory / "oids").mkdir(mode=0o700)
        texts = {"pgpool.conf": "\n".join(f"{name} = '{value}'" for name, value in self.settings().items()),
                 "pool_hba.conf": "host all all 127.0.0.1/32 trust", "pcp.conf": "",
                 "pool_passwd": f"{ROLE}:TEXT{self.databases[0].passwords[ROLE]}"}
        for name, text in texts.items():
            path = self.directory / name
            path.touch(mode=0o600)
            path.write_text(text + "\n")
        if self.user:
            for path in self.directory.iterdir():
                os.chown(path, self.user.pw_uid, self.user.pw_gid)

    def settings(self) -> dict[str, str]:
        """Reads are for the replicas, where there are any."""
        here = str(self.directory)
        found = {**SETTINGS, "port": str(self.port), "socket_dir": here, "pcp_socket_dir": here,
                 "wd_ipc_socket_dir": here, "logdir": here, "memqcache_oiddir": f"{here}/oids",
                 "pid_file_name": f"{here}/pid", "pool_passwd": "pool_passwd", "sr_check_user": ROLE,
                 "sr_check_database": DATABASE}
        for number, database in enumerate(self.databases):
            reads = number > 0 or len(self.databases) == 1
            found |= {f"backend_hostname{number}": "127.0.0.1", f"backend_port{number}": str(database.port),
                      f"backend_weight{number}": str(int(reads)), f"backend_flag{number}": "DISALLOW_TO_FAILOVER"}
        return found

    def command(self) -> list[str]:
        files = {"-f": "pgpool.conf", "-a": "pool_hba.conf", "-F": "pcp.conf"}
        return [self.program, "-n", *[word for flag, name in files.items()
                                      for word in (flag, str(self.directory / name))]]

    def is_ready(self) -> bool:
        """It listens before it has found the primary: then every server is a standby to it."""
        return self.log.exists() and "successfully started" in self.log.read_text(errors="replace")

    def role(self) -> str:
        return "pooler"

    def environment(self) -> dict[str, str]:
        return {"SHOPDATA_PGPOOL": f"host=127.0.0.1 port={self.port} dbname={DATABASE} user={ROLE}"}
