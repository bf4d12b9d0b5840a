"""Which utterances of a batch can lend each other their frames, for `mismatch_gap`."""

from __future__ import annotations

import torch

from cmkt.types import Frames, Tokens

LENGTH_TOLERANCE = 0.1


def mismatch_pairs(frames: Frames, tokens: Tokens) -> tuple[list[int], list[int]]:
    """Rows with text, and for each the row whose frames stand in for its own: the nearest in length.

    A partner's length differs by at most 10% of the longer one, and its transcript differs. Rows without one are left
    out.
    """
    lengths = frames.mask.sum(dim=1).tolist()
    own: list[int] = []
    other: list[int] = []
    for row in tokens.mask.any(dim=1).nonzero().flatten().tolist():
        near = [
            (abs(lengths[row] - length), partner)
            for partner, length in enumerate(lengths)
            if abs(lengths[row] - length) <= LENGTH_TOLERANCE * max(lengths[row], length)
            and not _same_text(tokens, row, partner)
        ]
        if near:
            own.append(row)
            other.append(min(near)[1])
    return own, other


def take_frames(frames: Frames, rows: list[int]) -> Frames:
    """The frames of those rows, in that order."""
    return Frames(values=frames.values[rows], mask=frames.mask[rows], seconds_per_frame=frames.seconds_per_frame)


def _same_text(tokens: Tokens, row: int, other: int) -> bool:
    if row == other:
        return True
    same_mask = torch.equal(tokens.mask[row], tokens.mask[other])
    return same_mask and torch.equal(tokens.values[row], tokens.values[other])
