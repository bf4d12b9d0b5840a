from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cmkt.audio.read import read_audio
from cmkt.evaluation.held_out import HeldOutMixture
from cmkt.evaluation.kept_audio import audio_path, keep_audio, kept_ids, lacks_audio, spread
from cmkt.evaluation.record import Item

ITEM = Item("a", 5.0)


def mixture(*, clean: bool) -> HeldOutMixture:
    noisy = np.full(800, 0.5, dtype=np.float32)
    return HeldOutMixture(ITEM, noisy, 0.5 * noisy if clean else None, 8_000)


def names(output: Path) -> set[str]:
    return {path.name for path in output.rglob("*.wav")}


def test_names_with_slashes_make_no_folders(tmp_path: Path) -> None:
    path = audio_path(tmp_path, Item("book/chapter 1", -5.0), "a/b")
    assert path == tmp_path / "audio" / "book_chapter_1_-5dB_a_b.wav"
    assert audio_path(tmp_path, Item("a", None), "b").name == "a_b.wav"


def test_audio_is_spread_over_the_set() -> None:
    assert spread(9, 3) == [0, 3, 6]
    assert spread(2, 5) == [0, 1]
    assert spread(4, 0) == []
    items = [Item(name, snr_db) for name in "abcd" for snr_db in (0.0, 5.0)]
    assert kept_ids(items, 2) == {"a", "c"}


def test_the_reference_is_kept_with_noisy(tmp_path: Path) -> None:
    assert lacks_audio(tmp_path, ITEM, "noisy", has_reference=True)
    keep_audio(tmp_path, mixture(clean=True), "noisy", mixture(clean=True).noisy)
    assert not lacks_audio(tmp_path, ITEM, "noisy", has_reference=True)
    keep_audio(tmp_path, mixture(clean=True), "model", np.zeros(800, dtype=np.float32))
    assert names(tmp_path) == {"a_5dB_noisy.wav", "a_5dB_clean.wav", "a_5dB_model.wav"}
    audio, rate = read_audio(audio_path(tmp_path, ITEM, "clean"))
    assert rate == 8_000
    assert audio == pytest.approx(0.25, abs=1e-4)


def test_clean_as_a_system_keeps_nothing_and_neither_does_a_missing_reference(tmp_path: Path) -> None:
    keep_audio(tmp_path, mixture(clean=True), "clean", mixture(clean=True).noisy)
    assert names(tmp_path) == set()
    assert not lacks_audio(tmp_path, ITEM, "clean", has_reference=True)
    keep_audio(tmp_path, mixture(clean=False), "noisy", mixture(clean=False).noisy)
    assert names(tmp_path) == {"a_5dB_noisy.wav"}
    assert not lacks_audio(tmp_path, ITEM, "noisy", has_reference=False)
