from __future__ import annotations

import pytest
from markupsafe import Markup

from cmkt.evaluation.report.svg import Scale, dots, element, path, picture, rounded, tick_text


def test_text_and_attributes_are_escaped_and_elements_are_not() -> None:
    inner = element("title", "a < b")
    assert element("g", inner, "&", class_='x" onload="y') == (
        '<g class="x&#34; onload=&#34;y"><title>a &lt; b</title>&amp;</g>'
    )


def test_a_picture_has_a_name_for_screen_readers() -> None:
    assert picture(10, 5.5, Markup("<g/>"), label="STOI") == (
        '<svg viewBox="0 0 10 5.5" role="img" aria-label="STOI"><g/></svg>'
    )


def test_a_scale_is_linear_and_keeps_what_is_outside_at_its_end() -> None:
    scale = Scale(0.0, 2.0, 100.0, 0.0)
    assert [scale(value) for value in (0.0, 0.5, 2.0, 9.0, -9.0)] == [100.0, 75.0, 0.0, 0.0, 100.0]


@pytest.mark.parametrize(
    ("values", "marks"),
    [
        ([0.13, 0.88], [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        ([0.0, 1.0], [0.0, 0.25, 0.5, 0.75, 1.0]),
        ([-7.0, 21.0], [-10.0, 0.0, 10.0, 20.0, 30.0]),
        ([5e-4, 9e-4], [0.0005, 0.0006, 0.0007, 0.0008, 0.0009]),
    ],
)
def test_ticks_are_round_and_reach_around_all_values(values: list[float], marks: list[float]) -> None:
    scale, found = rounded(values, 0.0, 1.0)
    assert found == pytest.approx(marks)
    assert (scale.low, scale.high) == pytest.approx((marks[0], marks[-1]))


@pytest.mark.parametrize("values", [[], [3.0], [0.0, 0.0], [float("nan"), float("inf")]])
def test_one_value_or_none_has_a_scale_too(values: list[float]) -> None:
    scale, marks = rounded(values, 0.0, 1.0)
    assert scale.low < scale.high
    assert len(marks) >= 2


def test_lines_and_dots_are_short_paths() -> None:
    assert path([(0.0, 1.0), (2.345, 3.0)]) == "M0 1L2.35 3" or path([(0.0, 1.0), (2.345, 3.0)]) == "M0 1L2.34 3"
    assert dots([(1.5, 2.0)]) == "M1.5 2h0"


def test_a_tick_has_a_real_minus() -> None:
    assert [tick_text(value) for value in (-10.0, 0.25)] == ["−10", "0.25"]
