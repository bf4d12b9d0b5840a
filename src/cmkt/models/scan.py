"""The selective scan: a linear recurrence whose decay, input and output depend on what is heard.

Gu and Dao, "Mamba: Linear-Time Sequence Modeling with Selective State Spaces", 2023; Dao and Gu, "Transformers are
SSMs", ICML 2024, whose form has one decay for each head. Each head keeps a state h, N x P, and at step t

    h_t = exp(decay_t) h_(t-1) + write_t x_t^T           y_t = h_t^T read_t

As a loop that is one small product a step. Within a chunk of Q steps it is the same as attention without a softmax,

    y_t = sum over s <= t of exp(decay_(s+1) + ... + decay_t) (read_t . write_s) x_s

and from one chunk to the next the states are mixed by the decays of whole chunks, which again is a lower triangular
matrix. So all of it is a few large products. No exponent is positive, whatever the length.

Shapes: B sequences, L steps, A heads, N states and P features of a head, M chunks of Q steps.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from cmkt.models.blocked_scan import scan_in_blocks

CHUNK = 32
"""Most steps of a chunk where all chunks are taken at once."""


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


def chunked_scan(x: Tensor, decay: Tensor, write: Tensor, read: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
    """What `stepwise_scan` gives, by matrix products over chunks, in the way that suits where it runs."""
    if _runs_on_a_processor(x, decay, write, read, state):
        return scan_in_blocks(x, decay, write, read, state)
    return scan_at_once(x, decay, write, read, state)


def _runs_on_a_processor(*tensors: Tensor) -> bool:
    """Whether what is written in place stays ours: neither traced nor compiled, nor in a mixed precision."""
    traced: bool = torch.jit.is_tracing()  # type: ignore[attr-defined, no-untyped-call]
    if traced or torch.compiler.is_compiling() or torch.is_autocast_enabled("cpu"):
        return False
    return all(each.device.type == "cpu" and each.dtype == tensors[0].dtype for each in tensors)


def scan_at_once(
    x: Tensor, decay: Tensor, write: Tensor, read: Tensor, state: Tensor, *, chunk: int = CHUNK
) -> tuple[Tensor, Tensor]:
    """What `stepwise_scan` gives, in a few products of all chunks, of at most `chunk` steps, whatever the length.

    So it suits accelerators and graphs. The chunks are as even as can be, so that a single step is a chunk of one.
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
