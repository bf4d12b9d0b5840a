from __future__ import annotations

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from cmkt.evaluation.report.sound import Audio
from cmkt.evaluation.report.spectrogram import COLUMNS, ROWS, spectrogram_levels, spectrogram_picture, time_axis

RATE = 16_000
TONE = 0.5 * np.sin(2 * np.pi * 2000 * np.arange(2 * RATE) / RATE)


def test_a_tone_is_a_bright_line_at_its_frequency() -> None:
    audio = Audio(TONE, RATE)
    levels = spectrogram_levels(audio.samples, sample_rate=RATE)
    assert levels.shape[0] <= ROWS
    assert levels.shape[1] <= COLUMNS
    svg = spectrogram_picture(audio, levels, top_db=float(levels.max()), label="<tone>")
    content = re.search(r"data:image/png;base64,([^\"]+)", svg)
    assert content is not None
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(content[1]))).convert("L")).astype(float)
    brightest = np.unique(pixels.argmax(axis=0))
    assert brightest == pytest.approx([0.75 * len(pixels)], abs=1.5)  # 2 of 8 kHz from the bottom
    assert 'aria-label="&lt;tone&gt;"' in svg


def test_averaging_keeps_the_mean_power() -> None:
    noise = 0.1 * np.random.default_rng(0).standard_normal(20 * RATE)
    levels = spectrogram_levels(noise, sample_rate=RATE)
    assert levels.shape == (ROWS, COLUMNS)
    spread = levels[2:-2].mean(axis=1)
    assert np.ptp(spread) < 2.0


def test_one_sample_is_a_picture_too() -> None:
    levels = spectrogram_levels(np.zeros(1), sample_rate=RATE)
    assert "<image" in spectrogram_picture(Audio(np.zeros(1), RATE), levels, top_db=0.0, label="")


@pytest.mark.parametrize(("seconds", "last"), [(0.01, "0 s"), (2.6, "2.5 s"), (6.0, "6 s"), (33.0, "30 s")])
def test_the_time_axis_ends_with_its_unit(seconds: float, last: str) -> None:
    texts = re.findall(r">([^<>]+)</text>", time_axis(seconds, y=0.0))
    assert texts[-1] == last
    assert len(texts) <= 10
