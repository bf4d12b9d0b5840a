from __future__ import annotations

import errno
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import soundfile

from cmkt.audio.read import audio_info, read_audio
from cmkt.audio.write import AudioWriter, atomic_path, discard_unfinished, write_audio, write_json, write_text
from cmkt.errors import AudioError, AudioFileError

FULL_AT_BYTES = 200_000


def noise(channels: int, samples: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return (0.1 * np.random.default_rng(0).standard_normal((channels, samples))).astype(np.float32)


@pytest.fixture
def full_disk() -> Iterator[None]:
    """The kernel refuses to let any file grow beyond 200 kB, as it does when a disk or a quota is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (FULL_AT_BYTES, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize(("rate", "channels"), [(8_000, 1), (16_000, 6), (48_000, 2), (96_000, 1), (44_100, 1)])
@pytest.mark.parametrize("suffix", [".wav", ".flac", ".aiff"])
def test_what_is_written_is_read_back(tmp_path: Path, rate: int, channels: int, suffix: str) -> None:
    audio = noise(channels, 40_000)
    write_audio(tmp_path / f"a{suffix}", audio, rate)
    read, read_rate = read_audio(tmp_path / f"a{suffix}")
    np.testing.assert_allclose(read, audio, atol=1 / 32768)
    assert read_rate == rate
    assert os.listdir(tmp_path) == [f"a{suffix}"]


@pytest.mark.parametrize(
    ("name", "channels"), [("a.ogg", 1), ("a.ogg", 2), ("a.ogg", 6), ("a.opus", 1), ("a.opus", 6), ("a.flac", 2)]
)
def test_a_minute_at_48_khz_is_written_in_one_call(tmp_path: Path, name: str, channels: int) -> None:
    """libsndfile itself crashes here when it gets Ogg Vorbis whole."""
    minute = noise(1, 60 * 48_000).repeat(channels, axis=0) if channels < 6 else noise(6, 5 * 48_000)
    write_audio(tmp_path / name, minute, 48_000)
    assert (audio_info(tmp_path / name).samples, audio_info(tmp_path / name).channels) == (minute.shape[1], channels)


def test_one_dimension_is_one_channel(tmp_path: Path) -> None:
    write_audio(tmp_path / "a.wav", noise(1, 100)[0], 16_000)
    assert audio_info(tmp_path / "a.wav").channels == 1


@pytest.mark.parametrize("sizes", [[1000], [1, 999], [0, 500, 0, 500], [250] * 4])
def test_blocks_of_any_size_give_the_same_file(tmp_path: Path, sizes: list[int]) -> None:
    audio = noise(2, 1000)
    with AudioWriter(tmp_path / "a.wav", sample_rate=16_000, channels=2, subtype="FLOAT") as writer:
        for block in np.split(audio, np.cumsum(sizes)[:-1], axis=1):
            writer.write(block)
    np.testing.assert_array_equal(read_audio(tmp_path / "a.wav")[0], audio)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "FLOAT", "ULAW"])
def test_the_subtype_is_the_one_asked_for(tmp_path: Path, subtype: str) -> None:
    write_audio(tmp_path / "a.wav", noise(1, 100), 16_000, subtype)
    assert audio_info(tmp_path / "a.wav").subtype == subtype


def test_the_format_can_be_named_where_the_suffix_says_nothing(tmp_path: Path) -> None:
    with AudioWriter(tmp_path / "a.bin", sample_rate=16_000, channels=1, subtype=None, format="FLAC") as writer:
        writer.write(noise(1, 100))
    assert audio_info(tmp_path / "a.bin").format == "FLAC"


def test_integer_subtypes_clip_and_do_not_wrap_around(tmp_path: Path) -> None:
    write_audio(tmp_path / "a.wav", np.array([0.0, 2.0, -2.0]), 16_000, "PCM_16")
    np.testing.assert_allclose(read_audio(tmp_path / "a.wav")[0], [[0, 1, -1]], atol=1 / 32767)


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("suffix", [".wav", ".ogg", ".flac"])
def test_an_exception_in_the_middle_leaves_nothing(tmp_path: Path, error: type[BaseException], suffix: str) -> None:
    path = tmp_path / f"a{suffix}"

    def interrupted() -> None:
        with AudioWriter(path, sample_rate=16_000, channels=1, subtype=None) as writer:
            writer.write(noise(1, 50_000))
            assert not path.exists()
            raise error

    with pytest.raises(error):
        interrupted()
    assert os.listdir(tmp_path) == []


def test_an_exception_leaves_the_file_that_was_there(tmp_path: Path) -> None:
    write_audio(tmp_path / "a.wav", noise(1, 100), 16_000)
    before = (tmp_path / "a.wav").read_bytes()

    def interrupted() -> None:
        with AudioWriter(tmp_path / "a.wav", sample_rate=16_000, channels=1, subtype=None) as writer:
            writer.write(noise(1, 50_000))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert (tmp_path / "a.wav").read_bytes() == before
    assert os.listdir(tmp_path) == ["a.wav"]


def test_a_file_that_was_there_is_replaced_when_the_new_one_is_complete(tmp_path: Path) -> None:
    write_audio(tmp_path / "a.wav", noise(1, 100), 16_000)
    write_audio(tmp_path / "a.wav", noise(1, 200), 16_000)
    assert audio_info(tmp_path / "a.wav").samples == 200


def test_ctrl_c_in_another_process_leaves_no_file_under_the_final_name(tmp_path: Path) -> None:
    script = (
        "import sys, numpy as np\n"
        "from cmkt.audio.write import AudioWriter\n"
        "with AudioWriter(sys.argv[1], sample_rate=16000, channels=1, subtype='PCM_16') as writer:\n"
        "    sys.stdout.write('ready\\n'); sys.stdout.flush()\n"
        "    while True: writer.write(np.zeros((1, 1000), dtype='f4'))\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "a.wav")],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler) and None,  # noqa: PLW1509
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=300) != 0
    assert os.listdir(tmp_path) == []


@pytest.mark.usefixtures("full_disk")
@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.opus", "a.mp3", "a.aiff"])
def test_a_full_disk_is_an_error_that_names_the_file_and_leaves_nothing(tmp_path: Path, name: str) -> None:
    with pytest.raises(AudioFileError, match=rf"{name}' cannot be written.*MB free"):
        write_audio(tmp_path / name, noise(2, 30 * 48_000), 48_000)
    assert os.listdir(tmp_path) == []


@pytest.mark.usefixtures("full_disk")
def test_a_disk_that_fills_up_at_the_last_block_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(AudioFileError, match="cannot be written"):
        write_audio(tmp_path / "a.wav", noise(1, FULL_AT_BYTES // 2), 16_000, "PCM_16")
    assert os.listdir(tmp_path) == []


def test_a_file_that_comes_back_short_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Short:
        frames = 90

    monkeypatch.setattr(soundfile, "info", lambda path: Short())
    with pytest.raises(AudioFileError, match="only 90 of 100 samples"):
        write_audio(tmp_path / "a.wav", noise(1, 100), 16_000)
    assert os.listdir(tmp_path) == []


def test_a_rename_that_fails_is_an_error_that_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(source: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(AudioFileError, match=r"a\.wav' cannot be written.*No space left"):
        write_audio(tmp_path / "a.wav", noise(1, 100), 16_000)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "subtype", "reason"),
    [
        ("a.xyz", None, "suffix"),
        ("a", None, "suffix"),
        ("a.flac", "FLOAT", "PCM_16.*'FLOAT' is not"),
        ("a.wav", "NONSENSE", "PCM_16"),
        ("missing/a.wav", None, "missing' must be a folder"),
    ],
)
def test_a_file_that_cannot_be_opened_is_an_error_with_the_reason(
    tmp_path: Path, name: str, subtype: str | None, reason: str
) -> None:
    with pytest.raises(AudioFileError, match=reason):
        write_audio(tmp_path / name, noise(1, 100), 16_000, subtype)
    assert os.listdir(tmp_path) == []


def test_a_rate_or_channels_that_the_format_cannot_hold_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(AudioFileError, match="44100 Hz"):
        write_audio(tmp_path / "a.opus", noise(1, 100), 44_100)
    with pytest.raises(AudioFileError, match="40 channels"):
        write_audio(tmp_path / "a.flac", noise(40, 100), 16_000)
    assert os.listdir(tmp_path) == []


def test_a_folder_cannot_be_written_over(tmp_path: Path) -> None:
    (tmp_path / "a.wav").mkdir()
    with pytest.raises(AudioFileError, match="is a folder"):
        write_audio(tmp_path / "a.wav", noise(1, 100), 16_000)


def test_blocks_with_other_channels_and_use_before_opening_are_errors(tmp_path: Path) -> None:
    writer = AudioWriter(tmp_path / "a.wav", sample_rate=16_000, channels=2, subtype=None)
    with pytest.raises(AudioFileError, match="with AudioWriter"):
        writer.write(noise(2, 10))
    with pytest.raises(AudioError, match=r"\(2, n\)"), writer:
        writer.write(noise(1, 10))
    with pytest.raises(AudioError, match=r"\(C, T\)"):
        write_audio(tmp_path / "a.wav", np.zeros((1, 1, 5)), 16_000)
    assert os.listdir(tmp_path) == []


def test_the_new_file_has_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    write_audio(tmp_path / "a.wav", noise(1, 10), 16_000)
    assert (tmp_path / "a.wav").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_atomic_path_renames_at_the_end_and_keeps_the_suffix(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "report.json") as temporary:
        assert temporary.suffix == ".json"
        assert temporary.parent == tmp_path
        temporary.write_text("{}")
        assert not (tmp_path / "report.json").exists()
    assert os.listdir(tmp_path) == ["report.json"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_atomic_path_leaves_nothing_on_an_exception(tmp_path: Path, error: type[BaseException]) -> None:
    def interrupted() -> None:
        with atomic_path(tmp_path / "report.json") as temporary:
            temporary.write_text("{")
            raise error

    with pytest.raises(error):
        interrupted()
    assert os.listdir(tmp_path) == []


def test_atomic_path_to_which_nothing_was_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "report.json"):
        pass


def test_atomic_path_keeps_every_suffix_because_libraries_choose_the_format_by_it(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "cuts.jsonl.gz") as temporary:
        assert temporary.name.endswith(".jsonl.gz")
        assert temporary.name.startswith(".")
        temporary.touch()


def test_write_text_replaces_a_file_whole(tmp_path: Path) -> None:
    write_text(tmp_path / "a.md", "old")
    write_text(tmp_path / "a.md", "Größe\n")
    assert (tmp_path / "a.md").read_bytes() == "Größe\n".encode()
    assert [path.name for path in tmp_path.iterdir()] == ["a.md"]


def test_write_json_is_readable_by_people(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"name": "Größe"})
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == '{\n "name": "Größe"\n}\n'


@pytest.mark.parametrize("name", ["n" * 251 + ".wav", "\u8bed" * 83 + ".wav"])
def test_the_longest_name_that_a_file_can_have_is_written(name: str, tmp_path: Path) -> None:
    write_audio(tmp_path / name, np.zeros(100), 16_000)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_disk_that_is_full_from_the_start_is_called_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """libsndfile says no more than "System error" then."""

    def refuse(*_: object, **__: object) -> None:
        raise soundfile.LibsndfileError(2)

    monkeypatch.setattr(soundfile, "SoundFile", refuse)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(free=1000))
    with pytest.raises(AudioFileError, match=r"the disk is full, 0\.0 MB free"):
        write_audio(tmp_path / "a.wav", noise(1, 100), 16_000)


class Usage(NamedTuple):
    free: int


def test_what_a_killed_process_left_of_a_file_can_be_deleted_and_nothing_else(tmp_path: Path) -> None:
    for name in (".12345678.part.[a].wav", ".12345678.part.a.wav", "[a].wav", ".[a].wav"):
        (tmp_path / name).touch()
    discard_unfinished(tmp_path / "[a].wav")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".12345678.part.a.wav", ".[a].wav", "[a].wav"]
    writer = AudioWriter(tmp_path / "b.wav", sample_rate=16_000, channels=1, subtype=None)
    with suppress(KeyboardInterrupt), writer:
        discard_unfinished(tmp_path / "b.wav")
        assert not writer._temporary.exists()
        raise KeyboardInterrupt
