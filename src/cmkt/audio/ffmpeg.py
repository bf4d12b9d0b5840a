"""Audio that libsndfile does not know (m4a, mp4, webm, wma and so on), decoded by the `ffmpeg` program through a pipe.

ffmpeg writes an AU file of 32-bit floats to its standard output. Its header holds the rate and the number of channels,
so no second program has to be asked, and memory stays bounded at any length.

A file decides by its content which demuxer of ffmpeg reads it. A playlist that is named like a recording would make it
read other files of the machine, or of the network, so only demuxers of recordings and only local files are allowed.

Shapes: C channels, n samples, time last. Full scale is 1.0.
"""

from __future__ import annotations

import logging
import re
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, NoReturn, Self, final

import numpy as np

from cmkt.errors import AudioFileError

if TYPE_CHECKING:
    from types import TracebackType

    from numpy.typing import NDArray

logger = logging.getLogger(__name__)

SUFFIXES = frozenset(
    [
        ".3g2",
        ".3gp",
        ".aac",
        ".ac3",
        ".amr",
        ".ape",
        ".asf",
        ".avi",
        ".dsf",
        ".eac3",
        ".flv",
        ".m2ts",
        ".m4a",
        ".m4b",
        ".m4v",
        ".mka",
        ".mkv",
        ".mov",
        ".mp2",
        ".mp4",
        ".mpeg",
        ".mpg",
        ".mpc",
        ".mts",
        ".mxf",
        ".ra",
        ".rm",
        ".spx",
        ".tta",
        ".vob",
        ".weba",
        ".webm",
        ".wma",
        ".wmv",
        ".wv",
    ]
)
"""Suffixes of files that ffmpeg is asked to read. It also gets any other file that libsndfile does not open."""

DEMUXERS = (
    "aac,ac3,aiff,amr,amrnb,amrwb,ape,asf,asf_o,au,avi,caf,dsf,dts,dtshd,eac3,flac,flv,gsm,ircam,loas,matroska,mlp,mov,"
    "mp3,mpc,mpc8,mpeg,mpegts,mxf,nistsphere,nut,ogg,oma,rm,shn,tak,truehd,tta,voc,w64,wav,wtv,wv,xwma"
)

SHORTFALL_SECONDS = 0.5
SHORTFALL_SHARE = 0.02
"""A file in which ffmpeg met errors and that ends earlier than it says by more than both is not complete."""

_HEADER = struct.Struct(">4s5I")  # magic, where samples start, bytes of samples, encoding, sample rate, channels
_FLOAT = np.dtype(">f4")
_LINE = re.compile(r"^(?:\[[^]]*] )?\[(?:error|fatal|panic)] (.+)$", re.MULTILINE)
_DURATION = re.compile(r"^\[info]   Duration: (\d+):(\d+):(\d+\.\d+)", re.MULTILINE)
_LOG_BYTES = 65_536


def find_ffmpeg() -> str | None:
    """Path of the `ffmpeg` program on PATH, None without one."""
    return shutil.which("ffmpeg")


