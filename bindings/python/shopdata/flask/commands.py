"""``flask shopdata explain | invalidate | top``: what the program ``shopdata`` does, with the application's client."""

from __future__ import annotations

import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Optional, TextIO

import click
from flask.cli import AppGroup

from shopdata.errors import Error

from .page import Look, page
from .state import state_of_current_app
from .workers import total

__all__ = ["commands"]

_SQL_MAX = 1 << 20  # bytes
_ANSWER_MAX = 16 << 20
_CLEAR = "\x1b[H\x1b[2J"

commands = AppGroup("shopdata", short_help="Look at statements, the cache and what is going on.")


@commands.command()
@click.option("--policy", metavar="NAME", help="Under this policy of the configuration (default: default).")
@click.option("--tag", "tags", metavar="TAG", multiple=True, help="Declare a tag of your own, as statement() does.")
@click.option("--file", metavar="FILE", type=click.File(), help="Read the statement from a file.")
@click.argument("sql", required=False)
def explain(policy: Optional[str], tags: tuple[str, ...], file: Optional[TextIO], sql: Optional[str]) -> None:
    """Tell whether a statement's answers are cached.

    And why not, which tags they hang on, or which tags a write bumps. Asks the database for its tables' keys; runs
    nothing. SQL is one statement; - reads it from standard input.
    """
    text = _statement_of(sql, file)
    try:
        told = state_of_current_app().client.statement(text, policy=policy, tags=tags).explain()
    except Error as error:
        raise click.ClickException(str(error)) from None
    click.echo(told.rstrip("\n"))


def _statement_of(sql: Optional[str], file: Optional[TextIO]) -> str:
    if (sql is None) == (file is None):
        raise click.UsageError("SQL is missing" if sql is None else "SQL or --file, not both")
    source = sys.stdin if sql == "-" else file
    if source is None:
        return str(sql)
    try:
        text = source.read(_SQL_MAX + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"{source.name}: {error}") from None
    if len(text) > _SQL_MAX or "\0" in text:
        raise click.UsageError(f"{source.name}: not a statement of at most 1 MiB of text")
    return text


@commands.command()
@click.argument("tags", metavar="TAG...", nargs=-1, required=True)
def invalidate(tags: tuple[str, ...]) -> None:
    """Make what is cached under tags be read anew.

    In every process that shares the cache: for writes made past the library. `flask shopdata explain` shows the tags of
    a statement. public.products is any change of the table, public.products/product_id=42 one row, anything else a tag
    of your own.
    """
    client = state_of_current_app().client
    kinds = {name: client.metrics().get("shopdata_cache_kind", kind=name) for name in ("none", "memory")}
    for kind, is_configured in kinds.items():
        if is_configured:
            raise click.ClickException(f"cache.kind is `{kind}`: there is no cache that processes share")
    try:
        fenced = client.invalidate(*tags)
    except Error as error:
        raise click.ClickException(str(error)) from None
    if not fenced:
        raise click.ClickException("the cache could not be told; nothing was invalidated for sure: try again")
    click.echo(f"{len(tags)} tag{'' if len(tags) == 1 else 's'} bumped")


@commands.command()
@click.option("--interval", metavar="SECONDS", default=2.0, type=click.FloatRange(0.1, 3600), show_default=True,
              help="How often to look; rates are over this time.")  # fmt: skip
@click.option("--once", is_flag=True, help="One page, after one interval, and end.")
@click.argument("address", required=False)
def top(interval: float, once: bool, address: Optional[str]) -> None:
    """Show what the service does: live metrics.

    Reads by who answered, latencies, hit ratios of each policy, nodes, the cache. ADDRESS is the URL of its metrics, or
    HOST:PORT for http://HOST:PORT/metrics; without it what the processes on this host publish in SHOPDATA_METRICS_DIR.
    Control-C ends it.
    """
    ask, source = _source_of(address, max(1.0, interval))
    show = _Screen(source, interval)
    before = _look(ask)
    try:
        while True:
            time.sleep(interval)
            before = show.next(before, ask)
            if once:
                return
    except KeyboardInterrupt:
        return


def _source_of(address: Optional[str], timeout: float) -> tuple[Callable[[], str], str]:
    if address is None:
        directory = state_of_current_app().settings.metrics_dir
        if directory is None:
            raise click.UsageError("ADDRESS is missing, and SHOPDATA_METRICS_DIR is not set")
        return lambda: total(Path(directory)), str(directory)
    url = address if "://" in address else f"http://{address}{'' if '/' in address else '/metrics'}"
    if not url.startswith(("http://", "https://")):
        raise click.UsageError(f"{url}: an http or https address is wanted")
    return lambda: _fetch(url, timeout), url


def _fetch(url: str, timeout: float) -> str:
    try:
        with urllib.request.urlopen(url, timeout=timeout) as answer:
            body: bytes = answer.read(_ANSWER_MAX + 1)
    except ValueError as error:
        raise click.UsageError(f"{url}: {error}") from None
    return body[:_ANSWER_MAX].decode(errors="replace")


def _look(ask: Callable[[], str]) -> Look:
    try:
        look = Look(ask(), time.monotonic())
    except OSError as error:  # URLError is one: its reason is what interests
        raise click.ClickException(f"no answer: {getattr(error, 'reason', None) or error}") from None
    if not look.labels("shopdata_node_role", "node"):
        raise click.ClickException("the answer has no metrics of libshopdata")
    return look


class _Screen:
    """A page of text that is drawn over and over, in a terminal or not."""

    def __init__(self, source: str, interval: float) -> None:
        self._source = source
        self._interval = interval

    def next(self, before: Look, ask: Callable[[], str]) -> Look:
        """Draws the next page. Who goes away is asked again until he is back: who watches wants to see that."""
        try:
            now = _look(ask)
        except click.ClickException as error:
            if not sys.stdout.isatty():
                raise
            self._draw(before, f"NO ANSWER: {error.message}; trying again\n")
            return before
        self._draw(now, page(before, now))
        return now

    def _draw(self, now: Look, body: str) -> None:
        version = next(iter(now.labels("shopdata_build_info", "version")), "")
        clock = time.strftime("%H:%M:%S")
        head = f"shopdata {version}   {self._source}   every {self._interval:g} s   {clock}\n"
        click.echo((_CLEAR if sys.stdout.isatty() else "") + head + body, nl=False)
