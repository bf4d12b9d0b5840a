"""`cmkt enhance`, run as the command line runs it."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from cmkt.audio.read import audio_info
from cmkt.audio.write import write_audio
from cmkt.cli import enhance
from cmkt.errors import AudioFileError, ConfigError
from cmkt.inference.save import save_model
from cmkt.models.crn import CRN


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A run directory with a small enhancer."""
    torch.manual_seed(0)
    save_model(CRN(channels=(4, 4), hidden=8), tmp_path / "run" / "enhancer")
    return tmp_path / "run"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two files, one of them at 48 kHz."""
    audio = 0.05 * np.random.default_rng(0).standard_normal(8_000).astype(np.float32)
    (tmp_path / "in" / "deep").mkdir(parents=True)
    write_audio(tmp_path / "in" / "a.wav", audio, 48_000)
    write_audio(tmp_path / "in" / "deep" / "b.wav", audio, 48_000)
    return tmp_path / "in"


def run(*words: str | Path) -> int:
    parser = argparse.ArgumentParser()
    enhance.add_arguments(parser)
    return enhance.run(parser.parse_args([str(word) for word in words]))


def test_the_last_line_says_how_many_files_where_and_how_fast(
    model: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(folder, "--model", model, "--output", tmp_path / "out") == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert "2 files enhanced" in last
    assert str(tmp_path / "out") in last
    assert re.search(r"real-time factor \d+\.\d+$", last)
    assert audio_info(tmp_path / "out" / "deep" / "b.wav").sample_rate == 48_000


def test_a_warning_is_one_line_for_all_files(
    model: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(folder, "--model", model, "--output", tmp_path / "out")
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("warning:")]
    assert lines == ["warning: The model works at 16000 Hz: content above 8000 Hz is removed."]


def test_a_bad_file_is_reported_and_the_exit_code_is_one(
    model: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "bad.wav").write_bytes(b"nothing")
    assert run(folder, "--model", model, "--output", tmp_path / "out") == 1
    captured = capsys.readouterr()
    assert "bad.wav" in captured.err
    assert "2 files enhanced, 1 failed" in captured.out


def test_existing_outputs_need_a_word(model: Path, folder: Path, tmp_path: Path) -> None:
    words = (folder, "--model", model, "--output", tmp_path / "out")
    assert run(*words) == 0
    with pytest.raises(ConfigError, match="must not exist yet"):
        run(*words)
    assert run(*words, "--skip-existing") == 0
    assert run(*words, "--overwrite", "--attenuation-limit-db", "6") == 0
    with pytest.raises(SystemExit):
        run(*words, "--overwrite", "--skip-existing")


def test_a_default_model_that_is_missing_gives_advice(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cmkt.inference.load.__file__", str(tmp_path / "load.py"))
    with pytest.raises(ConfigError, match="Pass a run directory"):
        run(folder, "--output", tmp_path / "out")


def test_wrong_arguments_are_refused_before_the_model_is_loaded(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="attenuation_limit_db"):
        run(folder, "--output", tmp_path / "out", "--attenuation-limit-db", "-3")
    with pytest.raises(ConfigError, match="never overwrite an input"):
        run(folder, "--output", folder)
    with pytest.raises(AudioFileError, match="does not exist"):
        run(tmp_path / "nowhere.wav", "--output", tmp_path / "out")


def test_skipping_everything_is_no_failure(
    model: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(folder, "--model", model, "--output", tmp_path / "out")
    assert run(folder, "--model", model, "--output", tmp_path / "out", "--skip-existing") == 0
    assert "0 files enhanced, 2 skipped" in capsys.readouterr().out.splitlines()[-1]


def test_format_and_suffix_name_the_outputs(model: Path, folder: Path, tmp_path: Path) -> None:
    words = (folder, "--model", model, "--output", tmp_path / "out", "--format", "flac", "--suffix", "_enhanced")
    assert run(*words) == 0
    info = audio_info(tmp_path / "out" / "deep" / "b_enhanced.flac")
    assert (info.format, info.sample_rate, info.samples) == ("FLAC", 48_000, 8_000)
    assert run(folder, "--model", model, "--output", folder, "--suffix", "_enhanced") == 0
    assert sorted(path.name for path in folder.rglob("*.wav")) == ["a.wav", "a_enhanced.wav", "b.wav", "b_enhanced.wav"]
    with pytest.raises(SystemExit):
        run(folder, "--output", tmp_path / "out", "--format", "m4a")


def test_two_inputs_with_one_output_are_refused(folder: Path, tmp_path: Path) -> None:
    (folder / "a.m4a").touch()
    with pytest.raises(AudioFileError, match=r"a\.m4a and .*a\.wav would both become .*a\.wav"):
        run(folder, "--output", tmp_path / "out")


def test_several_processes_give_the_same_with_one_warning_and_one_report(
    model: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "bad.wav").write_bytes(b"nothing")
    assert run(folder, "--model", model, "--output", tmp_path / "one") == 1
    assert run(folder, "--model", model, "--output", tmp_path / "two", "--jobs", "2") == 1
    for name in ("a.wav", "deep/b.wav"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    captured = capsys.readouterr()
    assert captured.err.count("warning: The model works at 16000 Hz") == 2
    assert captured.err.count("not enhanced") == 2
    assert "2 files enhanced, 1 failed" in captured.out.splitlines()[-1]


def test_no_process_and_a_model_that_cannot_be_loaded_are_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="`jobs` must be at least 1"):
        run(folder, "--output", tmp_path / "out", "--jobs", "0")
    with pytest.raises(ConfigError, match="does not exist"):
        run(folder, "--model", tmp_path / "gone", "--output", tmp_path / "out", "--jobs", "2")
