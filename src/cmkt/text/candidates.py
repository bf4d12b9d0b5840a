"""The sentences that compete with the true one in a closed-set test: others of the same data, of similar length."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cmkt.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

NEAREST: Final = 3
"""Candidates are drawn among so many times as many sentences, those nearest in length."""


def draw_candidates(target: str, lengths: Mapping[str, int], *, count: int, rng: np.random.Generator) -> list[str]:
    """`count` sentences other than `target`, fewer where there are not so many, drawn among those nearest in length.

    lengths: every sentence with its length (in phones, say), `target` among them. The order of `lengths` plays no part.

    Raises: ConfigError where `count` is below 1.
    """
    if count < 1:
        raise ConfigError(f"`candidates` must be at least 1, but is {count}.")
    others = sorted(
        (sentence for sentence in lengths if sentence != target),
        key=lambda sentence: (abs(lengths[sentence] - lengths[target]), sentence),
    )[: NEAREST * count]
    if not others:
        return []
    drawn = rng.choice(len(others), size=min(count, len(others)), replace=False)
    return [others[index] for index in sorted(drawn)]
