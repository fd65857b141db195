"""What was counted in a run: read from the load's lines, summed, told, judged."""

from collections import Counter

# Fewer reads, or fewer of them from the cache, prove nothing.
READS_LEAST, HIT_RATIO_LEAST, LOCAL_LEAST = 1000, 0.05, 0.02

# kind, name, what: how often.
Counts = Counter


def say(text: str) -> None:
    print(text, flush=True)


def read(text: str) -> Counts:
    made: Counts = Counts()
    for line in text.splitlines():
        kind, name, what, number = line.split()
        made[kind, name, what] += int(number)
    return made


def total(counts: Counts, kind: str, name: str | None = None, what: str | None = None) -> int:
    return sum(number for (a, b, c), number in counts.items()
               if a == kind and name in (None, b) and what in (None, c))


def names(counts: Counts, kind: str, column: int) -> list[str]:
    """Those that were counted at all, in the order in which they came."""
    return list(dict.fromkeys(key[column] for key, number in counts.items() if key[0] == kind and number))


def share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def hit_ratio(counts: Counts) -> float:
    """Of the reads that may be cached."""
    cached = [name for name in names(counts, "read", 1) if not name.startswith("uncached")]
    hits = sum(total(counts, "read", name, source) for name in cached for source in ("cache", "local"))
    return share(hits, sum(total(counts, "read", name) for name in cached))


def per_million(part: int, counts: Counts) -> float:
    return 1e6 * share(part, total(counts, "read"))


def grid(counts: Counts, kind: str, title: str) -> list[str]:
    """A table: what was counted under each name."""
    rows, columns = names(counts, kind, 1), names(counts, kind, 2)
    lines = [f"{title:<18}" + "".join(f"{column.removeprefix('SHOPDATA_'):>16}" for column in columns)]
    for row in [*rows, None]:
        cells = "".join(f"{total(counts, kind, row, column):>16,}" for column in columns)
        lines.append(f"  {row or 'all':<16}{cells}")
    return lines


def report(counts: Counts, seed: int) -> list[str]:
    reads = total(counts, "read")
    lines = [f"seed {seed}", *grid(counts, "read", f"{reads:,} reads checked"),
             f"hit ratio {hit_ratio(counts):.3f}", *grid(counts, "write", "writes"),
             "reads that failed: " + (", ".join(f"{what} {total(counts, 'failed', None, what):,}"
                                                for what in names(counts, "failed", 2)) or "none"),
             f"exempt reads (staleness told): {total(counts, 'exempt', None, 'ill'):,} while servers were ill,"
             f" {total(counts, 'exempt', None, 'well'):,} while they were well"]
    if total(counts, "carried"):
        lines.append(f"sessions that went on by a token: {total(counts, 'carried'):,}")
    if total(counts, "observed"):
        lines.append(f"versions that the observer saw: {total(counts, 'observed'):,}")
    lines.append("faults: " + (", ".join(f"{name} {total(counts, 'fault', name)}" for name in names(counts, "fault", 1))
                               or "none"))
    violations = total(counts, "violation")
    if violations:
        lines += grid(counts, "violation", f"{violations:,} violations")
    stale = total(counts, "violation", None, "stale") + total(counts, "violation", None, "own_write_lost")
    lines.append(f"stale reads per million: {per_million(stale, counts):.2f}")
    return lines


def failures(counts: Counts, promises: bool, local: bool = False) -> list[str]:
    """What makes the run a failure, a line each; `local`: with a cache in each process."""
    found = []
    violations = total(counts, "violation")
    if total(counts, "read") < READS_LEAST or hit_ratio(counts) < HIT_RATIO_LEAST:
        found.append("so little was read from the cache that this proves nothing")
    if local and share(total(counts, "read", None, "local"), total(counts, "read")) < LOCAL_LEAST:
        found.append("so little was read from the processes' own caches that this proves nothing of them")
    if promises and violations:
        found.append(f"{violations:,} violations")
    if not promises and not violations:
        found.append("nothing was found in a way that promises nothing: the checker is blind")
    return found


def tell(counts: Counts, mode: str, seed: int, promises: bool, local: bool = False) -> int:
    """Print it all; the exit code."""
    for line in report(counts, seed):
        say(line)
    found = failures(counts, promises, local)
    for line in found:
        say(f"FAILED: {line}")
    if not found:
        say(f"PASSED: {mode}" + (", nothing older than what had returned" if promises else ", as its way is"))
    return 1 if found else 0


def tell_table(runs: dict[str, Counts], seed: int, peers: tuple[str, ...]) -> int:
    """All runs, then one line for each; the exit code."""
    codes = [tell(counts, mode, seed, mode not in peers) for mode, counts in runs.items()]
    say(f"{'mode':<18}{'reads':>14}{'hit ratio':>12}{'stale per million':>20}{'own lost':>12}{'went back':>12}{'other':>8}")
    for mode, counts in runs.items():
        kinds = {what: total(counts, "violation", None, what) for what in ("stale", "own_write_lost", "went_back")}
        other = total(counts, "violation") - sum(kinds.values())
        stale = kinds["stale"] + kinds["own_write_lost"]
        say(f"{mode:<18}{total(counts, 'read'):>14,}{hit_ratio(counts):>12.3f}{per_million(stale, counts):>20.2f}"
            f"{kinds['own_write_lost']:>12,}{kinds['went_back']:>12,}{other:>8,}")
    return max(codes)
