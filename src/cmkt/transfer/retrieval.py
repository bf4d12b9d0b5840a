"""Retrieval: which of a hundred transcripts was said, judged by what a bridge reads out of the frames.

A loss per token is mostly what the question gives away, the same for whatever frames are read. Retrieval takes that
out: for the frames of utterance i and the transcript of utterance j

    s_ij = -L_CMA(tokens j read from frames i),        r_ij = s_ij - mean over k other than i and j of s_kj

so that r_ij says how much better these frames answer transcript j than frames of other utterances do. The transcripts
are ranked by r_ij; frames that carry nothing find the right one at the rate of guessing.

Legend: P utterances.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, final

import numpy as np
import torch
from torch import Tensor

from cmkt.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from cmkt.transfer.probe import Pair
    from cmkt.types import Aligned

CANDIDATES: Final = 100
RESAMPLES: Final = 2000


@final
@dataclass(frozen=True, slots=True)
class Retrieval:
    """How often the right transcript is found, over utterances, with 95% bootstrap intervals over utterances.

    rate: the share of utterances whose own transcript ranks first of `candidates`, guessing gives `chance`. beaten: the
    mean share of the other candidates that the own one ranks above, guessing gives 0.5; it sees what is too little for
    the rate.
    """

    rate: float
    rate_low: float
    rate_high: float
    chance: float
    beaten: float
    beaten_low: float
    beaten_high: float
    candidates: float
    utterances: int


def retrieve(
    align: Callable[[Sequence[Pair]], Aligned],
    pairs: Sequence[Pair],
    *,
    seed: int,
    candidates: int = CANDIDATES,
    batch_size: int = 64,
) -> Retrieval:
    """Ranks, for the frames of each pair, its own transcript among those of the utterances nearest in length.

    align: a trained bridge on a batch of pairs. An utterance competes with `candidates` - 1 others of other tokens,
    fewer where there are not so many; one that leaves no token to count is left out.
    Raises: ConfigError where `candidates` is below 2, or fewer than three utterances can be ranked.
    """
    if candidates < 2:
        raise ConfigError(f"`candidates` must be 2 or more transcripts, but is {candidates}.")
    scores = pairwise_scores(align, pairs, batch_size=batch_size)
    usable = torch.isfinite(scores.diagonal()).nonzero()[:, 0].tolist()
    if len(usable) < 3:
        raise ConfigError(
            f"Retrieval needs three utterances with tokens to count or more, but there are {len(usable)}."
        )
    relative = relative_scores(scores[usable][:, usable])
    kept = [pairs[index] for index in usable]
    found = (_rank(relative[row], row, _rivals(kept, row, candidates - 1)) for row in range(len(kept)))
    ranked = [each for each in found if each is not None]
    if not ranked:
        raise ConfigError("Retrieval needs utterances with different tokens, but all are alike.")
    first, beaten, rivals = (np.asarray(column, dtype=np.float64) for column in zip(*ranked, strict=True))
    rng = np.random.default_rng(seed)
    rate_low, rate_high = _interval(first, rng)
    beaten_low, beaten_high = _interval(beaten, rng)
    return Retrieval(
        rate=float(first.mean()),
        rate_low=rate_low,
        rate_high=rate_high,
        chance=float((1 / (1 + rivals)).mean()),
        beaten=float(beaten.mean()),
        beaten_low=beaten_low,
        beaten_high=beaten_high,
        candidates=float((1 + rivals).mean()),
        utterances=len(ranked),
    )


@torch.no_grad()
def pairwise_scores(
    align: Callable[[Sequence[Pair]], Aligned], pairs: Sequence[Pair], *, batch_size: int = 64
) -> Tensor:
    """s_ij (P, P): minus the mean distance of the tokens of j read from the frames of i; NaN where none is counted."""
    columns = []
    for _, _, tokens in pairs:
        asked = [(frames, seconds, tokens) for frames, seconds, _ in pairs]
        parts = []
        for start in range(0, len(asked), batch_size):
            aligned = align(asked[start : start + batch_size])
            parts.append(-aligned.distance.sum(dim=1) / aligned.counted.sum(dim=1))  # 0 / 0 is NaN
        columns.append(torch.cat(parts).double().cpu())
    return torch.stack(columns, dim=1)


def relative_scores(scores: Tensor) -> Tensor:
    """r_ij of s_ij, both (P, P), P at least 3. See the head of this file."""
    count = len(scores)
    own = scores.diagonal()
    others = scores.sum(dim=0) - own - scores
    relative = scores - others / (count - 2)
    diagonal = own - (scores.sum(dim=0) - own) / (count - 1)
    relative[range(count), range(count)] = diagonal
    return relative


def _rivals(pairs: Sequence[Pair], row: int, count: int) -> list[int]:
    """The utterances nearest in length to one, of which the tokens are not its own."""
    frames, _, tokens = pairs[row]
    lengths = np.asarray([abs(len(other) - len(frames)) for other, _, _ in pairs])
    nearest = np.argsort(lengths, kind="stable").tolist()
    return [index for index in nearest if not torch.equal(pairs[index][2], tokens)][:count]


def _rank(relative: Tensor, own: int, rivals: list[int]) -> tuple[float, float, int] | None:
    """Whether the own transcript is first, the share of rivals that it beats (a tie counts half), and their number."""
    if not rivals:
        return None
    differences = relative[own] - relative[rivals]
    beaten = float((differences > 0).double().mean() + (differences == 0).double().mean() / 2)
    return float(bool((differences > 0).all())), beaten, len(rivals)


def _interval(values: NDArray[np.float64], rng: np.random.Generator) -> tuple[float, float]:
    means = values[rng.integers(len(values), size=(RESAMPLES, len(values)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)
