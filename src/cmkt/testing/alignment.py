"""The contract of an alignment, as a check that outsiders can run on their own: `check_alignment(MyAlignment())`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor, nn

from cmkt.transfer.alignment import AlignmentSpec
from cmkt.transfer.objective import transfer_loss
from cmkt.types import Aligned, Frames, Tokens

FRAME_WIDTH = 24
TOKEN_WIDTH = 16
FRAME_LENGTHS = (60, 50, 41)
TOKEN_LENGTHS = (9, 5, 7)
SECONDS_PER_FRAME = 0.02
TOLERANCE = 1e-4
HALF_TOLERANCE = 0.1


@final
@dataclass(frozen=True, slots=True)
class Subject:
    """An alignment under test, and a batch of three utterances of different lengths."""

    spec: AlignmentSpec
    module: nn.Module
    frames: Frames
    tokens: Tokens

    def align(self, frames: Frames | None = None, tokens: Tokens | None = None) -> Aligned:
        """What the alignment gives for the batch, or for other frames or tokens, with the same draws every time."""
        aligned: Aligned = self.module(frames or self.frames, tokens or self.tokens, torch.Generator().manual_seed(3))
        return aligned


def check_alignment(spec: AlignmentSpec) -> None:
    """Checks everything that training relies on. Raises: AssertionError that says what does not hold."""
    generator = torch.Generator().manual_seed(1)
    check_objective(spec, Tokens(*_padded(TOKEN_LENGTHS, TOKEN_WIDTH, generator)))
    for check in COSINE_CHECKS:
        check(_subject(spec, Tokens(*_padded(TOKEN_LENGTHS, TOKEN_WIDTH, generator))))


def check_objective(spec: AlignmentSpec, tokens: Tokens) -> None:
    """As `check_alignment`, for a text objective whose distance is not that of directions, as `CTC`.

    tokens: three utterances of 9, 5 and 7 tokens, which differ, in the form that the objective takes.
    Raises: AssertionError that says what does not hold.
    """
    for check in CHECKS:
        check(_subject(spec, tokens))


def _subject(spec: AlignmentSpec, tokens: Tokens) -> Subject:
    generator = torch.Generator().manual_seed(0)
    frames = Frames(*_padded(FRAME_LENGTHS, FRAME_WIDTH, generator), seconds_per_frame=SECONDS_PER_FRAME)
    module = spec.build(FRAME_WIDTH, tokens.values.shape[2], seed=1)
    return Subject(spec=spec, module=module, frames=frames, tokens=tokens)


def _padded(lengths: tuple[int, ...], width: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    mask = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    return torch.randn(*mask.shape, width, generator=generator) * mask[..., None], mask


def _close(actual: Tensor, expected: Tensor, tolerance: float = TOLERANCE) -> bool:
    return torch.allclose(actual, expected, rtol=0.0, atol=tolerance)


def check_shapes(subject: Subject) -> None:
    """Distances, counts and matrix have their shapes, ranges and zeros."""
    aligned, tokens, frames = subject.align(), subject.tokens, subject.frames
    batch, count = tokens.mask.shape
    assert aligned.distance.shape == aligned.counted.shape == (batch, count), "distance and counted must be (B, N)"
    assert aligned.matrix.shape == (batch, count, frames.mask.shape[1]), "matrix must be (B, N, F)"
    assert aligned.counted.dtype == torch.bool, "counted must be bool"
    assert aligned.distance.dtype == torch.float32, "distance must be float32"
    assert bool(aligned.counted.any()), "some token must be counted"
    assert not bool((aligned.counted & ~tokens.mask).any()), "padding must not be counted"
    assert not bool(aligned.distance[~aligned.counted].any()), "distance must be zero where not counted"
    assert _close(aligned.matrix.sum(dim=-1), aligned.counted.float()), "matrix rows must sum to one where counted"
    outside = aligned.matrix.masked_select(~frames.mask[:, None, :].expand_as(aligned.matrix))
    assert not bool(outside.any()), "padding frames must have no weight"


def check_range(subject: Subject) -> None:
    """A distance is 1 - cos, from 0 to 2."""
    distance = subject.align().distance
    assert bool(((distance >= -TOLERANCE) & (distance <= 2 + TOLERANCE)).all()), "1 - cos is in [0, 2]"


def check_padding(subject: Subject) -> None:
    """More padding, with anything in it, changes nothing."""
    frames, tokens = subject.frames, subject.tokens
    extra = 7
    more_frames = Frames(
        values=_extend(frames.values, extra, 5.0).masked_fill(~_extend(frames.mask, extra, False)[..., None], 5.0),
        mask=_extend(frames.mask, extra, False),
        seconds_per_frame=frames.seconds_per_frame,
    )
    more_tokens = Tokens(values=_extend(tokens.values, extra, 0.0), mask=_extend(tokens.mask, extra, False))
    before, after = subject.align(), subject.align(more_frames, more_tokens)
    count = tokens.mask.shape[1]
    assert torch.equal(before.counted, after.counted[:, :count]), "padding must not change what is counted"
    assert _close(before.distance, after.distance[:, :count]), "padding must not change the distance"
    assert not bool(after.counted[:, count:].any()), "padding must not be counted"


def _extend(values: Tensor, amount: int, fill: float | bool) -> Tensor:
    shape = (values.shape[0], amount, *values.shape[2:])
    return torch.cat([values, torch.full(shape, fill, dtype=values.dtype)], dim=1)


def check_gradients(subject: Subject) -> None:
    """The loss reaches real frames and every parameter, never padding or the teacher."""
    frames = subject.frames.values.clone().requires_grad_()
    tokens = subject.tokens.values.clone().requires_grad_()
    aligned = subject.align(Frames(frames, subject.frames.mask, SECONDS_PER_FRAME), Tokens(tokens, subject.tokens.mask))
    _backward(aligned)
    assert tokens.grad is None or not bool(tokens.grad.any()), "no gradient may reach the teacher's vectors"
    assert frames.grad is not None, "a gradient must reach the frames"
    assert bool(frames.grad.isfinite().all()), "the gradient of the frames must be finite"
    assert bool(frames.grad[subject.frames.mask].any()), "the gradient of the frames must not be zero"
    assert not bool(frames.grad[~subject.frames.mask].any()), "no gradient may reach padding frames"
    missing = [name for name, p in subject.module.named_parameters() if p.requires_grad and p.grad is None]
    assert not missing, f"every parameter must get a gradient, but these get none: {missing}"


def check_no_leak(subject: Subject) -> None:
    """Frames that are constant in time give a prediction that does not depend on the text.

    The same target then has the same distance in every sentence and position (nothing leaks from the neighbours), and
    cos(-z, zhat) = -cos(z, zhat), so that a target and its negative have distances that sum to 2 (nothing from itself).
    """
    generator = torch.Generator().manual_seed(5)
    vector = torch.randn(TOKEN_WIDTH, generator=generator)
    values = torch.randn(subject.tokens.values.shape, generator=generator)
    values = values * subject.tokens.mask[..., None]
    places = [(0, 3), (1, 4), (2, 2), (0, 8), (2, 6)]
    for row, column in places:
        values[row, column] = vector
    constant = torch.randn(FRAME_WIDTH, generator=generator).expand_as(subject.frames.values)
    aligned = subject.align(
        Frames(constant, subject.frames.mask, SECONDS_PER_FRAME), Tokens(values, subject.tokens.mask)
    )
    opposite = subject.align(
        Frames(constant, subject.frames.mask, SECONDS_PER_FRAME), Tokens(-values, subject.tokens.mask)
    )
    sums = (aligned.distance + opposite.distance)[aligned.counted]
    assert _close(sums, torch.full_like(sums, 2.0)), (
        "with frames that are constant in time the prediction must not depend on the text, but that of a token moves "
        "towards its own target: the query leaks into the output"
    )
    rows, columns = (list(index) for index in zip(*places, strict=True))
    distances = aligned.distance[rows, columns][aligned.counted[rows, columns]]
    assert len(distances) > 1, "tokens in the middle of a sentence must be counted"
    assert _close(distances, distances[:1].expand_as(distances)), (
        "with frames that are constant in time the prediction must not depend on the text, but the same token has "
        f"distances {distances.tolist()} in different sentences: the query leaks into the output"
    )


def check_zero_tokens(subject: Subject) -> None:
    """No text at all gives a zero that is connected to the graph, and rows without text stay out of others' losses."""
    for count in (0, 4):
        subject.module.zero_grad()
        frames = subject.frames.values.clone().requires_grad_()
        empty = Tokens(torch.zeros(3, count, subject.tokens.values.shape[2]), torch.zeros(3, count, dtype=torch.bool))
        aligned = subject.align(Frames(frames, subject.frames.mask, SECONDS_PER_FRAME), empty)
        loss = transfer_loss(aligned, "mean")
        assert loss.requires_grad, "a batch without text must give a zero that is connected to the graph"
        assert loss.item() == 0.0, "a batch without text must give a loss of zero"
        _backward(aligned)
        missing = [name for name, p in subject.module.named_parameters() if p.requires_grad and p.grad is None]
        assert not missing, f"a batch without text must give zero gradients, not none, to {missing}"
        assert frames.grad is not None, "a batch without text must give frames a zero gradient, not none"
        assert not bool(frames.grad.any()), "a batch without text must not move the frames"


