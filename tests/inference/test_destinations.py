"""Where outputs go, and which may not be written."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from cmkt.audio.write import write_audio
from cmkt.errors import AudioFileError, ConfigError
from cmkt.inference.destinations import existing, plan, refuse_replacing_inside


def sound(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_audio(path, np.zeros(10, np.float32), 16_000)
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
