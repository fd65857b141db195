"""Drives the running shop under faults and judges every price that it shows.

Buyers fill carts, order, click twice, and look at once what is left; crowds press the button for a last piece together; in
the end the books must balance. Readers follow the page trace on several connections; editors change prices and stocks all
along and look at once, on other connections too, whether the product page, the department's page and their JSON twins show
it. See driver/ledger.py for what may be shown. Of a shop that is several processes each must have done a part of
everything, and have shown what the others had taken.
"""

import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Callable

from driver import books, faults, report
from driver.buyers import Buyer, Counter, Crowd
from driver.doubt import Doubts
from driver.http import Connection, HttpError
from driver.ledger import Ledger
from driver.metrics import Between, Metrics
from driver.reading import ReadingError
from driver.record import Record
from driver.shelves import Shelves
from driver.trace import Trace, TraceError
from driver.visitors import Editor, Reader, World
from driver.workers import Workers

READERS = 12
EDITORS = 3
EDIT_PAUSE_SECONDS = 0.25
BUYERS = 3
BUY_PAUSE_SECONDS = 0.2
RACE_PAUSE_SECONDS = 0.7
START_SECONDS = 30
END_SECONDS = 20


class CheckError(Exception):
    """One line: why there is nothing to check."""


def say(text: str) -> None:
    print(text, flush=True)


class Shop:
    """The server that is checked: our child, with its output drained."""

    def __init__(self, command: list[str]):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        first = self.process.stdout.readline().strip()
        if not first.startswith("http://"):
            self.process.wait()
            raise CheckError(f"the shop did not start (exit code {self.process.returncode})")
        self.url = first
        host, _, port = first.removeprefix("http://").partition(":")
        self.address = (host, int(port))
        self.drain = threading.Thread(target=self.process.stdout.read, daemon=True)
        self.drain.start()

    def wait_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        status = 0
        while status != 200:
            if self.process.poll() is not None:
                raise CheckError(f"the shop ended before it was ready (exit code {self.process.returncode})")
            if time.monotonic() > deadline:
                self.end()   # whoever waits for the end of our output would wait for its end too
                raise CheckError(f"the shop is not ready after {START_SECONDS} s: /healthz says {status}")
            time.sleep(0.1)
            status = health(self.address)

    def end(self) -> list[str]:
        """Ask it to end; what is wrong with how it did."""
        if self.process.poll() is not None:
            return [f"the shop ended by itself with exit code {self.process.returncode}"]
        self.process.terminate()
        try:
            code = self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return [f"the shop did not end within {END_SECONDS} s of SIGTERM"]
        self.drain.join()
        self.process.stdout.close()
        return [f"the shop ended with exit code {code}"] if code else []


def health(address: tuple[str, int]) -> int:
    connection = Connection(address)
    try:
        return connection.get("/healthz").status
    except HttpError:
        return 0
    finally:
        connection.close()


class Check:
    """One run against a shop that is ready."""

    def __init__(self, address: tuple[str, int], seconds: float, cache: str, data: Path | None, workers: int = 1,
                 control: Callable[..., str] = faults.launch_ctl, read_books: Callable[[], books.Books] = books.read):
        self.seconds = seconds
        self.cache = cache
        self.connection = Connection(address)
        shelves = Shelves()
        shelves.walk(self.connection)
        trace = Trace(sorted(shelves.places), data)
        self.counter = Counter(self.connection, shelves.offers, int(seconds / RACE_PAUSE_SECONDS) + 1)
        self.world = World(address, shelves, trace, Ledger(shelves.offers), self.counter.sales, Record(), Workers(workers),
                           threading.Event())
        self.read_books = read_books
        self.doubts = Doubts(self.world.ledger, address, control, self.world.end)
        self.faults = faults.Faults(faults.for_cache(cache), seconds, say, self.doubts.control if workers > 1 else control)

    def run(self) -> report.Outcome:
        begin = time.monotonic()
        before = Metrics.fetch(self.connection)
        crowd = [Reader(self.world) for _ in range(READERS)]
        crowd += [Editor(self.world, number, EDITORS, EDIT_PAUSE_SECONDS) for number in range(EDITORS)]
        crowd += [Buyer(self.world, number, self.counter.for_sale, BUY_PAUSE_SECONDS) for number in range(BUYERS)]
        crowd += [Crowd(self.world, self.counter.last_pieces, RACE_PAUSE_SECONDS)]
        watch = [self.faults, self.doubts] if self.world.workers.wanted > 1 else [self.faults]
        for one in [*crowd, *watch]:
            one.start()
        time.sleep(max(0.0, begin + faults.RECOVERED * self.seconds - time.monotonic()))
        self.faults.join()   # on a busy machine they take longer than planned
        recovered = Metrics.fetch(self.connection)
        time.sleep(max(begin + self.seconds - time.monotonic(), faults.recovery(self.seconds)))
        self.world.end.set()
        for one in [*crowd, *watch]:
            one.join()
        seconds = time.monotonic() - begin
        after = Metrics.fetch(self.connection)
        self.connection.close()
        self.audit()
        return self.outcome(seconds, before, recovered, after)

    def audit(self) -> None:
        for complaint in books.audit(self.read_books(), self.world.sales):
            self.world.record.complain("unbalanced", complaint)
        self.world.record.add("audited", len(self.world.sales.products))

    def outcome(self, seconds: float, before: Metrics, recovered: Metrics, after: Metrics) -> report.Outcome:
        freezes = sum(fault.verb == "freeze" for fault in self.faults.faults)
        return report.Outcome(seconds, self.world.trace.name, self.cache, self.world.record, self.world.workers,
                              Between(before, after), Between(recovered, after),
                              len(self.faults.faults) + freezes, len(self.faults.done), list(self.faults.failures))


def tell(outcome: report.Outcome) -> int:
    """Print the report; the exit code."""
    for line in report.lines(outcome):
        say(line)
    failures = report.failures(outcome)
    for failure in failures:
        say(f"FAILED: {failure}")
    if not failures:
        say("PASSED: every page showed the price that was written last, and every piece was sold once")
    return 1 if failures else 0


def run(command: list[str], seconds: int, cache: str, data: Path | None, workers: int) -> int:
    """Start the shop, check it, end it; the exit code. `workers` is how many processes it has."""
    shop = Shop(command)
    try:
        shop.wait_ready()
        check = Check(shop.address, seconds, cache, data, workers)
        say(f"checking {shop.url} for {seconds} s with {READERS} readers, {EDITORS} editors and {BUYERS} buyers")
        outcome = check.run()
    except (HttpError, ReadingError, TraceError, books.BooksError) as error:
        raise CheckError(str(error)) from None
    finally:
        ending = shop.end()
    outcome.failures += ending
    return tell(outcome)


if __name__ == "__main__":
    sys.exit("this is a part of `run --check`")
