"""What goes wrong during a run: one line of faults for the database, one for the cache, one for the processes.

Which fault comes next, how long it lasts and how long all is well before it follows from the seed. Every fault is healed
before the next one of its line begins, and no write returns while both replicas are gone: one that has returned is
on one of them (synchronous_standby_names = ANY 1), and a promotion takes the one that has received most.
"""

import random
import signal
import threading
import time
from collections import Counter
from typing import Callable

import servers

REPLICAS = ("replica1", "replica2")
# A client notices a fault, and that it is over, a little later.
LINGER_SECONDS = 2.0
# Of some thousands of keys so many go at a time.
EVICTED, EVICT_SECONDS = 200, 0.02
# For a second, 20 times in all.
CUT_WRITERS = """DO 'BEGIN FOR i IN 1..20 LOOP
    PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = ''shop'' AND wait_event = ''SyncRep'';
    PERFORM pg_stat_clear_snapshot(), pg_sleep(0.05);
END LOOP; END'"""


class Stage:
    """What all lines share: the clock of the run, its steering, what was done."""

    def __init__(self, seconds: float, steer: Callable[[str], str], say: Callable[[str], None]):
        self.begin = time.monotonic()
        self.seconds = seconds
        self.steer = steer
        self.say = say
        self.over = threading.Event()
        self.lock = threading.Lock()
        self.ill = 0
        self.done: Counter[str] = Counter()
        self.failures: list[str] = []
        self.primary = "primary"
        self.replicas = list(REPLICAS)

    def tell(self, line: str) -> str:
        with self.lock:
            return self.steer(line)

    def elapsed(self) -> float:
        return time.monotonic() - self.begin

    def note(self, text: str) -> None:
        self.tell(f"note {text}")
        self.say(f"{self.elapsed():6.1f} s  {text}")

    def change_ill(self, by: int) -> None:
        with self.lock:
            self.ill += by
            self.steer(f"ill {self.ill}")


class Line(threading.Thread):
    """Does one fault after the other until the run is over."""

    pause_seconds = (0.5, 4.0)

    def __init__(self, stage: Stage, seed: int, wanted: set[str] | None):
        super().__init__(daemon=True)
        self.stage = stage
        self.random = random.Random(f"{seed} {type(self).__name__}")
        self.faults = [(name, one) for name, one in self.all_faults() if wanted is None or name in wanted]

    def all_faults(self) -> list[tuple[str, Callable[[], None]]]:
        raise NotImplementedError

    def wait(self, least: float, most: float) -> None:
        self.stage.over.wait(self.random.uniform(least, most))

    def run(self) -> None:
        while self.faults and not self.stage.over.is_set():
            self.wait(*self.pause_seconds)
            if self.stage.over.is_set():
                return
            self.perform(*self.random.choice(self.faults))

    def perform(self, name: str, fault: Callable[[], None]) -> None:
        self.stage.change_ill(1)
        try:
            fault()
            self.stage.done[name] += 1
        except (servers.ServerError, OSError) as error:
            self.stage.failures.append(f"{name}: {error}")
            self.stage.note(f"{name} FAILED: {error}"[:200])
        self.stage.over.wait(LINGER_SECONDS)
        self.stage.change_ill(-1)

    def turn(self, verb: str, node: str) -> None:
        self.stage.note(f"{verb} {node}")
        servers.launcher(verb, node)
        self.stage.note(f"done: {verb} {node}")

    def between(self, first: str, least: float, most: float, last: str, node: str) -> None:
        """One verb, a while, and the verb that heals; that one comes in any case."""
        self.turn(first, node)
        try:
            self.wait(least, most)
        finally:
            self.turn(last, node)


