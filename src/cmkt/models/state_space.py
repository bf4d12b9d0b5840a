"""Selective state spaces: a linear recurrence whose decay, input and output depend on what is heard.

Gu and Dao, "Mamba: Linear-Time Sequence Modeling with Selective State Spaces", 2023; Dao and Gu, "Transformers are
SSMs", ICML 2024, whose form has one decay for each head. Each head keeps a state h, N x P, and at step t

    h_t = exp(decay_t) h_(t-1) + write_t x_t^T           y_t = h_t^T read_t

As a loop that is one small product a step. Within a chunk of Q steps it is the same as attention without a softmax,

    y_t = sum over s <= t of exp(decay_(s+1) + ... + decay_t) (read_t . write_s) x_s

and from one chunk to the next the states are mixed by the decays of whole chunks, which again is a lower triangular
matrix. So all of it is a few large products. No exponent is positive, whatever the length.

Shapes: B sequences, L steps, A heads, N states and P features of a head, M chunks of Q steps, C channels.
"""

from __future__ import annotations

import math
from typing import final

import torch
from torch import Tensor, nn
from torch.nn import functional

from cmkt.errors import ConfigError

CHUNK = 32
"""Most steps of a chunk."""

_STEPS = (0.001, 0.1)
_RATES = (1.0, 16.0)
"""Ranges of step sizes and decay rates of a fresh network, as in the papers."""


def stepwise_scan(x: Tensor, decay: Tensor, write: Tensor, read: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
    """The recurrence as it is defined, a loop over steps: y (B, L, A, P), and the state after the last step.

    x (B, L, A, P); decay (B, L, A), not positive; write and read (B, L, N), shared by the heads; state (B, A, N, P).
    """
    outputs = []
    kept = decay.exp()[..., None, None].unbind(dim=1)
    steps = zip(x[..., None, :].unbind(1), kept, write[:, :, None, :, None].unbind(1), read.unbind(1), strict=True)
    for heard, left, into, out_of in steps:
        state = left * state + into * heard
        outputs.append((out_of[:, None, None] @ state)[:, :, 0])
    return torch.stack(outputs, dim=1), state


def chunked_scan(
    x: Tensor, decay: Tensor, write: Tensor, read: Tensor, state: Tensor, *, chunk: int = CHUNK
) -> tuple[Tensor, Tensor]:
    """What `stepwise_scan` gives, by matrix products over chunks of at most `chunk` steps.

    The chunks are as even as can be, so that a single step is a chunk of one.
    """
    batch, steps, heads, features = x.shape
    chunks = (steps + chunk - 1) // chunk
    size = (steps + chunks - 1) // chunks
    missing = chunks * size - steps  # steps that neither write nor decay
    x = functional.pad(x, (0, 0, 0, 0, 0, missing)).reshape(batch, chunks, size, heads, features)
    summed = functional.pad(decay, (0, 0, 0, missing)).reshape(batch, chunks, size, heads).cumsum(dim=2)
    write, read = (
        functional.pad(each, (0, 0, 0, missing)).reshape(batch, chunks, size, each.shape[-1]) for each in (write, read)
    )
    scores = (read @ write.transpose(-1, -2)).tril()[:, :, None]
    within = ((_lasting(summed.transpose(2, 3)) * scores) @ x.transpose(2, 3)).transpose(2, 3)
    until_end = (summed[:, :, -1:] - summed).exp()
    written = write.transpose(-1, -2) @ (x * until_end[..., None]).flatten(3)
    written = written.reshape(batch, chunks, -1, heads, features).permute(0, 3, 1, 2, 4)
    entering, after = _passed_on(torch.cat((state[:, :, None], written), dim=2), summed[:, :, -1].transpose(1, 2))
    before = (read @ entering.permute(0, 2, 3, 1, 4).flatten(3)).reshape(batch, chunks, size, heads, features)
    return (within + before * summed.exp()[..., None]).flatten(1, 2)[:, :steps], after


def _lasting(summed: Tensor) -> Tensor:
    """(..., L, L) from sums of decays (..., L): what is left at one step (row) of another, and one of any later."""
    return (summed[..., :, None] - summed[..., None, :]).clamp(max=0).exp()


def _passed_on(states: Tensor, decays: Tensor) -> tuple[Tensor, Tensor]:
    """States at the beginning of each chunk (B, A, M, N, P), and at the end of the last (B, A, N, P).

    states (B, A, M + 1, N, P): the one before everything, and what each chunk adds; decays (B, A, M): of whole chunks.
    """
    left = _lasting(functional.pad(decays.cumsum(dim=-1), (1, 0))).tril()
    mixed = (left @ states.flatten(3)).reshape(states.shape)
    return mixed[:, :, :-1], mixed[:, :, -1]


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
        mixed = functional.silu(self.conv(heard.transpose(1, 2)).transpose(1, 2))
        values, write, read = torch.split(mixed, [inner, states, states], dim=-1)
        values = values.reshape(*values.shape[:2], heads, self.head_width)
        size = functional.softplus(step + self.step_bias)
        y, after = chunked_scan(
            values * size[..., None], -self.log_rate.exp() * size, write, read, state.to(values.dtype)
        )
        y = (y + self.through * values).flatten(2) * functional.silu(gate)
        return x + self.output(self.inner_norm(y)), seen, after


def _spread(low: float, high: float, count: int) -> Tensor:
    """So many numbers from low to high, each the same multiple of the one before."""
    return torch.logspace(math.log10(low), math.log10(high), count)


def _inverse_softplus(x: Tensor) -> Tensor:
    return x + (-(-x).expm1()).log()
