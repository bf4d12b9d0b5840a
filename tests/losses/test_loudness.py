"""The loudness of errors: what a listener hears more counts more."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from cmkt.losses.loudness import SPEECH_DB_SPL, LoudnessDisturbance

RATE = 16_000


def tone(hz: float, amplitude: float = 0.1, seconds: float = 1.0) -> Tensor:
    time = torch.arange(int(seconds * RATE)) / RATE
    return (amplitude * torch.sin(2 * torch.pi * hz * time))[None]


def noise(amplitude: float = 0.01, samples: int = RATE) -> Tensor:
    return amplitude * torch.randn(1, samples, generator=torch.Generator().manual_seed(0))


def points(estimate: Tensor, reference: Tensor) -> float:
    return float(LoudnessDisturbance()(estimate=estimate, reference=reference))


def test_a_perfect_estimate_has_no_disturbance() -> None:
    assert points(tone(1000), tone(1000)) == pytest.approx(0.0, abs=1e-3)


def test_more_noise_is_more_disturbance() -> None:
    values = [points(tone(1000) + noise(a), tone(1000)) for a in (0.001, 0.01, 0.1)]
    assert values == sorted(values)
    assert values[-1] > 3 * values[0] > 0


def test_adding_is_worse_than_removing() -> None:
    speech, quiet = tone(1000) + tone(300, 0.05), tone(1000)
    assert points(speech, quiet) > 1.5 * points(quiet, speech)


def test_a_common_gain_changes_nothing() -> None:
    estimate, reference = tone(1000) + noise(), tone(1000)
    assert points(0.1 * estimate, 0.1 * reference) == pytest.approx(points(estimate, reference), rel=1e-3)


def test_what_is_masked_by_the_tone_beside_it_is_not_counted() -> None:
    error = tone(1010, 0.002)
    assert points(tone(1000) + error, tone(1000)) < 0.1 * points(tone(4000, 0.1) + error, tone(4000))


def test_inaudible_errors_count_nothing() -> None:
    # 79 dB SPL is the tone; 75 dB below it a 50 Hz hum is far under the threshold in quiet.
    reference = tone(1000)
    assert SPEECH_DB_SPL == 79.0
    assert points(reference + tone(50, 0.1 * 10 ** (-75 / 20)), reference) == pytest.approx(0.0, abs=2e-3)


def test_padding_and_silent_references_do_not_count() -> None:
    loss = LoudnessDisturbance()
    estimate, reference = tone(1000) + noise(), tone(1000)
    whole = loss(estimate=estimate, reference=reference)
    padded = [torch.cat((x, noise(0.3)), dim=-1) for x in (estimate, reference)]
    lengths = torch.tensor([RATE])
    torch.testing.assert_close(loss(estimate=padded[0], reference=padded[1], lengths=lengths), whole)
    assert float(loss(estimate=noise(), reference=torch.zeros(1, RATE))) == 0.0


@pytest.mark.parametrize("reference", [torch.zeros(1, RATE), tone(1000)])
def test_gradients_are_finite_also_where_nothing_differs(reference: Tensor) -> None:
    for estimate in (reference.clone(), torch.zeros(1, RATE), noise()):
        leaf = estimate.clone().requires_grad_(True)
        LoudnessDisturbance()(estimate=leaf, reference=reference).backward()
        assert leaf.grad is not None
        assert bool(leaf.grad.isfinite().all())


def test_every_band_has_bins_at_other_rates() -> None:
    for rate in (8_000, 16_000, 48_000):
        loss = LoudnessDisturbance(sample_rate=rate)
        assert bool((loss.bands.sum(0) >= 1).all())
        assert bool((loss.bands.sum(1) == 1).all())
        assert float(loss.width.sum()) == pytest.approx(7 * float(torch.asinh(torch.tensor(rate / 2 / 650))), rel=1e-4)