def check_rows_without_text(subject: Subject) -> None:
    """A row without text changes nothing for the others and makes nothing that is not a number."""
    mask = subject.tokens.mask.clone()
    mask[1] = False
    aligned = subject.align(tokens=Tokens(subject.tokens.values * mask[..., None], mask))
    for value in (aligned.distance, aligned.matrix):
        assert bool(value.isfinite().all()), "a row without text must not give values that are not finite"
    assert _close(aligned.distance[[0, 2]], subject.align().distance[[0, 2]]), "rows must not see each other"


def check_permutation(subject: Subject) -> None:
    """Permuting the batch permutes the result (for drawn shifts: where the draws are permuted too)."""
    forward = subject.align()
    alone = [
        subject.align(
            Frames(subject.frames.values[[row] * 3], subject.frames.mask[[row] * 3], SECONDS_PER_FRAME),
            Tokens(subject.tokens.values[[row] * 3], subject.tokens.mask[[row] * 3]),
        )
        for row in range(3)
    ]
    for row in range(3):
        assert _close(forward.distance[row], alone[row].distance[row]), "an utterance must not depend on its batch"
        assert _close(forward.matrix[row], alone[row].matrix[row]), "an utterance must not depend on its batch"


def check_determinism(subject: Subject) -> None:
    """Same seed, same weights and results; torch's random state is left alone."""
    state = torch.get_rng_state()
    width = subject.tokens.values.shape[2]
    again, other = (subject.spec.build(FRAME_WIDTH, width, seed=seed) for seed in (1, 2))
    first, second = subject.align(), subject.align()
    assert torch.equal(torch.get_rng_state(), state), "building and aligning must not consume torch's random numbers"
    assert torch.equal(first.distance, second.distance), "the same call must give the same result"
    pairs = list(zip(subject.module.parameters(), again.parameters(), strict=True))
    assert all(torch.equal(a, b) for a, b in pairs), "weights must depend on the seed only"
    differs = any(not torch.equal(a, b) for a, b in zip(again.parameters(), other.parameters(), strict=True))
    assert differs or not pairs, "another seed must give other weights"


