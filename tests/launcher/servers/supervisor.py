"""`launch run`: starts the servers, runs the command, serves `launch ctl` meanwhile, and leaves nothing behind.

Everything that happens to a server happens in this one process, one request after the other: the state cannot be
corrupted by requests that cross, and the kernel's "die with your parent" holds for servers restarted later as well.
"""

import os
import selectors
import shutil
import signal
import socket
import sys
import time
from pathlib import Path

from . import control, processes
from .errors import LaunchError
from .fleet import Fleet, Options
from .guard import Guard
from .processes import Process

FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# How long a command may take to end after SIGTERM or SIGHUP. A second signal ends the patience at once.
GRACE_SECONDS = 10
# How long what it left running may take.
STRAY_SECONDS = 2


class Supervisor:
    def __init__(self, options: Options, command: list[str], keep: bool):
        self.options = options
        self.command = command
        self.keep = keep

    def run(self) -> int:
        """The command's exit code, as a shell would tell it."""
        program = shutil.which(self.command[0])
        if not program:
            raise LaunchError(f"command not found: {self.command[0]} (neither a path nor a name in PATH)")
        wakeup = catch_signals()
        processes.adopt_orphans()
        fleet = Fleet(self.options)
        fleet.write_state()
        guard = Guard(fleet.directory)
        try:
            return self._run_with(fleet, wakeup)
        except LaunchError:
            if not processes.pending_signals:
                raise
            return 128 + processes.pending_signals[0]  # interrupted while starting
        finally:
            self._clean_up(fleet, guard)
            guard.dismiss()

    def _run_with(self, fleet: Fleet, wakeup: socket.socket) -> int:
        fleet.start()
        with control.listen(fleet.directory) as listener:
            self.process = processes.spawn_command(self.command, command_environment(fleet))
            return self._serve(fleet, listener, wakeup)

    def _serve(self, fleet: Fleet, listener: socket.socket, wakeup: socket.socket) -> int:
        selector = selectors.DefaultSelector()
        selector.register(listener, selectors.EVENT_READ)
        selector.register(wakeup, selectors.EVENT_READ)
        self.deadline = float("inf")
        while self.process.pid not in processes.exit_statuses:
            for key, _ in selector.select(timeout=0.5):
                if key.fileobj is listener:
                    control.serve_one(listener, fleet)
                else:
                    wakeup.recv(4096)
            processes.reap()
            self._forward_signals()
        status = processes.exit_statuses[self.process.pid]
        return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)

    def _forward_signals(self) -> None:
        while processes.pending_signals:
            number = processes.pending_signals.pop(0)
            impatient = self.deadline < float("inf")
            if number == signal.SIGINT and not impatient:
                if not terminal_sent_it():
                    self._interrupt()
                continue
            self.process.send(signal.SIGKILL if impatient else number)
            self.deadline = time.monotonic() + GRACE_SECONDS
        if time.monotonic() > self.deadline:
            self.process.send(signal.SIGKILL)

    def _interrupt(self) -> None:
        """As a terminal does, to all of the command: a shell that alone is interrupted waits for its child. All of it
        stands still meanwhile, for a child that is being forked just now must not miss it."""
        processes.freeze(self.process)
        for one in self.process.tree():
            one.send(signal.SIGINT)
        processes.thaw(self.process)

    def _clean_up(self, fleet: Fleet, guard: Guard) -> None:
        """End what the command left behind, then the servers, then the directory. Signals no longer hurry us."""
        end_strays(fleet, guard)
        fleet.end()
        if self.keep:
            (fleet.directory / "state.json").unlink()  # else the guard would remove the directory
            print(f"launch: kept {fleet.directory}", file=sys.stderr)
        else:
            fleet.remove_directory()


def find_strays(fleet: Fleet, guard: Guard) -> list[Process]:
    """Our descendants that are neither servers nor theirs: the command, or what it left running."""
    ours = {guard.process}
    for node in fleet.nodes.values():
        ours.update(node.process.tree() if node.process else [])
    return [one for one in Process.of(os.getpid()).descendants() if one not in ours and one.is_alive()]


def end_strays(fleet: Fleet, guard: Guard) -> None:
    for stray in find_strays(fleet, guard):
        stray.send(signal.SIGCONT)
        stray.send(signal.SIGTERM)
    if not processes.wait_until(lambda: not find_strays(fleet, guard), STRAY_SECONDS, interruptible=False):
        for stray in find_strays(fleet, guard):
            processes.kill(stray)


def command_environment(fleet: Fleet) -> dict[str, str]:
    """Ours without what an outer launcher exported: a server that was not asked for must not seem to be there."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(control.EXPORTED)}
    launch = Path(__file__).resolve().parent.parent / "launch"
    return {**inherited, **fleet.environment(), "SHOPDATA_LAUNCH": str(launch),
            control.MARK: str(fleet.directory)}


def catch_signals() -> socket.socket:
    """Let signals wake up the main loop. One that was ignored when we came (nohup) stays ignored."""
    wakeup, writer = socket.socketpair()
    wakeup.setblocking(False)
    writer.setblocking(False)
    signal.set_wakeup_fd(writer.detach(), warn_on_full_buffer=False)
    for number in FORWARDED:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda number, _: processes.pending_signals.append(number))
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return wakeup


def terminal_sent_it() -> bool:
    """In a terminal's foreground Ctrl-C reaches the command by itself; forwarding it would make it two."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
