"""Which utterances are clean enough to train on."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from lhotse import MonoCut

from cmkt.data.entry import Entry
from cmkt.data.manifest import make_cut
from cmkt.data.selection import clean_enough
from cmkt.data.validation import Checked
from cmkt.errors import DataError


def cut(name: str, custom: dict[str, object]) -> MonoCut:
    checked = Checked(sample_rate=16_000, channels=1, samples=16_000 * 36, peak=0.5, clipped_share=0.0)
    return make_cut(Entry(name, Path(f"{name}.wav"), custom=custom), checked)


def cuts(*values: float) -> list[MonoCut]:
    return [cut(f"u{value:g}", {"speech_to_floor_db": value}) for value in values]


def test_only_utterances_at_or_above_the_minimum_are_kept_in_order(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="cmkt"):
        kept = clean_enough(cuts(40.0, 20.0, 30.0, 29.99), 30.0, folder="data/train")
    assert [one.id for one in kept] == ["u40", "u30"]
    assert "Left out 2 of 4 utterances (0.02 h) of data/train" in caplog.text


@pytest.mark.parametrize(
    "custom", [{}, {"corpus": "toy"}, {"speech_to_floor_db": "40"}, {"speech_to_floor_db": float("nan")}]
)
def test_a_folder_without_the_value_must_be_prepared_again(custom: dict[str, object]) -> None:
    with pytest.raises(DataError, match=r"data/train must say .* of old is .*`cmkt prepare` again"):
        clean_enough([*cuts(50.0), cut("old", custom)], 30.0, folder="data/train")


@pytest.mark.parametrize(("values", "highest"), [((20.0, 25.0), "25.0 dB"), ((), "-inf dB")])
def test_nothing_left_is_an_error_that_says_what_there_is(values: tuple[float, ...], highest: str) -> None:
    with pytest.raises(DataError, match=f"at least 30 dB .* has {highest}"):
        clean_enough(cuts(*values), 30.0, folder="data/train")
