"""The report in a real headless Chromium. Skipped where there is none; CMKT_CHROMIUM may name it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cmkt.evaluation.report.document import make_document
from cmkt.evaluation.report.options import Options
from cmkt.evaluation.report.page import render
from cmkt.evaluation.report.sources import find_sources
from tests.evaluation.report.browser import Browser, chromium, find_chromium

COLUMN = "[...document.querySelectorAll('#set1-summary ~ .scroll table')][0]"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    program = find_chromium()
    if program is None:
        pytest.skip("needs Chromium: install it (Debian: apt install chromium), or name it by CMKT_CHROMIUM")
    with chromium(program, tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def url(evaluated: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    run = tmp_path_factory.mktemp("run")
    (run / "logs").mkdir()
    (run / "logs" / "metrics.csv").write_text("step,dev/enhancement\n1,0.5\n2,0.4\n")
    (run / "config.yaml").write_text("seed_everything: 1\n")
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(render(make_document(find_sources([evaluated, run]), Options())), encoding="utf-8")
    return path.as_uri()


def test_it_loads_without_a_complaint_or_a_request(browser: Browser, url: str) -> None:
    browser.resize(1280)
    browser.open(url)
    assert browser.evaluate("document.title") == "Speech enhancement report"
    assert (
        browser.evaluate("getComputedStyle(document.querySelector('.box')).strokeWidth") == "1px"
    )  # styles are allowed
    assert browser.errors() == []
    assert browser.requests() == [url]


def test_a_request_would_have_been_seen_and_is_forbidden(browser: Browser, url: str) -> None:
    browser.open(url)
    refused = """new Promise((done) => {
      const image = new Image();
      image.onerror = () => done(true);
      image.src = "https://example.org/a";
    })"""
    assert browser.evaluate(refused) is True
    assert any("Content Security Policy" in error for error in browser.errors())


@pytest.mark.parametrize("by", ["mouse", "keyboard"])
def test_a_head_sorts_its_table_both_ways(browser: Browser, url: str, by: str) -> None:
    browser.resize(1280)
    browser.open(url)
    values = f"[...{COLUMN}.tBodies[0].rows].map((row) => row.cells[1].dataset.value ?? null)"
    before = browser.evaluate(values)
    assert None in before  # clean has no STOI
    for direction in ("descending", "ascending"):
        if by == "mouse":
            browser.evaluate(f"{COLUMN}.tHead.rows[0].cells[1].querySelector('button').click()")
        else:
            browser.evaluate(f"{COLUMN}.tHead.rows[0].cells[1].querySelector('button').focus()")
            for kind in ("keyDown", "keyUp"):
                browser.call(
                    "Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", text="\r", windowsVirtualKeyCode=13
                )
        assert browser.evaluate(f"{COLUMN}.tHead.rows[0].cells[1].getAttribute('aria-sort')") == direction
        numbers = [float(value) for value in browser.evaluate(values) if value is not None]
        assert numbers == sorted(numbers, reverse=direction == "descending")
        assert browser.evaluate(values)[-1] is None
    assert sorted(map(str, browser.evaluate(values))) == sorted(map(str, before))
    names = browser.evaluate(f"[...{COLUMN}.tHead.rows[0].cells].map((cell) => cell.getAttribute('aria-sort'))")
    assert names.count("none") == len(names) - 1


PLAY = """
(async () => {
  const audios = [...document.querySelectorAll('.card')][0].querySelectorAll('audio');
  const [first, second] = audios;
  const moving = async (audio) => { while (!(audio.currentTime > 0.05)) await new Promise((d) => setTimeout(d, 10)); };
  first.loop = second.loop = true;
  await first.play();
  await moving(first);
  const head = first.closest('.sound').querySelector('.playhead');
  const moved = Number(head.getAttribute('x1')) > Number(head.dataset.from) && head.classList.contains('on');
  await second.play();
  await moving(second);
  const labels = [...audios].every((audio) => audio.ariaLabel);
  return { duration: first.duration, time: second.currentTime, moved, stopped: first.paused, labels };
})()
"""


def test_audio_plays_and_the_next_player_takes_over(browser: Browser, url: str) -> None:
    browser.open(url)
    told = browser.evaluate(PLAY)
    assert told["duration"] == pytest.approx(0.5, abs=0.01)
    assert told["time"] > 0.05
    assert told["moved"]
    assert told["stopped"]
    assert told["labels"]
    assert browser.errors() == []


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_the_page_does_not_scroll_sideways(browser: Browser, url: str, width: int) -> None:
    browser.resize(width)
    browser.open(url)
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    tables = "[...document.querySelectorAll('table')].every((table) => table.closest('.scroll'))"
    assert browser.evaluate(tables) is True


@pytest.mark.parametrize("dark", [False, True])
def test_text_stands_out_from_the_paper_in_both_settings(browser: Browser, url: str, dark: bool) -> None:
    browser.resize(1280, dark=dark)
    browser.open(url)
    numbers = "(c) => c.match(/[\\d.]+/g).slice(0, 3).map(Number)"
    paper = browser.evaluate(f"({numbers})(getComputedStyle(document.body).backgroundColor)")
    assert (sum(paper) < 3 * 128) is dark
    for selector in (
        "body",
        ".how",
        ".muted",
        ".line.better, .line.worse, .verdict",
        "del",
        ".badge.best",
        ".badge.worst",
    ):
        ink = browser.evaluate(f"({numbers})(getComputedStyle(document.querySelector('{selector}')).color)")
        assert contrast(ink, paper) >= 4.5, (selector, ink, paper)  # WCAG 2.1, level AA


def contrast(first: list[float], second: list[float]) -> float:
    """The ratio of WCAG 2.1, 1 to 21."""

    def luminance(colour: list[float]) -> float:
        parts = [value / 255 for value in colour]
        linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    bright, dim = sorted((luminance(first), luminance(second)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def test_paper_shows_what_is_folded_and_no_players(browser: Browser, url: str) -> None:
    browser.open(url)
    folded = "document.querySelectorAll('details:not([open]):not(.numbers)').length"
    before = browser.evaluate(folded)
    assert before > 0
    browser.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert browser.evaluate(folded) == 0
    browser.call("Emulation.setEmulatedMedia", media="print")
    assert browser.evaluate("getComputedStyle(document.querySelector('audio')).display") == "none"
    assert len(browser.call("Page.printToPDF")["data"]) > 10_000
    browser.call("Emulation.setEmulatedMedia", media="")
    browser.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert browser.evaluate(folded) == before
