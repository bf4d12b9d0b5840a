"""From a word on the command line to a speech recogniser."""

from __future__ import annotations

from typing import Final

from cmkt.errors import ConfigError
from cmkt.types import Transcriber

POCKETSPHINX: Final = "pocketsphinx"
FASTER_WHISPER: Final = "faster-whisper"
TRANSFORMERS: Final = "transformers"
SPELLINGS: Final = (POCKETSPHINX, f"{FASTER_WHISPER}:NAME", f"{TRANSFORMERS}:NAME")
"""NAME is a folder or a name on the Hugging Face hub; of faster-whisper also a size, such as small.en."""


def open_transcriber(transcriber: str | Transcriber, *, device: str = "cpu") -> Transcriber:
    """A recogniser from its spelling, one of `SPELLINGS`, or the recogniser itself. `device`: where a network runs.

    Raises: ConfigError for another spelling; MissingExtraError where its package is not installed; TranscriberError
    where its model cannot be loaded.
    """
    if not isinstance(transcriber, str):
        if isinstance(transcriber, Transcriber):
            return transcriber
        raise ConfigError(
            "`transcriber` must be a spelling or an object with `identity`, `languages` and `transcribe`, but is "
            f"{type(transcriber).__name__} instead."
        )
    kind, colon, name = transcriber.partition(":")
    if kind == POCKETSPHINX and not colon:
        from cmkt.text.pocketsphinx_transcriber import PocketsphinxTranscriber

        return PocketsphinxTranscriber()
    if kind == FASTER_WHISPER and name:
        from cmkt.text.faster_whisper import FasterWhisperTranscriber

        return FasterWhisperTranscriber(name, device=device)
    if kind == TRANSFORMERS and name:
        from cmkt.text.huggingface_transcriber import HuggingFaceTranscriber

        return HuggingFaceTranscriber(name, device=device)
    raise ConfigError(f"`transcriber` must be one of {', '.join(SPELLINGS)}, but is {transcriber!r} instead.")
