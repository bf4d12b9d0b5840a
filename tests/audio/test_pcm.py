"""Raw samples to arrays and back."""

from __future__ import annotations

import numpy as np
import pytest

from cmkt.audio.pcm import PcmDecoder, PcmFormat, encode_pcm
from cmkt.errors import ConfigError


def test_integers_are_little_endian_interleaved_and_of_full_scale_32768() -> None:
    decoder = PcmDecoder("s16le", 2)
    block = decoder.decode(b"\x00\x40\x00\x80\x01\x00\xff\x7f")
    np.testing.assert_array_equal(block, [[0.5, 1 / 32768], [-1.0, 32767 / 32768]])
    assert block.dtype == np.float32
    assert encode_pcm(block, "s16le") == b"\x00\x40\x00\x80\x01\x00\xff\x7f"


def test_integers_are_rounded_to_the_nearest_and_clipped() -> None:
    block = np.array([[0.6 / 32768, -0.6 / 32768, 1.0, -1.5, 7.0]], dtype=np.float32)
    assert np.frombuffer(encode_pcm(block, "s16le"), "<i2").tolist() == [1, -1, 32767, -32768, 32767]


def test_floats_are_handed_on_as_they_are() -> None:
    values = np.array([[0.1, -3.0], [np.inf, 0.0]], dtype=np.float32)
    data = encode_pcm(values, "f32le")
    assert data == np.array([0.1, np.inf, -3.0, 0.0], dtype="<f4").tobytes()
    np.testing.assert_array_equal(PcmDecoder("f32le", 2).decode(data), values)


@pytest.mark.parametrize("form", ["s16le", "f32le"])
@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize("piece", [1, 2, 3, 5, 64, 1_000])
def test_bytes_in_pieces_of_any_size_are_the_same_samples(form: PcmFormat, channels: int, piece: int) -> None:
    block = np.random.default_rng(0).integers(-32768, 32767, (channels, 50)) / np.float32(32768)
    data = encode_pcm(block, form)
    decoder = PcmDecoder(form, channels)
    parts = [decoder.decode(data[start : start + piece]) for start in range(0, len(data), piece)]
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), block)
    assert decoder.rest == b""


def test_what_is_left_of_a_sample_can_be_seen() -> None:
    decoder = PcmDecoder("s16le", 2)
    assert decoder.decode(bytes(7)).shape == (2, 1)
    assert len(decoder.rest) == 3


def test_no_channel_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least 1"):
        PcmDecoder("s16le", 0)
