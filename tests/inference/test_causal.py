"""Frame-by-frame enhancement equals enhancing whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import nn

from cmkt.inference.causal import CausalProcessor, FrameModel
from cmkt.inference.torch_frames import TorchFrames
from cmkt.models.crn import CRN

if TYPE_CHECKING:
    from cmkt.types import FloatArray


def processor(model: nn.Module, channels: int = 1) -> CausalProcessor:
    assert isinstance(model, FrameModel)
    frames = TorchFrames(model, channels=channels, device=torch.device("cpu"), dtype=torch.float32)
    return CausalProcessor(frames, channels=channels)


def noise(channels: int, samples: int) -> FloatArray:
    return (0.05 * np.random.default_rng(0).standard_normal((channels, samples))).astype(np.float32)


def offline(model: nn.Module, audio: FloatArray) -> FloatArray:
    with torch.no_grad():
        output: FloatArray = model(torch.from_numpy(audio)).numpy()
    return output


@pytest.mark.parametrize("samples", [1, 199, 200, 201, 400, 3_217])
@pytest.mark.parametrize("chunk", [1, 199, 200, 1_403, 10_000])
def test_chunks_of_any_size_give_what_offline_gives(crn: nn.Module, samples: int, chunk: int) -> None:
    audio = noise(1, samples)
    frames = processor(crn)
    parts = [frames.feed(audio[:, start : start + chunk]) for start in range(0, samples, chunk)]
    output = np.concatenate([*parts, frames.flush()], axis=-1)
    assert output.shape == audio.shape
    np.testing.assert_allclose(output, offline(crn, audio), atol=1e-5)


def test_windows_of_four_hops_give_what_offline_gives() -> None:
    torch.manual_seed(0)
    model = CRN(window_samples=512, hop_samples=128, channels=(4, 4), hidden=8).eval()
    audio = noise(2, 3_000)
    frames = processor(model, channels=2)
    output = np.concatenate((frames.feed(audio[:, :777]), frames.feed(audio[:, 777:]), frames.flush()), axis=-1)
    np.testing.assert_allclose(output, offline(model, audio), atol=1e-5)


def test_channels_do_not_hear_each_other(crn: nn.Module) -> None:
    audio = noise(2, 2_000)
    together, alone = processor(crn, channels=2), processor(crn)
    both = np.concatenate((together.feed(audio), together.flush()), axis=-1)
    one = np.concatenate((alone.feed(audio[1:]), alone.flush()), axis=-1)
    np.testing.assert_allclose(both[1:], one, atol=1e-6)


def test_a_sample_leaves_at_most_a_window_less_one_after_it_came(crn: nn.Module) -> None:
    frames = processor(crn)
    withheld, longest = 0, 0
    for _ in range(2_000):
        withheld += 1 - frames.feed(noise(1, 1)).shape[-1]
        longest = max(longest, withheld)
    assert longest == 399


def test_the_state_does_not_hold_on_to_blocks(crn: nn.Module) -> None:
    assert isinstance(crn, FrameModel)
    frames = TorchFrames(crn, channels=1, device=torch.device("cpu"), dtype=torch.float32)
    whole = CausalProcessor(frames, channels=1)
    whole.feed(noise(1, 16_000))
    held = [tensor.untyped_storage().nbytes() for tensor in frames._state]
    arrays = (whole._context, whole._overlap, whole._pending)
    assert sum(held) + sum((x if x.base is None else x.base).nbytes for x in arrays) < 50_000