@final
class FfmpegReader:
    """A context manager over the first audio stream of a file of any container.

    sample_rate in Hz and channels are those of the stream; samples is the length that the container tells, rounded to
    what it counts in, and None where it tells none. A video may be longer than its sound.

    Raises:
        AudioFileError: ffmpeg is not on PATH, or cannot read the file; then the message ends with what ffmpeg says.
    """

    def __init__(self, path: Path) -> None:
        """Nothing is started before the context is entered."""
        self.path = path
        self.sample_rate = 0
        self.channels = 0
        self.samples: int | None = None
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start ffmpeg and read the header."""
        program = find_ffmpeg()
        if program is None:
            self._log.close()
            raise AudioFileError(
                f"'{self.path}' must be decoded by the program ffmpeg, which must be on PATH, but is not. Install it "
                "(Debian, Ubuntu: sudo apt install ffmpeg; macOS: brew install ffmpeg; Windows: winget install ffmpeg) "
                "or convert the file to WAV or FLAC."
            )
        try:
            self._start(program)
            self._read_header()
        except BaseException:
            self._stop()
            raise
        return self

    def blocks(self, block_samples: int) -> Iterator[NDArray[np.float32]]:
        """The audio in blocks (C, n) float32 with n = block_samples, the last one with 1 <= n <= block_samples.

        Raises:
            AudioFileError: at the end, when ffmpeg failed or the file is not complete.
        """
        given = 0
        while True:
            data = self._read(block_samples * self.channels * _FLOAT.itemsize)
            samples = len(data) // (self.channels * _FLOAT.itemsize)
            if samples == 0:
                break
            given += samples
            values = np.frombuffer(data, dtype=_FLOAT, count=samples * self.channels)
            yield np.ascontiguousarray(values.reshape(samples, self.channels).T, dtype=np.float32)
        self._check_complete(given)

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End ffmpeg, wherever it is."""
        self._stop()

    def _start(self, program: str) -> None:
        """ffmpeg gets a session of its own, so that Ctrl-C ends it through this process and not before it."""
        command = [program, "-nostdin", "-hide_banner", "-nostats", "-loglevel", "level+info"]
        command += ["-format_whitelist", DEMUXERS, "-protocol_whitelist", "file", "-i", f"file:{self.path}"]
        command += ["-map", "0:a:0", "-map_metadata", "-1", "-c:a", "pcm_f32be", "-f", "au", "pipe:1"]
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=self._log,
                start_new_session=True,
            )
        except OSError as error:
            raise AudioFileError(f"'{self.path}' must be decoded by {program}, which cannot be run: {error}") from error

    def _read_header(self) -> None:
        header = self._read(_HEADER.size)
        if len(header) < _HEADER.size:
            self._fail()
        _, offset, _, _, self.sample_rate, self.channels = _HEADER.unpack(header)
        self._read(offset - _HEADER.size)
        seconds = self._seconds()
        self.samples = None if seconds is None else round(seconds * self.sample_rate)

    def _read(self, size: int) -> bytes:
        if self._process is None or self._process.stdout is None:
            raise AudioFileError(f"'{self.path}' must be open to be read: use `with FfmpegReader(...) as reader`.")
        return self._process.stdout.read(size)

    def _check_complete(self, given: int) -> None:
        """ffmpeg ends without an error code when a file stops in the middle, but says so."""
        if self._process is None or self._process.wait() != 0:
            self._fail()
        if given == 0:
            raise AudioFileError(f"'{self.path}' must hold audio, but has no samples.")
        said = self._said()
        if not said:
            return
        missing = (self.samples or given) - given
        if missing > max(SHORTFALL_SECONDS * self.sample_rate, SHORTFALL_SHARE * (self.samples or given)):
            raise AudioFileError(
                f"'{self.path}' must last {(given + missing) / self.sample_rate:.2f} s as its header says, but ends "
                f"after {given / self.sample_rate:.2f} s. It is damaged or was not copied completely. ffmpeg: {said}"
            )
        logger.warning("'%s' seems damaged; what could be decoded was taken. ffmpeg: %s", self.path, said)

    def _fail(self) -> NoReturn:
        if self._process is not None:
            self._process.wait()
        said = self._said()
        if "matches no streams" in said:
            raise AudioFileError(f"'{self.path}' must hold audio, but has no audio stream.")
        reason = said or "it ended without a word"
        raise AudioFileError(f"'{self.path}' cannot be read as audio. ffmpeg: {reason}")

    def _said(self) -> str:
        """The last error that ffmpeg reported, with the one before it: the last alone is often only its consequence."""
        size = self._log.seek(0, 2)
        self._log.seek(max(size - _LOG_BYTES, 0))
        lines = _LINE.findall(self._log.read().decode("utf-8", "replace"))
        lines = [line.strip().removeprefix(f"file:{self.path}: ") for line in lines]
        return "; ".join(dict.fromkeys(lines[-2:]))

    def _seconds(self) -> float | None:
        """Seconds that the container tells, which ffmpeg says before it decodes."""
        self._log.seek(0)
        found = _DURATION.search(self._log.read(_LOG_BYTES).decode("utf-8", "replace"))
        return None if found is None else 3600 * int(found[1]) + 60 * int(found[2]) + float(found[3])

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            if process.stdout is not None:
                process.stdout.close()
            process.wait()
        self._log.close()
