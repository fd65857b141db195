"""What will this fleet carry, and what does the cache save?

Loads a shop into a PostgreSQL database, asks it as visitors would, through libshopdata, and tells how long they waited,
who answered, and how old the answers were. doc/benchmarking.md is the way from endpoints to a report.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import io
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn, Optional, Union

import checking
import comparing
import configurations
import cost
import demo
import finding
import fleet as servers
import loading
import markdown
import measuring
import merging
import phases
import report
import results
import searching
import summary
import sweeping
from faults import BenchError, UsageError
from interrupts import INTERRUPTED, interrupt, interrupted
from measuring import Bench

SAME_SIGNAL_S = 2.0
RATE = re.compile(r"[0-9][0-9.,@e+]*")
ONLY_CHECK = "SHOPBENCH_ONLY_CHECK"
"""In the environment: look at the command line, and do nothing. So that nobody waits for a build to hear of a slip."""


USAGES = {"report": "[OPTION...] RESULTS.json...", "merge": "--out FILE RESULTS.json RESULTS.json...",
          "find": "--target WHAT [OPTION...]"}
RDS = "--primary shop.abc.eu-west-1.rds.amazonaws.com --user bench --database shopbench --sslrootcert global-bundle.pem"
EXAMPLES = {
    "demo": "example:\n  shopbench demo --seconds 20 --out demo",
    "load": f"""example:
  shopbench load {RDS} \\
      --password-file ~/.shopbench --scale 10

What is there is kept: the same command goes on where it was stopped. The schema `shopbench` has a marker in it; where
that is missing nothing is written.""",
    "run": """examples, in the environment of tests/launcher/launch:
  shopbench run --rate 500 --seconds 30
  shopbench run --rate 100..5000 --seconds 300 --workload shop --configuration cache+replicas
  shopbench run --rate 1000 --phases cold:10,measure:60,flush,measure:30,replica-stop:30,replica-start:30""",
    "compare": """examples:
  shopbench compare --seconds 300                     as much as each carries, then rates that they share
  shopbench compare --rate 2000 --rounds 5            all at one rate, taking turns
  shopbench compare --rate 2000 --ttl 1s,10s,1m,10m   one after the other with these TTLs""",
    "find": """example:
  shopbench find --target p99=5ms --configuration cache --precision 2

Doubles the rate until the target is missed, halves the bracket, and measures what was found again. A miss is measured
again before it counts.""",
    "report": "example:\n  shopbench report find-*/results.json --prices prices.ini --out report.html",
    "clean": f"example:\n  shopbench clean {RDS} --password-env PGPASSWORD",
}
"""For --help."""
EXIT_CODES = """
The exit code is 0, 1 if it could not be done (or no request at all was answered), 2 for a wrong command line, and 130
if a signal ended it early: Ctrl-C reports what was measured until then, a second one ends it at once.

`shopbench COMMAND --help` tells more of each."""


class Parser(argparse.ArgumentParser):
    """Complains in one line."""

    def __init__(self, **options: object):
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        options.setdefault("allow_abbrev", False)
        super().__init__(**options)  # type: ignore[arg-type]

    def error(self, message: str) -> NoReturn:
        """Raises UsageError."""
        raise UsageError(f"{message} ({self.prog} --help lists what there is)")


# What is left of a command: its results.


def add_output_options(parser: argparse.ArgumentParser) -> None:
    """Where results go."""
    output = parser.add_argument_group("output")
    output.add_argument("--out", type=Path, default=Path("shopbench-results"), metavar="DIR",
                        help="the folder for results.json and report.html (default %(default)s)")
    add_judging_options(output)
    output.add_argument("--unchecked", action="store_true",
                        help="measure though `shopbench check` finds a problem: a replica that is down, say")
    output.add_argument("--quiet", action="store_true", help="no live view")


def add_judging_options(parser: Union[argparse.ArgumentParser, argparse._ArgumentGroup]) -> None:
    """What a report holds figures against."""
    parser.add_argument("--target", type=searching.target_of, metavar="WHAT",
                        help="p99=5ms, p99.9=20ms, p50=800us: the report tells who met it")
    parser.add_argument("--prices", type=Path, metavar="FILE", help="what servers cost, for the cost view")


def made_folder(path: Path, option: str) -> None:
    """Makes a folder, unless it is there. Raises BenchError: it cannot be, or nobody may write into it."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BenchError(f"{option} {path}: {error.strerror}") from None
    if not os.access(path, os.W_OK):
        raise BenchError(f"{option} {path}: no right to write there")


