from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from cmkt.data.testset import TestMixture
from cmkt.errors import ConfigError, DataError
from cmkt.evaluation.frames import FrameSource, tapped_model
from cmkt.evaluation.probe import (
    ProbeScore,
    ProbeSettings,
    collect_pairs,
    load_sets,
    load_spoken,
    noise_pairs,
    probe_source,
)
from cmkt.inference.load import load_torch
from cmkt.transfer.attention import Attention
from cmkt.transfer.positional import Positional
from cmkt.transfer.shift import Shift

RATE = 16_000
WIDTH = 8


class WordTeacher:
    """A fixed random vector for each word."""

    width = WIDTH
    identity = "words"

    def embed(self, texts: Sequence[str]) -> list[Tensor]:
        return [torch.stack([word_vector(word) for word in text.split()]) for text in texts]


def word_vector(word: str) -> Tensor:
    seed = int.from_bytes(hashlib.blake2b(word.encode(), digest_size=4).digest())
    return torch.randn(WIDTH, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def settings(prepared: Path) -> ProbeSettings:
    return ProbeSettings(data=prepared, held_out=(prepared,), steps=3)


SPEC = Attention(shift=Shift(tokens=1), heads=2, width=16)


def probed(source: FrameSource, settings: ProbeSettings) -> ProbeScore:
    (score,) = probe_source(
        source,
        load_sets(settings, WordTeacher(), sample_rate=RATE),
        settings,
        alignments={"attention": SPEC},
        progress=False,
    )
    return score


def test_utterances_come_with_their_transcripts_in_order(settings: ProbeSettings) -> None:
    spoken = load_spoken(settings.data, settings, sample_rate=RATE)
    assert [mixture.metadata["text"] for mixture in spoken.mixtures] == list(spoken.texts)
    assert set(spoken.texts) == {"words long spoken", "words other spoken", "a short one"}
    assert {mixture.snr_db for mixture in spoken.mixtures} == {5.0}


def test_a_limit_takes_part_and_a_language_filters(settings: ProbeSettings) -> None:
    everything = load_spoken(settings.data, settings, sample_rate=RATE)
    part = load_spoken(settings.data, replace(settings, limit=3), sample_rate=RATE)
    assert part.texts == everything.texts
    assert load_spoken(settings.data, replace(settings, language="en"), sample_rate=RATE).texts == everything.texts
    with pytest.raises(DataError, match="in language 'zh' or more, but has 0"):
        load_spoken(settings.data, replace(settings, language="zh"), sample_rate=RATE)
    with pytest.raises(DataError, match="but has 2"):
        load_spoken(settings.data, replace(settings, limit=2), sample_rate=RATE)


@pytest.mark.parametrize("change", [{"steps": 0}, {"limit": 0}, {"held_out": ()}])
def test_settings_that_cannot_work_are_refused(settings: ProbeSettings, change: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        replace(settings, **change)  # type: ignore[arg-type]


def test_a_missing_folder_is_refused(settings: ProbeSettings, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="prepared folder"):
        load_spoken(tmp_path / "none", settings, sample_rate=RATE)


def test_pairs_hold_the_frames_and_the_tokens_of_the_same_utterance(settings: ProbeSettings, run: Path) -> None:
    source = tapped_model(load_torch(run).model, name="first", layer="recurrent", layout="b t c", sample_rate=RATE)
    spoken = load_spoken(settings.data, settings, sample_rate=RATE)
    pairs = collect_pairs(source, spoken, WordTeacher().embed(spoken.texts), description="", progress=False)
    for (frames, seconds, tokens), mixture, text in zip(pairs, spoken.mixtures, spoken.texts, strict=True):
        torch.testing.assert_close(tokens, torch.stack([word_vector(word) for word in text.split()]))
        assert len(frames) * seconds == pytest.approx(len(mixture.noisy) / RATE, abs=0.03)


def test_blind_frames_have_the_statistics_and_lengths_of_the_true_ones_and_nothing_else() -> None:
    generator = torch.Generator().manual_seed(0)
    scale, offset = torch.tensor([1.0, 5.0]), torch.tensor([0.0, 3.0])
    frames = [
        torch.randn(count, 2, generator=generator) * scale + offset + shift for count, shift in ((900, 2), (700, -2))
    ]
    tokens = torch.randn(3, WIDTH)
    pairs = [(each, 0.01, tokens) for each in frames]
    blind = noise_pairs(pairs, seed=0)
    assert [len(each) for each, _, _ in blind] == [900, 700]
    together, noise = torch.cat(frames), torch.cat([each for each, _, _ in blind])
    torch.testing.assert_close(noise.mean(dim=0), together.mean(dim=0), rtol=0, atol=0.4)
    torch.testing.assert_close(noise.std(dim=0), together.std(dim=0), rtol=0.1, atol=0)
    # An utterance's own mean would tell it from the other: it is gone.
    torch.testing.assert_close(blind[0][0][:, 0].mean(), blind[1][0][:, 0].mean(), rtol=0, atol=0.4)


def test_frames_that_name_the_words_give_a_gain_and_the_score_says_how_sure(tmp_path: Path, prepared: Path) -> None:
    def telling(mixture: TestMixture) -> Tensor:
        words = str(mixture.metadata["text"]).split()
        return torch.stack([word_vector(word) for word in words]).repeat_interleave(10, dim=0)

    settings = ProbeSettings(data=prepared, held_out=(prepared,), steps=150)
    source = FrameSource("telling", RATE, 0.0125, telling)
    score = probed(source, settings)
    assert score.true < score.mismatched
    assert score.true < score.noise
    assert score.gain == pytest.approx(score.mismatched - score.true, abs=1e-6)
    assert score.gain_low <= score.gain <= score.gain_high
    assert (score.train_utterances, score.held_out_utterances, score.held_out_tokens) == (3, 3, 6)
    assert np.isfinite(score.mean_direction)
    assert score.retrieval.chance == pytest.approx(1 / 3)
    assert score.retrieval.utterances == 3


def test_several_held_out_folders_are_measured_together(settings: ProbeSettings) -> None:
    def telling(mixture: TestMixture) -> Tensor:
        return torch.stack([word_vector(word) for word in str(mixture.metadata["text"]).split()])

    twice = replace(settings, held_out=settings.held_out * 2)
    score = probed(FrameSource("telling", RATE, 0.0125, telling), twice)
    assert (score.held_out_utterances, score.held_out_tokens) == (6, 12)


def test_the_probe_of_a_model_can_be_repeated(settings: ProbeSettings, run: Path) -> None:
    source = tapped_model(load_torch(run).model, name="first", layer="recurrent", layout="b t c", sample_rate=RATE)
    assert probed(source, settings) == probed(source, settings)


def test_several_bridges_are_trained_on_frames_that_are_collected_once(settings: ProbeSettings) -> None:
    heard: list[str] = []

    def telling(mixture: TestMixture) -> Tensor:
        heard.append(mixture.id)
        return torch.stack([word_vector(word) for word in str(mixture.metadata["text"]).split()])

    source = FrameSource("telling", RATE, 0.0125, telling)
    bridges: list[str] = []
    scores = probe_source(
        source,
        load_sets(settings, WordTeacher(), sample_rate=RATE),
        settings,
        alignments={"attention": SPEC, "positional": Positional()},
        progress=False,
        on_bridge=lambda name, bridge: bridges.append(name),
    )
    assert len(heard) == 2 * 3
    assert bridges == [score.alignment for score in scores] == ["attention", "positional"]
    assert scores[0] == probed(source, settings)
