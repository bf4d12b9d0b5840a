"""Attention maps of trained bridges on utterances of a prepared folder, as pictures and as numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from cmkt.errors import DataError
from cmkt.evaluation.attention_map import AttentionMap, effective_frames, order
from cmkt.evaluation.attention_picture import attention_picture

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cmkt.evaluation.probe import Spoken
    from cmkt.evaluation.trained_bridge import TrainedBridge


@final
@dataclass(frozen=True, slots=True)
class DrawnMap:
    """One map that was drawn. path: of the picture; width_seconds: the median over tokens of how much time holds most
    of a token's weight; order: of tokens and the mean time of their weights, 1 where words are read in their order."""

    path: Path
    utterance: str
    bridge: str
    width_seconds: float
    order: float


def draw_maps(bridges: Sequence[TrainedBridge], spoken: Sequence[Spoken], folder: Path) -> list[DrawnMap]:
    """One picture an utterance, with a panel for each bridge, all of one sample rate; each utterance in `folder`.

    Raises: DataError where nothing is left to draw; TextError and StoreError as `TrainedBridge.attend`;
    MissingExtraError without matplotlib.
    """
    drawn: list[DrawnMap] = []
    for part in spoken:
        for index, text in enumerate(part.texts):
            mixture = part.mixtures[index]
            maps = {_name(bridge): bridge.attend_mixture(mixture, text) for bridge in bridges}
            path = folder / f"{file_name(mixture.id)}.png"
            rate = bridges[0].sample_rate
            attention_picture(
                path,
                maps,
                audio=mixture.noisy,
                sample_rate=rate,
                title=f"{mixture.id} at {mixture.snr_db:g} dB: {text}",
            )
            seconds = len(mixture.noisy) / rate
            drawn += [_told(path, mixture.id, name, found, seconds) for name, found in maps.items()]
    if not drawn:
        raise DataError("There must be an utterance with a transcript and a bridge to draw, but there is none.")
    return drawn


def _told(path: Path, utterance: str, bridge: str, found: AttentionMap, seconds: float) -> DrawnMap:
    per_frame = seconds / found.weights.shape[1]
    return DrawnMap(path, utterance, bridge, effective_frames(found.weights) * per_frame, order(found.weights))


def _name(bridge: TrainedBridge) -> str:
    return f"{bridge.alignment_name} on {bridge.layer}"


def file_name(utterance: str) -> str:
    """The id of an utterance, or any other name, as every file system takes it."""
    return re.sub(r"[^\w.-]+", "_", utterance).strip("._") or "utterance"
