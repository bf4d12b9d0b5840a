"""In which format and subtype a file is written, given what was read and the name that was chosen for the output."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, final

import soundfile

from cmkt.audio.files import SNDFILE_SUFFIXES

if TYPE_CHECKING:
    from cmkt.audio.read import AudioInfo

FORMATS = ("wav", "flac", "ogg", "opus", "mp3", "aiff", "au", "caf", "w64", "rf64")
"""What a user can ask for, each also the suffix of such files."""

_NOT_AS_SPELLED = {
    ".wav": ("WAV", "WAVEX", "RF64"),
    ".oga": ("OGG",),
    ".opus": ("OGG",),
    ".aif": ("AIFF",),
    ".aifc": ("AIFF",),
}
_FAMILIES = {suffix: _NOT_AS_SPELLED.get(suffix, (suffix[1:].upper(),)) for suffix in SNDFILE_SUFFIXES}
"""The formats that a suffix may stand for, the usual one first."""

_SAMPLE_BYTES = {"PCM_U8": 1, "PCM_S8": 1, "PCM_16": 2, "PCM_24": 3, "PCM_32": 4, "FLOAT": 4, "DOUBLE": 8}
"""Subtypes that keep samples as they are, so that they mean the same in every format."""

_FINE = ("PCM_24", "PCM_32", "FLOAT", "DOUBLE")
_WAV_BYTES = 4_000_000_000  # a WAV header counts bytes in 32 bits


@final
@dataclass(frozen=True, slots=True)
class Encoding:
    """libsndfile's name of a format and of a subtype in it; None is the usual subtype of the file's suffix."""

    format: str
    subtype: str | None


def names_format(path: Path) -> bool:
    """Whether the suffix of `path` says in which format it is to be written."""
    return path.suffix.lower() in _FAMILIES


def encoding_for(path: Path, info: AudioInfo) -> Encoding:
    """How to write the audio of a file with this header under the name `path`.

    The suffix of `path` decides; where the input's own format fits it, and where it names none, that stays, with the
    subtype. In another format the number of bits stays where it can, and floats become 24 bits where there are none.
    What libsndfile cannot write is left to the usual subtype; a WAV of 4 GB or more becomes RF64, which most read.
    """
    family = _FAMILIES.get(path.suffix.lower(), (info.format,))
    same = info.format in family
    form = info.format if same else family[0]
    wanted = [info.subtype] if same or info.subtype in _SAMPLE_BYTES else []
    if info.subtype in _FINE:
        wanted.append("PCM_24")
    if path.suffix.lower() == ".opus":
        wanted = ["OPUS"]
    subtype = next((one for one in wanted if _writable(form, one, info)), None)
    if form == "WAV" and (info.samples or 0) * info.channels * _SAMPLE_BYTES.get(subtype or "PCM_16", 0) > _WAV_BYTES:
        form = "RF64"
    return Encoding(form, subtype)


def _writable(form: str, subtype: str, info: AudioInfo) -> bool:
    """libsndfile calls formats valid that it only reads, so it is tried, in memory."""
    if form not in soundfile.available_formats() or not soundfile.check_format(form, subtype):
        return False
    try:
        with soundfile.SoundFile(io.BytesIO(), "w", info.sample_rate, info.channels, subtype, format=form):
            return True
    except soundfile.SoundFileError:
        return False
