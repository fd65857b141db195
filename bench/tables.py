"""What was measured, for people: on what, the targets, and the rest."""

from __future__ import annotations

from rows import Part, Row, a_second, microseconds, side

OTHERS = {  # contests without a target
    ("hit", 8): "shared hit", ("miss", 8): "replica read without cache",
    ("first fill", 1): "first read of a key, stored",
    ("write", 1): "write", ("strict write", 1): "write, mode strict", ("fenced hit", 1): "shared hit, fenced",
    ("fenced hit", 8): "shared hit, fenced", ("pages, reads only", 64): "product page mix, nothing written"}
PEERS = {"fenced hit": "the same in mode ttl", "pages, reads only": "pgpool-II, its query cache"}


def machine(report: Part) -> str:
    """Figures without the machine that they were taken on mean nothing."""
    of = report["machine"]
    trace = "recorded" if report["recorded"] else "INVENTED (no --data): Zipf's law, exponent 0.82"
    lines = [
        f"{of['cores']} cores, {of['cpu']}; load before the run {of['load']:.1f}",
        f"PostgreSQL {of['postgres']} ({of['settings']}), Redis {of['redis']}; libpq {of['libpq']}, hiredis"
        f" {of['hiredis']}, libmemcached {of['libmemcached']}; libshopdata {of['library']} ({of['build']})",
        f"{of['peers']}" if of.get("peers") else "",
        "The machine was busy with other things: trust the ratios, with their spread, not the times."
        if of["load"] > 1 else "",
        f"{report['products']} products, {report['hot']} of them read again and again, an entry has"
        f" {report['entry_bytes']} bytes; trace: {report['accesses']} accesses of {report['objects']} objects, {trace}"]
    return "\n".join(line for line in lines if line)


def number(value: float) -> str:
    """Two figures behind the point where they matter."""
    return f"{value:.2f}" if abs(value) < 100 else f"{value:,.0f}"


def target(row: Row) -> str:
    """As it was set."""
    return f"{'<=' if row.at_most else '>='} {row.limit:g} {row.unit}"


def of_targets(rows: list[Row]) -> str:
    """The table that bench/run is about."""
    width = max(len(row.what) for row in rows)
    peers = max(len(row.against) for row in rows)
    lines = [f"{'what':{width}}  {'against':{peers}}  {'ours':>10}  {'theirs':>10}  {'result':>8}"
             f"  {'8 in 10 within':>16}  {'target':>14}"]
    for row in rows:
        figure = row.figure
        shown = number(figure.median) if figure else ""
        spread = f"{number(figure.p10)} to {number(figure.p90)}" if figure else ""
        lines.append(f"{row.what:{width}}  {row.against:{peers}}  {row.ours:>10}  {row.theirs:>10}  {shown:>8}"
                     f"  {spread:>16}  {target(row):>14}  {row.verdict}")
    return "\n".join(lines)


def of_others(report: Part) -> str:
    """The contests that have no target."""
    lines = [f"{'without a target':36}{'threads':>8}{'ours':>12}{'bare':>12}{'ratio':>8}  {'8 in 10 within':16}"
             " bare is"]
    for contest in report["contests"]:
        name = OTHERS.get((contest["name"], contest["threads"]))
        if name is None or "missing" in contest:
            continue
        ratio, what = contest["ratio"], PEERS.get(contest["name"], contest["bare"]["what"])
        spread = f"{number(ratio['p10'])} to {number(ratio['p90'])}"
        lines.append(f"{name:36}{contest['threads']:8}{side(contest, 'ours'):>12}{side(contest, 'bare'):>12}"
                     f"{number(ratio['median']):>8}  {spread:16} {what}")
    return "\n".join(lines) + "\nTimes: ratio = ours / bare, lower is better; calls a second: higher is better."


def of_shares(report: Part) -> str:
    """How many reads the primary had to answer."""
    shares = report["primary_shares"]
    if not shares:
        return "Replicas were not made to lag: SHOPDATA_SUPERUSER_REPLICA1 and 2 are not set."
    lags = sorted({share["lag_ms"] for share in shares})
    lines = ["Of a read-mostly load (2.35 % writes), reads that went to the primary with replicas so far behind:",
             f"{'cache.mode':18}" + "".join(f"{lag:7} ms" for lag in lags)]
    for mode in ("fenced", "ttl", "none"):
        of_mode = {share["lag_ms"]: share for share in shares if share["mode"] == mode}
        lines.append(f"{'(no cache)' if mode == 'none' else mode:18}" + "".join(
            f"{100 * of_mode[lag]['primary'] / max(of_mode[lag]['reads'], 1):8.2f} %" for lag in lags))
    return "\n".join(lines)


def of_hit_ratio(report: Part) -> str:
    """The shared cache's, while Redis evicts."""
    ratio = report["hit_ratio"]
    if not ratio:
        return "No hit ratio of the shared cache: there is no trace (--data DIR)."
    lost, room = ratio["ours"] - ratio["perfect"], ratio["ours"] - ratio["perfect_roomier"]
    return "\n".join([
        f"Hit ratio on {ratio['accesses']} recorded accesses of {ratio['objects']} objects, {ratio['writes']} of them"
        " made writes, while Redis evicts:",
        f"libshopdata       {ratio['ours']:7.2%}  with {ratio['entries']:.0f} answers and {ratio['fences']:.0f} fences"
        f" in Redis, {ratio['evicted']} evicted",
        f"perfect           {ratio['perfect']:7.2%}  with as many answers, invalidation at once and for nothing:"
        f" {100 * lost:+.2f} points",
        f"perfect, roomier  {ratio['perfect_roomier']:7.2%}  with the fences' room for answers too"
        f" ({ratio['bytes_without_fence']:.0f} bytes each, not {ratio['bytes']:.0f}): {100 * room:+.2f} points"])


def of_curves(report: Part) -> str:
    """What the drawing shows."""
    curves = [curve for curve in report["curves"] if "missing" not in curve]
    figures = f"{'median':>10}{'99 %':>10}"
    lines = [f"{'over threads':14}{'threads':>8}{'ours':>12}{figures}{'raw':>12}{figures}"]
    for curve in sorted(curves, key=lambda one: (one["name"], one["threads"])):
        cells = ""
        for who in ("ours", "bare"):
            if who in curve:
                one = curve[who]
                cells += (f"{a_second(one['calls_per_second']['median']):>12}"
                          f"{microseconds(one['microseconds']['median']):>10}{microseconds(one['tail']['median']):>10}")
        lines.append(f"{curve['name']:14}{curve['threads']:8}{cells}")
    return "\n".join(lines)
