from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cmkt.audio.read import read_audio
from cmkt.errors import ConfigError, MetricUndefinedError, MissingExtraError
from cmkt.metrics.composite import Composite, composite, regress
from cmkt.metrics.pesq import pesq_wb
from cmkt.signal.resample import resample

Voice = Callable[[float, int], NDArray[np.float64]]
Pairs = dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]
RATE = 16_000


def test_the_regressions_by_hand() -> None:
    """3.093 - 1.029 + 1.206 - 0.45; 1.634 + 0.956 - 0.35 + 0.63; 1.594 + 1.61 - 0.512 - 0.35."""
    assert regress(pesq=2.0, llr=1.0, wss=50.0, snr_seg=10.0) == pytest.approx((2.82, 2.87, 2.342))


def test_ratings_stay_within_1_and_5() -> None:
    assert regress(pesq=1.0, llr=6.0, wss=200.0, snr_seg=-10.0) == Composite(1, 1, 1)
    assert regress(pesq=4.64, llr=0.0, wss=0.0, snr_seg=35.0) == Composite(5, 5, 5)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("quiet", regress(pesq=2.4911608696, llr=0.8615325030, wss=16.7768033741, snr_seg=12.9141362383)),
        ("loud", regress(pesq=1.0255112648, llr=2.5371380395, wss=28.8739319830, snr_seg=-1.6289348938)),
        ("dull", regress(pesq=4.5970029831, llr=0.6112352260, wss=0.0319879565, snr_seg=19.5662482559)),
    ],
)
def test_it_is_the_regression_on_what_other_implementations_measure(
    name: str, expected: Composite, pairs: Pairs
) -> None:
    """pesq 0.0.4 and pysepm-evo 0.1.1, a port of Loizou's MATLAB code."""
    estimate, reference = pairs[name]
    found = composite(estimate=estimate, reference=reference, sample_rate=RATE)
    assert found == pytest.approx(expected, abs=1e-4)


def test_identical_signals_have_5_at_16_khz_and_above(voice: Voice) -> None:
    for rate in (16_000, 48_000):
        x = voice(3, rate)
        assert composite(estimate=x, reference=x, sample_rate=rate) == (5, 5, 5)


def test_a_higher_rate_has_the_value_of_16_khz(pairs: Pairs) -> None:
    estimate, reference = pairs["loud"]
    there = [resample(x, RATE, 48_000) for x in (estimate, reference)]
    high = composite(estimate=there[0], reference=there[1], sample_rate=48_000)
    assert high == pytest.approx(composite(estimate=estimate, reference=reference, sample_rate=RATE), abs=0.15)


def test_more_noise_is_worse_in_each(pairs: Pairs) -> None:
    quiet, loud = (composite(estimate=e, reference=r, sample_rate=RATE) for e, r in (pairs["quiet"], pairs["loud"]))
    assert all(one > other >= 1 for one, other in zip(quiet, loud, strict=True))


def test_a_pesq_that_is_known_is_taken_and_changes_nothing(pairs: Pairs, monkeypatch: pytest.MonkeyPatch) -> None:
    estimate, reference = pairs["quiet"]
    expected = composite(estimate=estimate, reference=reference, sample_rate=RATE)
    known = pesq_wb(estimate=estimate, reference=reference, sample_rate=RATE)
    monkeypatch.setitem(sys.modules, "pesq", None)
    assert composite(estimate=estimate, reference=reference, sample_rate=RATE, pesq=known) == expected
    with pytest.raises(MissingExtraError, match=r"pip install 'cmkt\[eval\]'"):
        composite(estimate=estimate, reference=reference, sample_rate=RATE)


def test_a_rate_below_16_khz_is_undefined(voice: Voice) -> None:
    x = voice(3, 8_000)
    with pytest.raises(MetricUndefinedError, match="16000 Hz or more"):
        composite(estimate=x, reference=x, sample_rate=8_000)


def test_silence_is_undefined_and_another_length_is_a_config_error(voice: Voice) -> None:
    x = voice(3, RATE)
    for pesq in (None, 2.0):
        with pytest.raises(MetricUndefinedError, match="the estimate is silent"):
            composite(estimate=0 * x, reference=x, sample_rate=RATE, pesq=pesq)
        with pytest.raises(ConfigError, match="as long as"):
            composite(estimate=x[1:], reference=x, sample_rate=RATE, pesq=pesq)


@pytest.mark.corpus
def test_real_speech_in_more_noise_is_rated_lower_in_each(corpus: Path) -> None:
    for path in sorted((corpus / "speech").rglob("*.flac"))[::200]:
        audio, rate = read_audio(path)
        x = audio[0].astype(np.float64)
        noise = np.random.default_rng(0).standard_normal(x.size) * np.sqrt(np.mean(x**2))
        ratings = [composite(estimate=x + level * noise, reference=x, sample_rate=rate) for level in (0.01, 0.1, 1.0)]
        for each in zip(*ratings, strict=True):
            assert 5 >= each[0] > each[1] >= each[2] >= 1
