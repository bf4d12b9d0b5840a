"""Files that appear under their final name only when they are complete.

Everything is written to a temporary name in the same folder and renamed at the end, so that neither an error nor a full
disk nor Ctrl-C leaves half a file. Shapes: C channels, time last. Full scale is 1.0; integer subtypes clip louder
samples.
"""

from __future__ import annotations

import glob
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, final

import numpy as np
import soundfile

from cmkt.errors import AudioError, AudioFileError

if TYPE_CHECKING:
    from cmkt.types import FloatArray

BLOCK_SAMPLES = 16384
"""libsndfile crashes when it gets a minute of Ogg Vorbis in one call, so a call gets at most this much."""

FULL_MB = 1.0
"""A disk with less free space than this counts as full in a message."""


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """A temporary path beside `path`, for any file: renamed to `path` on a clean exit, deleted on any exception.

    The temporary name ends as that of `path` does, as many libraries choose a format by it. What stood under `path` is
    replaced only at the end.

        with atomic_path("report.json") as temporary:
            temporary.write_text("{}")
    """
    path = Path(path)
    temporary = _temporary(path)
    try:
        yield temporary
        os.replace(temporary, path)
    except BaseException:
        _discard(temporary)
        raise


def write_text(path: str | Path, text: str) -> None:
    """Write a whole text file in UTF-8; what stood there is replaced at once."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: str | Path, value: object) -> None:
    """`write_text` of a JSON value, indented, in the letters of its language. Raises TypeError for other values."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def write_audio(path: str | Path, audio: FloatArray, sample_rate: int, subtype: str | None = None) -> None:
    """Write `audio`, (T,) or (C, T), in the format that the suffix of `path` names.

    `subtype` is libsndfile's name, "PCM_16", "FLOAT" and so on; None is the usual one of the format.

    Raises:
        AudioError: `audio` has another rank.
        AudioFileError: as `AudioWriter`.
    """
    if audio.ndim not in (1, 2):
        raise AudioError(f"`audio` must be (T,) or (C, T), but has shape {audio.shape} instead.")
    block = audio[np.newaxis] if audio.ndim == 1 else audio
    with AudioWriter(path, sample_rate=sample_rate, channels=block.shape[0], subtype=subtype) as writer:
        writer.write(block)


