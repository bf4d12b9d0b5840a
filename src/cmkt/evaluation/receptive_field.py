"""How far a model hears: the input samples that an output sample depends on, measured by its gradient.

A fresh or trained model in double precision enhances noise, and the gradient of a sample in the middle is exactly zero
where no path leads to it. Of a recurrent layer the gradient fades but stays. The furthest of the first, the second and
the last sample of a hop counts: a window that begins with zero does not let the first into its frame.

Shapes: T samples.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from cmkt.errors import ConfigError

if TYPE_CHECKING:
    from torch import Tensor, nn


@final
@dataclass(frozen=True, slots=True)
class ReceptiveField:
    """Samples heard before and after the one that is enhanced.

    None: everything that was given, to the beginning or the end, as with recurrence or attention.
    """

    past_samples: int | None
    future_samples: int | None


def receptive_field(model: nn.Module, *, sample_rate: int, seconds: float = 0.5) -> ReceptiveField:
    """Of a model (1, T) -> (1, T), measured in the middle of so many seconds. The model is left as it was.

    Raises: ConfigError for fewer than two hops, or where the output depends on nothing.
    """
    import torch

    from cmkt.transfer.calling import calling_of

    samples, hop = round(seconds * sample_rate), _hop_samples(model)
    if samples < 2 * hop or samples < 2:
        raise ConfigError(f"`seconds` must be at least two hops of {hop} samples, but is {seconds} s.")
    double = copy.deepcopy(model).double().eval()
    device = next((each.device for each in double.parameters()), torch.device("cpu"))
    noisy = 0.05 * torch.randn(1, samples, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    noisy = noisy.to(device).requires_grad_()
    enhanced = calling_of(double).enhance(double, noisy, torch.tensor([samples], device=device))
    first = samples // (2 * hop) * hop
    heard = {at: _heard(enhanced, noisy, at) for at in {first, first + min(1, hop - 1), first + hop - 1}}
    past = max(at - low for at, (low, _) in heard.items())
    future = max(high - at for at, (_, high) in heard.items())
    return ReceptiveField(
        past_samples=None if any(low == 0 for low, _ in heard.values()) else max(past, 0),
        future_samples=None if any(high == samples - 1 for _, high in heard.values()) else max(future, 0),
    )


def _heard(enhanced: Tensor, noisy: Tensor, at: int) -> tuple[int, int]:
    """First and last sample that output sample `at` depends on."""
    import torch

    (gradient,) = torch.autograd.grad(enhanced[0, at], noisy, retain_graph=True)
    heard = gradient[0].nonzero()[:, 0]
    if not heard.numel():
        raise ConfigError(f"The output must depend on the input, but sample {at} of {len(gradient[0])} does not.")
    return int(heard[0]), int(heard[-1])


def _hop_samples(model: nn.Module) -> int:
    """Of a model that tells it, 1 otherwise."""
    found = getattr(getattr(model, "stft", model), "hop_samples", 1)
    return found if isinstance(found, int) else 1
