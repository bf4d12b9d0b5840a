"""Words heard by Whisper (Radford et al. 2022) in CTranslate2, by the package faster-whisper, which needs no torch."""

from __future__ import annotations

import hashlib
import math
import os
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, final

from cmkt.errors import TranscriberError
from cmkt.extras import import_extra
from cmkt.text.audible import audible
from cmkt.types import Heard

if TYPE_CHECKING:
    from cmkt.types import FloatArray

SAMPLE_RATE: Final = 16_000
RECOGNITION_VERSION: Final = 1
"""Part of the identity: raise it whenever this file makes other text of the same audio."""
BEAM: Final = 5
BLOCK_BYTES: Final = 1 << 20


@final
class FasterWhisperTranscriber:
    """A Whisper model: beam search at temperature 0 alone, each 30 s for itself, so that the same audio gives the same.

    By default Whisper samples at random where it is unsure, and reads what it wrote before as a prompt.

    name: a folder with a model in CTranslate2's format (read without any network), or a size such as "small.en", or a
    name on the Hugging Face hub; device: cpu or cuda.

    Raises: MissingExtraError where faster-whisper is not installed; TranscriberError where the model cannot be loaded.
    """

    def __init__(self, name: str, *, device: str = "cpu") -> None:
        faster_whisper = import_extra("faster_whisper", "whisper")
        self._folder = _model_folder(faster_whisper, name)
        kind, _, index = device.partition(":")
        try:
            self._model = faster_whisper.WhisperModel(
                str(self._folder), device=kind, device_index=int(index or 0), local_files_only=True
            )
        except (RuntimeError, ValueError, OSError) as error:
            raise TranscriberError(
                f"the recogniser {name!r} cannot be loaded on {device!r}: {error} "
                "The folder must hold model.bin and tokenizer.json, as ct2-transformers-converter writes them."
            ) from error

    @cached_property
    def identity(self) -> str:
        """Versions of the packages and a digest of all files of the model. A moved folder keeps it."""
        digest = hashlib.blake2b(digest_size=8)
        for path in sorted(self._folder.iterdir()):
            if path.is_file():
                digest.update(path.name.encode() + b"\0" + str(path.stat().st_size).encode() + b"\0")
                with path.open("rb") as file:
                    while block := file.read(BLOCK_BYTES):
                        digest.update(block)
        versions = f"{version('faster-whisper')} ctranslate2 {version('ctranslate2')}"
        return f"faster-whisper {versions} {self._model.model.compute_type} {digest.hexdigest()} {RECOGNITION_VERSION}"

    @property
    def languages(self) -> frozenset[str] | None:
        """English of an English model; a multilingual one finds out which it hears."""
        return None if self._model.model.is_multilingual else frozenset({"en"})

    def transcribe(self, audio: FloatArray, *, sample_rate: int) -> Heard:
        """What it hears in audio (T,) of any length. The confidence is the geometric mean over its tokens.

        Raises: AudioError where the audio is not (T,) and finite; TranscriberError where the model fails.
        """
        samples = audible(audio, sample_rate=sample_rate, at=SAMPLE_RATE)
        if samples is None:
            return Heard("")
        try:
            segments, _ = self._model.transcribe(
                samples, beam_size=BEAM, temperature=0.0, condition_on_previous_text=False
            )
            found = list(segments)  # it is here that the model runs
        except RuntimeError as error:
            raise TranscriberError(f"the recogniser {self._folder} failed: {error}") from error
        text = "".join(segment.text for segment in found).strip()
        tokens = sum(len(segment.tokens) for segment in found)
        if not text or not tokens:
            return Heard("")
        mean = sum(segment.avg_logprob * len(segment.tokens) for segment in found) / tokens
        return Heard(text, math.exp(min(0.0, mean)))


def _model_folder(faster_whisper: Any, name: str) -> Path:
    """The folder that a name means, filled from the hub where it must be and may."""
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder
    if name.startswith((".", "~", os.sep)) or name.count("/") > 1:
        raise TranscriberError(f"the recogniser must be a folder with a Whisper model, but {name!r} is no folder.")
    try:
        return Path(faster_whisper.download_model(name))
    except (ValueError, OSError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise TranscriberError(
            f"the recogniser {name!r} cannot be loaded: {reason} Check the spelling; without a network give a folder."
        ) from error