@final
class AudioWriter:
    """A context manager that writes one audio file block by block, in constant memory.

    The file appears under its name when the block of `with` ends cleanly, and never otherwise.

        with AudioWriter("out.flac", sample_rate=16_000, channels=1, subtype="PCM_16") as writer:
            writer.write(block)

    Raises:
        AudioFileError: the folder is missing, the format cannot hold this subtype, rate or number of channels, or the
            disk is full.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        sample_rate: int,
        channels: int,
        subtype: str | None,
        format: str | None = None,
    ) -> None:
        """Nothing is written before the context is entered.

        `sample_rate` in Hz. `format` is libsndfile's name, "WAV", "FLAC", "OGG" and so on; None reads it off the
        suffix. `subtype` None is the usual one of the format.
        """
        self.path = Path(path)
        self.sample_rate = sample_rate
        self.channels = channels
        self.format = _format(self.path, format)
        self.subtype = _subtype(self.path, self.format, subtype)
        self._temporary = _temporary(self.path)
        self._file: soundfile.SoundFile | None = None
        self._written = 0

    def __enter__(self) -> Self:
        """Open the temporary file."""
        if self.path.is_dir():
            raise AudioFileError(f"'{self.path}' must be a file to write, but is a folder.")
        if not self.path.parent.is_dir():
            raise AudioFileError(f"'{self.path.parent}' must be a folder to write to, but does not exist. Create it.")
        try:
            self._file = soundfile.SoundFile(
                self._temporary,
                "w",
                samplerate=self.sample_rate,
                channels=self.channels,
                subtype=self.subtype,
                format=self.format,
            )
        except (soundfile.SoundFileError, TypeError, ValueError, OSError) as error:
            _discard(self._temporary)
            if shutil.disk_usage(self.path.parent).free < FULL_MB * 1e6:
                raise self._failure(str(error)) from error
            raise AudioFileError(
                f"'{self.path}' cannot be opened for writing as {self.format} {self.subtype}, {self.sample_rate} Hz, "
                f"{self.channels} channels: {error} WAV takes any rate and number of channels."
            ) from error
        return self

    def write(self, block: FloatArray) -> None:
        """Append `block` (C, n), n >= 0.

        Raises:
            AudioError: the block is not (C, n).
            AudioFileError: the disk is full, or the context was not entered.
        """
        if self._file is None:
            raise AudioFileError(f"'{self.path}' must be open to be written: use `with AudioWriter(...) as writer`.")
        if block.ndim != 2 or block.shape[0] != self.channels:
            raise AudioError(f"`block` must have shape ({self.channels}, n), but has {block.shape} instead.")
        step = max(1, BLOCK_SAMPLES // self.channels)
        try:
            for start in range(0, block.shape[1], step):
                self._file.write(np.ascontiguousarray(block[:, start : start + step].T))
        except (soundfile.SoundFileError, AssertionError, OSError) as error:
            raise self._failure(str(error)) from error
        self._written += block.shape[1]

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Rename the file to its name, or delete it when an exception ends the block."""
        try:
            self._close()
            if kind is None:
                self._check_complete()
                os.replace(self._temporary, self.path)
        except OSError as error:
            if kind is None and not isinstance(error, AudioFileError):
                raise self._failure(str(error)) from error
            if kind is None:
                raise
        finally:
            _discard(self._temporary)

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is None:
            return
        try:
            file.close()
        except (soundfile.SoundFileError, AssertionError) as error:
            raise self._failure(str(error)) from error

    def _check_complete(self) -> None:
        """libsndfile does not always say that the disk was full when it closes a file, so the file is looked at again.

        MPEG files only estimate their length.
        """
        try:
            samples = soundfile.info(str(self._temporary)).frames
        except soundfile.SoundFileError as error:
            if self._written == 0:
                return
            raise self._failure(str(error)) from error
        if samples < self._written and self.format != "MP3":
            raise self._failure(f"only {samples} of {self._written} samples arrived")

    def _failure(self, reason: str) -> AudioFileError:
        """libsndfile calls a full disk no more than a system error, so the message says how much is free."""
        free_mb = shutil.disk_usage(self.path.parent).free / 1e6
        cause = "the disk is full, " if free_mb < FULL_MB else ""
        return AudioFileError(
            f"'{self.path}' cannot be written, and was not: {cause}{free_mb:,.1f} MB free. {reason}".rstrip()
        )


def _temporary(path: Path) -> Path:
    """A hidden name that ends as `path` does. 60 characters are at most 240 bytes, and file systems take 255."""
    return path.with_name(f".{secrets.token_hex(4)}.part.{path.name[-60:]}")


def discard_unfinished(path: Path) -> None:
    """Delete what a process that was killed left of writing `path`. Nothing may be writing it now."""
    for temporary in path.parent.glob(f".*.part.{glob.escape(path.name[-60:])}"):
        _discard(temporary)


def _discard(temporary: Path) -> None:
    """Delete what may not be there; that it cannot be deleted must not hide why it is given up."""
    with suppress(OSError):
        temporary.unlink()


def _format(path: Path, format: str | None) -> str:
    name = (format or path.suffix.removeprefix(".")).upper()
    name = {"OPUS": "OGG", "OGA": "OGG", "AIF": "AIFF", "AIFC": "AIFF"}.get(name, name)
    if name not in soundfile.available_formats():
        raise AudioFileError(
            f"'{path}' must have a suffix that names an audio format, but '{name}' is none. "
            "Use .wav, .flac, .ogg, .opus or .mp3."
        )
    return name


def _subtype(path: Path, format: str, subtype: str | None) -> str:
    if subtype is None:
        default: str = "OPUS" if path.suffix.lower() == ".opus" else soundfile.default_subtype(format)
        return default
    if not soundfile.check_format(format, subtype):
        known = ", ".join(soundfile.available_subtypes(format))
        raise AudioFileError(f"'{path}' as {format} must have a subtype among {known}, but '{subtype}' is not.")
    return subtype.upper()
