from __future__ import annotations

import logging
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from cmkt.audio.read import AudioInfo, audio_info, read_audio, read_blocks
from cmkt.audio.write import write_audio
from cmkt.errors import AudioFileError


def noise(channels: int, samples: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return (0.1 * np.random.default_rng(0).standard_normal((channels, samples))).astype(np.float32)


@pytest.mark.parametrize(
    ("name", "form", "tolerance"),
    [
        ("a.wav", (16_000, 1, "PCM_U8"), 1 / 128),
        ("a.wav", (8_000, 1, "PCM_16"), 1 / 32768),
        ("a.wav", (96_000, 2, "PCM_24"), 1e-6),
        ("a.wav", (48_000, 6, "PCM_16"), 1 / 32768),
        ("a.wav", (16_000, 1, "FLOAT"), 0),
        ("a.wav", (16_000, 1, "DOUBLE"), 0),
        ("a.wav", (8_000, 1, "ULAW"), 0.02),
        ("a.flac", (16_000, 1, "PCM_16"), 1 / 32768),
        ("a.flac", (96_000, 6, "PCM_24"), 1e-6),
        ("a.aiff", (44_100, 2, "PCM_16"), 1 / 32768),
    ],
)
def test_files_of_any_depth_rate_and_channels_are_read(
    tmp_path: Path, name: str, form: tuple[int, int, str], tolerance: float
) -> None:
    rate, channels, subtype = form
    audio = noise(channels, rate // 4)
    write_audio(tmp_path / name, audio, rate, subtype)
    read, read_rate = read_audio(tmp_path / name)
    assert (read.shape, str(read.dtype), read_rate) == (audio.shape, "float32", rate)
    np.testing.assert_allclose(read, audio, atol=tolerance)
    info = audio_info(tmp_path / name)
    assert (info.sample_rate, info.channels, info.samples, info.subtype) == (rate, channels, rate // 4, subtype)


@pytest.mark.parametrize(("name", "format"), [("a.ogg", "OGG"), ("a.opus", "OGG"), ("a.mp3", "MP3")])
def test_lossy_files_keep_length_and_are_close(tmp_path: Path, name: str, format: str) -> None:
    time = np.arange(48_000) / 48_000
    audio = (0.5 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)
    write_audio(tmp_path / name, audio, 48_000)
    read, rate = read_audio(tmp_path / name)
    assert (read.shape, rate, audio_info(tmp_path / name).format) == ((1, 48_000), 48_000, format)
    np.testing.assert_allclose(read[0, 4000:-4000], audio[4000:-4000], atol=0.05)


def test_the_header_is_a_plain_value(tmp_path: Path) -> None:
    write_audio(tmp_path / "a.wav", noise(2, 100), 44_100, "PCM_16")
    assert audio_info(tmp_path / "a.wav") == AudioInfo(44_100, 2, 100, "PCM_16", "WAV")


@pytest.mark.parametrize("block", [1, 7, 1000, 1001, 5000])
def test_blocks_put_together_are_the_file(tmp_path: Path, block: int) -> None:
    write_audio(tmp_path / "a.flac", noise(2, 1000), 16_000)
    blocks = list(read_blocks(tmp_path / "a.flac", block))
    assert all(part.shape == (2, block) for part in blocks[:-1])
    assert 1 <= blocks[-1].shape[1] <= block
    np.testing.assert_array_equal(np.concatenate(blocks, axis=1), read_audio(tmp_path / "a.flac")[0])


def test_an_opus_file_read_in_blocks_is_the_same(tmp_path: Path) -> None:
    write_audio(tmp_path / "a.opus", noise(1, 48_000), 16_000)
    blocks = list(read_blocks(tmp_path / "a.opus", 4097))
    np.testing.assert_allclose(np.concatenate(blocks, axis=1), read_audio(tmp_path / "a.opus")[0], atol=1e-6)


def test_nan_in_a_float_file_is_handed_on(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.array([0.0, np.nan, 0.5]), 16_000, subtype="FLOAT")
    assert np.isnan(read_audio(tmp_path / "a.wav")[0]).tolist() == [[False, True, False]]


def test_samples_above_full_scale_in_a_float_file_are_kept(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.array([0.0, 3.0, -2.5]), 16_000, subtype="FLOAT")
    assert read_audio(tmp_path / "a.wav")[0].tolist() == [[0.0, 3.0, -2.5]]


def bad_files(folder: Path) -> dict[str, tuple[Path, str]]:
    """Each kind of file that cannot be read, with a word of the reason."""
    (folder / "folder.wav").mkdir()
    (folder / "nothing.wav").write_bytes(b"")
    (folder / "text.wav").write_text("this is no audio")
    soundfile.write(folder / "zero.wav", np.zeros(0), 16_000)
    write_audio(folder / "whole.flac", noise(1, 32_000), 16_000)
    whole = (folder / "whole.flac").read_bytes()
    (folder / "half.flac").write_bytes(whole[: len(whole) // 2])
    return {
        "missing": (folder / "missing.wav", "does not exist"),
        "folder": (folder / "folder.wav", "is a folder"),
        "nothing": (folder / "nothing.wav", "cannot be read as audio"),
        "text": (folder / "text.wav", "cannot be read as audio"),
        "zero": (folder / "zero.wav", "no samples"),
        "half": (folder / "half.flac", "read|ends after"),
    }


@pytest.mark.parametrize("kind", ["missing", "folder", "nothing", "text", "zero", "half"])
def test_a_file_that_cannot_be_read_is_an_error_with_path_and_reason(tmp_path: Path, kind: str) -> None:
    path, reason = bad_files(tmp_path)[kind]
    with pytest.raises(AudioFileError, match=f"{path.name}'.*({reason})"):
        read_audio(path)
    with pytest.raises(AudioFileError, match=f"{path.name}'.*({reason})"):
        list(read_blocks(path, 1000))


def test_a_file_without_samples_has_a_header(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "zero.wav", np.zeros(0), 16_000)
    assert audio_info(tmp_path / "zero.wav").samples == 0


def test_a_file_without_a_suffix_or_with_a_wrong_one_is_read_by_its_content(tmp_path: Path) -> None:
    write_audio(tmp_path / "a.flac", noise(1, 100), 16_000)
    for name in ("a", "a.wav"):
        (tmp_path / name).write_bytes((tmp_path / "a.flac").read_bytes())
        assert audio_info(tmp_path / name).format == "FLAC"


def test_an_mp3_file_that_ends_early_gives_what_there_is_and_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_audio(tmp_path / "a.mp3", noise(1, 48_000), 16_000)
    whole = (tmp_path / "a.mp3").read_bytes()
    (tmp_path / "half.mp3").write_bytes(whole[: len(whole) // 2])
    with caplog.at_level(logging.WARNING):
        audio, _ = read_audio(tmp_path / "half.mp3")
    assert 10_000 < audio.shape[1] < 48_000
    assert "half.mp3' must hold 48000 samples" in caplog.text


def test_a_header_that_promises_too_much_does_not_allocate_it(tmp_path: Path) -> None:
    write_audio(tmp_path / "a.wav", noise(1, 100), 16_000, "PCM_16")
    raw = bytearray((tmp_path / "a.wav").read_bytes())
    at = raw.index(b"data") + 4
    raw[at : at + 4] = struct.pack("<I", 0x7FFFFFF0)
    (tmp_path / "a.wav").write_bytes(raw)
    assert audio_info(tmp_path / "a.wav").samples == 100


def test_a_block_of_no_samples_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(AudioFileError, match="block_samples"):
        next(read_blocks(tmp_path / "a.wav", 0))


@pytest.mark.corpus
def test_the_corpus_is_read_at_its_rate(corpus: Path) -> None:
    first = next((corpus / "speech").rglob("*.opus"))
    audio, rate = read_audio(first)
    assert rate == 16_000
    assert audio.shape[0] == 1
    assert audio_info(first).samples == audio.shape[1]
