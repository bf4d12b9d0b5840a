"""Equal samples make equal bytes, and come back as they were."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from cmkt.audio.read import audio_info, read_audio
from cmkt.audio.reproducible import write_float32, write_int16
from cmkt.errors import AudioError, AudioFileError

NOISE = np.random.default_rng(0).uniform(-0.99, 0.99, 1000).astype(np.float32)


@pytest.mark.parametrize("name", ["a.wav", "a.flac"])
def test_sixteen_bits_are_off_by_half_a_step_at_most(tmp_path: Path, name: str) -> None:
    write_int16(tmp_path / name, NOISE, 8_000)
    audio, rate = read_audio(tmp_path / name)
    assert rate == 8_000
    assert audio_info(tmp_path / name).subtype == "PCM_16"
    assert np.abs(audio[0] - NOISE).max() <= 2.0**-16


def test_full_scale_fits_and_anything_louder_is_refused(tmp_path: Path) -> None:
    write_int16(tmp_path / "a.wav", np.array([-1.0, 32767 / 32768]), 8_000)
    integers, _ = soundfile.read(tmp_path / "a.wav", dtype="int16")
    assert integers.tolist() == [-32768, 32767]
    with pytest.raises(AudioError, match=r"b\.wav must lie within full scale for 16 bits, but reach 1\.000"):
        write_int16(tmp_path / "b.wav", np.array([0.0, 1.0]), 8_000)
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]


def test_floats_come_back_exactly_also_above_full_scale(tmp_path: Path) -> None:
    write_float32(tmp_path / "a.wav", NOISE * 3, 8_000)
    assert (read_audio(tmp_path / "a.wav")[0][0] == NOISE * 3).all()


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_equal_samples_make_equal_bytes(tmp_path: Path, suffix: str) -> None:
    for name in ("a", "b"):
        write_int16(tmp_path / f"{name}{suffix}", NOISE, 8_000)
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_floats_come_without_the_chunk_in_which_libsndfile_notes_the_time(tmp_path: Path) -> None:
    write_float32(tmp_path / "a.wav", NOISE, 8_000)
    soundfile.write(tmp_path / "b.wav", NOISE, 8_000, subtype="FLOAT")
    assert b"PEAK" in (tmp_path / "b.wav").read_bytes()
    assert b"PEAK" not in (tmp_path / "a.wav").read_bytes()


def test_a_folder_that_is_not_there_is_an_error_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(AudioFileError, match="cannot be written"):
        write_int16(tmp_path / "none" / "a.wav", NOISE, 8_000)
