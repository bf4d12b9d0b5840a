"""In which format and subtype outputs are written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cmkt.audio.encoding import FORMATS, Encoding, encoding_for, names_format
from cmkt.audio.read import AudioInfo, audio_info
from cmkt.audio.write import AudioWriter


def header(form: str, subtype: str, *, rate: int = 16_000, channels: int = 1, samples: int | None = 1_000) -> AudioInfo:
    return AudioInfo(rate, channels, samples, subtype, form)


@pytest.mark.parametrize(
    ("name", "info", "wanted"),
    [
        ("a.wav", header("WAV", "ULAW", rate=8_000), Encoding("WAV", "ULAW")),
        ("a.wav", header("WAVEX", "PCM_24"), Encoding("WAVEX", "PCM_24")),
        ("a.wav", header("RF64", "FLOAT"), Encoding("RF64", "FLOAT")),
        ("a.OGA", header("OGG", "OPUS"), Encoding("OGG", "OPUS")),
        ("a", header("NIST", "PCM_16"), Encoding("NIST", "PCM_16")),
        ("a.sph", header("NIST", "PCM_16"), Encoding("NIST", "PCM_16")),
    ],
)
def test_format_and_subtype_of_the_input_stay_where_the_name_allows_it(
    name: str, info: AudioInfo, wanted: Encoding
) -> None:
    assert encoding_for(Path(name), info) == wanted


@pytest.mark.parametrize(
    ("name", "info", "wanted"),
    [
        ("a.flac", header("WAV", "PCM_24"), Encoding("FLAC", "PCM_24")),
        ("a.flac", header("WAV", "PCM_16"), Encoding("FLAC", "PCM_16")),
        ("a.flac", header("WAV", "FLOAT"), Encoding("FLAC", "PCM_24")),
        ("a.caf", header("WAV", "DOUBLE"), Encoding("CAF", "DOUBLE")),
        ("a.wav", header("OGG", "OPUS"), Encoding("WAV", None)),
        ("a.wav", header("MP3", "MPEG_LAYER_III"), Encoding("WAV", None)),
        ("a.wav", header("FFMPEG", "", samples=None), Encoding("WAV", None)),
        ("a.aiff", header("WAV", "IMA_ADPCM"), Encoding("AIFF", None)),
        ("a.ogg", header("WAV", "PCM_24"), Encoding("OGG", None)),
        ("a.opus", header("OGG", "VORBIS"), Encoding("OGG", "OPUS")),
    ],
)
def test_in_another_format_only_the_number_of_bits_stays(name: str, info: AudioInfo, wanted: Encoding) -> None:
    assert encoding_for(Path(name), info) == wanted


def test_what_libsndfile_reads_but_does_not_write_gets_the_usual_subtype() -> None:
    assert encoding_for(Path("a.mp3"), header("MP3", "MPEG_LAYER_II")) == Encoding("MP3", None)
    assert encoding_for(Path("a.wav"), header("WAV", "MPEG_LAYER_III")) == Encoding("WAV", None)


def test_a_wav_that_would_pass_4_gb_becomes_rf64() -> None:
    hour = 48_000 * 3_600
    assert encoding_for(Path("a.wav"), header("FLAC", "PCM_24", rate=48_000, channels=2, samples=3 * hour)) == Encoding(
        "WAV", "PCM_24"
    )
    assert encoding_for(Path("a.wav"), header("FLAC", "PCM_24", rate=48_000, channels=2, samples=4 * hour)) == Encoding(
        "RF64", "PCM_24"
    )
    assert encoding_for(Path("a.wav"), header("FFMPEG", "", rate=48_000, channels=6, samples=2 * hour)) == Encoding(
        "RF64", None
    )


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_that_a_user_can_name_is_written_and_read(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"a.{form}"
    assert names_format(path)
    encoding = encoding_for(path, header("WAV", "PCM_16"))
    with AudioWriter(path, sample_rate=16_000, channels=1, subtype=encoding.subtype, format=encoding.format) as writer:
        writer.write(np.zeros((1, 16_000), np.float32))
    info = audio_info(path)
    assert (info.sample_rate, info.channels, info.format) == (16_000, 1, encoding.format)


def test_a_suffix_that_names_no_format_is_known_as_such() -> None:
    assert not any(names_format(Path(name)) for name in ("a", "a.m4a", "a.txt", ".wav"))
