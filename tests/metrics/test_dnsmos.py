from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cmkt.audio.read import read_audio
from cmkt.errors import ConfigError, MetricUndefinedError, MissingExtraError
from cmkt.metrics.dnsmos import P835, WINDOW_SAMPLES, dnsmos_p808, dnsmos_p835, log_mel

Voice = Callable[[float, int], NDArray[np.float64]]
RATE = 16_000


def noisy(x: NDArray[np.float64], level: float) -> NDArray[np.float64]:
    return x + level * np.random.default_rng(0).standard_normal(x.size)


@pytest.mark.parametrize(
    ("seconds", "level", "expected", "p808"),
    [
        (3.0, 0.01, P835(sig=2.4097727, bak=1.7825583, ovrl=1.6502735), 2.3717299),
        (12.5, 0.003, P835(sig=2.8238613, bak=2.5656607, ovrl=2.1522268), 2.3415875),
    ],
)
def test_values_are_those_of_speechmos(seconds: float, level: float, expected: P835, p808: float, voice: Voice) -> None:
    """speechmos 0.0.1.1 with librosa 0.11 and onnxruntime 1.32, on the same signals."""
    x = noisy(voice(seconds, RATE), level)
    assert dnsmos_p835(estimate=x, sample_rate=RATE) == pytest.approx(expected, abs=1e-4)
    assert dnsmos_p808(estimate=x, sample_rate=RATE) == pytest.approx(p808, abs=1e-4)


def test_more_noise_is_rated_worse_by_the_background_and_by_either_network(voice: Voice) -> None:
    x = voice(9.01, RATE)
    quiet, loud = (dnsmos_p835(estimate=noisy(x, level), sample_rate=RATE) for level in (1e-4, 1e-2))
    assert quiet.bak > loud.bak + 1
    assert quiet.ovrl > loud.ovrl
    assert dnsmos_p808(estimate=x, sample_rate=RATE) > dnsmos_p808(estimate=noisy(x, 1e-2), sample_rate=RATE)


def test_a_short_signal_is_doubled_until_it_fills_a_window(voice: Voice) -> None:
    x = noisy(voice(2.5, RATE), 1e-3)
    repeated = np.tile(x, 4)
    assert repeated.size >= WINDOW_SAMPLES
    assert dnsmos_p808(estimate=x, sample_rate=RATE) == dnsmos_p808(estimate=repeated, sample_rate=RATE)


def test_every_second_from_the_first_starts_a_window_also_where_speechmos_leaves_it_out(voice: Voice) -> None:
    x = noisy(voice(18.2, RATE), 1e-3) * np.linspace(0.1, 1, 18 * RATE + RATE // 5)
    alone = [
        dnsmos_p808(estimate=x[second * RATE : second * RATE + WINDOW_SAMPLES], sample_rate=RATE) for second in range(9)
    ]
    assert np.ptp(alone[7:]) > 0
    assert dnsmos_p808(estimate=x, sample_rate=RATE) == pytest.approx(np.mean(alone), abs=1e-5)


def test_other_rates_are_scored_at_16_khz(voice: Voice) -> None:
    low, high = (dnsmos_p808(estimate=voice(9.01, rate), sample_rate=rate) for rate in (RATE, 48_000))
    assert low == pytest.approx(high, abs=0.1)


def test_the_network_hears_from_minus_1_to_1_in_120_bands_of_10_ms() -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE).astype(np.float32)
    heard = log_mel(tone)
    assert heard.shape == (100, 120)
    assert heard.dtype == np.float32
    assert (heard.min(), heard.max()) == (-1, 1)
    assert (heard[5:-5].argmax(axis=-1) == 39).all()  # 1 kHz is 15 of the 45.2 mels that the bands share


def test_silence_and_not_finite_are_undefined_and_two_channels_are_a_config_error(voice: Voice) -> None:
    x = voice(1, RATE)
    for score in (dnsmos_p835, dnsmos_p808):
        for bad in (0 * x, np.full_like(x, np.nan), x[:0]):
            with pytest.raises(MetricUndefinedError):
                score(estimate=bad, sample_rate=RATE)
        with pytest.raises(ConfigError, match="one by one"):
            score(estimate=np.stack([x, x]), sample_rate=RATE)


def test_a_missing_package_is_an_error_that_names_the_command(voice: Voice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "speechmos", None)
    for score in (dnsmos_p835, dnsmos_p808):
        with pytest.raises(MissingExtraError, match=r"pip install 'cmkt\[dnsmos\]'"):
            score(estimate=voice(1, RATE), sample_rate=RATE)


@pytest.mark.parametrize("content", [b"another network", None])
def test_another_network_than_the_published_one_is_refused(
    content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "speechmos" / "dnsmos_models").mkdir(parents=True)
    (tmp_path / "speechmos" / "__init__.py").write_text("raise RuntimeError('its code must not run')")
    if content is not None:
        (tmp_path / "speechmos" / "dnsmos_models" / "model_v8.onnx").write_bytes(content)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MissingExtraError, match=r"speechmos==0\.0\.1\.1"):
        dnsmos_p808(estimate=np.ones(RATE), sample_rate=RATE)


@pytest.mark.corpus
def test_real_speech_is_rated_better_than_the_same_in_noise(corpus: Path) -> None:
    audio, rate = read_audio(sorted((corpus / "speech").rglob("*.flac"))[0])
    x = audio[0].astype(np.float64)
    clean, loud = (
        dnsmos_p835(estimate=each, sample_rate=rate) for each in (x, noisy(x, float(np.sqrt(np.mean(x**2)))))
    )
    assert all(one > other for one, other in zip(clean, loud, strict=True))
