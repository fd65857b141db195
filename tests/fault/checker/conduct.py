"""One run among the launcher's servers: starts the processes, does the faults, and prints what was counted.

    conduct.py LOAD --seconds N --cache KIND --mode MODE --seed S --faults LIST|none|all

LOAD is the program freshness_load. What it counted goes to the file of --counts, a line each.
"""

import argparse
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import faults
import servers

# Of the run's time the last part is without faults.
CALM = 0.12
THREADS, WRITES, DOOMED_WRITES = 6, 60, 250
# Between two steps of the protocol (src/base/proving.h) a thread is held up now and then; some processes die there.
DELAYS, KILLS = "delay=0.3%:2ms", "kill=0.01%"
# How far a process's own cache may trail behind the others; a process that hears of their writes later than that.
COHERENCE_MS = 100
LATE_NEWS = "delay=10%:150ms,only=hear"
LOOK_SECONDS = 0.1
END_SECONDS = 20


def say(text: str) -> None:
    print(text, flush=True)


class Process:
    """A process of the load in its slot of the shared memory; its successors go on in it."""

    def __init__(self, slot: int, command: list[str], steps: str = "", doomed: bool = False):
        self.slot = slot
        self.doomed = doomed
        self.command = command
        self.environment = {**os.environ, "SHOPDATA_STEPS": steps} if steps else None
        self.lock = threading.Lock()
        self.starts = 0
        self.start()

    def start(self) -> None:
        self.starts += 1
        self.child = subprocess.Popen([word.replace("@", str(self.starts)) for word in self.command],
                                      env=self.environment, stdin=subprocess.DEVNULL)

    def replace(self) -> None:
        with self.lock:
            self.child.kill()
            self.child.wait()
            self.start()

    def signal(self, number: signal.Signals) -> None:
        with self.lock:
            self.child.send_signal(number)

    def replace_if_dead(self) -> bool:
        """Was it killed at a step, and has a successor?"""
        with self.lock:
            killed = self.child.poll() == -signal.SIGKILL
            if killed:
                self.start()
            return killed

    def end(self) -> str:
        """Wait for it; what is wrong with how it ended."""
        try:
            code = self.child.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
            return f"process {self.slot} did not end within {END_SECONDS} s"
        killed = self.doomed and code == -signal.SIGKILL
        return f"process {self.slot} ended with exit code {code}" if code and not killed else ""


class Steering:
    """A child that writes into the shared memory what it is told, line by line."""

    def __init__(self, load: str, shared: str):
        self.child = subprocess.Popen([load, "steer", shared], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, line: str) -> str:
        self.child.stdin.write(line + "\n")
        self.child.stdin.flush()
        return self.child.stdout.readline()

    def end(self) -> None:
        self.child.communicate()


def start_processes(given: argparse.Namespace, shared: str) -> tuple[list[Process], list[Process]]:
    """All, and those of them that are to be killed. The memory cache is one process's own: there is only one then. Where
    a rule is dropped the threads are held up at that rule's steps, and nowhere else."""
    kind = "redis" if given.cache == "valkey" else given.cache
    dropped = "SHOPDATA_DROP" in os.environ
    coherence_ms = COHERENCE_MS if given.local else 0

    def worker(slot: int, threads: int, writes: int, steps: str, doomed: bool = False, mode: str = given.mode) -> Process:
        command = [given.load, "work", shared, str(slot), mode, kind, str(threads), str(writes), str(given.forgets),
                   f"{given.seed}@", str(coherence_ms)]
        return Process(slot, command, "" if dropped else f"{steps},seed={given.seed % 1000 + slot}", doomed)
    if kind == "memory":
        return [worker(0, 3 * THREADS, WRITES, DELAYS)], []
    steady = [worker(slot, THREADS, WRITES, DELAYS) for slot in range(2)]
    doomed = [worker(slot, 3, DOOMED_WRITES, f"{DELAYS},{KILLS}", True) for slot in range(2, 4)]
    mixed = [worker(4, THREADS, 0, DELAYS, mode="fenced")] if given.mixed else []
    deaf = [worker(5, THREADS // 2, WRITES, LATE_NEWS)] if given.local else []
    observers = [Process(8, [given.load, "observe", shared, "8"])] if given.mode == "strict" else []
    return steady + doomed + mixed + deaf + observers, doomed


def play(given: argparse.Namespace, stage: faults.Stage, processes: list[Process], doomed: list[Process]) -> None:
    """The run itself. Half of it is busy; in the other half there are fewer writes, so that more is cached."""
    wanted = None if given.faults == "all" else set(given.faults.split(",")) - {"none"}
    lines = faults.lines_for(stage, given.cache, given.seed, wanted, processes, doomed)
    stage.tell(f"looks {int(looks(wanted))}")
    for line in lines:
        line.start()
    while stage.elapsed() < given.seconds * (1 - CALM) and not is_over(given, stage):
        time.sleep(LOOK_SECONDS)
        stage.done["kill-at-step"] += sum(one.replace_if_dead() for one in doomed)
        stage.tell(f"calm {int(stage.elapsed() % 10 > 5)}")
    stage.over.set()
    for line in lines:
        line.join()
    stage.note("no more faults")
    while stage.elapsed() < given.seconds and not is_over(given, stage):
        time.sleep(LOOK_SECONDS)


def looks(wanted: set[str] | None) -> bool:
    """Does a writer whose COMMIT was cut off look whether it stands, and hold the library to that? Not where the primary
    may freeze: a backend that cannot be ended may commit later (doc/freshness.md)."""
    return wanted is not None and "cut-writers" in wanted and "freeze-primary" not in wanted


def is_over(given: argparse.Namespace, stage: faults.Stage) -> bool:
    """Who only wants to see whether anything is found has seen it."""
    return given.until_broken and int(stage.tell("broken").split()[0]) > 0


def settle_commits(hasty: bool) -> None:
    """From now on a commit waits for one of the replicas, so that a promotion loses no write that has returned; or, where
    none is to be promoted, not even for its own flush."""
    setting = "synchronous_commit = off" if hasty else "synchronous_standby_names = 'ANY 1 (replica1, replica2)'"
    for node in ("primary", *faults.REPLICAS):
        servers.superuser(node, f"ALTER SYSTEM SET {setting}")
        servers.superuser(node, "SELECT pg_reload_conf()")


def conduct(given: argparse.Namespace) -> int:
    shared = str(Path(os.environ["SHOPDATA_SERVERS"]) / "freshness")
    subprocess.run([given.load, "prepare", shared], check=True)
    settle_commits(given.hasty_commits)
    steer = Steering(given.load, shared)
    stage = faults.Stage(given.seconds, steer, say)
    processes, doomed = start_processes(given, shared)
    play(given, stage, processes, doomed)
    steer("stop")
    endings = [ending for ending in [one.end() for one in processes] if ending]
    steer.end()
    counts = subprocess.run([given.load, "count", shared], check=True, capture_output=True, text=True).stdout
    counts += "".join(f"fault {name} done {number}\n" for name, number in sorted(stage.done.items()))
    Path(given.counts).write_text(counts)
    for failure in [*stage.failures, *endings]:
        say(f"NOT AS MEANT: {failure}")
    return 2 if endings else 0


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("load")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--counts", required=True)
    parser.add_argument("--until-broken", action="store_true")
    parser.add_argument("--hasty-commits", action="store_true")
    parser.add_argument("--mixed", action="store_true")
    parser.add_argument("--local", action="store_true")
    parser.add_argument("--forgets", type=int, required=True)
    for name in "cache", "mode", "faults":
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--seed", type=int, required=True)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(conduct(parse(sys.argv[1:])))
