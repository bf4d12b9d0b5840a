"""The probe: how much of the text a fresh bridge can read out of frames that are given, on held-out utterances.

A low L_CMA proves nothing by itself, because a query made from the text can be answered without the frames (the blind
floor). So every probe of true frames stands beside one of frames that carry nothing, `noise_like`, and what is reported
is `linguistic_gain`: the blind loss minus the true one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from cmkt.errors import ConfigError
from cmkt.text.padding import pad_tokens
from cmkt.transfer.alignment import AlignmentSpec, say_step
from cmkt.transfer.objective import transfer_loss
from cmkt.transfer.retrieval import Retrieval, retrieve
from cmkt.types import Aligned, Frames, Tokens

Pair = tuple[Tensor, float, Tensor]
"""Frames (F, C) of one utterance, the seconds from one frame to the next, and its tokens (N, D)."""

SORTED_BATCHES = 20
"""Among the utterances of so many batches those of like length are put together."""

_CLIP_NORM = 1.0
_WEIGHT_DECAY = 1e-2


@final
@dataclass(frozen=True, slots=True)
class ProbeResult:
    """Held-out losses. utterance_losses: mean 1 - cos of each utterance's counted tokens; utterance_tokens: how many.

    Utterances in which no token is counted are left out of both. retrieval: how often the same bridge finds the right
    transcript; None where that was not asked for.
    """

    utterance_losses: tuple[float, ...]
    utterance_tokens: tuple[int, ...]
    retrieval: Retrieval | None = None

    @property
    def loss(self) -> float:
        """L_CMA per token over all held-out tokens, lower is better."""
        return float(np.average(self.utterance_losses, weights=self.utterance_tokens))


@final
@dataclass(frozen=True, slots=True)
class LinguisticGain:
    """Blind loss minus true loss per token, higher is more language, with a bootstrap interval over utterances."""

    value: float
    low: float
    high: float


def probe(
    train_pairs: Sequence[Pair],
    held_out_pairs: Sequence[Pair],
    spec: AlignmentSpec,
    *,
    steps: int,
    seed: int,
    batch_size: int = 16,
    learning_rate: float = 2e-3,
    device: str | torch.device = "cpu",
    retrieval: bool = False,
    on_bridge: Callable[[nn.Module], None] | None = None,
) -> ProbeResult:
    """Trains a fresh bridge on the training pairs for `steps` batches and gives its losses on the held-out ones.

    Weights, batches and drawn shifts depend on `seed` only, and the global random state is left alone. retrieval: also
    find the transcript of each held-out utterance among others (`cmkt.transfer.retrieval`). on_bridge: called with the
    trained bridge, in evaluation mode.
    Raises: ConfigError when there are no pairs, their widths or frame rates differ, or there are too few to retrieve.
    """
    _check_pairs([*train_pairs, *held_out_pairs], bool(train_pairs) and bool(held_out_pairs))
    bridge = spec.build(train_pairs[0][0].shape[1], train_pairs[0][2].shape[1], seed=seed).to(device)
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(bridge.parameters(), lr=learning_rate, weight_decay=_WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=max(steps, 1))
    batches: list[list[int]] = []
    lengths = torch.tensor([len(frames) for frames, _, _ in train_pairs])
    for step in range(steps):
        say_step(bridge, step)
        batches = batches or epoch_batches(lengths, batch_size=batch_size, generator=generator)
        chosen = batches.pop()
        aligned = _align(bridge, [train_pairs[index] for index in chosen], generator=generator, device=device)
        optimizer.zero_grad()
        transfer_loss(aligned, "mean").backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(bridge.parameters(), _CLIP_NORM)
        optimizer.step()
        schedule.step()
    bridge.eval()
    say_step(bridge, steps)
    if on_bridge is not None:
        on_bridge(bridge)
    align = partial(_align, bridge, generator=torch.Generator().manual_seed(seed), device=device)
    result = _held_out(align, held_out_pairs, batch_size=batch_size)
    return replace(result, retrieval=retrieve(align, held_out_pairs, seed=seed)) if retrieval else result


def epoch_batches(lengths: Tensor, *, batch_size: int, generator: torch.Generator) -> list[list[int]]:
    """Indices of a pass over all utterances in random order, but with like lengths together, so that little is padded.

    The last of the order, too few for a batch, are left out of the pass, unless they are all there are.
    """
    order = torch.randperm(len(lengths), generator=generator)
    whole = max(len(order) // batch_size * batch_size, min(batch_size, len(order)))
    pools: Sequence[Tensor] = torch.split(order[:whole], SORTED_BATCHES * batch_size)
    by_length = torch.cat([pool[lengths[pool].argsort(stable=True)] for pool in pools])
    batches: Sequence[Tensor] = torch.split(by_length, batch_size)
    return [batches[place].tolist() for place in torch.randperm(len(batches), generator=generator).tolist()]


def linguistic_gain(
    *, blind: ProbeResult, true: ProbeResult, seed: int, resamples: int = 2000, confidence: float = 0.95
) -> LinguisticGain:
    """What true frames give beyond frames that carry nothing; both results must be of the same utterances in order.

    Raises: ConfigError when they are not.
    """
    if blind.utterance_tokens != true.utterance_tokens:
        raise ConfigError("`blind` and `true` must be probes of the same held-out utterances, but are not.")
    tokens = np.asarray(true.utterance_tokens, dtype=np.float64)
    gains = (np.asarray(blind.utterance_losses) - np.asarray(true.utterance_losses)) * tokens
    drawn = np.random.default_rng(seed).integers(len(tokens), size=(resamples, len(tokens)))
    means = gains[drawn].sum(axis=1) / tokens[drawn].sum(axis=1)
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return LinguisticGain(value=float(gains.sum() / tokens.sum()), low=float(low), high=float(high))


def noise_like(frames: Tensor, generator: torch.Generator) -> Tensor:
    """Gaussian frames of the same shape (F, C) with each channel's mean and deviation: they carry nothing."""
    drawn = torch.randn(frames.shape, generator=generator, device=generator.device).to(frames)
    return frames.mean(dim=0) + drawn * frames.std(dim=0, correction=0)


