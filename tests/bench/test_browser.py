"""The report in a real browser, on a desk and on a phone: nothing runs out of the page, out of its plot or into one
another. With SHOPDATA_SCREENSHOTS=DIR the pages are pictured there. Skipped where there is no Chromium."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cost
import pytest
import report
from results import Results

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples" / "storefront"))

from driver.browser import Browser, program  # noqa: E402

PRICES = cost.parse("[prices]\nbig = 0.5\nsmall = 0.1\n[roles]\nprimary = 2 x big\nreplica = big\ncache = small\n", "p")
SIZES = {"desktop": 1280, "phone": 390}
# Each text of a visible plot that stands out of its plot, or in another text.
MISPLACED = """[...document.querySelectorAll('svg[role=img]')].flatMap(svg => {
    const whole = svg.getBoundingClientRect();
    if (!whole.width) return [];
    const texts = [...svg.querySelectorAll('text')].map(one => [one.textContent, one.getBoundingClientRect()]);
    const title = svg.querySelector('title').textContent;
    const out = texts.filter(([, box]) => box.left < whole.left - 1 || box.right > whole.right + 1
        || box.top < whole.top - 1 || box.bottom > whole.bottom + 2).map(([words]) => `${title}: ${words} stands out`);
    const over = texts.flatMap(([words, box], number) => texts.slice(number + 1).filter(([, other]) =>
        box.left < other.right - 1 && other.left < box.right - 1 && box.top < other.bottom - 3
        && other.top < box.bottom - 3).map(([others]) => `${title}: ${words} over ${others}`));
    return [...out, ...over];
})"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = program()
    if not path:
        pytest.skip("there is no Chromium (apt-get install chromium)")
    one = Browser(path)
    yield one
    one.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory, demo: Results, sweep: Results) -> dict[str, Path]:
    long = replace(demo, title="x" * 99, command="y" * 300,
                   runs=[replace(run, configuration=run.configuration + "-and-so-on" * 9) for run in demo.runs])
    folder = tmp_path_factory.mktemp("pages")
    found = {}
    for name, results, prices in (("demo", demo, PRICES), ("sweep", sweep, PRICES), ("long", long, PRICES)):
        found[name] = folder / f"{name}.html"
        report.write(results, found[name], prices)
    return found


def picture(browser: Browser, name: str) -> None:
    folder = os.environ.get("SHOPDATA_SCREENSHOTS")
    for size, width in SIZES.items() if folder else ():
        for dark in (False, True):
            browser.look(width, 900, dark)
            browser.screenshot(Path(str(folder)) / f"report-{name}-{size}{'-dark' if dark else ''}.png")


@pytest.mark.parametrize("name", ["demo", "sweep", "long"])
def test_everything_has_its_place(browser: Browser, pages: dict[str, Path], name: str) -> None:
    browser.complaints.clear()
    for width in (*SIZES.values(), 320, 720):
        browser.look(width, 900, dark=False)
        browser.go(pages[name].as_uri())
        assert browser.run("document.documentElement.scrollWidth") <= width
        assert browser.run(MISPLACED) == []
        shown = browser.run("[...document.querySelectorAll('svg[role=img]')].filter(one => one.clientWidth).length")
        assert shown == browser.run("document.querySelectorAll('.wide').length")
    picture(browser, name)
    assert browser.complaints == []


def test_it_is_printed_on_white(browser: Browser, pages: dict[str, Path]) -> None:
    browser.look(1280, 900, dark=True)
    browser.go(pages["demo"].as_uri())
    browser.call("Emulation.setEmulatedMedia", media="print",
                 features=[{"name": "prefers-color-scheme", "value": "dark"}])
    try:
        style = "getComputedStyle(document.body)"
        assert browser.run(f"{style}.backgroundColor") == "rgb(252, 252, 251)"
        assert browser.run(f"{style}.color") == "rgb(29, 33, 38)"
    finally:
        browser.call("Emulation.setEmulatedMedia", media="")


def test_what_is_folded_is_opened_by_a_click_and_on_paper(browser: Browser, pages: dict[str, Path]) -> None:
    visible = "[...document.querySelectorAll('details table')].map(one => one.checkVisibility())"
    browser.look(SIZES["phone"], 900, dark=False)
    browser.go(pages["demo"].as_uri())
    tables = browser.run(visible)
    assert len(tables) > 10 and not any(tables)
    assert browser.run("document.documentElement.scrollHeight") < 15_000
    browser.run("document.querySelector('#all-0 summary').click()")
    assert sum(browser.run(visible)) == len(tables) - 1  # all but the statements' SQL
    browser.go(pages["demo"].as_uri())
    browser.call("Emulation.setEmulatedMedia", media="print")
    assert all(browser.run(visible))
    browser.call("Emulation.setEmulatedMedia", media="")
