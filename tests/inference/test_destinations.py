"""Where outputs go, and which may not be written."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from cmkt.audio.ffmpeg import find_ffmpeg
from cmkt.audio.write import write_audio
from cmkt.errors import AudioFileError, ConfigError
from cmkt.inference.destinations import Naming, arrange, existing, plan, refuse_replacing_inside


def sound(path: Path, *, samples: int = 10) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_audio(path, np.zeros(samples, np.float32), 16_000)
    return path


def test_folders_are_mirrored_and_files_keep_their_names(tmp_path: Path) -> None:
    sound(tmp_path / "in" / "a.wav")
    sound(tmp_path / "in" / "deep" / "er" / "b.flac")
    single = sound(tmp_path / "c.wav")
    jobs = plan([tmp_path / "in", single], tmp_path / "out")
    destinations = sorted(str(job.destination.relative_to(tmp_path / "out")) for job in jobs)
    assert destinations == ["a.wav", "c.wav", str(Path("deep", "er", "b.flac"))]


@pytest.mark.parametrize("output", ["in", "in/../in", "link"])
def test_an_output_that_is_an_input_is_refused_under_any_name(tmp_path: Path, output: str) -> None:
    sound(tmp_path / "in" / "a.wav")
    (tmp_path / "link").symlink_to(tmp_path / "in")
    with pytest.raises(ConfigError, match="never overwrite an input"):
        plan([tmp_path / "in"], tmp_path / output)


def test_an_output_that_is_a_hard_link_to_an_input_is_refused(tmp_path: Path) -> None:
    source = sound(tmp_path / "in" / "a.wav")
    (tmp_path / "out").mkdir()
    os.link(source, tmp_path / "out" / "a.wav")
    with pytest.raises(ConfigError, match="never overwrite an input"):
        plan([source], tmp_path / "out")


def test_an_output_that_is_another_input_is_refused(tmp_path: Path) -> None:
    sound(tmp_path / "in" / "sub" / "a.wav")
    other = sound(tmp_path / "out" / "sub" / "a.wav")
    with pytest.raises(ConfigError, match="never overwrite an input"):
        plan([tmp_path / "in", other], tmp_path / "out")


def test_outputs_of_an_earlier_run_inside_the_input_folder_are_not_inputs(tmp_path: Path) -> None:
    sound(tmp_path / "in" / "a.wav")
    sound(tmp_path / "in" / "enhanced" / "a.wav")
    jobs = plan([tmp_path / "in"], tmp_path / "in" / "enhanced")
    assert [job.source for job in jobs] == [tmp_path / "in" / "a.wav"]
    assert existing(jobs) == jobs


def test_files_inside_an_input_folder_are_never_replaced_as_they_may_be_inputs(tmp_path: Path) -> None:
    sound(tmp_path / "in" / "a.wav")
    sound(tmp_path / "in" / "sub" / "a.wav")
    jobs = plan([tmp_path / "in"], tmp_path / "in" / "sub")
    with pytest.raises(ConfigError, match="inside the input folder"):
        refuse_replacing_inside(jobs, [tmp_path / "in"])
    refuse_replacing_inside(jobs, [tmp_path / "elsewhere"])


def test_two_inputs_with_one_output_are_refused(tmp_path: Path) -> None:
    first, second = sound(tmp_path / "1" / "a.wav"), sound(tmp_path / "2" / "a.wav")
    with pytest.raises(AudioFileError, match=r"a\.wav"):
        plan([first, second], tmp_path / "out")


def test_nothing_to_enhance_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(AudioFileError):
        plan([tmp_path / "in"], tmp_path / "out")
    with pytest.raises(AudioFileError, match="does not exist"):
        plan([tmp_path / "nowhere.wav"], tmp_path / "out")
    sound(tmp_path / "in" / "enhanced" / "a.wav")
    with pytest.raises(ConfigError, match="outside the output folder"):
        plan([tmp_path / "in"], tmp_path / "in" / "enhanced")


def test_an_output_that_is_a_file_is_refused(tmp_path: Path) -> None:
    source = sound(tmp_path / "a.wav")
    with pytest.raises(ConfigError, match="must be a folder"):
        plan([source], source)


@pytest.mark.parametrize(
    ("name", "naming", "wanted"),
    [
        ("a.wav", Naming(), "a.wav"),
        ("a.FLAC", Naming(), "a.FLAC"),
        ("a.b.opus", Naming(suffix="_enhanced"), "a.b_enhanced.opus"),
        ("a.m4a", Naming(), "a.wav"),
        ("a.MP4", Naming(suffix="-clean"), "a-clean.wav"),
        ("deep/a.m4a", Naming(format="ogg"), "deep/a.ogg"),
        ("deep/a.wav", Naming(format="flac", suffix=".x"), "deep/a.x.flac"),
    ],
)
def test_names_follow_format_and_suffix(tmp_path: Path, name: str, naming: Naming, wanted: str) -> None:
    assert naming.name(tmp_path / name, Path(name)) == Path(wanted)


def test_a_name_that_says_nothing_stays_where_the_content_can_be_written(tmp_path: Path) -> None:
    sound(tmp_path / "a.wav").rename(tmp_path / "raw")
    (tmp_path / "broken").write_bytes(b"nothing")
    assert Naming(suffix="_e").name(tmp_path / "raw", Path("raw")) == Path("raw_e")
    assert Naming().name(tmp_path / "broken", Path("broken")) == Path("broken")


@pytest.mark.skipif(find_ffmpeg() is None, reason="needs ffmpeg on PATH: sudo apt install ffmpeg")
def test_a_name_that_says_nothing_becomes_wav_where_only_ffmpeg_reads_the_content(tmp_path: Path) -> None:
    source = sound(tmp_path / "a.wav", samples=16_000)
    command = ["ffmpeg", "-v", "error", "-i", str(source), "-f", "adts", str(tmp_path / "raw")]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    assert Naming().name(tmp_path / "raw", Path("raw")) == Path("raw.wav")


def test_a_wrong_format_and_a_suffix_with_folders_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"one of wav, flac, .* but is 'm4a'"):
        Naming(format="m4a")
    with pytest.raises(ConfigError, match="part of a file name"):
        Naming(suffix="../x")


def test_two_inputs_that_become_one_output_are_refused_before_any_work(tmp_path: Path) -> None:
    sound(tmp_path / "in" / "a.wav")
    sound(tmp_path / "in" / "a.flac")
    assert len(plan([tmp_path / "in"], tmp_path / "out")) == 2
    with pytest.raises(AudioFileError, match=r"a\.flac and .*a\.wav would both become .*a_e\.ogg"):
        plan([tmp_path / "in"], tmp_path / "out", Naming(format="ogg", suffix="_e"))
    (tmp_path / "in" / "a.m4a").touch()
    with pytest.raises(AudioFileError, match=r"would both become .*a\.wav"):
        plan([tmp_path / "in"], tmp_path / "out")


def test_a_suffix_lets_outputs_lie_beside_inputs_and_they_do_not_become_inputs(tmp_path: Path) -> None:
    source = sound(tmp_path / "in" / "a.wav")
    naming = Naming(suffix="_e")
    assert plan([tmp_path / "in"], tmp_path / "in", naming)[0].destination == tmp_path / "in" / "a_e.wav"
    sound(tmp_path / "in" / "a_e.wav")
    assert [job.source for job in plan([tmp_path / "in"], tmp_path / "in", naming)] == [source]
    assert arrange([tmp_path / "in"], tmp_path / "in", naming=naming, on_existing="skip").jobs == []
    with pytest.raises(ConfigError, match="must not exist yet"):
        arrange([tmp_path / "in"], tmp_path / "in", naming=naming)
    with pytest.raises(ConfigError, match="inside the input folder"):
        arrange([tmp_path / "in"], tmp_path / "in", naming=naming, on_existing="overwrite")


def test_with_a_suffix_too_an_output_that_is_linked_to_an_input_is_refused(tmp_path: Path) -> None:
    source = sound(tmp_path / "in" / "a.wav")
    (tmp_path / "in" / "a_e.wav").symlink_to(source)
    with pytest.raises(ConfigError, match="never overwrite an input"):
        plan([source], tmp_path / "in", Naming(suffix="_e"))
    (tmp_path / "out").mkdir()
    os.link(source, tmp_path / "out" / "a_e.wav")
    with pytest.raises(ConfigError, match="never overwrite an input"):
        plan([source], tmp_path / "out", Naming(suffix="_e"))
