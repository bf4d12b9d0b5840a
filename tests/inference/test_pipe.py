"""A stream between two pipes."""

from __future__ import annotations

import io
import os
import signal
import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest

from cmkt.audio.pcm import PcmDecoder, encode_pcm
from cmkt.errors import AudioError
from cmkt.inference.enhancer import TorchEnhancer
from cmkt.inference.pipe import TimedStream, pump

if TYPE_CHECKING:
    from cmkt.types import FloatArray


def noise(channels: int, samples: int) -> FloatArray:
    return (0.05 * np.random.default_rng(0).standard_normal((channels, samples))).astype(np.float32)


def timed(enhancer: TorchEnhancer, channels: int = 1) -> TimedStream:
    return TimedStream(enhancer.stream(sample_rate=16_000, channels=channels), 16_000)


class Pieces(io.BytesIO):
    """A source that gives its bytes in pieces, as a pipe does; Ctrl-C comes with some of the reads."""

    def __init__(self, data: bytes, piece: int, *, interrupt_at: tuple[int, ...] = ()) -> None:
        super().__init__(data)
        self._piece = piece
        self._interrupt_at = interrupt_at
        self.reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.reads += 1
        if self.reads in self._interrupt_at:
            os.kill(os.getpid(), signal.SIGINT)
        return super().read(self._piece)


class Closed(io.BytesIO):
    """A sink that nobody reads from."""

    def write(self, data: object, /) -> int:
        raise BrokenPipeError

    def fileno(self) -> int:
        raise OSError


@pytest.mark.parametrize("piece", [3, 640, 65_536])
def test_as_many_samples_come_out_as_went_in_and_they_are_those_of_an_array(
    enhancer: TorchEnhancer, piece: int
) -> None:
    audio = noise(2, 5_001)
    sink = io.BytesIO()
    stream = timed(enhancer, channels=2)
    assert not pump(stream, PcmDecoder("f32le", 2), Pieces(encode_pcm(audio, "f32le"), piece), sink)
    output = np.frombuffer(sink.getvalue(), "<f4").reshape(-1, 2).T
    np.testing.assert_allclose(output, enhancer.enhance(audio, sample_rate=16_000), atol=1e-5)
    assert stream.audio_seconds == pytest.approx(5_001 / 16_000)
    assert stream.real_time_factor > 0.0


def test_each_block_is_answered_before_the_next_is_read(enhancer: TorchEnhancer) -> None:
    sink = io.BytesIO()
    answered: list[int] = []

    class Watching(Pieces):
        def read(self, size: int | None = -1, /) -> bytes:
            answered.append(len(sink.getvalue()) // 2)
            return super().read(size)

    audio = noise(1, 16_000)
    pump(timed(enhancer), PcmDecoder("s16le", 1), Watching(encode_pcm(audio, "s16le"), 640), sink)
    latency = enhancer.stream(sample_rate=16_000).latency_seconds * 16_000
    for reads, samples in enumerate(answered):
        assert samples >= min(320 * reads, 16_000) - latency


def test_nothing_gives_nothing(enhancer: TorchEnhancer) -> None:
    sink = io.BytesIO()
    stream = timed(enhancer)
    assert not pump(stream, PcmDecoder("s16le", 1), io.BytesIO(), sink)
    assert sink.getvalue() == b""
    assert np.isnan(stream.real_time_factor)


@pytest.mark.parametrize(
    "start", [b"RIFF\x00\x00", b"fLaC", b"OggS", b"FORM", b"\0\0\0\x20ftypM4A ", b"\x1a\x45\xdf\xa3"]
)
def test_a_file_in_a_container_is_refused(enhancer: TorchEnhancer, start: bytes) -> None:
    sink = io.BytesIO()
    with pytest.raises(AudioError, match=r"must be raw samples, but starts as an? .* file"):
        pump(timed(enhancer), PcmDecoder("s16le", 1), io.BytesIO(start + bytes(1_000)), sink)
    assert sink.getvalue() == b""


def test_samples_that_cannot_be_of_the_format_are_refused(enhancer: TorchEnhancer) -> None:
    data = np.full(1_000, 30_000, "<i2").tobytes()
    with pytest.raises(AudioError, match="Are the samples really f32le"):
        pump(timed(enhancer), PcmDecoder("f32le", 1), io.BytesIO(data), io.BytesIO())


def test_a_broken_pipe_ends_quietly(enhancer: TorchEnhancer) -> None:
    source = Pieces(encode_pcm(noise(1, 16_000), "s16le"), 2_000)
    assert not pump(timed(enhancer), PcmDecoder("s16le", 1), source, Closed())
    assert source.reads == 1


def test_ctrl_c_ends_the_input_and_what_is_owed_is_written(enhancer: TorchEnhancer) -> None:
    audio = noise(1, 16_000)
    source = Pieces(encode_pcm(audio, "s16le"), 2_000, interrupt_at=(4,))
    sink = io.BytesIO()
    assert pump(timed(enhancer), PcmDecoder("s16le", 1), source, sink)
    assert len(sink.getvalue()) == 3 * 2_000


def test_ctrl_c_while_a_block_is_written_lets_it_be_written(enhancer: TorchEnhancer) -> None:
    class Interrupting(io.BytesIO):
        def write(self, data: object, /) -> int:
            if not self.getvalue():
                os.kill(os.getpid(), signal.SIGINT)
            return super().write(data)  # type: ignore[arg-type]

    sink = Interrupting()
    source = Pieces(encode_pcm(noise(1, 16_000), "s16le"), 2_000)
    assert pump(timed(enhancer), PcmDecoder("s16le", 1), source, sink)
    assert len(sink.getvalue()) == 2_000
    assert source.reads == 1


def test_a_second_ctrl_c_breaks_off(enhancer: TorchEnhancer) -> None:
    class Stuck(io.BytesIO):
        def write(self, data: object, /) -> int:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)
            raise AssertionError("the second Ctrl-C must break off")

    before = signal.getsignal(signal.SIGINT)
    source = Pieces(encode_pcm(noise(1, 16_000), "s16le"), 2_000)
    assert pump(timed(enhancer), PcmDecoder("s16le", 1), source, Stuck())
    assert signal.getsignal(signal.SIGINT) is before


def test_in_another_thread_ctrl_c_is_left_alone(enhancer: TorchEnhancer) -> None:
    sink = io.BytesIO()
    source = Pieces(encode_pcm(noise(1, 1_000), "s16le"), 2_000)
    thread = threading.Thread(target=pump, args=(timed(enhancer), PcmDecoder("s16le", 1), source, sink))
    thread.start()
    thread.join()
    assert len(sink.getvalue()) == 2_000
