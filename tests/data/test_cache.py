"""Decoded audio in 16 bits: exact where it can be, never larger than allowed, empty when pickled."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from cmkt.data.cache import AudioCache, Int16Audio, read_cut
from cmkt.data.entry import Entry
from cmkt.data.manifest import Prepared
from cmkt.data.preparation import validate
from cmkt.errors import DataError

Wav = Callable[..., Path]
TONE = 0.1 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)


def test_sixteen_bits_come_back_exactly() -> None:
    for peak in (3, 100, 16_384, 32_767):
        audio = (np.random.default_rng(0).integers(-peak, peak + 1, 1000) / 32768).astype(np.float32)
        assert (Int16Audio.pack(audio).unpack() == audio).all()


@pytest.mark.parametrize("peak", [1e-3, 0.3, 1.0, 7.0])
def test_error_is_96_db_below_the_peak(peak: float) -> None:
    audio = (peak * np.random.default_rng(0).uniform(-1, 1, 1000)).astype(np.float32)
    audio[0] = peak
    assert np.abs(Int16Audio.pack(audio).unpack() - audio).max() <= 2 * peak / 2**16 * 1.01


def test_silence_stays_silence() -> None:
    assert (Int16Audio.pack(np.zeros(5, dtype=np.float32)).unpack() == 0).all()


def test_part_is_unpacked() -> None:
    packed = Int16Audio.pack(np.linspace(-0.5, 0.5, 101, dtype=np.float32))
    assert (packed.unpack(3, 10) == packed.unpack()[3:10]).all()


def test_limit_changes_memory_and_not_samples(prepared: Prepared) -> None:
    cuts = list(prepared.speech)
    roomy, tight = AudioCache(cuts, 16_000, limit_bytes=1 << 30), AudioCache(cuts, 16_000, limit_bytes=70_000)
    for cache in (roomy, tight):
        cache.preload()
        assert all((roomy[i].unpack() == cache[i].unpack()).all() for i in range(len(cuts)))
    assert tight.kept_bytes <= 70_000
    assert roomy.kept_bytes == sum(2 * round(cut.duration * 16_000) for cut in cuts)
    assert roomy[0] is roomy[0]


def test_pickled_cache_is_empty_and_works(prepared: Prepared) -> None:
    cache = AudioCache(list(prepared.speech), 16_000, limit_bytes=1 << 30)
    cache.preload()
    copy = pickle.loads(pickle.dumps(cache))
    assert copy.kept_bytes == 0
    assert (copy[1].unpack() == cache[1].unpack()).all()


@pytest.mark.parametrize("rate", [8_000, 48_000, 96_000])
def test_other_rates_are_resampled_on_reading(wav: Wav, rate: int) -> None:
    tone = 0.1 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)
    (cut,), _ = validate([Entry("a", wav("a.wav", tone, rate=rate))], "speech")
    audio = read_cut(cut, 16_000)
    assert audio.shape == (16_000,)
    assert np.abs(audio - TONE)[1000:-1000].max() < 1e-3


def test_first_channel_is_read(wav: Wav) -> None:
    (cut,), _ = validate([Entry("a", wav("a.wav", np.stack([TONE] + [0 * TONE + 0.5] * 5)))], "speech")
    assert np.abs(read_cut(cut, 16_000) - TONE).max() < 1e-4


def test_cut_inside_a_recording_is_read(wav: Wav) -> None:
    (cut,), _ = validate([Entry("a", wav("a.wav", TONE))], "speech")
    part = cut.truncate(offset=0.25, duration=0.5)
    assert (read_cut(part, 16_000) == read_cut(cut, 16_000)[4000:12_000]).all()


def test_file_that_disappears_is_named(prepared: Prepared) -> None:
    cut = next(iter(prepared.speech))
    Path(cut.recording.sources[0].source).unlink()
    with pytest.raises(DataError, match=r"u0\.wav"):
        read_cut(cut, 16_000)


def test_file_that_was_damaged_later_is_named(prepared: Prepared) -> None:
    cut = next(iter(prepared.speech))
    path = Path(cut.recording.sources[0].source)
    path.write_bytes(b"gone wrong")
    with pytest.raises(DataError, match=r"u0\.wav"):
        read_cut(cut, 16_000)
    soundfile.write(path, np.full(100, 0.1), 16_000)
    with pytest.raises(DataError, match=r"lasts 0\.01 s"):
        read_cut(cut, 16_000)
    soundfile.write(path, np.full(16_000, np.nan), 16_000, subtype="FLOAT")
    with pytest.raises(DataError, match="NaN"):
        read_cut(cut, 16_000)
