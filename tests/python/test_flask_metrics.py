"""What the metrics of several processes come to, and the page that shows them; without servers."""

from __future__ import annotations

import http.server
import os
import re
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shopdata.flask.exposition import Exposition
from shopdata.flask.page import Look, page
from shopdata.flask.workers import Publisher, total

BUILD = Path(os.environ["SHOPDATA_PACKAGE"]).parents[1]


def counted(reads: int, busy: int = 0) -> str:
    """What a process tells that has answered so many reads in 10 ms each."""
    return (
        "# HELP shopdata_queries_total Reads answered, by who answered.\n# TYPE shopdata_queries_total counter\n"
        f'shopdata_queries_total{{source="cache"}} {reads}\n'
        "# HELP shopdata_query_seconds Time.\n# TYPE shopdata_query_seconds histogram\n"
        f'shopdata_query_seconds_bucket{{source="cache",le="0.01"}} {reads}\n'
        f'shopdata_query_seconds_bucket{{source="cache",le="+Inf"}} {reads}\n'
        f'shopdata_query_seconds_sum{{source="cache"}} {reads / 100}\n'
        f'shopdata_query_seconds_count{{source="cache"}} {reads}\n'
        "# HELP shopdata_pool_busy_connections Connections in use.\n# TYPE shopdata_pool_busy_connections gauge\n"
        f'shopdata_pool_busy_connections{{node="primary"}} {busy}\n'
    )


@pytest.fixture
def publisher(tmp_path: Path) -> Iterator[Callable[..., Publisher]]:
    made = []

    def make(*figures: int) -> Publisher:
        made.append(Publisher(tmp_path / "metrics", lambda: counted(*figures)))
        return made[-1]

    yield make
    for one in made:
        if not one._ended.is_set():
            one.stop()


def look(tmp_path: Path) -> Look:
    return Look(total(tmp_path / "metrics"), 0)


def test_what_was_read_is_written_alike() -> None:
    text = counted(7, 3)
    told = Exposition()
    told.read(text)
    assert told.write() == text
    (sample,) = told.samples("shopdata_pool_busy_connections")
    assert (sample.value, sample.label("node"), sample.label("policy")) == (3, "primary", None)


def test_lines_that_are_none_are_left_out() -> None:
    told = Exposition()
    told.read('<html>\nno_family 1\n# TYPE x counter\nx{} 1\nx 2e3\nx\n\nx{a="b"} +Inf\n# EOF\n')
    assert told.write() == '# HELP x \n# TYPE x counter\nx 2001\nx{a="b"} Inf\n'


def test_counters_are_added_up_and_gauges_are_each_worker_s(
    publisher: Callable[..., Publisher], tmp_path: Path
) -> None:
    publisher(10, 1), publisher(5, 2)
    now = look(tmp_path)
    assert now.sum("shopdata_queries_total") == 15
    assert now.values("shopdata_query_seconds_bucket", 'le="0.01"') == [15]
    assert now.sum("shopdata_query_seconds_sum") == pytest.approx(0.15)
    assert now.values("shopdata_pool_busy_connections", 'node="primary",worker="1"') == [1]
    assert now.values("shopdata_pool_busy_connections", 'node="primary",worker="2"') == [2]
    assert now.sum("shopdata_workers") == 2


def test_what_a_process_counted_outlives_it(publisher: Callable[..., Publisher], tmp_path: Path) -> None:
    first, _ = publisher(10, 1), publisher(5, 2)
    first.stop()
    assert look(tmp_path).sum("shopdata_queries_total") == 15
    assert look(tmp_path).sum("shopdata_pool_busy_connections") == 2
    for reads in 1, 2, 3:  # each takes the number over, and goes on
        before = look(tmp_path).sum("shopdata_queries_total")
        publisher(reads).stop()
        assert look(tmp_path).sum("shopdata_queries_total") == before + reads
    assert sorted(path.name for path in (tmp_path / "metrics").glob("*.prom")) == ["worker-1.prom", "worker-2.prom"]


def test_in_a_forked_child_the_number_is_the_parent_s(publisher: Callable[..., Publisher], tmp_path: Path) -> None:
    parent = publisher(10)
    child = os.fork()
    if child == 0:
        parent.abandon()
        Publisher(tmp_path / "metrics", lambda: counted(4)).publish()
        os._exit(0)  # as if it were killed
    assert os.waitpid(child, 0)[1] == 0
    parent.publish()
    now = look(tmp_path)
    assert now.sum("shopdata_queries_total") == 14 and now.sum("shopdata_workers") == 1


def test_other_files_are_left_alone(publisher: Callable[..., Publisher], tmp_path: Path) -> None:
    publisher(3)
    (tmp_path / "metrics" / "worker-x.prom").write_text(counted(100))
    (tmp_path / "metrics" / "notes.txt").write_text("mine")
    assert look(tmp_path).sum("shopdata_queries_total") == 3


# ------------------------------------------------------------------------------------------------------------ the page


@pytest.fixture
def program() -> Path:
    if not (BUILD / "src/tool/shopdata").exists():
        pytest.skip("the program shopdata is not built here")
    return BUILD / "src/tool/shopdata"


def measured(times: int) -> str:
    """What the library writes of a process that did so much."""
    command = [str(BUILD / "tests/tool/metrics_text"), str(times)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def without_rates(text: str) -> list[str]:
    """The page's lines below the first, but for what depends on how long it took, to the microsecond."""
    text = re.sub(r"[\d.]+(?: [KMGT]?i?B)?/s", "RATE/s", text)
    text = re.sub(r"^(shelf +)[\d.]+ +[\d.]+", r"\1RATE RATE", text, flags=re.M)
    text = re.sub(r"^(replica1 .*) [\d.]+( +[\d.]+)$", r"\1 RATE\2", text, flags=re.M)
    return [re.sub(r"  +", "  ", line) for line in text.splitlines()[1:]]


def test_the_page_is_that_of_the_program(program: Path) -> None:
    looks = iter([measured(1), measured(5)])

    class Exporter(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(next(looks).encode())

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Exporter) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        command = [str(program), "top", "--once", "--interval", "0.2", f"127.0.0.1:{server.server_address[1]}"]
        theirs = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        server.shutdown()
    ours = "head\n" + page(Look(measured(1), 0), Look(measured(5), 0.2))
    assert without_rates(ours) == without_rates(theirs)
    assert "RATE/s" in without_rates(ours)[0]


def test_rates_are_over_the_time_between() -> None:
    text = page(Look(counted(100), 10), Look(counted(500), 12))
    assert re.search(r"^reads +200/s +cache 100.0 %$", text, re.M)
    assert re.search(r"^p50/p99   cache 5.00 ms/9.90 ms$", text, re.M)


def test_a_counter_that_fell_was_begun_anew() -> None:
    assert re.search(r"^reads +15.0/s ", page(Look(counted(100), 10), Look(counted(30), 12)), re.M)