def prepare(given: argparse.Namespace, fleet: servers.Fleet, chosen: Sequence[configurations.Configuration]) -> None:
    """Looks at the servers, makes the folder, reads the prices: what would fail in the end shall fail now. Raises
    BenchError."""
    if not given.unchecked:
        checking.require(fleet, chosen)
    made_folder(given.out, "--out")
    given.prices = cost.read(given.prices) if given.prices else None


def tell(text: str) -> None:
    """Prints. Where nobody reads it any more, there are still files to be written."""
    try:
        print(text, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def finish(given: argparse.Namespace, runs: list[results.Run], began: float, fleet: servers.Fleet, fault: str = "",
           operations: Sequence[results.Operation] = ()) -> None:
    """Prints the table, and writes both files. ``fault`` is what ended it before its end."""
    if not runs or (interrupted() and not any(run.result.requests for run in runs)):
        raise BenchError("stopped before anything was measured", INTERRUPTED)
    tell("\n" + summary.table([run for run in runs if run.kind == "measure" or run.found] or runs))
    for line in summary.remarks(runs):
        tell(f"note: {line}")
    told = results.Results(
        runs=runs, title=given.verb, command=measuring.command_line(given.words), started_at=measuring.utc(began),
        ended_at=measuring.utc(time.time()), target=given.target, operations=list(operations), broken_off=fault,
        settings=fleet.shown(), host=measuring.host(), versions=measuring.versions())
    results.write(told, given.out / "results.json")
    tell(f"results: {(given.out / 'results.json').resolve()}")
    report.write(told, given.out / "report.html", given.prices)
    tell(f"report:  {(given.out / 'report.html').resolve()}")
    if not interrupted() and not any(run.result.requests for run in runs):
        raise BenchError("no request at all was answered")


def attempt(work: Callable[[], None], runs: list[results.Run]) -> tuple[int, str]:
    """Measures: the exit code, and the fault that ended it, if one did. What was measured before a fault is worth
    telling; without runs it is raised."""
    try:
        work()
    except BenchError as error:
        if not runs:
            raise
        if not interrupted():
            print(f"shopbench: {error}", file=sys.stderr)
            return error.code, str(error)
    return (INTERRUPTED, "interrupted") if interrupted() else (0, "")


# The commands.


def run(given: argparse.Namespace) -> int:
    """One configuration."""
    fleet, load = servers.fleet_of(given), measuring.load_of(given)
    chosen = chosen_of(given, fleet)
    rate = rate_of(given)
    wanted = phases.read(given.phases) if given.phases else None
    phases.require_flush(fleet, chosen, wanted or [])
    operator = operator_of(given, wanted)
    start = start_of(given)
    if os.environ.get(ONLY_CHECK):
        return 0
    prepare(given, fleet, [chosen])
    began = time.time()
    with Bench(fleet, load, not given.quiet) as bench:
        def work() -> None:
            if wanted:
                phases.run(bench, chosen, wanted, operator, rate)
            else:
                warmup = comparing.Pace(given.seconds, warmup=given.warmup).warmup_of(given.seconds)
                bench.measure(chosen, given.seconds, rate, warmup=warmup, start_unix_s=start)
        code, fault = attempt(work, bench.runs)
        finish(given, bench.runs, began, fleet, fault, bench.operations)
        return code


def compare(given: argparse.Namespace) -> int:
    """Several configurations in turns."""
    fleet, load = servers.fleet_of(given), measuring.load_of(given)
    names = given.configurations.split(",") if given.configurations else configurations.NAMES
    chosen, lacking = configurations.possible(configurations.named(names, "--configurations"), fleet)
    rate = rate_of(given)
    if not 1 <= given.rounds <= 1000:
        raise UsageError(f"--rounds {given.rounds}: must be from 1 to 1000")
    varied = sweeping.settings(given.ttl, given.memory)
    if varied and not any(one.cache for one in chosen):
        raise UsageError("--ttl and --memory want a configuration with a cache")
    if not chosen:
        raise UsageError(f"--configurations: none of them can be: {'; '.join(lacking)}")
    if os.environ.get(ONLY_CHECK):
        return 0
    prepare(given, fleet, chosen)
    print("\n".join(lacking), end="\n" if lacking else "")
    began = time.time()
    pace = comparing.Pace(given.seconds, given.rounds, given.warmup)
    with Bench(fleet, load, not given.quiet) as bench:
        def work() -> None:
            if varied:
                sweeping.sweep(bench, chosen, varied, given.seconds, pace.warmup_of(given.seconds), rate)
            elif rate is None and given.clients is None:
                comparing.climb(bench, chosen, pace)
            else:
                comparing.compare(bench, chosen, pace, rate)
        code, fault = attempt(work, bench.runs)
        finish(given, bench.runs, began, fleet, fault, bench.operations)
        return code


def find(given: argparse.Namespace) -> int:
    """The highest rate."""
    fleet, load = servers.fleet_of(given), measuring.load_of(given)
    chosen = chosen_of(given, fleet)
    if given.target is None:
        raise UsageError("--target is missing: what is to be met, as --target p99=5ms")
    if not 0.001 <= given.precision / 100 <= 0.5 or not 1 <= given.confirm <= 20 or not 1 <= given.first <= 1e6:
        raise UsageError("--precision must be from 0.1 to 50 (percent), --confirm from 1 to 20, --from from 1 to "
                         "1000000")
    if not 1 <= given.seconds <= 86400:
        raise UsageError(f"--seconds {given.seconds:g}: must be from 1 to 86400")
    if os.environ.get(ONLY_CHECK):
        return 0
    prepare(given, fleet, [chosen])
    began = time.time()
    with Bench(fleet, load, not given.quiet) as bench:
        wanted = finding.Search(given.first, given.precision / 100, given.confirm)
        found = searching.search(bench, chosen, given.target, given.seconds, wanted)
        print(f"{chosen.title}, {load.name}, {given.target}: {found.rate:,.0f} requests a second")
        print(f"  how sure: {found.sureness()}")
        stopped = "the search was stopped before it was done" if found.stopped else ""
        finish(given, bench.runs, began, fleet, stopped)
        return INTERRUPTED if interrupted() else 0 if found.rate > 0 and not found.stopped else 1


def load(given: argparse.Namespace) -> int:
    """Fills the database."""
    fleet, options = servers.fleet_of(given), loading.size_options(given)
    if os.environ.get(ONLY_CHECK):
        return 0
    if given.fresh:
        print(loading.clean(fleet, given.yes))
    print(loading.sentence(loading.load(fleet, options)))
    return 0


def clean(given: argparse.Namespace) -> int:
    """Empties it."""
    fleet = servers.fleet_of(given)
    if not os.environ.get(ONLY_CHECK):
        print(loading.clean(fleet, given.yes))
    return 0


def check(given: argparse.Namespace) -> int:
    """Looks at the servers."""
    fleet = servers.fleet_of(given)
    if os.environ.get(ONLY_CHECK):
        return 0
    well, text = checking.said(fleet, configurations.possible(list(configurations.ALL), fleet)[0])
    print(text, end="")
    return 0 if well else 1


def status(given: argparse.Namespace) -> int:
    """What is there."""
    fleet = servers.fleet_of(given)
    if not os.environ.get(ONLY_CHECK):
        print(loading.described(fleet))
    return 0


def show_demo(given: argparse.Namespace) -> int:
    """The five configurations on servers of its own."""
    demo.check(given)
    if os.environ.get(ONLY_CHECK):
        return 0
    fleet = servers.fleet_of_launcher()
    prepare(given, fleet, configurations.ALL)
    began = time.time()
    runs: list[results.Run] = []
    code, fault = attempt(lambda: demo.run(fleet, given, runs), runs)
    finish(given, runs, began, fleet, fault)
    return code


def write_report(given: argparse.Namespace) -> int:
    """A report of results that are there; those of several commands are laid side by side."""
    told = merging.beside([results.read(path) for path in given.results])
    told = dataclasses.replace(told, target=given.target or told.target)
    if given.markdown:
        print(markdown.text(told), end="")
        return 0
    prices = cost.read(given.prices) if given.prices else None
    path = given.out or given.results[0].with_name("report.html")
    report.write(told, path, prices)
    print(f"report:  {path.resolve()}")
    if given.hgrm:
        made_folder(given.hgrm, "--hgrm")
        report.write_hgrm(told, given.hgrm)
        print(f"hgrm:    {given.hgrm.resolve()}")
    return 0


def merge(given: argparse.Namespace) -> int:
    """Several agents' results as one."""
    if len(given.results) < 2:
        raise UsageError("merge takes the results.json of two agents at least")
    told = merging.merge([results.read(path) for path in given.results], [str(path) for path in given.results])
    results.write(told, given.out)
    for remark in dict.fromkeys(remark for run in told.runs for remark in run.remarks):
        print(f"shopbench: {remark}", file=sys.stderr)
    print(summary.table(told.runs))
    print(f"results: {given.out.resolve()}")
    return 0


# Their options.


def chosen_of(given: argparse.Namespace, fleet: servers.Fleet) -> configurations.Configuration:
    """The one configuration that is meant. Raises UsageError."""
    if not given.configuration:
        return configurations.best(fleet)
    chosen = configurations.named([given.configuration], "--configuration")[0]
    if chosen.lacks(fleet):
        raise UsageError(f"--configuration {chosen.name}: there is not {chosen.lacks(fleet)}")
    return chosen


def rate_of(given: argparse.Namespace) -> Optional[str]:
    """An open loop's rate, in the engine's words. Raises UsageError."""
    if given.rate and given.clients:
        raise UsageError("--rate is an open loop and --clients a closed one: give one of them")
    if given.think is not None and not given.clients:
        raise UsageError("--think is of a closed loop: give --clients too")
    if not 1 <= given.seconds <= 7 * 86400:
        raise UsageError(f"--seconds {given.seconds:g}: must be from 1 to {7 * 86400} (a week)")
    if given.warmup is not None and not 0 <= given.warmup <= 86400:
        raise UsageError(f"--warmup {given.warmup:g}: must be from 0 to 86400")
    if given.rate is not None and (not RATE.fullmatch(given.rate) or measuring.numeric(given.rate) == 0):
        raise UsageError(f"--rate {given.rate}: right is 500, or 100..5000 (a ramp), or 1000@10,2000@10 (steps)")
    return None if given.rate is None else str(given.rate)


def operator_of(given: argparse.Namespace, wanted: Optional[list[phases.Phase]]) -> phases.Operator:
    """The commands of the operator. Raises UsageError where a phase lacks one."""
    named = {kind: getattr(given, kind.replace("-", "_")) for kind in phases.ACTIONS[1:]}
    usual = phases.launcher_commands() if given.primary is None else {}
    operator = phases.Operator({**usual, **{kind: command for kind, command in named.items() if command}})
    operator.require(wanted or [])
    return operator


def start_of(given: argparse.Namespace) -> Optional[float]:
    """When the measurement is to begin. Raises UsageError."""
    if given.start_at is None:
        return None
    try:
        moment = datetime.datetime.fromisoformat(given.start_at.replace("Z", "+00:00"))
    except ValueError:
        raise UsageError(f"--start-at {given.start_at}: right is a time as 2026-01-31T12:00:00Z") from None
    warmup = comparing.Pace(given.seconds, warmup=given.warmup).warmup_of(given.seconds)
    if moment.timestamp() < time.time() + warmup:
        raise UsageError(f"--start-at {given.start_at}: must be in the future, by more than the warm-up, {warmup:g} s")
    return moment.timestamp()


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """Of one configuration."""
    parser.add_argument("--configuration", metavar="NAME",
                        help=f"{', '.join(configurations.NAMES)} (default: with all servers that are named)")
    parser.add_argument("--phases", metavar="LIST", help=f"as {phases.EXAMPLE}; in place of --seconds and --warmup")
    for kind in phases.ACTIONS[1:]:
        parser.add_argument(f"--{kind}", metavar="COMMAND",
                            help=f"what does a {kind} here, for the phase of that name; none is done without")
    parser.add_argument("--start-at", metavar="TIME",
                        help="begin to measure at this time, as other agents do: 2026-01-31T12:00:00Z")


def add_pace_options(parser: argparse.ArgumentParser) -> None:
    """How long."""
    parser.add_argument("--rate", metavar="RATE",
                        help="an open loop: so many requests a second; 100..5000 is a ramp, 1000@10,2000@10 are steps; "
                        "without --rate a closed loop of --clients, or of all threads")
    parser.add_argument("--seconds", type=float, default=60.0, metavar="N",
                        help="how long each configuration is measured (default 60)")
    parser.add_argument("--warmup", type=float, metavar="N",
                        help="seconds before each measurement that do not count (default a quarter of it, 10 at most)")


def add_find_options(parser: argparse.ArgumentParser) -> None:
    """Of a search."""
    parser.add_argument("--configuration", metavar="NAME", help="as for run")
    parser.add_argument("--from", type=float, default=500.0, metavar="RATE", dest="first",
                        help="the rate to begin with (default 500)")
    parser.add_argument("--precision", type=float, default=5.0, metavar="PERCENT", help="how near to come (default 5)")
    parser.add_argument("--confirm", type=int, default=3, metavar="N",
                        help="how often what was found must hold again (default 3)")
    parser.add_argument("--seconds", type=float, default=10.0, metavar="N", help="how long to try a rate (default 10)")


def parser_of() -> Parser:
    """All commands."""
    parser = Parser(prog="shopbench", description=__doc__, epilog=EXIT_CODES)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="COMMAND")

    def verb(name: str, action: object, text: str) -> Parser:
        made: Parser = verbs.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".",
                                        usage=f"shopbench {name} {USAGES.get(name, '[OPTION...]')}",
                                        epilog=EXAMPLES.get(name))
        made.set_defaults(action=action)
        return made

    made = verb("demo", show_demo, "set up servers on this machine, compare five configurations, write a report")
    demo.add_options(made)
    add_output_options(made)
    made = verb("load", load, "fill the database with the shop, or what is missing of it")
    loading.add_load_options(made)
    made.add_argument("--fresh", action="store_true", help="drop the shop that is there first")
    made.add_argument("--yes", action="store_true", help="do not ask before dropping")
    servers.add_options(made, cache=False)
    for name, action, text in (("run", run, "measure one configuration"),
                               ("compare", compare, "measure several configurations, taking turns")):
        made = verb(name, action, text)
        (add_run_options if name == "run" else add_compare_options)(made)
        add_pace_options(made)
        measuring.add_load_options(made)
        servers.add_options(made)
        add_output_options(made)
    made = verb("find", find, "search the highest rate that meets a target of latency")
    add_find_options(made)
    measuring.add_load_options(made)
    servers.add_options(made)
    add_output_options(made)
    add_file_verbs(verb)
    return parser


