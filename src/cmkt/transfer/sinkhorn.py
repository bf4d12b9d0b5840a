"""Sinkhorn alignment: frames are carried to tokens by an optimal transport plan that keeps to the order of time.

Legend: B utterances, F frames of width C, N tokens of width D.

    v_f    = P LN(h_f)                                   frames in the space of the tokens
    C_tf   = 1 - cos(z_t, v_f)
    M      = rows of the entropic plan for C and a temporal prior, `transport_rows`; no gradient through it
    zhat_t = sum_f M_tf v_f

From the same group's work on speech recognition: the cosine cost and the plan that projects frames onto tokens (arXiv
2309.13650), Sinkhorn in place of softmax attention (2309.16093), the order of time (2409.02239); their exact networks
differ, and the details here are ours. The plan is computed from z_t, so it can leak as attention can: less, because
every frame must be used equally. Frames constant in time give the same zhat whatever the text says.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import final

import torch
from torch import Tensor, nn
from torch.nn import functional

from cmkt.errors import ConfigError
from cmkt.transfer.alignment import COSINE_EPS, judge_shifted, seeded_build
from cmkt.transfer.shift import Shift, displace_mask
from cmkt.transfer.transport import temporal_log_prior, transport_rows
from cmkt.types import Aligned, Frames, Tokens


@dataclass(frozen=True)
class Annealing:
    """Starts with the entropy `start` and comes down to the alignment's own, geometrically, over `steps` training
    passes: a plan that is blurred while the frames mean nothing yet, and sharp later.

    Raises: ConfigError for a start or number of steps that is not positive.
    """

    start: float
    steps: int

    def __post_init__(self) -> None:
        if self.start <= 0 or self.steps < 1:
            raise ConfigError(f"`start` and `steps` of Annealing must be positive, but are {self.start}, {self.steps}.")


@final
class SinkhornAlignment(nn.Module):
    """Module of `Sinkhorn`. passes: training passes so far, in the state dict, so that a resumed run anneals on."""

    passes: Tensor

    def __init__(self, frame_width: int, token_width: int, spec: Sinkhorn) -> None:
        super().__init__()
        self.spec = spec
        self.shift = spec.shift.at(0)
        self.frame_norm = nn.LayerNorm(frame_width)
        self.projection = nn.Linear(frame_width, token_width)
        self.register_buffer("passes", torch.zeros((), dtype=torch.int64))

    def at_step(self, step: int) -> None:
        """From here on the shift is that after so many training passes. The entropy follows `passes`."""
        self.shift = self.spec.shift.at(step)

    @property
    def entropy(self) -> Tensor:
        """The entropy of the next pass, a float32 scalar."""
        annealing = self.spec.annealing
        if annealing is None:
            return torch.tensor(self.spec.entropy, device=self.passes.device)
        left = (1.0 - self.passes.float() / annealing.steps).clamp(min=0.0)
        return self.spec.entropy * (annealing.start / self.spec.entropy) ** left

    def forward(self, frames: Frames, tokens: Tokens, generator: torch.Generator | None = None) -> Aligned:
        """Distances of every target token to what the plan brings to its partner; `matrix` is over original frames."""
        batch, device = frames.mask.shape[0], frames.mask.device
        displacement = self.shift.draw_frames(batch, generator=generator, device=device)
        moved = self.shift.draw_tokens(batch, generator=generator, device=device)
        carried = self.projection(self.frame_norm(frames.values.to(self.projection.weight.dtype)))
        matrix = self._plan(carried.detach(), frames, tokens, displacement)
        if self.training and torch.is_grad_enabled():
            self.passes += 1
        estimate = matrix.to(carried.dtype) @ carried
        return judge_shifted(estimate, matrix, frames=frames, tokens=tokens, moved=moved, displacement=displacement)

    @torch.no_grad()
    def _plan(self, carried: Tensor, frames: Frames, tokens: Tokens, displacement: Tensor | None) -> Tensor:
        with torch.autocast(carried.device.type, enabled=False):
            cosine = _unit(tokens.values.detach()) @ _unit(carried).transpose(1, 2)
            return transport_rows(
                1.0 - cosine,
                temporal_log_prior(tokens.mask, frames.mask, width=self.spec.prior_width, displacement=displacement),
                tokens=tokens.mask,
                frames=displace_mask(frames.mask, displacement),
                entropy=self.entropy,
                iterations=self.spec.iterations,
            )


@dataclass(frozen=True)
class Sinkhorn:
    """Specification of the alignment by optimal transport.

    shift: the misalignment, as of Attention; entropy: eps, in units of 1 - cos, larger blurs the plan; annealing: of
    the entropy over training, or None; prior_width: of the band around the diagonal, as a share of the utterance;
    iterations: of Sinkhorn. Time grows with iterations * N * F, beside a product of N * F * D; memory with N * F.

    Raises: ConfigError for a number that is not positive.
    """

    shift: Shift = field(default_factory=Shift)
    entropy: float = 0.1
    annealing: Annealing | None = None
    prior_width: float = 0.1
    iterations: int = 10

    def __post_init__(self) -> None:
        for name in ("entropy", "prior_width", "iterations"):
            if getattr(self, name) <= 0:
                raise ConfigError(f"`{name}` of Sinkhorn must be positive, but is {getattr(self, name)} instead.")

    def build(self, frame_width: int, token_width: int, *, seed: int) -> SinkhornAlignment:
        """A fresh alignment module whose weights depend on `seed` only."""
        with seeded_build(seed):
            return SinkhornAlignment(frame_width, token_width, self)


def _unit(vectors: Tensor) -> Tensor:
    return functional.normalize(vectors.float(), dim=-1, eps=COSINE_EPS)