def check_half_precision(subject: Subject) -> None:
    """Under autocast, with frames in half precision, the distance stays float32 and close to the exact one."""
    exact = subject.align()
    for dtype in (torch.bfloat16, torch.float16):
        values = subject.frames.values.to(dtype).requires_grad_()
        with torch.autocast("cpu", dtype):
            aligned = subject.align(Frames(values, subject.frames.mask, SECONDS_PER_FRAME))
        assert aligned.distance.dtype == torch.float32, "distance must be float32 under autocast"
        assert _close(aligned.distance, exact.distance, HALF_TOLERANCE), "autocast must not change much"
        _backward(aligned)
        assert values.grad is not None, "a gradient must reach the frames under autocast"
        assert bool(values.grad.isfinite().all()), "the gradient must be finite under autocast"


def _backward(aligned: Aligned) -> None:
    transfer_loss(aligned, "mean").backward()  # type: ignore[no-untyped-call]


CHECKS: tuple[Callable[[Subject], None], ...] = (
    check_shapes,
    check_padding,
    check_gradients,
    check_zero_tokens,
    check_rows_without_text,
    check_permutation,
    check_determinism,
    check_half_precision,
)

COSINE_CHECKS: tuple[Callable[[Subject], None], ...] = (check_range, check_no_leak)
