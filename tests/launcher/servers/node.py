"""What every server has in common: a name, a port, a process, and how it is started, ended and frozen."""

import os
import pwd
import signal
from pathlib import Path
from typing import Optional

from . import processes
from .errors import LaunchError
from .processes import Process

START_SECONDS = 60
STOP_SECONDS = 30
# Short, because nothing is lost: PostgreSQL's own patience with a child that is just starting is 5 s.
END_SECONDS = 1


class Node:
    """One server. Subclasses tell how to start it and when it is ready; state is looked up, never remembered."""

    kind = ""
    stop_signal = signal.SIGTERM
    # Sent when the servers are to end for good, and by the kernel when the launcher was killed.
    end_signal = signal.SIGKILL
    verbs = frozenset({"start", "stop", "kill", "restart", "freeze", "thaw"})

    def __init__(self, name: str, port: int, directory: Path, user: Optional[pwd.struct_passwd]):
        self.name = name
        self.port = port
        self.directory = directory
        self.user = user
        self.process: Optional[Process] = None

    @property
    def log(self) -> Path:
        return self.directory / "log"

    def command(self) -> list[str]:
        raise NotImplementedError

    def is_ready(self) -> bool:
        raise NotImplementedError

    def role(self) -> str:
        return "cache"

    def environment(self) -> dict[str, str]:
        raise NotImplementedError

    def make_directory(self) -> None:
        self.directory.mkdir(mode=0o700)
        if self.user:
            os.chown(self.directory, self.user.pw_uid, self.user.pw_gid)

    def state(self) -> str:
        if not self.process or not self.process.is_alive():
            return "stopped"
        return "frozen" if self.process.is_frozen() else "running"

    def require_running(self, verb: str) -> None:
        state = self.state()
        if state != "running":
            cure = "thaw" if state == "frozen" else "start"
            raise LaunchError(f"cannot {verb} {self.name}: it is {state} (ctl {cure} {self.name} first)")

    def spawn(self) -> None:
        self.process = processes.spawn(self.command(), self.directory, self.log, self.end_signal, self.user)

    def wait_ready(self) -> None:
        done = lambda: self.state() == "stopped" or self.is_ready()
        if not processes.wait_until(done, START_SECONDS):
            raise LaunchError(f"{self.name} did not start in {START_SECONDS} s: {self.last_words()}")
        if self.state() == "stopped":
            raise LaunchError(f"{self.name} did not start: {self.last_words()}")

    def last_words(self) -> str:
        """The end of the log, for a message of one line. A reason often takes two: what, and what followed from it."""
        try:
            lines = [line.strip() for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
        except OSError:
            lines = []
        return " / ".join(lines[-2:]) or "its log is empty"

    def start(self) -> None:
        if self.state() == "running":
            return
        if self.state() == "frozen":
            self.require_running("start")
        self.spawn()
        self.wait_ready()

    def stop(self) -> None:
        if self.process:
            processes.end(self.process, self.stop_signal, STOP_SECONDS)

    def restart(self) -> None:
        self.stop()
        self.start()

    def kill(self) -> None:
        if self.process:
            processes.kill(self.process)

    def freeze(self) -> None:
        if self.state() != "frozen":
            self.require_running("freeze")
        processes.freeze(self.process)

    def thaw(self) -> None:
        if self.state() == "stopped":
            self.require_running("thaw")
        processes.thaw(self.process)

    def begin_end(self) -> None:
        """Start to end it for good, without waiting: several servers end side by side."""
        if self.process:
            processes.thaw(self.process)
            self.process.send(self.end_signal)

    def finish_end(self) -> None:
        if self.process:
            processes.end(self.process, self.end_signal, END_SECONDS)

    def record(self) -> dict:
        process = self.process
        return {"name": self.name, "kind": self.kind, "port": self.port, "directory": str(self.directory),
                "end_signal": int(self.end_signal), "pid": process.pid if process else None,
                "started": process.started if process else None, "environment": self.environment()}
