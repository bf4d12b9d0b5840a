"""The shared STFT: reconstruction, framing and causality."""

from __future__ import annotations

import pytest
import torch

from cmkt.errors import ConfigError
from cmkt.spectral.stft import STFT


@pytest.mark.parametrize(("window", "hop"), [(400, 200), (512, 128), (300, 100)])
@pytest.mark.parametrize("samples", [1, 99, 200, 201, 4001])
def test_synthesis_after_analysis_is_the_identity(window: int, hop: int, samples: int) -> None:
    stft = STFT(window, hop).double()
    x = torch.randn(2, samples, dtype=torch.float64, generator=torch.Generator().manual_seed(samples))
    torch.testing.assert_close(stft.synthesise(stft.analyse(x), samples), x, atol=1e-6, rtol=0)


@pytest.mark.parametrize("samples", [1, 199, 200, 201, 1000])
def test_number_of_frames_follows_the_formula(samples: int) -> None:
    stft = STFT(400, 200)
    assert stft.analyse(torch.zeros(1, samples)).shape == (1, -(-samples // 200) + 1, 201)
    assert stft.frames(samples) == -(-samples // 200) + 1


def test_frame_sees_nothing_after_its_hop() -> None:
    stft = STFT(400, 200)
    x = torch.randn(1, 2000, generator=torch.Generator().manual_seed(0))
    later = x.clone()
    later[:, 1000:] += 1
    change = (stft.analyse(later) - stft.analyse(x)).abs().amax(-1)[0]
    assert torch.all(change[:5] == 0)
    assert change[5] > 0


def test_a_sine_lies_in_its_bin() -> None:
    x = torch.sin(2 * torch.pi * 1000 * torch.arange(16_000) / 16_000)[None]
    assert int(STFT(400, 200).analyse(x).abs().mean(1).argmax()) == 1000 * 400 // 16_000


def test_nothing_enters_the_state_dict() -> None:
    assert not STFT().state_dict()


@pytest.mark.parametrize(("window", "hop"), [(400, 0), (400, 300), (200, 200), (400, 150)])
def test_a_window_that_is_no_multiple_of_the_hop_is_refused(window: int, hop: int) -> None:
    with pytest.raises(ConfigError, match=f"but they are {window} and {hop}"):
        STFT(window, hop)
