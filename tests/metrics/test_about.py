from __future__ import annotations

from pathlib import Path

import pytest

from cmkt.metrics.about import ABOUT, about

LOWER_IS_BETTER = {"lsd", "wer", "cer", "wil"}


def test_the_table_has_every_metric_in_the_order_of_tables() -> None:
    sound = "pesq_wb pesq_nb stoi estoi si_sdr snr_seg lsd csig cbak covl"
    without_reference = "dnsmos_sig dnsmos_bak dnsmos_ovrl dnsmos_p808"
    assert list(ABOUT) == f"{sound} {without_reference} wer cer wil identified word_margin".split()
    assert [name for name in ABOUT if ABOUT[name].name != name] == []


@pytest.mark.parametrize("name", ABOUT)
def test_distances_and_errors_are_better_lower_and_all_else_higher(name: str) -> None:
    assert ABOUT[name].higher_is_better == (name not in LOWER_IS_BETTER)
    assert ABOUT[name].direction == ("lower is better" if name in LOWER_IS_BETTER else "higher is better")


@pytest.mark.parametrize("name", ABOUT)
def test_each_has_a_title_of_its_own_and_one_line_of_meaning(name: str) -> None:
    assert [each.title for each in ABOUT.values()].count(ABOUT[name].title) == 1
    assert ABOUT[name].meaning
    assert "\n" not in ABOUT[name].meaning


def test_labels_have_the_unit_but_not_the_scale_of_opinions() -> None:
    labels = [ABOUT[name].label for name in ("pesq_wb", "csig", "stoi", "si_sdr", "word_margin")]
    assert labels == ["PESQ-WB", "CSIG", "STOI", "SI-SDR (dB)", "margin (nats/word)"]


def test_a_metric_that_nobody_knows_is_called_by_its_name() -> None:
    unknown = about("mine")
    assert (unknown.label, unknown.decimals, unknown.higher_is_better) == ("mine", 3, True)
    assert about("lsd") is ABOUT["lsd"]


@pytest.mark.parametrize("name", ABOUT)
def test_the_docs_have_a_row_that_agrees(name: str) -> None:
    docs = Path(__file__).resolve().parents[2] / "docs" / "metrics.md"
    (row,) = (line for line in docs.read_text(encoding="utf-8").splitlines() if line.startswith(f"| `{name}` |"))
    cells = [cell.strip() for cell in row.split("|")]
    assert cells[2] == ABOUT[name].title
    assert f"{cells[5]} is better" == ABOUT[name].direction
    assert not ABOUT[name].unit or f"({ABOUT[name].unit})" in cells[3]
