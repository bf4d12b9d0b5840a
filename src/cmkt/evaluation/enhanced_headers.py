"""What the headers of files that some other system enhanced tell before any of them is scored."""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING

from cmkt.audio.read import audio_info
from cmkt.data.pair_audio import TOLERANCE_SECONDS
from cmkt.errors import AudioFileError, ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from cmkt.data.pairs import Pair

logger = logging.getLogger(__name__)


def check_headers(folder: Path, files: Sequence[tuple[Pair, Path | None]], *, sample_rate: int | None) -> None:
    """Refuses what concerns a folder as a whole, and tells how many of its files will fail and how many are mended.

    files: each pair with its file of the folder, None where there is none; sample_rate: in Hz, of the evaluation, to
    which all files are resampled, None where each must have the rate of its noisy file.

    Raises: ConfigError where files have several channels, or another rate than they must.
    """
    rates: list[tuple[Path, int, int]] = []
    channels: list[tuple[Path, int]] = []
    told: Counter[str] = Counter()
    for pair, path in files:
        if path is None:
            told["missing"] += 1
            continue
        noisy = audio_info(pair.noisy)
        try:
            info = audio_info(path)
        except AudioFileError:
            told["damaged"] += 1
            continue
        if info.channels != 1:
            channels.append((path, info.channels))
        if info.sample_rate != noisy.sample_rate if sample_rate is None else info.sample_rate < sample_rate:
            rates.append((path, info.sample_rate, noisy.sample_rate))
        elif info.samples is not None and noisy.samples is not None:
            told[_length(info.samples / info.sample_rate - noisy.samples / noisy.sample_rate, noisy.sample_rate)] += 1
    if channels:
        raise ConfigError(
            f"Files of {folder} must have one channel as the noisy files, but {len(channels)} of {len(files)} have "
            f"more, {channels[0][0]} has {channels[0][1]}. Write one channel of each."
        )
    if rates:
        raise ConfigError(_rates_message(folder, rates, len(files), sample_rate))
    _warn(folder, told, len(files))


def _length(difference: float, rate: int) -> str:
    if abs(difference) * rate < 0.5:
        return "equal"
    return "near" if abs(difference) <= TOLERANCE_SECONDS else "far"


def _rates_message(folder: Path, rates: Sequence[tuple[Path, int, int]], count: int, sample_rate: int | None) -> str:
    path, rate, noisy_rate = rates[0]
    if sample_rate is not None:
        return (
            f"`sample_rate` must be at most that of every file, but {len(rates)} of {count} files of {folder} have "
            f"less than {sample_rate} Hz, {path.name} has {rate} Hz. Name a lower rate."
        )
    return (
        f"Files of {folder} must have the rate of the noisy files, but {len(rates)} of {count} have another: "
        f"{path.name} has {rate} Hz and its noisy file {noisy_rate} Hz. Resample them, or score everything at "
        f"{min(rate, noisy_rate)} Hz (--sample-rate {min(rate, noisy_rate)})."
    )


def _warn(folder: Path, told: Mapping[str, int], count: int) -> None:
    outcomes = {
        "missing": "have no file and fail",
        "damaged": "have a file that cannot be read, and fail",
        "far": f"differ by more than {1000 * TOLERANCE_SECONDS:.0f} ms in length, and fail",
        "near": f"differ by up to {1000 * TOLERANCE_SECONDS:.0f} ms in length: their ends are cut or filled with zeros",
    }
    for outcome, meaning in outcomes.items():
        if number := told.get(outcome, 0):
            logger.warning("%s: %d of %d noisy files %s.", folder, number, count, meaning)
