from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from cmkt.data.testset import TestMixture
from cmkt.errors import ConfigError, LayerError
from cmkt.evaluation.frames import clean_log_mel, log_mel, mel_bands, noisy_log_mel, tapped_model, untrained
from cmkt.inference.load import load_torch

RATE = 16_000
TONE = np.asarray(0.1 * np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE), dtype=np.float32)
MIXTURE = TestMixture("a", 5.0, noisy=TONE + np.float32(0.01), clean=TONE, metadata={})


def test_the_tap_gives_what_the_layer_gives_and_leaves_no_hook(run: Path) -> None:
    model = load_torch(run).model
    expected: list[torch.Tensor] = []
    handle = model.get_submodule("recurrent").register_forward_hook(lambda _m, _i, output: expected.append(output))
    with torch.no_grad():
        model(torch.from_numpy(MIXTURE.noisy)[None])
    handle.remove()
    source = tapped_model(model, name="first", layer="recurrent", layout="b t c", sample_rate=RATE)
    torch.testing.assert_close(source.frames(MIXTURE), expected[0][0])
    assert source.seconds_per_frame == pytest.approx(200 / RATE)
    assert not model.get_submodule("recurrent")._forward_hooks


def test_frames_are_those_of_evaluation_mode_and_carry_no_gradient(run: Path) -> None:
    model = load_torch(run).model.train()
    source = tapped_model(model, name="first", layer="recurrent", layout="b t c", sample_rate=RATE)
    frames = source.frames(MIXTURE)
    assert not model.training
    assert not frames.requires_grad
    assert frames.dtype == torch.float32


def test_a_layer_that_does_not_exist_is_refused_with_near_names(run: Path) -> None:
    with pytest.raises(LayerError, match="Closest: recurrent"):
        tapped_model(load_torch(run).model, name="first", layer="recurent", layout="b t c", sample_rate=RATE)


def test_an_untrained_model_depends_on_the_seed_only_and_leaves_random_numbers_alone(run: Path) -> None:
    model = load_torch(run).model
    state = torch.get_rng_state()
    first, same, other = (untrained(model, seed=seed).state_dict() for seed in (3, 3, 4))
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(first[name], same[name]) for name in first)
    assert not torch.equal(first["expand.weight"], other["expand.weight"])


def test_a_model_that_does_not_say_its_arguments_cannot_be_made_anew() -> None:
    with pytest.raises(ConfigError, match="`init_args`"):
        untrained(torch.nn.Linear(1, 1), seed=0)


def test_log_mel_of_a_tone_is_loudest_in_its_band() -> None:
    values = log_mel(TONE, RATE)
    assert values.shape[1] == 80
    assert values.shape[0] == pytest.approx(RATE / 200, abs=3)
    # 80 bands between 0 and 2840 mel: 1000 Hz is 1000 mel, whose band is the 28th of 81 steps of 35 mel.
    assert int(values[20].argmax()) == round(1000 / (2840 / 81)) - 1


def test_bands_overlap_to_one_and_silence_is_finite() -> None:
    weights = mel_bands(513, RATE, bands=10)
    middle = slice(30, 300)
    torch.testing.assert_close(weights[middle].sum(dim=1), torch.ones(270), rtol=0, atol=1e-4)
    assert torch.isfinite(log_mel(np.zeros(100, dtype=np.float32), RATE)).all()


def test_the_references_hear_what_their_names_say() -> None:
    noisy, clean = noisy_log_mel(RATE), clean_log_mel(RATE)
    torch.testing.assert_close(clean.frames(MIXTURE), log_mel(MIXTURE.clean, RATE))
    torch.testing.assert_close(noisy.frames(MIXTURE), log_mel(MIXTURE.noisy, RATE))
    assert noisy.seconds_per_frame == clean.seconds_per_frame == 0.0125
