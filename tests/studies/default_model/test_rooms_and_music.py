from __future__ import annotations

import numpy as np
import pytest

from cmkt.data.testset import TestMixture
from cmkt.inference.load import load
from studies.default_model.rooms_and_music import cell, measure, part, utterance_means


def mixture(name: str, *, noise: float, rir_id: str | None = None) -> TestMixture:
    rng = np.random.default_rng(len(name))
    clean = (0.1 * rng.standard_normal(16_000) * (np.sin(np.arange(16_000) / 500) > 0)).astype(np.float32)
    noisy = clean + noise * rng.standard_normal(16_000).astype(np.float32)
    return TestMixture(id=name, snr_db=0.0, noisy=noisy, clean=clean, metadata={"rir_id": rir_id})


def test_simulated_rooms_are_told_apart_by_how_long_they_ring() -> None:
    assert part("simulated room, noise", mixture("a", noise=0.1, rir_id="simulated-0.39s")).endswith("under 0.4 s")
    assert part("simulated room, noise", mixture("a", noise=0.1, rir_id="simulated-0.40s")).endswith("from 0.4 s")
    assert part("music", mixture("a", noise=0.1)) == "music"


def test_a_model_is_compared_with_noisy_on_every_utterance_once() -> None:
    found = measure("music", [mixture(name, noise=0.05) for name in ("a", "a", "bb")], {"default": load("default")})
    means = {system: utterance_means(rows) for system, rows in found["music"].items()}
    assert means["noisy"].shape == means["default"].shape == (2, 3)
    assert found["music"]["noisy"]["a"] == [found["music"]["noisy"]["a"][0]] * 2


def test_a_silent_reference_leaves_the_mixture_out_for_all(capsys: pytest.CaptureFixture[str]) -> None:
    silent = mixture("quiet", noise=0.05)
    silent.clean[:] = 0.0
    assert measure("music", [silent], {}) == {}
    assert "quiet" in capsys.readouterr().err


def test_a_cell_gives_mean_difference_and_standard_error() -> None:
    noisy = np.array([1.0, 2.0])
    assert cell(noisy, noisy) == "1.500"
    assert cell(np.array([2.0, 4.0]), noisy) == "3.000 (+1.500 ± 0.500)"
