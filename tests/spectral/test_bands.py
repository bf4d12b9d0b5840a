"""Merged bands cover every bin once."""

from __future__ import annotations

import pytest
import torch

from cmkt.errors import ConfigError
from cmkt.spectral.bands import erb_rate, merging_weights


def test_every_bin_is_shared_out_whole_and_bands_grow_wider() -> None:
    weights = merging_weights(201, 64, 32, 16_000)
    assert weights.shape == (137, 32)
    torch.testing.assert_close(weights.sum(1), torch.ones(137, dtype=torch.float64))
    width = weights.sum(0)
    assert float(width[-6:-1].mean()) > 1.5 * float(width[1:6].mean())


def test_erb_rate_has_the_published_value_at_one_kilohertz() -> None:
    # 21.4 * log10(4.37 + 1), Glasberg and Moore 1990, equation 4
    assert float(erb_rate(torch.tensor(1000.0))) == pytest.approx(15.62, abs=0.01)


@pytest.mark.parametrize(("linear", "bands"), [(200, 1), (64, 138), (0, 100), (201, 2), (-1, 8)])
def test_bands_without_bins_are_refused(linear: int, bands: int) -> None:
    with pytest.raises(ConfigError):
        merging_weights(201, linear, bands, 16_000)
