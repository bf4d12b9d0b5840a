from __future__ import annotations

import mir_eval.separation
import numpy as np
import pytest

from cmkt.errors import ConfigError, MetricUndefinedError
from cmkt.metrics.si_sdr import si_sdr

RATE = 16_000


def test_two_samples_by_hand() -> None:
    """Reference (1, 0), estimate (2, 1): a = 2, target (2, 0), distortion (0, 1), 10 log10(4 / 1)."""
    value = si_sdr(estimate=np.array([2.0, 1.0]), reference=np.array([1.0, 0.0]), sample_rate=RATE)
    assert value == pytest.approx(10 * np.log10(4))


@pytest.mark.parametrize("snr_db", [-10.0, 0.0, 20.0])
def test_orthogonal_noise_gives_the_signal_to_noise_ratio(snr_db: float) -> None:
    time = np.arange(RATE) / RATE
    reference = np.sin(2 * np.pi * 440 * time)
    noise = np.cos(2 * np.pi * 440 * time) * 10 ** (-snr_db / 20)
    assert si_sdr(estimate=reference + noise, reference=reference, sample_rate=RATE) == pytest.approx(snr_db, abs=1e-6)


@pytest.mark.parametrize("gain", [1e-3, -1.0, 40.0])
def test_the_scale_of_either_side_and_its_sign_do_not_matter(gain: float) -> None:
    rng = np.random.default_rng(0)
    reference = rng.standard_normal(1000)
    estimate = reference + 0.3 * rng.standard_normal(1000)
    value = si_sdr(estimate=estimate, reference=reference, sample_rate=RATE)
    assert si_sdr(estimate=gain * estimate, reference=reference, sample_rate=RATE) == pytest.approx(value, abs=1e-9)
    assert si_sdr(estimate=estimate, reference=gain * reference, sample_rate=RATE) == pytest.approx(value, abs=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_it_is_the_sdr_of_mir_eval_with_a_distortion_filter_of_one_tap(seed: int) -> None:
    rng = np.random.default_rng(seed)
    reference = rng.standard_normal(2000)
    estimate = rng.uniform(-2, 2) * reference + rng.uniform(0.01, 3) * rng.standard_normal(2000)
    target, spatial, interference, artefacts = mir_eval.separation._bss_decomp_mtifilt(
        reference[np.newaxis], estimate, 0, 1
    )
    sdr, _, _ = mir_eval.separation._bss_source_crit(target, spatial, interference, artefacts)
    assert si_sdr(estimate=estimate, reference=reference, sample_rate=RATE) == pytest.approx(sdr, abs=1e-8)


def test_a_constant_offset_counts_as_distortion() -> None:
    reference = np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)
    value = si_sdr(estimate=reference + 0.5, reference=reference, sample_rate=RATE)
    assert value == pytest.approx(10 * np.log10(0.5 / 0.25), abs=1e-6)


def test_a_delay_of_a_sample_costs_dearly() -> None:
    reference = np.random.default_rng(0).standard_normal(10_000)
    assert si_sdr(estimate=np.roll(reference, 1), reference=reference, sample_rate=RATE) < -20


def test_infinite_ratios_are_undefined() -> None:
    x = np.array([1.0, -0.5, 0.25, 0.0])
    with pytest.raises(MetricUndefinedError, match="is infinite"):
        si_sdr(estimate=2 * x, reference=x, sample_rate=RATE)
    with pytest.raises(MetricUndefinedError, match="minus infinity"):
        si_sdr(estimate=np.array([0.0, 1.0]), reference=np.array([1.0, 0.0]), sample_rate=RATE)


def test_silence_and_not_finite_are_undefined_and_another_length_is_a_config_error() -> None:
    x = np.ones(10)
    for bad in (np.zeros(10), np.full(10, np.inf)):
        with pytest.raises(MetricUndefinedError):
            si_sdr(estimate=bad, reference=x, sample_rate=RATE)
        with pytest.raises(MetricUndefinedError):
            si_sdr(estimate=x, reference=bad, sample_rate=RATE)
    with pytest.raises(ConfigError, match="as long as"):
        si_sdr(estimate=np.ones(9), reference=x, sample_rate=RATE)
