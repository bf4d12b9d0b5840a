"""The page of a document: complete, escaped, and with nothing outside of it."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from cmkt.errors import ConfigError
from cmkt.evaluation.report.document import make_document
from cmkt.evaluation.report.options import Options
from cmkt.evaluation.report.page import duration, render
from cmkt.evaluation.report.sources import find_sources
from tests.evaluation.report.conftest import HOSTILE, write_evaluation

VOID = {"meta", "link", "br", "img", "input"}


class Outline(HTMLParser):
    """Headings, ids, links, and whether every element is closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.headings: list[int] = []
        self.scripts = 0
        self.outside: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if tag not in VOID:
            self.open.append(tag)
        self.scripts += tag == "script"
        if given.get("id"):
            self.ids.append(str(given["id"]))
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        for name in ("href", "src"):
            value = given.get(name)
            if value is not None and value.startswith("#"):
                self.links.append(value[1:])
            elif value is not None and not value.startswith("data:"):
                self.outside.append(value)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag


def outline(page: str) -> Outline:
    parser = Outline()
    parser.feed(page)
    parser.close()
    assert parser.open == []
    return parser


@pytest.fixture(scope="module")
def page(evaluated: Path) -> str:
    return render(make_document(find_sources([evaluated]), Options(title="Made & <measured>")))


def test_elements_are_closed_links_lead_somewhere_and_ids_are_unique(page: str) -> None:
    parsed = outline(page)
    assert set(parsed.links) <= {*parsed.ids}
    assert len(parsed.ids) == len(set(parsed.ids))


def test_headings_have_no_gaps(page: str) -> None:
    headings = outline(page).headings
    assert headings[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(headings))


def test_nothing_lies_outside_and_the_page_forbids_itself_to_ask(page: str) -> None:
    assert outline(page).outside == []
    assert "url(" not in page
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    assert policy[1].startswith("default-src &#39;none&#39;") or policy[1].startswith("default-src 'none'")
    assert "unsafe" not in policy[1]


def test_hostile_names_are_text(page: str) -> None:
    assert HOSTILE not in page
    assert "&lt;script&gt;alert(&#39;id&#39;)&lt;/script&gt; at" in page
    assert "<b>hum</b>" not in page
    assert "Made &amp; &lt;measured&gt;" in page
    assert outline(page).scripts == 1


def test_every_part_of_an_evaluation_is_there(page: str) -> None:
    for text in (
        "Does it harm anyone?",
        "System against system",
        "Distributions",
        "By group",
        "Helped least, by STOI",
        "best of 28",
        "<del>",
        "How to reproduce",
        "Chosen among the 16 of 28 mixtures whose audio was kept.",
    ):
        assert text in page
    assert page.count("<audio") > 8
    assert page.count("<audio") == page.count('class="playhead"')


def test_without_audio_the_page_says_how_to_get_it(silent: Path) -> None:
    page = render(make_document(find_sources([silent]), Options()))
    assert "No audio was kept." in page
    assert "--save-audio" in page
    assert "<audio" not in page
    assert "Helped least, by STOI" in page


def test_no_utterances_are_heard_where_none_are_asked_for(evaluated: Path) -> None:
    assert "<audio" not in render(make_document(find_sources([evaluated]), Options(utterances=0)))


def test_a_run_that_crashed_has_a_page_of_what_is_there(crashed: Path) -> None:
    page = render(make_document(find_sources([crashed]), Options()))
    outline(page)
    assert "enhancement loss" in page
    assert "It was trained plain, so there is no bridge." in page
    assert "none: training did not end" in page
    assert "Configuration of crashed" in page


def test_an_evaluation_of_noisy_alone_has_a_page(tmp_path: Path) -> None:
    page = render(make_document(find_sources([write_evaluation(tmp_path / "alone", ())]), Options()))
    outline(page)
    assert "Not known: no group has" in page


def test_each_test_set_has_a_section_of_its_own(evaluated: Path, tmp_path: Path) -> None:
    other = write_evaluation(tmp_path / "other", ("plain",), audio=False)
    lines = (other / "scores.jsonl").read_text().replace('"data": "data"', '"data": "more"')
    (other / "scores.jsonl").write_text(lines)
    parsed = outline(render(make_document(find_sources([evaluated, other]), Options(utterances=1))))
    assert {"set1", "set1-summary", "set2", "set2-summary"} <= {*parsed.ids}
    assert len(parsed.ids) == len(set(parsed.ids))
    assert {*parsed.links} <= {*parsed.ids}


def test_the_focus_can_be_chosen_and_must_be_there(evaluated: Path) -> None:
    sources = find_sources([evaluated])
    assert "mixtures that <b>transfer</b> helped" in render(make_document(sources, Options(system="transfer")))
    with pytest.raises(ConfigError, match="must be among plain, transfer"):
        make_document(sources, Options(system="nobody"))
    with pytest.raises(ConfigError, match="`utterances` must be 0 or more"):
        Options(utterances=-1)


def test_durations_read_well() -> None:
    assert [duration(seconds) for seconds in (42.4, 185, 7384)] == ["42 s", "3 min 5 s", "2 h 3 min"]
