from __future__ import annotations

import torch

from cmkt.transfer.mismatch import mismatch_pairs, take_frames
from cmkt.types import Frames, Tokens


def batch(frame_counts: list[int], texts: list[list[float]]) -> tuple[Frames, Tokens]:
    """One-dimensional frames and tokens; an empty list is an utterance without text."""
    mask = torch.arange(max(frame_counts)) < torch.tensor(frame_counts)[:, None]
    values = torch.arange(len(frame_counts), dtype=torch.float32)[:, None, None].expand(*mask.shape, 1)
    longest = max(len(text) for text in texts)
    token_mask = torch.arange(longest) < torch.tensor([len(text) for text in texts])[:, None]
    tokens = torch.tensor([text + [0.0] * (longest - len(text)) for text in texts])[..., None]
    return Frames(values, mask, 0.01), Tokens(tokens, token_mask)


def test_the_partner_is_the_nearest_in_length() -> None:
    pairs = mismatch_pairs(*batch([100, 109, 104, 300], [[1.0], [2.0], [3.0], [4.0]]))
    assert pairs == ([0, 1, 2], [2, 2, 0])


def test_more_than_a_tenth_apart_is_no_partner() -> None:
    assert mismatch_pairs(*batch([90, 100], [[1.0], [2.0]])) == ([0, 1], [1, 0])
    assert mismatch_pairs(*batch([89, 100], [[1.0], [2.0]])) == ([], [])


def test_the_same_transcript_is_no_partner() -> None:
    assert mismatch_pairs(*batch([100, 100], [[1.0, 2.0], [1.0, 2.0]])) == ([], [])


def test_an_utterance_without_text_lends_frames_but_gets_none() -> None:
    assert mismatch_pairs(*batch([100, 100], [[1.0], []])) == ([0], [1])


def test_frames_are_taken_with_their_masks() -> None:
    frames, _ = batch([4, 3, 2], [[1.0], [2.0], [3.0]])
    taken = take_frames(frames, [2, 0])
    assert taken.values[:, 0, 0].tolist() == [2.0, 0.0]
    assert taken.mask.sum(dim=1).tolist() == [2, 4]
    assert taken.seconds_per_frame == frames.seconds_per_frame
