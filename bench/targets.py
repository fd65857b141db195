"""Measures everything that bench/run promises, among the servers of a launch, and prints it.

README.md tells how to read it.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import chart
import storefront
import tables
from rows import Part, Row, rows_of

ROOT = Path(__file__).resolve().parent.parent
TRACES = {"database-objects": "database_objects", "product-pages": "product_pages"}
PART_TIMEOUT = 1800
STRAYED_AT_MOST = 0.01  # of all answers


def options() -> argparse.Namespace:
    """What the caller wants."""
    parser = argparse.ArgumentParser(prog="bench/run", description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, required=True, metavar="DIR", help="where the programs are")
    parser.add_argument("--quick", action="store_true", help="a third of the time")
    parser.add_argument("--smoke", action="store_true", help="a round or two: does it run? Nothing is judged")
    parser.add_argument("--seconds", type=float, default=60.0, metavar="N",
                        help="for the contests (default %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures for a program too")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="where to draw (default: svg in the build directory)")
    parser.add_argument("--full", action="store_true", help="replay the whole trace against the shared cache")
    for name, destination in TRACES.items():
        parser.add_argument(f"--{name}", dest=destination, type=Path, metavar="FILE", help=f"recorded accesses: {name}")
    wanted = parser.parse_args()
    if wanted.quick or wanted.smoke:
        wanted.seconds = min(wanted.seconds, 1.0 if wanted.smoke else 24.0)
    return wanted


def run_json(command: list[str], **more: Any) -> Part:
    """What a program prints; `missing` says why it did not."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, timeout=PART_TIMEOUT, **more)
        found = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        return {"missing": f"{Path(command[-1] if command[0] == sys.executable else command[0]).name}: {error}"}
    found["exit_code"] = done.returncode
    return dict(found)


def versions() -> str:
    """Of the peers that do not tell theirs elsewhere."""
    found = []
    for program, arguments in (("pgpool", ["--version"]), ("wrk", ["-v"]), ("memcached", ["-V"])):
        path = shutil.which(program) or shutil.which(program, path="/usr/sbin")
        if path:
            done = subprocess.run([path, *arguments], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  check=False)
            number = re.search(r"\d+(\.\d+)+", done.stdout)
            found.append(f"{program} {number[0] if number else '?'}")
    return ", ".join([*found, f"Python {sys.version.split()[0]}"])


def measure_trips(wanted: argparse.Namespace) -> Part:
    """Contests, curves, and how good the shared cache is."""
    command = [str(wanted.build / "bench/roundtrips"), "--seconds", str(wanted.seconds)]
    command += ["--curves", str(wanted.seconds * 2 / 3), *(["--threads", "4"] if wanted.smoke else [])]
    if wanted.database_objects:
        command += ["--trace", str(wanted.database_objects), *(["--full"] if wanted.full else [])]
    report = run_json(command)
    report.get("machine", {})["peers"] = versions()
    return report


def measure_local(wanted: argparse.Namespace) -> Part:
    """The cache in this process by itself: its hit ratio, and what it takes."""
    program = wanted.build / "bench/localcache"
    if not program.exists():
        return {"missing": "bench/localcache"}
    traces = [f"{name}={getattr(wanted, destination)}" for name, destination in TRACES.items()
              if getattr(wanted, destination)]
    return run_json([str(program), *(["--quick"] if wanted.quick or wanted.smoke else []), *traces])


def measure_page(wanted: argparse.Namespace) -> Part:
    """The storefront."""
    for program in ("bench/page", "examples/storefront/storefront"):
        if not (wanted.build / program).exists():
            return {"missing": program}
    if not shutil.which("wrk"):
        return {"missing": "wrk: run tests/setup bench"}
    rounds = 1 if wanted.smoke else 3 if wanted.quick else 7
    try:
        return storefront.measure(ROOT, wanted.build, rounds, 1 if wanted.smoke else 2)
    except (storefront.BenchError, OSError, subprocess.SubprocessError) as error:
        return {"missing": str(error)}


def measure_python(wanted: argparse.Namespace) -> Part:
    """The binding."""
    binding = wanted.build / "bindings/python"
    if not list(binding.glob("shopdata/_native*.so")):
        return {"missing": "the Python binding is not built"}
    environment = {**os.environ, "PYTHONPATH": str(binding), "PYTHONDONTWRITEBYTECODE": "1"}
    return run_json([sys.executable, str(ROOT / "bench/python/local.py"), "--seconds", "0.2" if wanted.smoke else "3"],
                    env=environment)


def tell(report: Part, rows: list[Row]) -> None:
    """All tables."""
    parts = [tables.machine(report), tables.of_targets(rows), tables.of_others(report), tables.of_curves(report),
             tables.of_shares(report), tables.of_hit_ratio(report)] if "machine" in report else [
                 f"roundtrips: {report['missing']}", tables.of_targets(rows)]
    print("\n\n".join(parts))
    met = sum(row.met for row in rows)
    print(f"\n{met} of {len(rows)} targets met; {report.get('errors', 0)} errors,"
          f" {report.get('strayed', 0)} answers from elsewhere than measured", flush=True)


def write(wanted: argparse.Namespace, report: Part, more: Part) -> None:
    """The drawing, and the figures for a program."""
    drawing = wanted.svg or wanted.build / "throughput-and-latency.svg"
    if "machine" in report:
        drawing.write_text(chart.svg(report))
        print(f"drawn: {drawing}", flush=True)
    if wanted.json:
        wanted.json.write_text(json.dumps({**report, **more}, indent=1) + "\n")


def main() -> int:
    """Measures, and tells; 1 where a target is missed, or a call failed."""
    wanted = options()
    if "SHOPDATA_SERVERS" not in os.environ:
        print("bench/run: targets.py runs among servers: start it by bench/run", file=sys.stderr)
        return 2
    report, local = measure_trips(wanted), measure_local(wanted)
    page, python = measure_page(wanted), measure_python(wanted)
    rows = rows_of(report, local, page, python)
    try:
        tell(report, rows)
        write(wanted, report, {"rows": [row.as_json() for row in rows], "local": local, "page": page, "python": python})
    except OSError as error:
        print(f"bench/run: {error}", file=sys.stderr)
        return 1
    if report.get("exit_code", 1) != 0:
        print("bench/run: roundtrips failed: its figures do not count", file=sys.stderr)
        return 1
    if wanted.smoke:
        return 0
    if report["strayed"] > STRAYED_AT_MOST * report["reads"]:
        print("bench/run: too many answers from elsewhere than measured: the figures do not count", file=sys.stderr)
        return 1
    return 0 if all(row.met for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
