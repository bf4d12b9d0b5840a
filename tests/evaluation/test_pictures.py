from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from cmkt.errors import AudioError, ConfigError, DataError, MissingExtraError
from cmkt.evaluation.pictures import loss_curves, read_curves, spectrogram_db, spectrogram_triple

RATE = 16_000
TONE = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE)
LOG = "epoch,step,train/enhancement,dev/enhancement,lr\n0,9,0.5,,\n0,19,0.4,,\n0,19,,0.45,0.001\n"


def is_png(path: Path) -> bool:
    return path.read_bytes().startswith(b"\x89PNG")


def test_a_tone_stands_at_its_frequency_and_level() -> None:
    level = spectrogram_db(TONE, sample_rate=RATE)
    bins, frames = level.shape
    assert (bins, frames) == (257, 1 + (RATE - 512) // 128)
    assert np.unique(level.argmax(axis=0)) == [round(1000 * 512 / RATE)]
    assert level.max() == pytest.approx(20 * np.log10(0.5), abs=0.01)


def test_silence_and_a_single_sample_have_a_spectrogram() -> None:
    assert spectrogram_db(np.zeros(1), sample_rate=RATE).shape == (257, 1)
    assert np.isfinite(spectrogram_db(np.zeros(RATE), sample_rate=RATE)).all()


def test_three_spectrograms_become_one_picture(tmp_path: Path) -> None:
    path = tmp_path / "pictures" / "a.png"
    spectrogram_triple(path, noisy=TONE, enhanced=0.5 * TONE, clean=0 * TONE, sample_rate=RATE, title="a")
    assert is_png(path)
    assert [each.name for each in path.parent.iterdir()] == ["a.png"]


def test_signals_of_different_length_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="one shape"):
        spectrogram_triple(tmp_path / "a.png", noisy=TONE, enhanced=TONE[1:], clean=TONE, sample_rate=RATE)
    with pytest.raises(AudioError, match="not be empty"):
        spectrogram_triple(tmp_path / "a.png", noisy=TONE[:0], enhanced=TONE[:0], clean=TONE[:0], sample_rate=RATE)


def test_curves_leave_out_the_rows_without_a_value(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text(LOG)
    curves = read_curves(tmp_path / "metrics.csv")
    assert curves["train/enhancement"] == ([9, 19], [0.5, 0.4])
    assert curves["dev/enhancement"] == ([19], [0.45])
    assert set(curves) == {"train/enhancement", "dev/enhancement", "lr"}


def test_curves_of_two_runs_become_one_picture(tmp_path: Path) -> None:
    for name, text in (("plain", LOG), ("transfer", LOG.replace("lr", "train/transfer"))):
        (tmp_path / f"{name}.csv").write_text(text)
    loss_curves(tmp_path / "loss.png", {name: tmp_path / f"{name}.csv" for name in ("plain", "transfer")})
    assert is_png(tmp_path / "loss.png")


def test_logs_without_a_loss_are_refused(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text("step,lr\n1,0.1\n")
    (tmp_path / "other.csv").write_text("lr\n0.1\n")
    with pytest.raises(DataError, match=r"must have a loss among .* but have \['lr'\]"):
        loss_curves(tmp_path / "loss.png", {"plain": tmp_path / "metrics.csv"})
    with pytest.raises(DataError, match="column `step`"):
        read_curves(tmp_path / "other.csv")
    with pytest.raises(DataError, match="does not exist"):
        read_curves(tmp_path / "none.csv")
    with pytest.raises(ConfigError, match="at least one run"):
        loss_curves(tmp_path / "loss.png", {})


def test_without_matplotlib_the_error_names_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match=r"cmkt\[report\]"):
        spectrogram_triple(tmp_path / "a.png", noisy=TONE, enhanced=TONE, clean=TONE, sample_rate=RATE)
