"""The launcher's last will: a small process that ends the servers when the launcher was killed and could not."""

import json
import os
import shutil
import signal
from pathlib import Path

from . import control, postgres, processes
from .processes import Process


class Guard:
    """Holds one end of a pipe. The other end closes when the launcher is gone, in whatever way."""

    def __init__(self, directory: Path):
        read_end, self._write_end = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(self._write_end)
            _stand_by(read_end, directory)
        os.close(read_end)
        self.process = Process.of(pid)

    def dismiss(self) -> None:
        """The launcher has cleaned up itself; the guard finds nothing to do."""
        os.close(self._write_end)
        processes.wait_until(lambda: not self.process.is_alive(), 5, interruptible=False)


def _stand_by(read_end: int, directory: Path) -> None:
    try:
        os.setsid()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, signal.SIG_IGN if number != signal.SIGCHLD else signal.SIG_DFL)
        silence = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):  # nobody who reads our output shall wait for us
            os.dup2(silence, stream)
        os.read(read_end, 1)
        if (directory / "state.json").exists():
            end_command(directory)
            end_servers(json.loads((directory / "state.json").read_text())["nodes"])
            shutil.rmtree(directory, ignore_errors=True)
    finally:
        os._exit(0)


def end_command(directory: Path) -> None:
    """Whatever the command started carries our mark; its parents are gone, so the mark is all that is left to tell."""
    mark = f"{control.MARK}={directory}".encode()
    marked = processes.with_environment(mark)
    for process in marked:
        process.send(signal.SIGCONT)
        process.send(signal.SIGTERM)
    processes.wait_until(lambda: not any(process.is_alive() for process in marked), 2, interruptible=False)
    for process in processes.with_environment(mark):
        process.send(signal.SIGKILL)


def end_servers(nodes: list[dict]) -> None:
    running = [(node, Process(node["pid"], node["started"])) for node in nodes if node["pid"]]
    for node, process in running:
        processes.thaw(process)
        process.send(node["end_signal"])
    for node, process in running:
        processes.end(process, node["end_signal"], 5)
        if node["kind"] == "postgres":
            postgres.remove_interlock(Path(node["directory"]) / "data")
