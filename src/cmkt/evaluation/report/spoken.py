"""Mixtures with a transcript, which attention can be drawn on: those that are heard, or a run's own dev data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, final

from cmkt.errors import CmktError
from cmkt.evaluation.report.sound import Audio

if TYPE_CHECKING:
    from cmkt.evaluation.report.reproduce import RunConfig

DEV_SNR_DB: Final = 5.0
DEV_UTTERANCES: Final = 3


@final
@dataclass(frozen=True, slots=True)
class Spoken:
    """A mixture to draw maps of: its title, transcript and noisy audio."""

    title: str
    text: str
    noisy: Audio


def dev_mixtures(configs: Iterable[RunConfig]) -> list[Spoken]:
    """A few mixtures of the first dev folder of a run that is still there, at 5 dB; none where none is."""
    for config in configs:
        data: Any = config.values.get("data")
        folder = data.get("dev") if isinstance(data, Mapping) else None
        if isinstance(folder, str):
            try:
                return _mixtures(Path(folder), sample_rate=int(data.get("sample_rate", 16_000)))
            except (CmktError, ModuleNotFoundError):
                continue
    return []


def _mixtures(folder: Path, *, sample_rate: int) -> list[Spoken]:
    from cmkt.evaluation.probe import ProbeSettings, load_spoken

    settings = ProbeSettings(data=folder, held_out=(folder,), snr_db=DEV_SNR_DB, limit=DEV_UTTERANCES)
    spoken = load_spoken(folder, settings, sample_rate=sample_rate)
    return [
        Spoken(f"{mixture.id} of {folder.name} at {DEV_SNR_DB:g} dB", text, Audio(mixture.noisy, sample_rate))
        for mixture, text in zip(spoken.mixtures, spoken.texts, strict=True)
    ]
