"""Enhancing files: what is kept, what is refused, and what stays when something goes wrong."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from cmkt.audio.ffmpeg import find_ffmpeg
from cmkt.audio.read import audio_info, read_audio
from cmkt.audio.write import AudioWriter, write_audio
from cmkt.errors import AudioError, AudioFileError, ConfigError
from cmkt.inference.destinations import Naming, arrange
from cmkt.inference.enhancer import TorchEnhancer
from cmkt.inference.files import enhance_file, enhance_files, total_seconds

if TYPE_CHECKING:
    from cmkt.types import FloatArray


def noise(channels: int, samples: int) -> FloatArray:
    return (0.05 * np.random.default_rng(0).standard_normal((channels, samples))).astype(np.float32)


def sound(
    path: Path, *, channels: int = 1, samples: int = 4_001, rate: int = 16_000, subtype: str | None = None
) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_audio(path, noise(channels, samples), rate, subtype=subtype)
    return path


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.wav", (16_000, 1, "PCM_16")),
        ("a.wav", (8_000, 1, "PCM_U8")),
        ("a.wav", (16_000, 6, "PCM_24")),
        ("a.wav", (11_025, 2, "FLOAT")),
        ("a.wav", (8_000, 1, "ULAW")),
        ("a.flac", (16_000, 2, "PCM_16")),
        ("a.ogg", (16_000, 1, "VORBIS")),
        ("a.opus", (16_000, 1, "OPUS")),
        ("a.aiff", (16_000, 1, "PCM_16")),
    ],
)
def test_rate_length_channels_format_and_subtype_are_kept(
    enhancer: TorchEnhancer, tmp_path: Path, name: str, kind: tuple[int, int, str]
) -> None:
    rate, channels, subtype = kind
    source = sound(tmp_path / name, rate=rate, channels=channels, subtype=subtype)
    destination = tmp_path / "out" / name
    seconds = enhance_file(enhancer, source, destination)
    assert audio_info(destination) == audio_info(source)
    assert seconds == pytest.approx(4_001 / rate)


def test_mp3_stays_mp3(enhancer: TorchEnhancer, tmp_path: Path) -> None:
    source = sound(tmp_path / "a.mp3")
    enhance_file(enhancer, source, tmp_path / "out" / "a.mp3")
    before, after = audio_info(source), audio_info(tmp_path / "out" / "a.mp3")
    assert (after.format, after.subtype, after.sample_rate) == (before.format, before.subtype, before.sample_rate)
    assert after.samples == pytest.approx(before.samples, abs=3_000)


def test_a_96_khz_file_keeps_its_rate_with_a_warning(enhancer: TorchEnhancer, tmp_path: Path) -> None:
    source = sound(tmp_path / "a.wav", rate=96_000)
    with pytest.warns(UserWarning, match="8000 Hz"):
        enhance_file(enhancer, source, tmp_path / "out.wav")
    assert audio_info(tmp_path / "out.wav") == audio_info(source)


def test_a_file_in_blocks_gives_what_the_array_gives(enhancer: TorchEnhancer, tmp_path: Path) -> None:
    source = sound(tmp_path / "a.wav", channels=2, samples=16_000 * 11 + 3, subtype="FLOAT")
    enhance_file(enhancer, source, tmp_path / "b.wav", attenuation_limit_db=12.0)
    audio, rate = read_audio(source)
    wanted = enhancer.enhance(audio, sample_rate=rate, attenuation_limit_db=12.0)
    np.testing.assert_allclose(read_audio(tmp_path / "b.wav")[0], wanted, atol=1e-5)


def test_progress_adds_up_to_the_length(enhancer: TorchEnhancer, tmp_path: Path) -> None:
    source = sound(tmp_path / "a.wav", samples=16_000 * 12)
    seconds: list[float] = []
    enhance_file(enhancer, source, tmp_path / "b.wav", on_progress=seconds.append)
    assert sum(seconds) == pytest.approx(12.0)
    assert len(seconds) == 2


def test_the_folder_structure_is_mirrored(enhancer: TorchEnhancer, tmp_path: Path) -> None:
    sound(tmp_path / "in" / "a.wav")
    sound(tmp_path / "in" / "deep" / "b.flac")
    outcome = enhance_files(enhancer, [tmp_path / "in"], tmp_path / "out")
    assert names(tmp_path / "out") == ["a.wav", str(Path("deep", "b.flac"))]
    assert len(outcome.written) == 2
    assert outcome.audio_seconds == pytest.approx(2 * 4_001 / 16_000)
    assert outcome.real_time_factor > 0.0


def test_one_bad_file_does_not_lose_the_others(enhancer: TorchEnhancer, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    sound(folder / "good.wav")
    sound(folder / "zgood.wav")
    (folder / "corrupt.wav").write_bytes(b"RIFFnothing of the kind")
    (folder / "empty.flac").touch()
    whole = sound(folder / "truncated.flac", samples=50_000).read_bytes()
    (folder / "truncated.flac").write_bytes(whole[: len(whole) // 2])
    write_audio(folder / "nan.wav", np.full(100, np.nan, np.float32), 16_000, subtype="FLOAT")
    write_audio(folder / "no_samples.wav", np.zeros(0, np.float32), 16_000)
    outcome = enhance_files(enhancer, [folder], tmp_path / "out")
    assert names(tmp_path / "out") == ["good.wav", "zgood.wav"]
    failed = sorted(path.name for path, _ in outcome.failed)
    assert failed == ["corrupt.wav", "empty.flac", "nan.wav", "no_samples.wav", "truncated.flac"]
    assert all(reason for _, reason in outcome.failed)


def test_silence_and_clipping_are_enhanced(enhancer: TorchEnhancer, tmp_path: Path) -> None:
    write_audio(tmp_path / "silent.wav", np.zeros(9_000, np.float32), 16_000)
    write_audio(tmp_path / "clipped.wav", np.sign(noise(1, 9_000)), 16_000)
    outcome = enhance_files(enhancer, [tmp_path / "silent.wav", tmp_path / "clipped.wav"], tmp_path / "out")
    assert len(outcome.written) == 2


def test_existing_outputs_are_refused_before_any_work(enhancer: TorchEnhancer, tmp_path: Path) -> None:
    sound(tmp_path / "in" / "a.wav")
    sound(tmp_path / "in" / "b.wav")
    sound(tmp_path / "out" / "b.wav", samples=7)
    with pytest.raises(ConfigError, match="--skip-existing"):
        enhance_files(enhancer, [tmp_path / "in"], tmp_path / "out")
    assert names(tmp_path / "out") == ["b.wav"]


def test_existing_outputs_are_skipped_or_overwritten_as_asked(enhancer: TorchEnhancer, tmp_path: Path) -> None:
    sound(tmp_path / "in" / "a.wav")
    sound(tmp_path / "in" / "b.wav")
    old = sound(tmp_path / "out" / "b.wav", samples=7)
    outcome = enhance_files(enhancer, [tmp_path / "in"], tmp_path / "out", on_existing="skip")
    assert (outcome.skipped, audio_info(old).samples) == ([old], 7)
    outcome = enhance_files(enhancer, [tmp_path / "in"], tmp_path / "out", on_existing="overwrite")
    assert (len(outcome.written), audio_info(old).samples) == (2, 4_001)


def test_an_input_is_never_overwritten(enhancer: TorchEnhancer, tmp_path: Path) -> None:
    source = sound(tmp_path / "in" / "a.wav")
    before = source.read_bytes()
    with pytest.raises(ConfigError, match="never overwrite an input"):
        enhance_files(enhancer, [tmp_path / "in"], tmp_path / "in", on_existing="overwrite")
    with pytest.raises(ConfigError, match="never overwrite an input"):
        enhance_file(enhancer, source, source)
    other = sound(tmp_path / "in" / "sub" / "a.wav", samples=9)
    with pytest.raises(ConfigError, match="inside the input folder"):
        enhance_files(enhancer, [tmp_path / "in"], tmp_path / "in" / "sub", on_existing="overwrite")
    assert audio_info(other).samples == 9
    assert source.read_bytes() == before


def test_ctrl_c_keeps_finished_files_and_leaves_no_half_one(
    enhancer: TorchEnhancer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound(tmp_path / "in" / "a.wav")
    sound(tmp_path / "in" / "b.wav")

    write = AudioWriter.write

    def interrupted(writer: AudioWriter, block: FloatArray) -> None:
        write(writer, block)
        if writer.path.name == "b.wav":
            raise KeyboardInterrupt

    monkeypatch.setattr(AudioWriter, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        enhance_files(enhancer, [tmp_path / "in"], tmp_path / "out")
    assert names(tmp_path / "out") == ["a.wav"]


def test_a_full_disk_leaves_no_half_file_and_keeps_the_old_one(
    enhancer: TorchEnhancer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound(tmp_path / "in" / "a.wav")
    old = sound(tmp_path / "out" / "a.wav", samples=7)

    def full(*_: object) -> None:
        raise AudioFileError("No space left on device")

    monkeypatch.setattr(AudioWriter, "write", full)
    outcome = enhance_files(enhancer, [tmp_path / "in"], tmp_path / "out", on_existing="overwrite")
    assert outcome.failed[0][1] == "No space left on device"
    assert names(tmp_path / "out") == ["a.wav"]
    assert audio_info(old).samples == 7


def test_a_folder_that_cannot_be_made_is_an_audio_file_error(enhancer: TorchEnhancer, tmp_path: Path) -> None:
    source = sound(tmp_path / "a.wav")
    with pytest.raises(AudioFileError, match="cannot be made"):
        enhance_file(enhancer, source, source / "below" / "a.wav")


def test_a_wrong_limit_is_refused_before_anything_is_written(enhancer: TorchEnhancer, tmp_path: Path) -> None:
    source = sound(tmp_path / "a.wav")
    with pytest.raises(ConfigError, match="attenuation_limit_db"):
        enhance_files(enhancer, [source], tmp_path / "out", attenuation_limit_db=-3.0)
    assert names(tmp_path / "out") == [] if (tmp_path / "out").exists() else True


def test_total_seconds_counts_what_can_be_read_and_is_to_be_done(tmp_path: Path) -> None:
    sound(tmp_path / "in" / "a.wav", samples=16_000)
    (tmp_path / "in" / "b.wav").write_bytes(b"nothing")
    assert total_seconds(arrange([tmp_path / "in"], tmp_path / "out").jobs) == pytest.approx(1.0)
    sound(tmp_path / "out" / "a.wav")
    assert total_seconds(arrange([tmp_path / "in"], tmp_path / "out", on_existing="skip").jobs) == 0.0


def test_the_suffix_of_an_output_names_its_format(enhancer: TorchEnhancer, tmp_path: Path) -> None:
    source = sound(tmp_path / "a.wav", subtype="PCM_24")
    for name, kind in (("b.flac", ("FLAC", "PCM_24")), ("b.ogg", ("OGG", "VORBIS")), ("b.opus", ("OGG", "OPUS"))):
        enhance_file(enhancer, source, tmp_path / name)
        info = audio_info(tmp_path / name)
        assert (info.format, info.subtype, info.samples) == (*kind, 4_001)


def test_outputs_are_named_as_the_user_says(enhancer: TorchEnhancer, tmp_path: Path) -> None:
    sound(tmp_path / "in" / "a.wav")
    sound(tmp_path / "in" / "deep" / "b.flac")
    naming = Naming(format="flac", suffix="_enhanced")
    outcome = enhance_files(enhancer, [tmp_path / "in"], tmp_path / "out", naming=naming)
    assert names(tmp_path / "out") == ["a_enhanced.flac", str(Path("deep", "b_enhanced.flac"))]
    assert sorted(outcome.written) == [tmp_path / "out" / name for name in names(tmp_path / "out")]


def test_a_format_that_cannot_hold_a_file_fails_for_that_file(enhancer: TorchEnhancer, tmp_path: Path) -> None:
    sound(tmp_path / "in" / "a.wav", rate=11_025)
    sound(tmp_path / "in" / "b.wav", rate=16_000)
    outcome = enhance_files(enhancer, [tmp_path / "in"], tmp_path / "out", naming=Naming(format="opus"))
    assert names(tmp_path / "out") == ["b.opus"]
    assert "cannot be opened for writing as OGG OPUS, 11025 Hz" in outcome.failed[0][1]


@pytest.mark.skipif(find_ffmpeg() is None, reason="needs ffmpeg on PATH: sudo apt install ffmpeg")
def test_what_only_ffmpeg_reads_becomes_wav_of_the_same_rate_and_channels(
    enhancer: TorchEnhancer, tmp_path: Path
) -> None:
    source = sound(tmp_path / "a.wav", channels=2, rate=44_100, samples=44_100 * 12)
    (tmp_path / "in").mkdir()
    command = ["ffmpeg", "-v", "error", "-i", str(source), "-c:a", "flac", str(tmp_path / "in" / "video.mkv")]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    (tmp_path / "in" / "bad.m4a").write_text("this is no audio")
    with pytest.warns(UserWarning, match="8000 Hz"):
        outcome = enhance_files(enhancer, [tmp_path / "in"], tmp_path / "out")
    with pytest.warns(UserWarning, match="8000 Hz"):
        enhance_file(enhancer, source, tmp_path / "wanted.wav")
    assert (tmp_path / "out" / "video.wav").read_bytes() == (tmp_path / "wanted.wav").read_bytes()
    assert names(tmp_path / "out") == ["video.wav"]
    assert outcome.audio_seconds == pytest.approx(12.0)
    assert "ffmpeg" in outcome.failed[0][1]


@pytest.mark.corpus
def test_real_speech_keeps_its_format(enhancer: TorchEnhancer, corpus: Path, tmp_path: Path) -> None:
    source = next(path for path in sorted((corpus / "speech" / "test").rglob("*")) if path.is_file())
    enhance_file(enhancer, source, tmp_path / source.name)
    assert audio_info(tmp_path / source.name) == audio_info(source)


def test_a_nan_in_a_later_block_leaves_no_file(enhancer: TorchEnhancer, tmp_path: Path) -> None:
    audio = noise(1, 16_000 * 11)
    audio[0, -1] = np.nan
    write_audio(tmp_path / "a.wav", audio, 16_000, subtype="FLOAT")
    with pytest.raises(AudioError, match="finite"):
        enhance_file(enhancer, tmp_path / "a.wav", tmp_path / "out" / "a.wav")
    assert names(tmp_path / "out") == []


def test_a_missing_source_is_an_audio_file_error_also_where_the_output_exists(
    enhancer: TorchEnhancer, tmp_path: Path
) -> None:
    (tmp_path / "out.wav").write_bytes(b"mine")
    with pytest.raises(AudioFileError, match="does not exist"):
        enhance_file(enhancer, tmp_path / "gone.wav", tmp_path / "out.wav")
    assert (tmp_path / "out.wav").read_bytes() == b"mine"
