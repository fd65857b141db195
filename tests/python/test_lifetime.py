"""Objects end in any order, at any time, and leave nothing behind."""

from __future__ import annotations

import gc
import itertools
import os
import resource
import subprocess
import sys
import threading
import weakref
from typing import Any

import pytest

import shopdata

from things import Things

# Python 3.12 and later warn of any fork() in a process with threads, which a client has.
NO_WARNING = "ignore:This process:DeprecationWarning"
FULL = bool(os.environ.get("SHOPDATA_TEST_FULL"))


@pytest.mark.parametrize("order", list(itertools.permutations(["client", "session", "statement", "result"])))
def test_any_order_of_collection(sections: dict[str, Any], order: tuple[str, ...]) -> None:
    objects: dict[str, object] = {}
    client = shopdata.open(**sections)
    session = client.session()
    statement = client.statement("SELECT generate_series(1, 3) AS n")
    objects.update(client=client, session=session, statement=statement, result=session.query(statement))
    del client, session, statement
    for name in order:
        del objects[name]
        gc.collect()


def test_a_result_stands_alone(sections: dict[str, Any]) -> None:
    with shopdata.open(**sections) as client, client.session() as s:
        result = s.query("SELECT 'x' AS a, 7 AS b")
    del client, s
    gc.collect()
    assert (result.one().a, result.columns, result.source in ("replica", "primary")) == ("x", ("a", "b"), True)


def test_nothing_holds_a_session_or_a_client(sections: dict[str, Any]) -> None:
    client = shopdata.open(**sections)
    session = client.session()
    session.query("SELECT 1")
    with session.transaction():
        pass
    references = [weakref.ref(session), weakref.ref(client)]
    gc.collect()
    gc.disable()
    try:
        del session
        assert references[0]() is None
        del client
        assert references[1]() is None
    finally:
        gc.enable()


def test_a_session_in_a_cycle(things: Things) -> None:
    class Request:
        def __init__(self) -> None:
            self.session = things.client.session()
            self.session.begin()
            self.me = self

    before = things.client.metrics().get("shopdata_transactions_abandoned_total")
    Request()
    gc.collect()
    assert things.client.metrics().get("shopdata_transactions_abandoned_total") == before + 1


def test_collected_by_another_thread(things: Things) -> None:
    for _ in range(20):
        holder = [things.client.session(), things.client.statement("SELECT 1")]
        holder[0].begin()
        thread = threading.Thread(target=holder.clear)
        thread.start()
        thread.join()


PROGRAMS = {
    "everything open": "session.begin(); session.query(statement)",
    "in a cycle": "cycle = [client, session, statement]; cycle.append(cycle)",
    "only a session is left": "client.close(); del client, statement",
    "in a module": "import builtins; builtins.kept = (client, session, statement, session.query(statement))",
    "a daemon thread is waiting": """
import threading, time
threading.Thread(target=lambda: client.session().query("SELECT pg_sleep(20)"), daemon=True).start()
time.sleep(0.3)
""",
    "a thread that reads on": """
import threading
def work():
    try:
        while True:
            with client.session() as s: s.query("SELECT 1")
    except shopdata.Closed:
        pass
threading.Thread(target=work, daemon=True).start()
""",
    "atexit": "import atexit; atexit.register(lambda: session.query(statement))",
    "a destructor that queries": """
class Last:
    def __init__(self, session, statement): self.session, self.statement = session, statement
    def __del__(self):
        try: self.session.query(self.statement)
        except Exception: pass
last = Last(session, statement)
""",
    "logging to the end": "import logging; logging.basicConfig(level='DEBUG', stream=sys.stdout)",
    "awaited": "import asyncio; asyncio.run(session.aquery(statement))",
    "sys.exit": "sys.exit(0)",
    "forked and left": "import os\nif os.fork() == 0: sys.exit(0)\nos.wait()",
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_interpreter_ends_well(sections: dict[str, Any], program: str) -> None:
    text = f"""
import sys, shopdata
client = shopdata.open(shopdata={{"log_level": "debug"}}, **eval(sys.argv[1]))
session = client.session()
statement = client.statement("SELECT 1")
session.query(statement)
{PROGRAMS[program]}
"""
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-W", NO_WARNING, "-c", text, repr(sections)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")


def resident() -> int:
    """Bytes of this process in memory."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def test_no_leak(things: Things) -> None:
    """A hundred thousand reads, a million with SHOPDATA_TEST_FULL; and a part of them of every other kind."""
    batch = [(things.by_id, 1 + number % 3) for number in range(100)]

    def work(turns: int) -> None:
        with things.client.session() as s:
            for turn in range(turns):
                assert len(s.query_many(batch)) == 100
                for _ in range(5):
                    s.query(things.by_id, 1).one()
                with things.client.session() as other:
                    other.query(f"SELECT id, name FROM {things.table} WHERE id = :id", id=2)
                    with pytest.raises(shopdata.ParameterError):
                        other.query(things.by_id, object())
                    with pytest.raises(shopdata.ProgrammingError):
                        other.query("SELECT 1 +")
                if turn % 50 == 0:
                    things.client.statement(f"SELECT {turn}").close()
                    things.client.metrics().prometheus()

    work(300)
    gc.collect()
    before, objects = resident(), len(gc.get_objects())
    work(9500 if FULL else 1000)
    gc.collect()
    assert len(gc.get_objects()) - objects < 200
    assert resident() - before < 3 << 20
