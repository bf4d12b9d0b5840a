"""The audio of a few utterances that an evaluation leaves for listening."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cmkt.audio.write import write_audio
from cmkt.evaluation.record import CLEAN, NOISY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cmkt.evaluation.held_out import HeldOutMixture
    from cmkt.evaluation.record import Item
    from cmkt.types import FloatArray

AUDIO: Final = "audio"


def audio_path(output: Path, item: Item, system: str) -> Path:
    """Where the audio of a system, or "clean", on a mixture is kept: `ID_SNRdB_SYSTEM.wav`, without an unknown SNR."""
    snr = "" if item.snr_db is None else f"_{item.snr_db:g}dB"
    return output / AUDIO / f"{_safe(item.id)}{snr}_{_safe(system)}.wav"


def _safe(name: str) -> str:
    return re.sub(r"[^\w.-]+", "_", name)


def kept_ids(items: Sequence[Item], wanted: int) -> frozenset[str]:
    """`wanted` utterances, spread evenly over the set."""
    ids = list(dict.fromkeys(item.id for item in items))
    return frozenset(ids[place] for place in spread(len(ids), wanted))


def spread(count: int, wanted: int) -> list[int]:
    """`wanted` indices below `count`, or all of them, spread evenly with the first one included."""
    wanted = min(wanted, count)
    return [place * count // wanted for place in range(wanted)]


def lacks_audio(output: Path, item: Item, system: str, *, has_reference: bool) -> bool:
    """Whether any audio that `keep_audio` writes is not there."""
    return not all(audio_path(output, item, name).exists() for name in _names(system, has_reference=has_reference))


def keep_audio(output: Path, mixture: HeldOutMixture, system: str, estimate: FloatArray) -> None:
    """Writes the estimate (T,) of a system and, with that of noisy, the reference; clean as a system writes nothing."""
    sounds = {system: estimate, CLEAN: mixture.clean}
    for name in _names(system, has_reference=mixture.clean is not None):
        audio = sounds[name]
        if audio is not None:
            path = audio_path(output, mixture.item, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_audio(path, audio, mixture.sample_rate, subtype="PCM_16")


def _names(system: str, *, has_reference: bool) -> tuple[str, ...]:
    if system == CLEAN:
        return ()
    return (system, CLEAN) if system == NOISY and has_reference else (system,)
