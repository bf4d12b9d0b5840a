"""What only a model of waveforms does."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn import functional

from cmkt.errors import ConfigError
from cmkt.models.demucs import Demucs, _Decoder, _Encoder


def noise(*shape: int) -> torch.Tensor:
    return 0.1 * torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize("delay_hops", [0, 1, 3])
@pytest.mark.parametrize("hops", [1, 2, 5])
def test_hop_by_hop_equals_the_whole(delay_hops: int, hops: int) -> None:
    model = Demucs(channels=(4, 6), strides=(2, 4), delay_hops=delay_hops).double().eval()
    signal = noise(2, 20 * model.hop_samples)
    whole, _ = model.enhance_samples(signal, model.initial_state(2))
    state, parts = model.initial_state(2), []
    step = hops * model.hop_samples
    for start in range(0, signal.shape[1], step):
        out, state = model.enhance_samples(signal[:, start : start + step], state)
        parts.append(out)
    torch.testing.assert_close(torch.cat(parts, dim=1), whole, atol=1e-12, rtol=0)
    assert [tensor.shape for tensor in state] == [tensor.shape for tensor in model.initial_state(2)]


def test_a_decoder_stage_is_a_transposed_convolution() -> None:
    stage = _Decoder(3, 5, 8, 4, last=True).double()
    x = noise(2, 3, 7)
    given, _ = stage(x, noise(2, 3, 1).zero_())
    taps = stage.conv.weight.detach().reshape(5, 4, 3, 2).flip(3)  # the latest step reads the kernel's first stride
    kernel = taps.permute(2, 0, 3, 1).reshape(3, 5, 8)
    assert stage.conv.bias is not None
    wanted = functional.conv_transpose1d(functional.glu(stage.gate(x), dim=1), kernel, stride=4)[..., :28]
    torch.testing.assert_close(given, wanted + stage.conv.bias.reshape(5, 4).repeat(1, 7), atol=1e-12, rtol=0)


@pytest.mark.parametrize("delay_hops", [0, 1, 2])
def test_a_sample_is_answered_a_hop_after_its_delay_and_hears_all_until_then(delay_hops: int) -> None:
    model = Demucs(channels=(4, 6), strides=(4, 4), delay_hops=delay_hops).double().eval()
    hop, signal = model.hop_samples, noise(1, 400).requires_grad_()
    assert model.latency_samples == (delay_hops + 1) * hop
    model(signal)[0, 10 * hop].backward()
    assert signal.grad is not None
    heard = signal.grad[0].nonzero()[:, 0]
    assert int(heard[0]) == 0
    assert int(heard[-1]) == 10 * hop + model.latency_samples - 1


@pytest.mark.parametrize("delay_hops", [0, 1])
def test_the_way_through_the_skips_alone_puts_samples_where_they_were(delay_hops: int) -> None:
    """One stage whose weights are set by hand to give each sample back."""
    model = Demucs(channels=(8,), strides=(4,), delay_hops=delay_hops).double().eval()
    (encoder,), (decoder,) = [*model.encoder], [*model.decoder]
    assert isinstance(encoder, _Encoder)
    assert isinstance(decoder, _Decoder)
    with torch.no_grad():
        for value in model.parameters():
            value.zero_()
        for index in range(4):  # positive and negative part of each new sample
            encoder.conv.weight[index, 0, 4 + index] = 1.0
            encoder.conv.weight[4 + index, 0, 4 + index] = -1.0
        for gate in (encoder.gate, decoder.gate):
            gate.weight[:8, :, 0] = torch.eye(8)
            assert gate.bias is not None
            gate.bias[8:] = 50.0  # an open gate
        for index in range(4):
            decoder.conv.weight[index, index, 1] = 1.0
            decoder.conv.weight[index, 4 + index, 1] = -1.0
    signal = noise(2, 101)
    torch.testing.assert_close(model(signal), signal, atol=1e-12, rtol=0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"channels": ()},
        {"channels": (4, 6, 8)},
        {"strides": (4, 3)},
        {"strides": (8, 4)},
        {"strides": (0, 4)},
        {"layers": 0},
        {"delay_hops": -1},
    ],
)
def test_a_network_that_cannot_be_built_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="must"):
        Demucs(**{"channels": (4, 6), "strides": (4, 4), **wrong})
