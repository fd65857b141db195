"""What goes wrong during the check, and when: through the launcher, at fixed fractions of the run."""

import os
import subprocess
import threading
import time
from dataclasses import dataclass
from typing import Callable


@dataclass(frozen=True)
class Fault:
    at: float        # fraction of the run
    verb: str        # of `launch ctl`
    node: str
    state: str       # what `launch ctl status` must say of the node afterwards


DATABASE_FAULTS = [
    Fault(0.15, "pause", "replica1", "paused"),
    Fault(0.25, "stop", "replica2", "stopped"),  # now only the primary is up to date
    Fault(0.40, "resume", "replica1", "replica"),
    Fault(0.48, "start", "replica2", "replica"),
]
# The cache server that is stopped and started, and the one that is frozen for a moment.
CACHE_SERVERS = {"redis": ("redis", "redis"), "valkey": ("redis", "redis"),
                 "redis-tls": ("redis-tls", "redis-tls"), "memcached": ("memcached2", "memcached3")}
FREEZE_SECONDS = 1.0
# From here on everything stands again, and both replicas and the cache must answer: for at least so long.
RECOVERED = 0.85
RECOVERY_SECONDS = 4.0


def recovery(seconds: float) -> float:
    """How long a run goes on after its last fault, at least. A test's run of a moment has its moment."""
    return min(RECOVERY_SECONDS, (1 - RECOVERED) * seconds * 2)


def for_cache(cache: str) -> list[Fault]:
    if cache not in CACHE_SERVERS:
        return DATABASE_FAULTS
    stopped, frozen = CACHE_SERVERS[cache]
    return DATABASE_FAULTS + [
        Fault(0.54, "stop", stopped, "stopped"),
        Fault(0.62, "start", stopped, "running"),
        Fault(0.70, "freeze", frozen, "frozen"),
    ]


def thaw(frozen: Fault) -> Fault:
    return Fault(0, "thaw", frozen.node, "running")


def launch_ctl(*words: str) -> str:
    done = subprocess.run([os.environ["SHOPDATA_LAUNCH"], "ctl", *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip())
    return done.stdout


class Faults(threading.Thread):
    """Does them one after the other. `done` has those that were seen to have happened."""

    def __init__(self, faults: list[Fault], seconds: float, say: Callable[[str], None],
                 control: Callable[..., str] = launch_ctl):
        super().__init__(daemon=True)
        self.faults = faults
        self.seconds = seconds
        self.say = say
        self.control = control
        self.done: list[Fault] = []
        self.failures: list[str] = []

    def run(self) -> None:
        self.begin = time.monotonic()
        for fault in self.faults:
            time.sleep(max(0.0, self.begin + fault.at * self.seconds - time.monotonic()))
            self.perform(fault)
            if fault.verb == "freeze":
                time.sleep(FREEZE_SECONDS)
                self.perform(thaw(fault))

    def perform(self, fault: Fault) -> None:
        try:
            self.control(fault.verb, fault.node)
            row = next(line for line in self.control("status").splitlines() if line.split()[0] == fault.node)
        except (RuntimeError, OSError, StopIteration) as error:
            self.failures.append(f"{fault.verb} {fault.node}: {error}")
            return
        if fault.state in row.split()[1:]:
            self.done.append(fault)
            self.say(f"{time.monotonic() - self.begin:5.1f} s  {fault.verb} {fault.node}: {fault.state}")
        else:
            self.failures.append(f"{fault.verb} {fault.node}: its status is {' '.join(row.split())}")
