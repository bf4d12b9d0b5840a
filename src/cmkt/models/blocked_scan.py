"""The selective scan on a processor: block by block in its cache, in memory that is used again.

The products are those of `cmkt.models.scan`. What bounds them on a processor is less arithmetic than memory: to fill a
fresh tensor of half a megabyte takes longer than to multiply it. So a block of chunks goes through all of it before the
next one comes, in the same few tensors. That is done in place, and needs a backward pass of its own, which keeps the
inputs, the outputs and the state before each chunk and computes the rest again.

With G_t the gradient of the state h_t, that pass is the recurrence from the end,

    G_t = read_t dy_t^T + exp(decay_(t+1)) G_(t+1)        dx_t = G_t^T write_t

so the gradients of x, write and read are the transposed products of the forward pass. A decay multiplies what h_t holds
of h_(t-1), so its gradient is <h_t, G_t> less what step t itself wrote, <x_t, dx_t>; and <h_t, G_t> is <y_t, dy_t>
plus the gradient of the next decay. Within a chunk that is a sum from the end, where <h, G> is computed.

Shapes: B sequences, L steps, A heads, N states and P features of a head, M chunks of Q steps, R chunks in a block.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, TypeVar, final

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

CHUNK = 20
"""Steps of a chunk. Longer ones need more exponentials, shorter ones more states."""

WHOLE = range(27, 15, -1)
"""Steps that are nearly as fast, and better where no shorter chunk is left over."""

BLOCK = 133_120
"""Numbers of x in a block, half a megabyte: fewer would cost more calls, more would leave the cache."""

LONGEST = 80
"""Steps of a block that has many sequences."""


def scan_in_blocks(
    x: Tensor, decay: Tensor, write: Tensor, read: Tensor, state: Tensor, *, chunk: int | None = None
) -> tuple[Tensor, Tensor]:
    """What `stepwise_scan` gives, of the same shapes, for tensors of one dtype on a processor.

    chunk: steps of a chunk but the last; without it, what suits the length. It has gradients, but no gradients of
    gradients.
    """
    size = chunk or next((each for each in WHOLE if x.shape[1] % each == 0), CHUNK)
    given = (x, decay, write, read, state)
    if torch.is_grad_enabled() and any(each.requires_grad for each in given):
        y, after = _Scan.apply(*given, size)  # type: ignore[no-untyped-call]
    else:
        y, after, _ = _scanned(given, size, keep=False)
    return y, after


@final
class _Scan(torch.autograd.Function):
    """The scan, with gradients."""

    @staticmethod
    def forward(ctx: Any, *given: Any) -> tuple[Tensor, Tensor]:
        *tensors, ctx.size = given
        y, after, states = _scanned(tensors, ctx.size, keep=True)
        ctx.save_for_backward(*tensors[:-1], y, *states)
        return y, after

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *adjoints: Any) -> tuple[Tensor | None, ...]:
        (dy, dafter), (x, decay, write, read, y, *states) = adjoints, ctx.saved_tensors
        inputs = (x, decay, write, read)
        *gradients, dstate = [each.new_empty(each.shape) for each in (*inputs, dafter)]
        for *timed, after, before in reversed(list(_groups(*inputs, y, dy, *gradients, dafter, dstate))):
            adjoint = after
            for span in reversed(_spans(y.shape[1], ctx.size)):
                given, wanted = _Chunks.of(timed[:5], span), _Gradients.of(timed[5:], span)
                adjoint = _fill_gradients(given, wanted, states.pop(), adjoint)
                _add_gradients_of_scores(wanted, write=given.write, read=given.read)
            before.copy_(adjoint)
        return *gradients, dstate, None


def _scanned(given: Iterable[Tensor], size: int, *, keep: bool) -> tuple[Tensor, Tensor, list[Tensor]]:
    """y, the state after the last step, and the states before each chunk, if they are to be kept."""
    x, decay, write, read, state = given
    y, last, states = x.new_empty(x.shape), state.new_empty(state.shape), []
    for *timed, before, after in _groups(x, decay, write, read, y, state, last):
        current = before
        for span in _spans(x.shape[1], size):
            states.append(_fill(_Chunks.of(timed, span), current, keep=keep))
            current = states[-1][-1]
        after.copy_(current)
    return y, last, states


def _spans(steps: int, size: int) -> list[tuple[int, int, int]]:
    """First step, steps, and steps of a chunk: of all whole chunks, and of what is left over."""
    whole = steps - steps % size
    spans = [(0, whole, size), (whole, steps - whole, steps - whole)]
    return [span for span in spans if span[1]]


def _groups(x: Tensor, *others: Tensor) -> Iterable[tuple[Tensor, ...]]:
    """Parts of so many sequences as fill a block."""
    _, steps, heads, features = x.shape
    blocks = round(len(x) * min(steps, LONGEST) * heads * features / BLOCK)
    if blocks <= 1:
        return [(x, *others)]
    sequences = -(-len(x) // blocks)
    return zip(*(torch.split(each, sequences) for each in (x, *others)), strict=True)


class _Chunks(NamedTuple):
    """x and y (M, B, A, Q, P); write and read (M, B, 1, Q, N) and their products (M, B, 1, Q, Q); sums of decays
    (M, B, A, Q) and what they leave.
    """

    x: Tensor
    y: Tensor
    write: Tensor
    read: Tensor
    scores: Tensor
    summed: Tensor
    left: Tensor

    @classmethod
    def of(cls, tensors: Sequence[Tensor], span: tuple[int, int, int]) -> _Chunks:
        """x, decay, write, read and y, (B, L, ...)."""
        x, decay, write, read, y = _during(tensors, span)
        size, states = span[-1], write.shape[-1]
        scores = torch.bmm(read.reshape(-1, size, states), write.reshape(-1, size, states).transpose(1, 2))
        summed = _of_heads(decay, size).contiguous().cumsum(dim=-1)
        return cls(
            x=_of_heads(x, size),
            y=_of_heads(y, size),
            write=_for_heads(write, size),
            read=_for_heads(read, size),
            scores=scores.view(len(x), -1, 1, size, size).transpose(0, 1),
            summed=summed,
            left=summed.exp(),
        )


class _Gradients(NamedTuple):
    """Of the same, by chunks too: y is given, the others are to be filled, scores for all heads."""

    y: Tensor
    x: Tensor
    decay: Tensor
    write: Tensor
    read: Tensor
    scores: Tensor

    @classmethod
    def of(cls, tensors: Sequence[Tensor], span: tuple[int, int, int]) -> _Gradients:
        """Of y, x, decay, write and read, (B, L, ...)."""
        y, x, decay, write, read = _during(tensors, span)
        size = span[-1]
        return cls(
            y=_of_heads(y, size),
            x=_of_heads(x, size),
            decay=_of_heads(decay, size),
            write=_for_heads(write, size),
            read=_for_heads(read, size),
            scores=x.new_empty(len(x), x.shape[1] // size, 1, size, size).transpose(0, 1),
        )


_Parts = TypeVar("_Parts", _Chunks, _Gradients)


def _blocks(parts: _Parts, chunks: int) -> list[_Parts]:
    """Parts of so many chunks each, or fewer in the last."""
    if len(parts.x) <= chunks:
        return [parts]
    return [type(parts)(*each) for each in zip(*(torch.split(part, chunks) for part in parts), strict=True)]


def _during(tensors: Sequence[Tensor], span: tuple[int, int, int]) -> Sequence[Tensor]:
    """Parts (B, steps, ...) of (B, L, ...), views."""
    first, steps, _ = span
    return tensors if tensors[0].shape[1] == steps else [each.narrow(1, first, steps) for each in tensors]


def _of_heads(x: Tensor, size: int) -> Tensor:
    """(B, L, A, ...) as (M, B, A, Q, ...), a view."""
    return x.view(len(x), -1, size, *x.shape[2:]).transpose(0, 1).transpose(2, 3)


def _for_heads(x: Tensor, size: int) -> Tensor:
    """(B, L, N) as (M, B, 1, Q, N), a view."""
    return x.view(len(x), -1, 1, size, x.shape[-1]).transpose(0, 1)


def _flat(x: Tensor) -> Tensor:
    """(..., rows, columns) as (matrices, rows, columns), a view."""
    return x.view(-1, x.shape[-2], x.shape[-1])


def _together(x: Tensor) -> int:
    """How many chunks of (M, B, A, Q, P) are a block, as even as can be."""
    chunks = len(x)
    most = max(1, BLOCK * chunks // max(1, x.numel()))
    return -(-chunks // -(-chunks // most))


@final
class _Space:
    """Memory of one block: x and y (R, B, A, Q, P), lasting (R, B, A, Q, Q) and scaled (R, B, A, Q, N)."""

    def __init__(self, x: Tensor, states: int) -> None:
        *block, size, features = x.shape
        matrices, new = block[0] * block[1] * block[2], x.new_empty
        self.flat_x, self.flat_y = new(matrices, size, features), new(matrices, size, features)
        self.flat_lasting, self.flat_scaled = new(matrices, size, size), new(matrices, size, states)
        self.x, self.y = self.flat_x.view(x.shape), self.flat_y.view(x.shape)
        self.lasting = self.flat_lasting.view(*block, size, size)
        self.scaled = self.flat_scaled.view(*block, size, states)

    def fill_lasting(self, summed: Tensor) -> None:
        """What is left at one step (row) of another. What it says of later ones (columns), infinity too, is no use."""
        torch.sub(summed.unsqueeze(-1), summed.unsqueeze(-2), out=self.lasting).exp_()


def _fill(given: _Chunks, state: Tensor, *, keep: bool) -> Tensor:
    """Fills `given.y`. The state after the last chunk (1, B, A, N, P); to keep, those before each in front of it."""
    chunks, states, together = len(given.x), state.shape[2], _together(given.x)
    kept = state.new_empty((chunks if keep else together) + 1, *state.shape)
    space, before, first = _Space(given.x[:together], states), state, 0
    for block in _blocks(given, together):
        if len(block.x) != len(space.x):
            space = _Space(block.x, states)
        passed = kept[first : first + len(block.x) + 1]
        passed[0].copy_(before)
        space.x.copy_(block.x)
        space.fill_lasting(block.summed)
        torch.mul(space.lasting[..., -1, :, None], block.write, out=space.scaled)
        torch.bmm(space.flat_scaled.transpose(1, 2), space.flat_x, out=_flat(passed[1:]))
        before = _pass_on(passed.unbind(), block.left[..., -1:, None].unbind())
        space.lasting.mul_(block.scores).tril_()
        torch.bmm(space.flat_lasting, space.flat_x, out=space.flat_y)
        torch.mul(block.left.unsqueeze(-1), block.read, out=space.scaled)
        torch.baddbmm(space.flat_y, space.flat_scaled, _flat(passed[:-1]), out=space.flat_y)
        block.y.copy_(space.y)
        first += len(block.x) * keep
    return kept if keep else before[None]


def _pass_on(states: Sequence[Tensor], left: Sequence[Tensor]) -> Tensor:
    """Adds to each state what is left of the one before it; the last one. left: from each to the next."""
    for before, now, kept in zip(states, states[1:], left, strict=False):
        now.addcmul_(before, kept)
    return states[-1]


def _fill_gradients(given: _Chunks, wanted: _Gradients, states: Tensor, after: Tensor) -> Tensor:
    """Fills `wanted`, of write and read what states have to do with; the gradient of the first state.

    states: before each chunk and after the last; after: the gradient of the last.
    """
    together, last = _together(given.x), len(given.x)
    kept = after.new_empty(together + 1, *after.shape)
    space, other = (_Space(given.x[:together], states.shape[3]) for _ in range(2))
    for block, gradient in zip(_blocks(given, together)[::-1], _blocks(wanted, together)[::-1], strict=True):
        if len(block.x) != len(space.x):
            space, other = (_Space(block.x, states.shape[3]) for _ in range(2))
        passed = kept[: len(block.x) + 1]
        before = states[last - len(block.x) : last + 1]
        passed[-1].copy_(after)
        after = _fill_gradients_of_block(block, gradient, before, passed, space=space, other=other)
        last -= len(block.x)
    return after


def _fill_gradients_of_block(
    given: _Chunks, wanted: _Gradients, states: Tensor, adjoint: Tensor, *, space: _Space, other: _Space
) -> Tensor:
    """The same of one block. adjoint: memory for the gradients of its states, of which the last is filled."""
    left, dy, dx = given.left[..., None], other.flat_y, other.flat_x
    other.y.copy_(wanted.y)
    torch.mul(left, given.read, out=space.scaled)
    torch.bmm(space.flat_scaled.transpose(1, 2), dy, out=_flat(adjoint[:-1]))
    first = _pass_on(adjoint.unbind()[::-1], left[..., -1:, :].unbind()[::-1])
    torch.bmm(dy, _flat(states[:-1]).transpose(1, 2), out=other.flat_scaled)
    torch.sum(other.scaled.mul_(left), 2, keepdim=True, out=wanted.read)

    space.x.copy_(given.x)
    space.fill_lasting(given.summed)
    until_end = space.lasting[..., -1, :, None].clone()
    torch.bmm(space.flat_x, _flat(adjoint[1:]).transpose(1, 2), out=other.flat_scaled)
    torch.sum(other.scaled.mul_(until_end), 2, keepdim=True, out=wanted.write)
    torch.bmm(dy, space.flat_x.transpose(1, 2), out=other.flat_lasting)
    torch.sum(other.lasting.mul_(space.lasting), 2, keepdim=True, out=wanted.scores)

    space.lasting.mul_(given.scores).tril_()
    torch.bmm(space.flat_lasting.transpose(1, 2), dy, out=dx)
    torch.mul(until_end, given.write, out=space.scaled)
    torch.baddbmm(dx, space.flat_scaled, _flat(adjoint[1:]), out=dx)
    wanted.x.copy_(other.x)

    change = other.y.mul_(given.y).sum(dim=-1) - space.x.mul_(other.x).sum(dim=-1)
    change[..., -1] += (states[1:] * adjoint[1:]).sum(dim=(-1, -2))
    wanted.decay.copy_(change.flip(-1).cumsum(dim=-1).flip(-1))
    return first


def _add_gradients_of_scores(wanted: _Gradients, *, write: Tensor, read: Tensor) -> None:
    """Adds to the gradients of write and read what their products within a chunk have to do with."""
    scores = wanted.scores[:, :, 0].tril()
    wanted.read[:, :, 0].add_(scores @ write[:, :, 0])
    wanted.write[:, :, 0].add_(scores.transpose(-1, -2) @ read[:, :, 0])