class Database(Line):
    def all_faults(self):
        return [("pause", self.pause), ("pause-both", self.pause_both), ("kill-replica", self.kill_replica),
                ("freeze-replica", self.freeze_replica), ("freeze-primary", self.freeze_primary),
                ("restart-primary", self.restart_primary), ("cut-database", self.cut),
                ("cut-writers", self.cut_writers), ("promote", self.promote)]

    def replica(self) -> str:
        return self.random.choice(self.stage.replicas)

    def pause(self) -> None:
        self.between("pause", 0.2, 4.0, "resume", self.replica())

    def pause_both(self) -> None:
        """The WAL is still received, so writes go on and no replica shows them."""
        for node in self.stage.replicas:
            self.turn("pause", node)
        self.wait(0.2, 2.0)
        for node in self.stage.replicas:
            self.turn("resume", node)

    def kill_replica(self) -> None:
        self.between("kill", 0.1, 2.0, "start", self.replica())

    def freeze_replica(self) -> None:
        self.between("freeze", 0.2, 2.0, "thaw", self.replica())

    def freeze_primary(self) -> None:
        self.between("freeze", 0.2, 1.5, "thaw", self.stage.primary)

    def restart_primary(self) -> None:
        self.between("kill", 0.0, 0.5, "start", self.stage.primary)

    def cut(self) -> None:
        """All connections of the clients to one node break."""
        node = self.random.choice([self.stage.primary, *self.stage.replicas])
        self.stage.note(f"cut the connections of {node}")
        servers.superuser(node, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'shop'")

    def cut_writers(self) -> None:
        """Who waits for a replica has committed, and others see it: his connection breaks before he is told so."""
        for node in self.stage.replicas:
            self.turn("freeze", node)
        try:
            self.stage.note("cut the connections of writers")
            servers.superuser(self.stage.primary, CUT_WRITERS)
        finally:
            for node in self.stage.replicas:
                self.turn("thaw", node)

    def streaming(self) -> bool:
        return servers.superuser(self.stage.primary, "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'"
                                 " AND sync_state IN ('quorum', 'sync')") == "2"

    def promote(self) -> None:
        """Once in a run, in its second half: the old primary stays dead, for it may have what the new one lacks."""
        stage = self.stage
        if len(stage.replicas) < 2 or stage.elapsed() < 0.3 * stage.seconds or not self.streaming():
            return
        time.sleep(1)
        self.turn("kill", stage.primary)
        received = {node: int(servers.superuser(node, "SELECT greatest(pg_last_wal_receive_lsn(),"
                                                      " pg_last_wal_replay_lsn()) - '0/0'::pg_lsn"))
                    for node in stage.replicas}
        best = max(received, key=received.__getitem__)
        other, = [node for node in stage.replicas if node != best]
        self.wait(0.0, 1.5)
        self.turn("promote", best)
        stage.tell(f"promoted {best}")
        servers.launcher("follow", other, best)
        stage.primary, stage.replicas = best, [other]
        stage.done["promotion"] += 1
        self.wait(1.0, 2.0)


class Cache(Line):
    pause_seconds = (1.0, 6.0)
    variable = "SHOPDATA_REDIS"
    node = "redis"

    def all_faults(self):
        return [("cache-kill", self.kill), ("cache-flush", self.flush), ("cache-starve", self.starve),
                ("cache-freeze", self.freeze), ("cache-cut", self.cut), ("cache-copy", self.copy),
                ("cache-evict", self.evict), ("listener-cut", self.cut_listeners)]

    def kill(self) -> None:
        self.between("kill", 0.0, 2.0, "start", self.node)

    def freeze(self) -> None:
        self.between("freeze", 0.05, 2.0, "thaw", self.node)

    def flush(self) -> None:
        self.stage.note("flush the cache")
        servers.say_to(self.variable, "FLUSHALL")

    def starve(self) -> None:
        """So little memory that entries and fences are evicted all the time."""
        self.stage.note("starve the cache")
        used = int(servers.say_to(self.variable, "INFO memory").split(b"used_memory:")[1].split(b"\r\n")[0])
        servers.say_to(self.variable, "CONFIG SET maxmemory-policy allkeys-lru", f"CONFIG SET maxmemory {used * 4 // 5}")
        self.wait(1.0, 4.0)
        servers.say_to(self.variable, "CONFIG SET maxmemory 0")
        self.stage.note("done: starve the cache")

    def evict(self) -> None:
        """Any key may go at any moment, fences more than others in that they are asked for more: many are made anew."""
        self.stage.note("evict keys of the cache")
        until = time.monotonic() + self.random.uniform(2.0, 6.0)
        while time.monotonic() < until and not self.stage.over.is_set():
            self.evict_some()
            time.sleep(EVICT_SECONDS)
        self.stage.note("done: evict keys of the cache")

    def evict_some(self) -> None:
        servers.say_to(self.variable, f"EVAL \"for i=1,{EVICTED} do local k=redis.call('RANDOMKEY') if k then"
                       " redis.call('DEL',k) end end\" 0")

    def cut(self) -> None:
        self.stage.note("cut the connections of the cache")
        servers.say_to(self.variable, "CLIENT KILL TYPE normal")

    def cut_listeners(self) -> None:
        """Whoever is subscribed misses what is published until he is so again."""
        self.stage.note("cut the connections of those who listen")
        until = time.monotonic() + self.random.uniform(0.0, 1.0)
        servers.say_to(self.variable, "CLIENT KILL TYPE pubsub")
        while time.monotonic() < until and not self.stage.over.is_set():
            time.sleep(EVICT_SECONDS)
            servers.say_to(self.variable, "CLIENT KILL TYPE pubsub")

    def copy(self) -> None:
        """It comes back from a copy that lacks the last fences."""
        self.stage.note("save a copy of the cache")
        servers.say_to(self.variable, "SAVE")
        copy = servers.redis_directory() / "dump.rdb"
        try:
            self.wait(0.1, 2.0)
            self.between("kill", 0.0, 0.3, "start", self.node)
        finally:
            copy.unlink(missing_ok=True)


class Memcached(Cache):
    node = "memcached2"
    variable = "SHOPDATA_MEMCACHED"

    def all_faults(self):
        return [("cache-kill", self.kill), ("cache-flush", self.flush), ("cache-freeze", self.freeze),
                ("cache-evict", self.evict)]

    def kill(self) -> None:
        self.between("kill", 0.0, 2.0, "start", self.random.choice(["memcached", "memcached2", "memcached3"]))

    def freeze(self) -> None:
        self.between("freeze", 0.05, 2.0, "thaw", self.random.choice(["memcached", "memcached2", "memcached3"]))

    def flush(self) -> None:
        self.stage.note("flush the cache")
        self.evict_some()

    def evict_some(self) -> None:
        servers.say_to(self.random.choice(["SHOPDATA_MEMCACHED", "SHOPDATA_MEMCACHED2", "SHOPDATA_MEMCACHED3"]), "flush_all")


class Replicated(Cache):
    """Two Redis servers, of which one follows the other; their sentinels are ended, for they would interfere."""

    def __init__(self, stage: Stage, seed: int, wanted: set[str] | None):
        super().__init__(stage, seed, wanted)
        self.primary, self.replica = "SHOPDATA_REDIS_WATCHED1", "SHOPDATA_REDIS_WATCHED2"

    def all_faults(self):
        return [("cache-demote", self.demote)]

    def demote(self) -> None:
        """The primary follows nobody from now on, but keeps what it had, and answers; the other takes its place."""
        for number in range(1, 4):
            servers.launcher("kill", f"sentinel{number}")
        self.stage.note(f"demote {self.primary}")
        servers.say_to(self.primary, "REPLICAOF 127.0.0.1 1")
        servers.say_to(self.replica, "REPLICAOF NO ONE")
        self.wait(0.5, 4.0)
        servers.say_to(self.primary, f"REPLICAOF {servers.place(self.replica)}")
        self.primary, self.replica = self.replica, self.primary
        self.stage.note(f"done: {self.primary} is the primary")


class Processes(Line):
    """Kills the processes that are there for it, and has each replaced at once; stops any for a while."""

    pause_seconds = (0.3, 2.5)

    def __init__(self, stage: Stage, seed: int, wanted: set[str] | None, processes: list, doomed: list):
        self.processes = processes
        self.doomed = doomed
        super().__init__(stage, seed, wanted)

    def all_faults(self):
        kills = [("kill-writer", self.kill)] if self.doomed else []
        return [*kills, ("freeze-process", self.freeze)]

    def kill(self) -> None:
        one = self.random.choice(self.doomed)
        self.stage.note(f"SIGKILL to process {one.slot}")
        one.replace()

    def freeze(self) -> None:
        """Longer than its own cache may trail behind: what it goes on with must not be from before."""
        one = self.random.choice(self.processes)
        self.stage.note(f"SIGSTOP to process {one.slot}")
        one.signal(signal.SIGSTOP)
        try:
            self.wait(0.05, 1.0)
        finally:
            one.signal(signal.SIGCONT)
        self.stage.note(f"SIGCONT to process {one.slot}")

    def perform(self, name: str, fault: Callable[[], None]) -> None:
        fault()
        self.stage.done[name] += 1


def lines_for(stage: Stage, cache: str, seed: int, wanted: set[str] | None, processes: list,
              doomed: list) -> list[Line]:
    made: list[Line] = [Database(stage, seed, wanted), Processes(stage, seed, wanted, processes, doomed)]
    if cache != "memory":
        kinds = {"memcached": Memcached, "redis-replicated": Replicated}
        made.append(kinds.get(cache, Cache)(stage, seed, wanted))
    return made
