"""Magnitude and phase, each from its own decoder."""

from __future__ import annotations

import pytest
import torch

from cmkt.models.mp_senet import MPSENet, unit


def small() -> MPSENet:
    """The two decoders give zero until a bias is set."""
    torch.manual_seed(0)
    model = MPSENet(channels=8, dense=2, blocks=1, heads=2, kernel=3).double().eval()
    for decoder in (model.magnitude, model.phase):
        torch.nn.init.zeros_(decoder.output.weight)
        assert decoder.output.bias is not None
        torch.nn.init.zeros_(decoder.output.bias)
    return model


def set_bias(decoder: torch.nn.Module, values: list[float]) -> None:
    """Of the last convolution."""
    bias = dict(decoder.named_parameters())["output.bias"]
    with torch.no_grad():
        bias.copy_(torch.tensor(values))


def noise(*shape: int) -> torch.Tensor:
    return 0.1 * torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_decoders_that_give_zero_give_the_input_back() -> None:
    x = noise(2, 3_000)
    torch.testing.assert_close(small()(x), x, atol=1e-5, rtol=0)


def test_the_phase_decoder_turns_and_leaves_the_magnitude() -> None:
    model, x = small(), noise(1, 3_000)
    set_bias(model.phase, [-1.0, 5.0])  # 1 + (-1) and 5: a quarter turn, whatever the length
    turned = model.stft.synthesise(1j * model.stft.analyse(x), 3_000)
    torch.testing.assert_close(model(x), turned, atol=1e-5, rtol=0)


def test_the_magnitude_decoder_scales_and_leaves_the_phase() -> None:
    model, x = small(), noise(1, 3_000)
    set_bias(model.magnitude, [-1.0])
    gain = (2 / (1 + torch.e)) ** (1 / 0.3)
    torch.testing.assert_close(model(x), gain * x, atol=1e-6, rtol=0)


@pytest.mark.parametrize(("bias", "gain"), [(1e3, 2 ** (1 / 0.3)), (-1e3, 0.0)])
def test_the_mask_is_bounded(bias: float, gain: float) -> None:
    model, x = small(), noise(1, 1_000)
    set_bias(model.magnitude, [bias])
    torch.testing.assert_close(model(x), gain * x, atol=1e-5, rtol=0)


def test_a_unit_has_length_one_and_the_direction_of_its_parts() -> None:
    parts = torch.tensor([[-2.0, 3.0], [0.0, -4.0], [-1.5, 0.5]], dtype=torch.float64).T.reshape(1, 2, 1, 3)
    found = unit(parts)
    torch.testing.assert_close(found.norm(dim=1), torch.ones(1, 1, 3, dtype=torch.float64), atol=1e-5, rtol=0)
    wanted = torch.atan2(parts[:, 1], 1 + parts[:, 0])
    torch.testing.assert_close(torch.atan2(found[:, 1], found[:, 0]), wanted)


def test_where_there_is_no_direction_the_gradient_is_finite() -> None:
    parts = torch.tensor([-1.0, 0.0]).reshape(1, 2, 1, 1).requires_grad_()
    found = unit(parts)
    (gradient,) = torch.autograd.grad(found.sum(), parts)
    assert not found.any()
    assert gradient.isfinite().all()


def test_a_sound_is_heard_before_and_after_it() -> None:
    torch.manual_seed(0)
    model = MPSENet(channels=8, dense=2, blocks=1, heads=2, kernel=3).double().eval()
    x = noise(1, 4_000).requires_grad_()
    model(x)[0, 2_000].backward()
    assert x.grad is not None
    assert (x.grad[0, :200] != 0).any()
    assert (x.grad[0, -200:] != 0).any()
