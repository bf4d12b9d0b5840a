"""A block of selective state spaces, after which a model hears from the past what it chose to keep.

Gu and Dao, "Mamba: Linear-Time Sequence Modeling with Selective State Spaces", 2023; Dao and Gu, "Transformers are
SSMs", ICML 2024, whose form has one decay for each head. The recurrence itself is in `cmkt.models.scan`.

Shapes: B sequences, L steps, A heads, N states and P features of a head, C channels, D inputs of the convolution.
"""

from __future__ import annotations

import math
from typing import final

import torch
from torch import Tensor, nn
from torch.nn import functional

from cmkt.errors import ConfigError
from cmkt.models.scan import chunked_scan

_STEPS = (0.001, 0.1)
_RATES = (1.0, 16.0)
"""Ranges of step sizes and decay rates of a fresh network, as in the papers."""


@final
class StateSpaceBlock(nn.Module):
    """(B, L, C) -> (B, L, C), from the past only, with a residual.

    expansion: of the channels inside; head_width: P; states: N; kernel: of the short causal convolution, 2 or more.
    Raises ConfigError for widths that do not fit.
    """

    def __init__(self, channels: int, *, expansion: int, head_width: int, states: int, kernel: int) -> None:
        super().__init__()
        inner = expansion * channels
        if head_width < 1 or inner < 1 or inner % head_width:
            raise ConfigError(
                f"The channels times `expansion` must be a multiple of `head_width`, but are {inner} for {head_width}."
            )
        if states < 1 or kernel < 2:
            raise ConfigError(f"`states` must be at least 1 and `kernel` at least 2, but are {states} and {kernel}.")
        heads = inner // head_width
        self.head_width = head_width
        self.parts = (inner, inner, states, states, heads)
        self.norm = nn.LayerNorm(channels)
        self.project = nn.Linear(channels, sum(self.parts))
        self.conv = nn.Conv1d(inner + 2 * states, inner + 2 * states, kernel, groups=inner + 2 * states)
        self.step_bias = nn.Parameter(_inverse_softplus(_spread(*_STEPS, heads)))
        self.log_rate = nn.Parameter(_spread(*_RATES, heads).log())
        self.through = nn.Parameter(torch.ones(heads, 1))
        self.inner_norm = nn.LayerNorm(inner)
        self.output = nn.Linear(inner, channels)

    def initial_state(self, batch: int) -> tuple[Tensor, Tensor]:
        """Zeros: what the convolution saw last (B, kernel - 1, D), and the state (B, A, N, P)."""
        inner, _, states, _, heads = self.parts
        new = self.step_bias.new_zeros
        past = new(batch, self.conv.kernel_size[0] - 1, inner + 2 * states)
        return past, new(batch, heads, states, self.head_width)

    def forward(self, x: Tensor, past: Tensor, state: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The next L >= 1 steps; `past` and `state` in and out."""
        inner, _, states, _, heads = self.parts
        gate, heard, step = torch.split(self.project(self.norm(x)), [inner, inner + 2 * states, heads], dim=-1)
        heard = torch.cat((past.to(heard.dtype), heard), dim=1)
        seen = heard[:, -past.shape[1] :]
        mixed = functional.silu(self._convolved(heard))
        values, write, read = torch.split(mixed, [inner, states, states], dim=-1)
        values = values.reshape(*values.shape[:2], heads, self.head_width)
        size = functional.softplus(step + self.step_bias)
        y, after = chunked_scan(
            values * size[..., None], -self.log_rate.exp() * size, write, read, state.to(values.dtype)
        )
        y = (y + self.through * values).flatten(2) * functional.silu(gate)
        return x + self.output(self.inner_norm(y)), seen, after

    def _convolved(self, heard: Tensor) -> Tensor:
        """(B, L + kernel - 1, D) -> (B, L, D), as of an image of one row, whose channels may come last in memory."""
        image, kernel = heard.transpose(1, 2).unsqueeze(2), self.conv.weight.unsqueeze(2)
        return functional.conv2d(image, kernel, self.conv.bias, groups=self.conv.groups).squeeze(2).transpose(1, 2)


def _spread(low: float, high: float, count: int) -> Tensor:
    """So many numbers from low to high, each the same multiple of the one before."""
    return torch.logspace(math.log10(low), math.log10(high), count)


def _inverse_softplus(x: Tensor) -> Tensor:
    return x + (-(-x).expm1()).log()
