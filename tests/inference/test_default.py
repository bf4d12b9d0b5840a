"""The model that ships: what it promises to anybody who enhances with it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import cmkt
from cmkt.inference.card import read_card
from cmkt.inference.load import default_card
from cmkt.inference.onnx import OnnxEnhancer
from cmkt.signal.level import rms_db

RATE = 16_000
LIMIT_BYTES = 4_500_000


def speech_like(seconds: float, *, level: float = 0.1, seed: int = 0) -> NDArray[np.float32]:
    """Harmonics of a gliding pitch that come and go four times a second."""
    rng = np.random.default_rng(seed)
    time = np.arange(int(seconds * RATE)) / RATE
    pitch = 2 * np.pi * np.cumsum(140 + 30 * np.sin(2 * np.pi * 0.7 * time)) / RATE
    voice = sum(np.sin(k * pitch + rng.uniform(0, 6)) / k for k in range(1, 25))
    envelope = np.clip(np.sin(2 * np.pi * 2 * time), 0, None)
    speech: NDArray[np.float32] = (level * np.asarray(voice) * envelope / 2).astype(np.float32)
    return speech


def noisy(seconds: float, *, seed: int = 0) -> NDArray[np.float32]:
    noise = np.random.default_rng(seed).standard_normal(int(seconds * RATE))
    return (speech_like(seconds, seed=seed) + 0.02 * noise).astype(np.float32)


def test_it_fits_in_the_wheel_and_states_where_it_comes_from() -> None:
    card = default_card()
    assert sum(path.stat().st_size for path in card.parent.iterdir()) <= LIMIT_BYTES
    assert '"commit"' in card.read_text(encoding="utf-8")


def test_the_graph_is_of_the_weights_beside_it_and_gives_what_they_give() -> None:
    enhancer, model = cmkt.load("default"), cmkt.load("default", device="cpu")
    assert isinstance(enhancer, OnnxEnhancer)
    assert enhancer.card.weights_sha256 == read_card(default_card()).sha256
    x = noisy(3.0)
    np.testing.assert_allclose(enhancer.enhance(x, sample_rate=RATE), model.enhance(x, sample_rate=RATE), atol=1e-4)


def test_silence_stays_silence_and_everything_stays_finite() -> None:
    enhancer = cmkt.load("default")
    assert np.abs(enhancer.enhance(np.zeros(RATE, dtype=np.float32), sample_rate=RATE)).max() < 1e-4
    rng = np.random.default_rng(0)
    for x in (np.ones(RATE), np.sign(np.sin(np.arange(RATE) / 9)), 1e-9 * rng.standard_normal(RATE), np.zeros(1)):
        y = enhancer.enhance(x.astype(np.float32), sample_rate=RATE)
        assert y.shape == x.shape
        assert np.isfinite(y).all()


def test_noise_without_speech_is_turned_down() -> None:
    noise = (0.05 * np.random.default_rng(1).standard_normal(3 * RATE)).astype(np.float32)
    enhanced = cmkt.load("default").enhance(noise, sample_rate=RATE)
    assert rms_db(enhanced[RATE:]) < rms_db(noise) - 15


@pytest.mark.parametrize("chunk", [1, 199, 200, 1403])
def test_a_stream_is_the_whole_without_clicks(chunk: int) -> None:
    enhancer = cmkt.load("default")
    x = noisy(1.0 if chunk == 1 else 4.0)
    with enhancer.stream(sample_rate=RATE) as stream:
        parts = [stream.feed(x[start : start + chunk]) for start in range(0, x.size, chunk)]
        parts.append(stream.flush())
    np.testing.assert_allclose(np.concatenate(parts), enhancer.enhance(x, sample_rate=RATE), atol=1e-5)


@pytest.mark.corpus
def test_real_speech_in_real_noise_gets_better(corpus: Path) -> None:
    import json

    from cmkt.audio.read import read_audio
    from cmkt.metrics.si_sdr import si_sdr
    from cmkt.metrics.stoi import stoi
    from cmkt.signal.mixing import mix

    def first(name: str, wanted: str) -> NDArray[np.float32]:
        rows = [json.loads(line) for line in (corpus / name).read_text(encoding="utf-8").splitlines()]
        row = next(row for row in rows if row["id"].startswith(wanted) and row["duration"] > 3)
        return np.asarray(read_audio(corpus / row["audio"])[0][0], dtype=np.float32)

    speech = first("speech.test.jsonl", "so762")
    noise = np.resize(first("noise.test.jsonl", "moodist"), speech.size).astype(np.float32)
    mixture, _ = mix(speech, noise, snr_db=5.0, sample_rate=RATE)
    mixture = mixture.astype(np.float32)
    enhanced = cmkt.load("default").enhance(mixture, sample_rate=RATE)
    scores = {
        metric: [metric(estimate=x, reference=speech, sample_rate=RATE) for x in (mixture, enhanced)]
        for metric in (si_sdr, stoi)
    }
    assert scores[si_sdr][1] > scores[si_sdr][0] + 3
    assert scores[stoi][1] > scores[stoi][0]
