"""A stream between two pipes: raw samples in, enhanced ones out, each block answered at once."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from types import FrameType
from typing import TYPE_CHECKING, BinaryIO, final

from cmkt.audio.pcm import encode_pcm
from cmkt.errors import AudioError
from cmkt.inference.interrupts import interrupts_to

if TYPE_CHECKING:
    from cmkt.audio.pcm import PcmDecoder
    from cmkt.inference.stream import Stream
    from cmkt.types import FloatArray

READ_BYTES = 65_536
"""At most so much is read at once; what is there is taken without waiting for more."""

_CONTAINERS = {
    b"RIFF": "a WAV file",
    b"fLaC": "a FLAC file",
    b"OggS": "an Ogg file",
    b"FORM": "an AIFF file",
    b"ftyp": "an MP4 file",
    b"\x1a\x45\xdf\xa3": "a Matroska or WebM file",
}


@final
@dataclass(slots=True)
class TimedStream:
    """A stream that notes how long it computes, beside how much audio goes in."""

    stream: Stream
    sample_rate: int
    audio_seconds: float = field(default=0.0, init=False)
    computing_seconds: float = field(default=0.0, init=False)

    @property
    def real_time_factor(self) -> float:
        """Computing time over audio time; a stream keeps up below 1. nan before any audio."""
        return self.computing_seconds / self.audio_seconds if self.audio_seconds else float("nan")

    def feed(self, block: FloatArray) -> FloatArray:
        """What `Stream.feed` gives."""
        self.audio_seconds += block.shape[-1] / self.sample_rate
        return self._timed(lambda: self.stream.feed(block))

    def flush(self) -> FloatArray:
        """What `Stream.flush` gives."""
        return self._timed(self.stream.flush)

    def _timed(self, compute: Callable[[], FloatArray]) -> FloatArray:
        started = time.perf_counter()
        try:
            return compute()
        finally:
            self.computing_seconds += time.perf_counter() - started


def pump(stream: TimedStream, decoder: PcmDecoder, source: BinaryIO, sink: BinaryIO) -> bool:
    """Everything from `source` through the stream into `sink`; whether Ctrl-C ended it.

    `source` is unbuffered: its `read` gives what there is. Ctrl-C is taken as the end of the input: what the stream
    still owes is written, and only a second one breaks off. When nobody reads from `sink` any more, it ends as well.
    Raises AudioError if the input cannot be raw samples of the decoder's format.
    """
    interrupt = _Interrupt()
    try:
        with interrupts_to(interrupt.press):
            for data in _pieces(source, interrupt):
                _write(sink, _fed(stream, decoder, data), decoder)
            _write(sink, stream.flush().reshape(decoder.channels, -1), decoder)
    except BrokenPipeError:
        _silence(sink)
    except KeyboardInterrupt:
        interrupt.pressed = True
    return interrupt.pressed


@final
class _Interrupt:
    """Ctrl-C as the end of the input: it breaks off waiting for input and nothing else. A second one breaks off all."""

    def __init__(self) -> None:
        self.pressed = False
        self._waiting = False

    def read(self, source: BinaryIO) -> bytes:
        """What is there, up to READ_BYTES; nothing at the end of the input and after Ctrl-C."""
        try:
            self._waiting = True
            return b"" if self.pressed else source.read(READ_BYTES)
        except KeyboardInterrupt:
            return b""
        finally:
            self._waiting = False

    def press(self, number: int, frame: FrameType | None) -> None:
        """As a signal handler. Raises KeyboardInterrupt while input is waited for, and the second time."""
        again, self.pressed = self.pressed, True
        if again or self._waiting:
            raise KeyboardInterrupt


def _pieces(source: BinaryIO, interrupt: _Interrupt) -> Iterator[bytes]:
    data = interrupt.read(source)
    container = _CONTAINERS.get(data[:4]) or _CONTAINERS.get(data[4:8])
    if container is not None:
        raise AudioError(
            f"The input must be raw samples, but starts as {container}. "
            "Use `cmkt enhance` for files, or decode it: ffmpeg -i FILE -f s16le - | cmkt stream ..."
        )
    while data:
        yield data
        data = interrupt.read(source)


def _fed(stream: TimedStream, decoder: PcmDecoder, data: bytes) -> FloatArray:
    try:
        return stream.feed(decoder.decode(data)).reshape(decoder.channels, -1)
    except AudioError as error:
        raise AudioError(f"{error} Are the samples really {decoder.format}?") from error


def _write(sink: BinaryIO, block: FloatArray, decoder: PcmDecoder) -> None:
    if block.shape[-1]:
        sink.write(encode_pcm(block, decoder.format))
        sink.flush()


def _silence(sink: BinaryIO) -> None:
    """What is still buffered would be an error again when Python ends, so it goes nowhere."""
    with suppress(OSError), open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), sink.fileno())
