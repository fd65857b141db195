"""Filling a database with the shop, emptying it, and looking what is there."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

import conninfo
import figures
from engine import Line, Process
from faults import BenchError
from fleet import Fleet
from interrupts import INTERRUPTED, interrupted, stopped_by

PRODUCTS = 20_000
"""Of scale 1."""
BAR = 24


def told(verb: str, fleet: Fleet, options: Sequence[str] = (), progress: bool = False) -> Line:
    """Runs `shopload VERB` on the fleet's primary: its last line. Raises BenchError."""
    process = Process([verb, *options], {"--conninfo": fleet.conninfo(fleet.primary) + "\n"})
    bar = Bar(sys.stderr) if progress else None
    last: Line = {}
    with stopped_by(process.send_interrupt):
        for last in process.lines():
            if bar and last.get("type") == "progress":
                bar.show(last)
    if bar:
        bar.close()
    if not last or last.get("type") == "progress":
        raise process.fault()
    process.end()
    return last


class Bar:
    """How far a load has come: a line that is drawn again and again, or on no terminal a line for each table."""

    def __init__(self, stream: TextIO):
        self._stream = stream
        self._terminal = stream.isatty()
        self._doing = ""
        self._began = time.monotonic()

    def show(self, line: Line) -> None:
        """A progress line of the loader."""
        new = line["doing"] != self._doing
        self._doing = line["doing"]
        if self._terminal:
            columns = shutil.get_terminal_size().columns  # what is longer would leave pieces behind
            self._stream.write(f"\r\x1b[K{self.text(line)[:columns - 1]}")
            self._stream.flush()
        elif new:
            self._stream.write(self.text(line) + "\n")

    def text(self, line: Line) -> str:
        """That line for people."""
        if "of" not in line:
            return f"{'keys':<12} [{'#' * BAR}] {line['doing']}"
        done, kept, of = line["done"], line["kept"], line["of"]
        share = done / of if of else 1.0
        seconds = line["elapsed_s"]
        text = f"{line['doing']:<12} [{'#' * round(share * BAR):.<{BAR}}] {share:4.0%}  {done:,} of {of:,}"
        if done > kept and seconds > 0:
            rate = (done - kept) / seconds
            text += f"  {rate:,.0f}/s  {figures.seconds((of - done) / rate)} left"
        return text

    def close(self) -> None:
        """Leaves the terminal as it was."""
        if self._terminal and self._doing:
            self._stream.write("\r\x1b[K")
            self._stream.flush()


def add_load_options(parser: argparse.ArgumentParser) -> None:
    """What a shop may be like."""
    size = parser.add_argument_group("the shop")
    size.add_argument("--scale", type=float, default=1.0, metavar="X",
                      help="1 (the default): 20,000 products, 50,000 customers, 100,000 orders, 250,000 order lines")
    for what in ("products", "customers", "orders"):
        size.add_argument(f"--{what}", type=int, metavar="N", help=f"so many {what}, whatever the scale says")
    size.add_argument("--data", type=Path, metavar="DIR", help="the products of DIR/catalogue, as often as it takes")
    size.add_argument("--seed", type=int, default=1, metavar="N", help="of all that is made up (default 1)")
    size.add_argument("--beside-others", action="store_true",
                      help="into a database that has tables of others too, in the schema `shopbench`")


def size_options(given: argparse.Namespace) -> list[str]:
    """The loader's options. Raises BenchError."""
    options = ["--seed", str(given.seed)]
    if not 0 < given.scale <= 10_000:
        raise BenchError(f"--scale {given.scale}: must be over 0, and 10000 at most", 2)
    sizes = {"products": None if given.data and given.scale == 1 else round(PRODUCTS * given.scale),
             "customers": round(PRODUCTS * 2.5 * given.scale), "orders": round(PRODUCTS * 5 * given.scale)}
    for name, usual in sizes.items():
        count = getattr(given, name) if getattr(given, name) is not None else usual
        if count is not None:
            options += [f"--{name}", str(count)]
    if given.data:
        options += ["--data", str(given.data.resolve())]
    return options + (["--beside-others"] if given.beside_others else [])


def load(fleet: Fleet, options: Sequence[str]) -> Line:
    """Loads what is missing, with a progress bar."""
    loaded = told("load", fleet, options, progress=True)
    if interrupted():
        raise BenchError("stopped", INTERRUPTED)
    return loaded


def filled(fleet: Fleet) -> str:
    """Loads a shop of scale 1, unless there is one of whatever size: a sentence about it."""
    status = told("status", fleet)
    if status["state"] == "complete":
        return described(fleet)
    return sentence(load(fleet, ["--products", str(PRODUCTS)]))


def sentence(loaded: Line) -> str:
    """What a load has come to."""
    what = f"{loaded['products']:,} products, {loaded['customers']:,} customers, {loaded['orders']:,} orders"
    if loaded["done"] == 0:
        return f"The shop is there: {what}."
    kept = f"; {loaded['kept']:,} of {loaded['done']:,} were there" if loaded["kept"] else ""
    return f"Loaded {what} in {figures.seconds(loaded['elapsed_s'])}{kept}."


def confirmed(question: str, yes: bool) -> bool:
    """Asks, unless that was answered on the command line. Raises BenchError where there is nobody to ask."""
    if yes:
        return True
    if not sys.stdin.isatty():
        raise BenchError("this drops tables and asks first, and there is no terminal to ask on: give --yes", 2)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # here Ctrl-C means no, and at once
    try:
        return input(f"{question} [yes/no] ").strip().lower() == "yes"
    except (KeyboardInterrupt, EOFError):
        print()
        return False
    finally:
        signal.signal(signal.SIGINT, before)


def clean(fleet: Fleet, yes: bool) -> str:
    """Drops what a load has made, after a question: what came of it."""
    status = told("status", fleet)
    where = conninfo.shown(fleet.primary)
    if status["state"] in ("empty", "beside"):
        return f"There is no shop of shopbench at {where}."
    if status["state"] in ("partial", "complete"):
        size = f"{status['products']:,} products, {status['customers']:,} customers, {status['orders']:,} orders"
        if not confirmed(f"Drop the shop at {where} ({size})?", yes):
            return "Nothing was dropped."
    cleaned = told("clean", fleet)
    left = " The schema `shopbench` stays, because others have something in it." if cleaned["schema_kept"] else ""
    return f"Dropped the shop at {where}.{left}"


def described(fleet: Fleet) -> str:
    """What is in the database, for people."""
    status = told("status", fleet)
    where = conninfo.shown(fleet.primary)
    texts = {"empty": "is empty: `shopbench load` may fill it",
             "beside": "has tables of others and no shop: `shopbench load` wants --beside-others",
             "foreign": "has a schema `shopbench` that is not ours: nothing is written into it"}
    if status["state"] in texts:
        return f"{where} {texts[status['state']]}."
    part = "" if status["state"] == "complete" else ", not loaded to the end: give the same `shopbench load` again"
    return (f"{where} has a shop of {status['products']:,} products, {status['customers']:,} customers, "
            f"{status['orders']:,} orders in {status['categories']} categories, seed {status['seed']}, "
            f"{status['source']}{part}.")
