"""Files that libsndfile does not read, and the program that does."""

from __future__ import annotations

import logging
import subprocess
from pathlib import Path

import numpy as np
import pytest

from cmkt.audio.ffmpeg import FfmpegReader, find_ffmpeg
from cmkt.audio.files import find_audio
from cmkt.audio.read import AudioInfo, audio_info, open_audio, read_audio, read_blocks
from cmkt.audio.write import write_audio
from cmkt.errors import AudioFileError

needs_ffmpeg = pytest.mark.skipif(find_ffmpeg() is None, reason="needs ffmpeg on PATH: sudo apt install ffmpeg")


def tone(channels: int, samples: int, rate: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """A tone of 440 Hz in the first channel, 880 Hz in the second."""
    time = np.arange(samples) / rate
    return np.stack([0.5 * np.sin(2 * np.pi * 440 * (c + 1) * time) for c in range(channels)]).astype(np.float32)


def convert(source: Path, destination: Path, *words: str) -> Path:
    """`source` in another container, by ffmpeg; words are its options for the output."""
    subprocess.run(["ffmpeg", "-v", "error", "-i", source, *words, destination], check=True, stdin=subprocess.DEVNULL)
    return destination


def sound(folder: Path, *, channels: int = 1, seconds: float = 2.0, rate: int = 16_000) -> Path:
    write_audio(folder / "sound.wav", tone(channels, int(seconds * rate), rate), rate)
    return folder / "sound.wav"


@needs_ffmpeg
@pytest.mark.parametrize(
    ("name", "rate", "words"),
    [
        ("a.m4a", 44_100, ["-c:a", "aac"]),
        ("a.mp4", 16_000, ["-c:a", "aac"]),
        ("a.aac", 16_000, ["-c:a", "aac"]),
        ("a.wma", 44_100, ["-c:a", "wmav2"]),
        ("a.mkv", 16_000, ["-c:a", "flac"]),
        ("a.webm", 48_000, ["-c:a", "libopus"]),
        ("a.mov", 48_000, ["-c:a", "alac"]),
        ("with spaces, ümlaut and -dash.m4a", 16_000, ["-c:a", "aac"]),
    ],
)
def test_containers_keep_rate_channels_and_signal(tmp_path: Path, name: str, rate: int, words: list[str]) -> None:
    path = convert(sound(tmp_path, channels=2, rate=rate), tmp_path / name, *words)
    info = audio_info(path)
    assert (info.sample_rate, info.channels, info.format) == (rate, 2, "FFMPEG")
    audio, read_rate = read_audio(path)
    assert (str(audio.dtype), audio.shape[0], read_rate) == ("float32", 2, rate)
    assert audio.shape[1] == pytest.approx(2 * rate, abs=4_096)
    middle = audio[:, rate // 2 : rate // 2 + rate]
    assert np.abs(np.fft.rfft(middle)).argmax(axis=1).tolist() == [440, 880]
    np.testing.assert_allclose(middle.std(axis=1), 0.5 / np.sqrt(2), rtol=0.1)


@needs_ffmpeg
def test_a_lossless_container_gives_the_very_samples(tmp_path: Path) -> None:
    source = sound(tmp_path, channels=2)
    path = convert(source, tmp_path / "a.mkv", "-c:a", "flac")
    np.testing.assert_array_equal(read_audio(path)[0], read_audio(source)[0])


@needs_ffmpeg
@pytest.mark.parametrize("block", [1_000, 16_000, 32_000, 50_000])
def test_blocks_put_together_are_the_file(tmp_path: Path, block: int) -> None:
    path = convert(sound(tmp_path, channels=2), tmp_path / "a.mka", "-c:a", "flac")
    blocks = list(read_blocks(path, block))
    assert all(part.shape == (2, block) for part in blocks[:-1])
    assert 1 <= blocks[-1].shape[1] <= block
    np.testing.assert_array_equal(np.concatenate(blocks, axis=1), read_audio(path)[0])


@needs_ffmpeg
def test_of_a_video_the_first_audio_stream_is_taken(tmp_path: Path) -> None:
    write_audio(tmp_path / "other.wav", tone(2, 16_000, 16_000)[1:], 16_000)
    words = ["-i", str(tmp_path / "other.wav"), "-f", "lavfi", "-i", "testsrc=duration=3:size=64x64:rate=5"]
    words += ["-map", "2:v", "-map", "0:a", "-map", "1:a", "-c:v", "mpeg4", "-c:a", "flac"]
    source = sound(tmp_path)
    audio, _ = read_audio(convert(source, tmp_path / "video.mkv", *words))
    np.testing.assert_array_equal(audio, read_audio(source)[0])


@needs_ffmpeg
def test_content_and_not_the_suffix_decides_what_reads_a_file(tmp_path: Path) -> None:
    convert(sound(tmp_path), tmp_path / "a.m4a", "-c:a", "aac").rename(tmp_path / "a.wav")
    assert audio_info(tmp_path / "a.wav").format == "FFMPEG"
    sound(tmp_path).rename(tmp_path / "b.m4a")
    assert audio_info(tmp_path / "b.m4a") == AudioInfo(16_000, 1, 32_000, "PCM_16", "WAV")


@needs_ffmpeg
def test_the_length_is_an_estimate_and_unknown_where_a_live_recording_tells_none(tmp_path: Path) -> None:
    source = sound(tmp_path)
    known = convert(source, tmp_path / "a.m4a", "-c:a", "aac")
    assert audio_info(known).samples == pytest.approx(32_000, abs=2_000)
    words = ["ffmpeg", "-v", "error", "-i", str(source), "-c:a", "libopus", "-f", "webm", "pipe:1"]
    live = tmp_path / "live.webm"
    live.write_bytes(subprocess.run(words, check=True, capture_output=True, stdin=subprocess.DEVNULL).stdout)
    assert audio_info(live).samples is None
    assert read_audio(live)[0].shape[1] == pytest.approx(2 * 48_000, abs=4_000)


@needs_ffmpeg
def test_ffmpeg_ends_when_reading_stops_early(tmp_path: Path) -> None:
    path = convert(sound(tmp_path, seconds=60.0), tmp_path / "a.mka", "-c:a", "flac")
    with FfmpegReader(path) as reader:
        process = reader._process
        next(reader.blocks(1_000))
    assert process is not None
    assert process.poll() is not None
    with pytest.raises(AudioFileError, match="must be open"):
        next(reader.blocks(1_000))


def bad_files(folder: Path) -> dict[str, tuple[Path, str]]:
    """Each kind of file that ffmpeg cannot read, with words of the reason."""
    source = sound(folder)
    whole = convert(source, folder / "whole.m4a", "-c:a", "aac").read_bytes()
    (folder / "half.m4a").write_bytes(whole[: len(whole) // 2])
    fast = convert(source, folder / "fast.m4a", "-c:a", "aac", "-movflags", "+faststart").read_bytes()
    (folder / "end.m4a").write_bytes(fast[: len(fast) // 2])
    live = convert(source, folder / "whole.mkv", "-c:a", "flac").read_bytes()
    (folder / "half.mkv").write_bytes(live[: len(live) // 2])
    (folder / "text.mp4").write_text("this is no audio")
    (folder / "nothing.webm").write_bytes(b"")
    subprocess.run(
        ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=duration=1:size=64x64", folder / "silent.mp4"],
        check=True,
        stdin=subprocess.DEVNULL,
    )
    return {
        "without its index": (folder / "half.m4a", "cannot be read as audio. ffmpeg: .*moov atom not found"),
        "without its end": (folder / "end.m4a", r"must last 2\.\d+ s .*ends after .* ffmpeg: .*partial file"),
        "a part of a stream": (folder / "half.mkv", "not copied completely. ffmpeg: .*ended prematurely"),
        "text": (folder / "text.mp4", "cannot be read as audio. ffmpeg: .*Invalid data"),
        "nothing": (folder / "nothing.webm", "cannot be read as audio. ffmpeg: "),
        "a video without sound": (folder / "silent.mp4", "has no audio stream"),
    }


@needs_ffmpeg
def test_a_file_that_cannot_be_read_is_an_error_with_what_ffmpeg_says(tmp_path: Path) -> None:
    for path, reason in bad_files(tmp_path).values():
        with pytest.raises(AudioFileError, match=f"{path.name}'.*{reason}"):
            read_audio(path)


@needs_ffmpeg
def test_a_damaged_spot_is_a_warning_and_the_rest_is_taken(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = convert(sound(tmp_path), tmp_path / "a.aac", "-c:a", "aac")
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 200] = bytes(200)
    path.write_bytes(data)
    with caplog.at_level(logging.WARNING):
        audio, _ = read_audio(path)
    assert audio.shape[1] > 24_000
    assert "a.aac' seems damaged" in caplog.text


@needs_ffmpeg
def test_a_playlist_that_is_named_like_a_recording_reads_no_other_file(tmp_path: Path) -> None:
    secret = convert(sound(tmp_path), tmp_path / "secret.aac", "-c:a", "aac")
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{secret}\n#EXT-X-ENDLIST\n"
    (tmp_path / "list.m4a").write_text(playlist)
    with pytest.raises(AudioFileError, match="whitelist"):
        read_audio(tmp_path / "list.m4a")
    (tmp_path / "concat.m4a").write_text(f"ffconcat version 1.0\nfile '{secret}'\n")
    with pytest.raises(AudioFileError, match="whitelist"):
        read_audio(tmp_path / "concat.m4a")


def test_without_ffmpeg_on_path_the_error_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "a.m4a").write_bytes(b"\0\0\0\x20ftypM4A ")
    with pytest.raises(AudioFileError, match=r"a\.m4a' must be decoded by .*ffmpeg.*apt install ffmpeg"):
        audio_info(tmp_path / "a.m4a")
    (tmp_path / "a.wav").write_text("this is no audio")
    with pytest.raises(AudioFileError, match=r"a\.wav' cannot be read as audio: .*Format not recognised"):
        audio_info(tmp_path / "a.wav")
    assert read_audio(sound(tmp_path))[0].shape == (1, 32_000)


def test_an_ffmpeg_that_cannot_run_or_says_nothing_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "ffmpeg"
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "a.m4a").write_bytes(b"something")
    program.write_text("#!/nowhere/shell\n")
    program.chmod(0o755)
    with pytest.raises(AudioFileError, match=r"a\.m4a' must be decoded by .*which cannot be run"):
        read_audio(tmp_path / "a.m4a")
    program.write_text("#!/bin/sh\nexit 3\n")
    with pytest.raises(AudioFileError, match="it ended without a word"), open_audio(tmp_path / "a.m4a"):
        pass


def test_folders_are_searched_for_what_ffmpeg_reads_too(tmp_path: Path) -> None:
    for name in ("a.M4A", "b.webm", "c.mp4", "d.txt", "e.ts", "f.wav"):
        (tmp_path / name).touch()
    assert [str(relative) for _, relative in find_audio([tmp_path])] == ["a.M4A", "b.webm", "c.mp4", "f.wav"]
