"""What a recogniser is to listen to: audio files, or the utterances of a prepared folder, clean or mixed with noise.

Both can cross into other processes, where they read their manifests once. Shapes: T samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, final

from cmkt.audio.files import find_audio
from cmkt.audio.read import read_audio
from cmkt.data.transcripts import text_beside
from cmkt.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lhotse import MonoCut

    from cmkt.data.testset import TestMixtures
    from cmkt.types import FloatArray

TRANSCRIBER: Final = "transcriber"
"""The field of a cut's custom with the identity of the recogniser that heard its text, absent where it is a transcript.
"""
SAMPLE_RATE: Final = 16_000
"""That of mixtures in Hz, as in an evaluation."""


@final
@dataclass(frozen=True, slots=True)
class Recording:
    """One to listen to: what was said, where that is known, its language, where it is stated, and its file, if it has
    one for itself."""

    id: str
    transcript: str | None = None
    language: str | None = None
    path: Path | None = None


class Recordings(Protocol):
    """Several, in order. Picklable."""

    def listed(self) -> tuple[Recording, ...]:
        """All of them; the audio is not looked at. Raises DataError where ids repeat or the data cannot be used."""

    def audio(self, index: int) -> tuple[FloatArray, int]:
        """Audio (T,) of one and its rate in Hz. Raises AudioError or DataError where it cannot be read."""


@final
@dataclass(frozen=True, slots=True)
class AudioFiles:
    """Files, each with the path below the folder that was named for an id, and the .txt beside it for a transcript."""

    files: tuple[tuple[Path, str], ...]

    @classmethod
    def find(cls, inputs: Iterable[Path]) -> AudioFiles:
        """Those of files and folders. Raises AudioFileError where there are none, or two have one id."""
        return cls(tuple((path, relative.as_posix()) for path, relative in find_audio(inputs)))

    def listed(self) -> tuple[Recording, ...]:
        """As `Recordings.listed`."""
        return tuple(
            Recording(name, (text_beside(path) or "").strip() or None, path=path.resolve()) for path, name in self.files
        )

    def audio(self, index: int) -> tuple[FloatArray, int]:
        """As `Recordings.audio`; the mean of all channels."""
        audio, sample_rate = read_audio(self.files[index][0])
        return audio.mean(axis=0), sample_rate


@final
@dataclass(frozen=True, slots=True)
class PreparedSpeech:
    """The utterances of a prepared folder: as they are, or with `snr_db` mixed with its noise as in an evaluation."""

    folder: Path
    snr_db: float | None = None
    seed: int = 0

    def listed(self) -> tuple[Recording, ...]:
        """As `Recordings.listed`."""
        cuts, _ = _open(self)
        return tuple(_recording(cut) for cut in cuts)

    def audio(self, index: int) -> tuple[FloatArray, int]:
        """As `Recordings.audio`."""
        from cmkt.data.cache import read_cut

        cuts, mixtures = _open(self)
        if mixtures is not None:
            return mixtures[index].noisy, SAMPLE_RATE
        return read_cut(cuts[index], cuts[index].sampling_rate), cuts[index].sampling_rate


def _recording(cut: MonoCut) -> Recording:
    """A text that a recogniser heard is no transcript."""
    from cmkt.data.manifest import cut_text

    transcript = None if TRANSCRIBER in (cut.custom or {}) else cut_text(cut)
    return Recording(cut.id, transcript, next((each.language for each in cut.supervisions if each.language), None))


@lru_cache(maxsize=1)
def _open(speech: PreparedSpeech) -> tuple[list[MonoCut], TestMixtures | None]:
    """The cuts, and their mixtures where they are to be mixed."""
    from cmkt.data.manifest import load_prepared
    from cmkt.data.testset import TestMixtures

    prepared = load_prepared(speech.folder)
    cuts = list(prepared.speech)
    if len({cut.id for cut in cuts}) < len(cuts):
        raise DataError(f"Each utterance of {speech.folder} must have its own id, but some repeat. Prepare it again.")
    if speech.snr_db is None:
        return cuts, None
    return cuts, TestMixtures(prepared, snrs_db=[speech.snr_db], sample_rate=SAMPLE_RATE, seed=speech.seed)
