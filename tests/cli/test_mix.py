"""`cmkt mix` from the command line: a set that is made, and a list of one that exists."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import numpy as np
import pytest

from cmkt.audio.write import write_audio
from cmkt.cli.main import main
from cmkt.data.pairs import read_pairs

RATE = 16_000


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A prepared folder of two utterances and a noise."""
    rng = np.random.default_rng(0)
    for name in ("speech/one", "speech/two", "noise/hiss"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        syllables = np.clip(np.sin(8 * np.pi * np.arange(RATE) / RATE), 0, None) if name.startswith("speech") else 1.0
        write_audio(tmp_path / f"{name}.wav", 0.1 * syllables * rng.standard_normal(RATE), RATE)
    asked = ["--speech", "speech", "--noise", "noise", "--output", "prepared"]
    places = [each if each.startswith("--") else f"{tmp_path}/{each}" for each in asked]
    assert main(["prepare", "folder", *places, "--dev-fraction", "0", "--workers", "1"]) == 0
    return tmp_path / "prepared"


def mix(*arguments: object) -> int:
    return main(["mix", *map(str, arguments)])


def test_a_set_is_made_and_told_about(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "set"
    asked = ("--data", data, "--output", output, "--snr", "-2.5", "5", "--sample-rate", "8000", "--jobs", "0")
    assert mix(*asked, "--format", "flac", "--seed", "3") == 0
    assert f"{output}: 4 recordings of 2 utterances, 4 with a reference, 0 with a transcript, SNR -2.5, 5 dB" in (
        capsys.readouterr().out
    )
    pairs = read_pairs(output / "list.jsonl")
    assert [(pair.id, pair.snr_db, pair.noisy.name) for pair in pairs[:2]] == [
        ("one", -2.5, "one_-2.5dB.flac"),
        ("one", 5.0, "one_5dB.flac"),
    ]
    assert {(pair.about["seed"], pair.about["sample_rate"]) for pair in pairs} == {(3, 8000)}
    assert mix(*asked, "--format", "flac", "--seed", "4") == 2
    assert "seed was 3 and is 4" in capsys.readouterr().err


def test_limit_takes_fewer_utterances(data: Path, tmp_path: Path) -> None:
    assert mix("--data", data, "--output", tmp_path / "set", "--limit", "1", "--jobs", "0") == 0
    assert len({pair.id for pair in read_pairs(tmp_path / "set/list.jsonl")}) == 1


def test_folders_that_exist_are_listed(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "t.csv").write_text("file,text\none.wav,first\n")
    asked = ("--noisy", tmp_path / "speech", "--clean", tmp_path / "speech", "--transcripts", tmp_path / "t.csv")
    capsys.readouterr()
    assert mix(*asked, "--output", tmp_path / "lists/own.jsonl") == 0
    assert capsys.readouterr().out.endswith(
        "own.jsonl: 2 recordings of 2 utterances, 2 with a reference, 1 with a transcript\n"
    )
    first = json.loads((tmp_path / "lists/own.jsonl").read_text().splitlines()[0])
    assert first == {
        "id": "one",
        "noisy": f"{tmp_path}/speech/one.wav",
        "clean": f"{tmp_path}/speech/one.wav",
        "text": "first",
        "snr_db": None,
    }
    assert mix("--noisy", tmp_path / "speech", "--layout", "folders", "--output", tmp_path / "speech/list.jsonl") == 0
    assert [pair.clean for pair in read_pairs(tmp_path / "speech/list.jsonl")] == [None, None]


def test_files_that_do_not_lie_on_their_references_are_warned_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(0)
    for number in range(3):
        clean = 0.1 * rng.standard_normal(2 * RATE)
        for folder, audio in (("noisy", np.append(np.zeros(80), clean[:-80])), ("clean", clean)):
            (tmp_path / folder).mkdir(exist_ok=True)
            write_audio(
                tmp_path / folder / f"{number}.wav", audio[: RATE if f"{folder}{number}" == "noisy2" else None], RATE
            )
    assert mix("--noisy", tmp_path, "--output", tmp_path / "list.jsonl") == 0
    printed = capsys.readouterr()
    assert "3 recordings of 3 utterances" in printed.out
    unequal, shifted = printed.err.splitlines()[-2:]
    assert unequal == (
        "warning: 1 of 3 recordings differ in length from their references by more than 10 ms and will have no scores "
        "against them: 2"
    )
    assert shifted.startswith(
        "warning: noisy files: shifted by 5 ms (80 samples later) against the reference in 2 of 2"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--noisy", "speech", "--output", "x.jsonl", "--snr", "5"), "--snr belongs to --data"),
        (("--noisy", "speech", "--output", "x.jsonl", "--sample-rate", "8000"), "--sample-rate belongs to --data"),
        (("--data", "prepared", "--output", "x", "--clean", "speech"), "--clean belongs to --noisy"),
        (("--noisy", "speech", "--output", "x"), "ends in .jsonl"),
        (("--noisy", "nowhere", "--output", "x.jsonl"), "nowhere is not a folder"),
        (("--data", "nowhere", "--output", "x"), "must be a prepared folder"),
        (("--data", "prepared", "--output", "x", "--reverb", "0.5"), "must hold room impulse responses"),
        (("--data", "prepared", "--output", "x", "--format", "mp3"), "`format` must be one of wav, flac, float"),
        (("--data", "prepared", "--output", "x", "--limit", "0"), "`limit` must be at least 1"),
    ],
)
def test_options_that_cannot_work_are_bad_input_and_nothing_is_written(
    data: Path, tmp_path: Path, arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert data.parent == tmp_path
    with contextlib.chdir(tmp_path):
        assert mix(*arguments) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "x").exists()
    assert not (tmp_path / "x.jsonl").exists()


def test_one_source_must_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        mix("--output", "x")
    assert "--data --noisy" in capsys.readouterr().err
