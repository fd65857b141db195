"""Starting, finding and signalling processes, by process id and start time, so that a reused id is never hit."""

import ctypes
import os
import pwd
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, NamedTuple, Optional

from .errors import Interrupted

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
IPC_RMID = 0
POLL_SECONDS = 0.01

libc = ctypes.CDLL(None, use_errno=True)

# Signal numbers that have arrived and that nobody has dealt with yet; whoever waits here gives up when there is one.
pending_signals: list[int] = []
# Exit statuses (as waitpid gives them) of children that were collected, by process id.
exit_statuses: dict[int, int] = {}


class Stat(NamedTuple):
    """What /proc/PID/stat says that matters here."""

    state: str
    parent: int
    started: int


def stat(pid: int) -> Optional[Stat]:
    """The process's state, or None when there is no such process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # the name before it may hold blanks and brackets
    return Stat(fields[0], int(fields[1]), int(fields[19]))


@dataclass(frozen=True)
class Process:
    """A process that we started. The start time tells it from a later one with the same id."""

    pid: int
    started: int

    @classmethod
    def of(cls, pid: int) -> "Process":
        now = stat(pid)
        return cls(pid, now.started if now else 0)

    def stat(self) -> Optional[Stat]:
        now = stat(self.pid)
        return now if now and now.started == self.started else None

    def is_alive(self) -> bool:
        now = self.stat()
        return now is not None and now.state not in "ZX"

    def is_frozen(self) -> bool:
        now = self.stat()
        return now is not None and now.state == "T"

    def send(self, number: int) -> None:
        if self.is_alive():
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                pass

    def descendants(self) -> list["Process"]:
        """Everything below this process, parents before children."""
        families: dict[int, list[Process]] = {}
        for entry in filter(str.isdigit, os.listdir("/proc")):
            now = stat(int(entry))
            if now:
                families.setdefault(now.parent, []).append(Process(int(entry), now.started))
        found = list(families.get(self.pid, []))
        for process in found:  # grows while it is walked: breadth first
            found += families.get(process.pid, [])
        return found

    def tree(self) -> list["Process"]:
        return [self] + self.descendants() if self.is_alive() else []


def with_environment(entry: bytes) -> list[Process]:
    """The processes that were started with this NAME=VALUE in their environment."""
    found = []
    for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
        process = Process.of(pid)
        try:
            if entry in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                found.append(process)
        except OSError:
            pass  # it ended, or belongs to somebody else
    return found


def freeze(process: Process) -> None:
    """Stop a whole tree. The parent goes first: a stopped parent has no new children."""
    seen: set[Process] = set()
    while fresh := [one for one in process.tree() if one not in seen]:
        for one in fresh:
            one.send(signal.SIGSTOP)
            seen.add(one)


def thaw(process: Process) -> None:
    for one in reversed(process.tree()):
        one.send(signal.SIGCONT)


def kill(process: Process, patience: float = 10) -> None:
    """SIGKILL a whole tree and wait until it is gone. A stopped process dies of it as well."""
    family = process.tree()
    for one in family:
        one.send(signal.SIGKILL)
    wait_until(lambda: not any(one.is_alive() for one in family), patience, interruptible=False)


def end(process: Process, number: int, patience: float) -> None:
    """Ask a tree's head to end, stopped or not; insist after patience."""
    thaw(process)
    process.send(number)
    if not wait_until(lambda: not process.is_alive(), patience, interruptible=False):
        kill(process)


def wait_until(done: Callable[[], bool], seconds: float, interruptible: bool = True) -> bool:
    """Poll until done() holds (True) or the time is up (False)."""
    deadline = time.monotonic() + seconds
    while not done():
        if interruptible and pending_signals:
            raise Interrupted(f"interrupted by {signal.Signals(pending_signals[0]).name}")
        if time.monotonic() > deadline:
            return False
        reap()
        time.sleep(POLL_SECONDS)
    return True


def reap() -> None:
    """Collect children that have ended, orphans that were handed to us included."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        exit_statuses[pid] = status


def adopt_orphans() -> None:
    """Let descendants whose parent dies become our children, so that none can slip away."""
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def become(user: Optional[pwd.struct_passwd]) -> None:
    """Change to an unprivileged user for good."""
    if user:
        os.setgroups([])
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)


def die_with(parent: int, number: int) -> None:
    """Ask the kernel for a signal when the parent dies. Comes after become(): changing the user clears it."""
    libc.prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def restore_signals() -> None:
    """Undo what Python ignores; what it catches goes back to the default by itself at exec."""
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)


def spawn(command: list[str], directory: Path, log: Path, death_signal: int,
          user: Optional[pwd.struct_passwd] = None) -> Process:
    """Start a server in a session of its own (a terminal's Ctrl-C is not for it), its output going to a log."""
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        try:
            os.setsid()
            output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(output, 1)
            os.dup2(output, 2)
            become(user)
            os.chdir(directory)
            restore_signals()
            die_with(parent, death_signal)
            os.execvp(command[0], command)
        finally:
            os._exit(127)
    return Process.of(pid)


def spawn_command(command: list[str], environment: dict[str, str]) -> Process:
    """Start the user's command: our terminal, our directory, our group."""
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        try:
            restore_signals()
            die_with(parent, signal.SIGTERM)
            os.execvpe(command[0], command, environment)
        except OSError as error:
            os.write(2, f"launch: cannot run {command[0]}: {error.strerror}\n".encode())
        finally:
            os._exit(126)
    return Process.of(pid)


def remove_shared_memory(identifier: int) -> None:
    libc.shmctl(identifier, IPC_RMID, None)
