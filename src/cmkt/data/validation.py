"""One look at an audio file: can it be trained on, and if not, why."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cmkt.audio.read import audio_info, read_blocks
from cmkt.errors import AudioError
from cmkt.signal.floor import speech_to_floor_db
from cmkt.signal.level import SILENCE_DB

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK_SAMPLES = 1 << 18
SILENCE_PEAK = 1e-4
"""-80 dBFS: three steps of 16 bits. A peak below it is silence, as is an RMS too low for mixing (SILENCE_DB)."""
FULL_SCALE = 0.999
CLIPPED_SHARE = 0.01
"""The share of samples at full scale above which a recording counts as clipped."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A usable file. The statistics are of its first channel; peak is linear, 1.0 is full scale.

    speech_to_floor_db: how far speech stands above the noise of its own recording, None where nobody asked.
    """

    sample_rate: int
    channels: int
    samples: int
    peak: float
    clipped_share: float
    speech_to_floor_db: float | None = None

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.samples / self.sample_rate

    @property
    def clipped(self) -> bool:
        """Whether more than 1% of the samples are at full scale."""
        return self.clipped_share > CLIPPED_SHARE


@dataclass(frozen=True, slots=True)
class Dropped:
    """A file that cannot be used: `reason` is the same for all files of its kind, `detail` is about this one."""

    reason: str
    detail: str = ""


@dataclass(slots=True)
class _Statistics:
    samples: int = 0
    clipped: int = 0
    peak: float = 0.0
    energy: float = 0.0
    finite: bool = True

    def add(self, first_channel: NDArray[np.float32]) -> None:
        self.samples += first_channel.size
        if not np.isfinite(first_channel).all():
            self.finite = False
            return
        magnitude = np.abs(first_channel)
        self.clipped += int(np.count_nonzero(magnitude >= FULL_SCALE))
        self.peak = max(self.peak, float(magnitude.max(initial=0.0)))
        self.energy += float(np.square(first_channel, dtype=np.float64).sum())


def check_recording(
    path: str | Path,
    *,
    expected_duration: float | None = None,
    expected_rate: int | None = None,
    minimum_duration: float = 0.0,
) -> Checked | Dropped:
    """Reads the whole file once, in blocks, and says whether it is usable.

    Usable is: it exists and decodes to its end, has the expected rate in Hz (where one is given), at least one sample
    and `minimum_duration` seconds, only finite samples, a first channel that is not silent (peak above -80 dBFS, RMS
    above -120 dBFS), and a duration within 0.1 s or 2% of `expected_duration`, whichever is more.
    """
    return _check(path, expected_duration, expected_rate, minimum_duration, kept=None)


def check_speech(
    path: str | Path, *, expected_duration: float | None = None, minimum_duration: float = 0.0
) -> Checked | Dropped:
    """As `check_recording`, and measures `speech_to_floor_db`, for which the first channel is held in memory."""
    kept: list[NDArray[np.float32]] = []
    checked = _check(path, expected_duration, None, minimum_duration, kept=kept)
    if isinstance(checked, Dropped):
        return checked
    # Nearly every utterance is one block (16 s at 16 kHz); copying it would cost a third of the measurement.
    first_channel = kept[0] if len(kept) == 1 else np.concatenate(kept)
    return replace(checked, speech_to_floor_db=speech_to_floor_db(first_channel, checked.sample_rate))


def _check(
    path: str | Path,
    expected_duration: float | None,
    expected_rate: int | None,
    minimum_duration: float,
    *,
    kept: list[NDArray[np.float32]] | None,
) -> Checked | Dropped:
    """`kept` receives the first channel, block by block, where one is given."""
    if not Path(path).is_file():
        return Dropped("missing", "no such file")
    statistics = _Statistics()
    try:
        info = audio_info(path)
        if info.samples == 0:
            return Dropped("empty", "no samples")
        for block in read_blocks(path, BLOCK_SAMPLES):
            statistics.add(block[0])
            if kept is not None:
                kept.append(block[0])
    except AudioError as error:
        return Dropped("unreadable", str(error))
    if expected_rate is not None and info.sample_rate != expected_rate:
        return Dropped("other sample rate", f"{info.sample_rate} Hz instead of {expected_rate} Hz")
    unusable = _unusable_samples(statistics)
    if unusable is not None:
        return unusable
    checked = Checked(
        sample_rate=info.sample_rate,
        channels=info.channels,
        samples=statistics.samples,
        peak=statistics.peak,
        clipped_share=statistics.clipped / statistics.samples,
    )
    return _wrong_duration(checked.duration, expected_duration, minimum_duration) or checked


def _unusable_samples(statistics: _Statistics) -> Dropped | None:
    if not statistics.finite:
        return Dropped("not finite", "NaN or infinite samples")
    if statistics.peak < SILENCE_PEAK or statistics.energy < statistics.samples * 10 ** (SILENCE_DB / 10):
        return Dropped("silent", f"the peak of its first channel is {statistics.peak:.1e} of full scale")
    return None


def _wrong_duration(duration: float, expected: float | None, minimum: float) -> Dropped | None:
    if duration < minimum:
        return Dropped("too short", f"{duration:.3f} s, at least {minimum} s are needed")
    if expected is not None and abs(duration - expected) > max(0.1, 0.02 * expected):
        return Dropped("duration disagrees", f"{duration:.2f} s instead of the listed {expected:.2f} s")
    return None