def mismatched(pairs: Sequence[Pair]) -> list[Pair]:
    """Every utterance's tokens with the frames of the utterance nearest in length whose tokens differ.

    These frames carry nothing about the text, and are otherwise distributed as the true ones. Gaussian noise is not: in
    independent random frames attention finds more different vectors to combine than in speech, so its floor is lower.
    Raises: ConfigError when all utterances have the same tokens.
    """
    lengths = torch.tensor([len(frames) for frames, _, _ in pairs])
    result: list[Pair] = []
    for _, seconds, tokens in pairs:
        nearest = (lengths - lengths[len(result)]).abs().argsort(stable=True).tolist()
        partner = next((index for index in nearest if not torch.equal(pairs[index][2], tokens)), None)
        if partner is None:
            raise ConfigError("`pairs` must hold utterances with different tokens, but all are alike.")
        result.append((pairs[partner][0], seconds, tokens))
    return result


def mean_direction_floor(train_pairs: Sequence[Pair], held_out_pairs: Sequence[Pair]) -> float:
    """L_CMA per held-out token when every prediction is the mean direction of the training tokens."""
    mean = nn.functional.normalize(torch.cat([tokens for _, _, tokens in train_pairs]).float(), dim=-1).mean(dim=0)
    held_out = torch.cat([tokens for _, _, tokens in held_out_pairs]).float()
    return float((1 - nn.functional.cosine_similarity(held_out, mean[None], dim=-1)).mean())


def _check_pairs(pairs: Sequence[Pair], both: bool) -> None:
    if not both:
        raise ConfigError("`train_pairs` and `held_out_pairs` must each hold an utterance, but one is empty.")
    kinds = {(frames.shape[1], round(seconds, 9), tokens.shape[1]) for frames, seconds, tokens in pairs}
    if len(kinds) > 1:
        raise ConfigError(
            f"Pairs must agree in frame width, seconds per frame and token width, but there are {sorted(kinds)}."
        )


def _align(
    bridge: nn.Module, pairs: Sequence[Pair], *, generator: torch.Generator, device: str | torch.device
) -> Aligned:
    values = pad_sequence([frames for frames, _, _ in pairs], batch_first=True).to(device)
    lengths = torch.tensor([len(frames) for frames, _, _ in pairs])
    mask = (torch.arange(values.shape[1]) < lengths[:, None]).to(device)
    padded = pad_tokens([tokens for _, _, tokens in pairs], pairs[0][2].shape[1])
    tokens = Tokens(values=padded.values.to(device), mask=padded.mask.to(device))
    aligned: Aligned = bridge(Frames(values=values, mask=mask, seconds_per_frame=pairs[0][1]), tokens, generator)
    return aligned


@torch.no_grad()
def _held_out(align: Callable[[Sequence[Pair]], Aligned], pairs: Sequence[Pair], *, batch_size: int) -> ProbeResult:
    sums: list[float] = []
    counts: list[int] = []
    for start in range(0, len(pairs), batch_size):
        aligned = align(pairs[start : start + batch_size])
        sums += aligned.distance.sum(dim=1).tolist()
        counts += aligned.counted.sum(dim=1).tolist()
    kept = [(total / count, count) for total, count in zip(sums, counts, strict=True) if count]
    if not kept:
        raise ConfigError("`held_out_pairs` must leave tokens to count under this shift, but leave none.")
    return ProbeResult(tuple(loss for loss, _ in kept), tuple(count for _, count in kept))