def add_compare_options(parser: argparse.ArgumentParser) -> None:
    """Of several configurations."""
    parser.add_argument("--configurations", metavar="NAME,...",
                        help=f"which of {','.join(configurations.NAMES)} (default: all that the servers allow)")
    parser.add_argument("--rounds", type=int, default=3, metavar="N",
                        help="with --rate or --clients: how often each has its turn (default 3)")
    parser.add_argument("--ttl", metavar="TIME,...",
                        help="in place of that: one measurement with each of these TTLs (1s,10s,1m): hit ratio by TTL")
    parser.add_argument("--memory", metavar="SIZE,...",
                        help="the same with a cache of each of these sizes (1MiB,8MiB,64MiB), in the engine's process")


def add_file_verbs(verb: object) -> None:
    """Commands that measure nothing."""
    assert callable(verb)
    made = verb("report", write_report, "write the report of a results.json, or of several side by side")
    made.add_argument("results", type=Path, nargs="+", metavar="RESULTS.json")
    made.add_argument("--out", type=Path, metavar="FILE", help="default: report.html beside the first")
    add_judging_options(made)
    made.add_argument("--markdown", action="store_true",
                      help="print the most important tables, to stand in a page, and write nothing")
    made.add_argument("--hgrm", type=Path, metavar="DIR",
                      help="percentile distributions too, as HdrHistogram prints them")
    made = verb("merge", merge, "merge the results of several agents that ran at the same time")
    made.add_argument("results", type=Path, nargs="+", metavar="RESULTS.json")
    made.add_argument("--out", type=Path, required=True, metavar="FILE", help="where the merged results go")
    made = verb("clean", clean, "drop everything that load has made, and nothing else")
    made.add_argument("--yes", action="store_true", help="do not ask")
    servers.add_options(made, cache=False)
    servers.add_options(verb("check", check, "look at the servers: rights, settings, TLS, lag, what to do about them"))
    servers.add_options(verb("status", status, "tell what is in the database"), cache=False)


def take_signals() -> None:
    """The first Ctrl-C ends the measurement, and what was measured is told; a later one ends all. Both the terminal and
    tests/launcher/launch may send the same one. A terminal that is closed, as by a network, is as much."""
    first: list[float] = []

    def ask(number: int, _: object) -> None:
        if first and time.monotonic() > first[0] + SAME_SIGNAL_S:
            raise KeyboardInterrupt
        first.append(time.monotonic())
        interrupt()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # which nohup has
            signal.signal(number, ask)


def main(words: Sequence[str]) -> int:
    """The whole program; the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal need not have all letters
            stream.reconfigure(errors="replace")
    try:
        given = parser_of().parse_args(words)
        given.words = words
        take_signals()
        code = given.action(given)
        return int(code)
    except (BenchError, results.ReportError) as error:
        print(f"shopbench: {error}", file=sys.stderr)
        return error.code if isinstance(error, BenchError) else 1
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
