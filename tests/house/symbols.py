#!/usr/bin/env python3
"""The shared library exports shopdata_* and nothing else."""

import argparse
import subprocess
import sys

import house

# The node of the version script is listed as a symbol too.
VERSION_NODES = ("SHOPDATA_",)


def exported(library: str) -> list[str]:
    done = subprocess.run(["nm", "-D", "--defined-only", library], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"nm cannot read {library}: {done.stderr.strip()}")
    return [line.split()[-1].split("@")[0] for line in done.stdout.splitlines() if line.strip()]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("library", metavar="LIB", help="the built libshopdata.so")
    names = [name for name in exported(parser.parse_args(arguments).library) if not name.startswith(VERSION_NODES)]
    foreign = [f"exported: {name} (only shopdata_* may be)" for name in names if not name.startswith("shopdata_")]
    return house.finish(foreign, len(names), "symbols")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
