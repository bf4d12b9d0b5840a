"""`cmkt transcribe` from the command line, with PocketSphinx on an easy synthetic voice."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cmkt.audio.write import write_audio
from cmkt.cli.main import main
from cmkt.data.entry import Entry
from cmkt.data.manifest import cut_text, load_prepared
from cmkt.data.preparation import prepare
from cmkt.recipes.espeak import espeak
from cmkt.signal.resample import resample
from cmkt.testing.tiny_models import save_tiny_bert
from cmkt.text.store import StoredTeacher

RATE = 16_000
SAID = "please call me tomorrow morning"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two recordings of one sentence, one of them with a transcript (of four words), prepared with noise beside it."""
    made = tmp_path_factory.mktemp("data")
    speech = 0.5 * resample(espeak().synthesise(SAID, voice="en-us+f2"), espeak().sample_rate, RATE)
    for name in ("said", "unsaid"):
        (made / "audio").mkdir(exist_ok=True)
        write_audio(made / "audio" / f"{name}.wav", speech, RATE)
    (made / "audio" / "said.txt").write_text("Please call tomorrow morning.")
    write_audio(made / "hiss.wav", 0.1 * np.random.default_rng(0).standard_normal(3 * RATE), RATE)
    texts = {"said": "Please call tomorrow morning.", "unsaid": None}
    entries = [Entry(name, made / "audio" / f"{name}.wav", text=text, language="en") for name, text in texts.items()]
    prepare({"speech": entries, "noise": [Entry("hiss", made / "hiss.wav")]}, made / "prepared", workers=1)
    return made


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def transcribe(*arguments: object) -> int:
    return main(["transcribe", *map(str, arguments)])


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_files_become_a_table_with_word_errors_told(
    folder: Path, cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "new" / "heard.jsonl"
    assert transcribe(folder / "audio", "--output", output, "--jobs", "0", "--cache", cache) == 0
    assert [(each["id"], each["text"]) for each in lines(output)] == [("said.wav", SAID), ("unsaid.wav", SAID)]
    assert all(0 < each["confidence"] < 1 for each in lines(output))
    assert all(each["transcriber"].startswith("pocketsphinx") for each in lines(output))
    printed = capsys.readouterr().out
    assert "2 of 2 recordings recognised\n" in printed
    assert "word error rate 0.250, character error rate 0.107, over 1 with a transcript" in printed
    assert "of 4 words 0 substituted, 0 deleted, 1 inserted" in printed


def test_the_table_can_be_prepared_for_training(folder: Path, cache: Path, tmp_path: Path) -> None:
    table = tmp_path / "heard.jsonl"
    assert transcribe(folder / "audio", "--output", table, "--jobs", "0", "--cache", cache) == 0
    assert main(["prepare", "jsonl", "--speech", str(table), "--output", str(tmp_path / "data"), "--workers", "1"]) == 0
    assert [cut_text(cut) for cut in load_prepared(tmp_path / "data").speech] == [SAID, SAID]


@pytest.mark.filterwarnings("ignore:.*of the tokens are unknown:UserWarning")
def test_a_prepared_folder_becomes_one_with_recognised_texts_that_embed_takes(
    folder: Path, cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    heard = tmp_path / "heard"
    assert transcribe("--data", folder / "prepared", "--output", heard, "--jobs", "0", "--cache", cache) == 0
    assert [cut_text(cut) for cut in load_prepared(heard).speech] == [SAID, SAID]
    assert [each["text"] for each in lines(heard / "recognised.jsonl")] == [SAID, SAID]
    assert "note, the text is what a recogniser heard: 2" in capsys.readouterr().out
    teacher, store = save_tiny_bert(tmp_path / "teacher"), str(tmp_path / "store")
    assert main(["embed", "--data", str(heard), "--output", store, "--teacher", str(teacher)]) == 0
    assert StoredTeacher(store).covers([SAID])


def test_transcripts_can_be_kept_where_there_are_any(
    folder: Path, cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ("--data", folder / "prepared", "--output", tmp_path / "mixed", "--jobs", "0", "--cache", cache)
    assert transcribe(*asked, "--keep-transcripts") == 0
    texts = [cut_text(cut) for cut in load_prepared(tmp_path / "mixed").speech]
    assert texts == ["Please call tomorrow morning.", SAID]
    printed = capsys.readouterr().out
    assert "1 of 2 recordings recognised, 1 kept their transcript" in printed
    assert "word error rate" not in printed


def test_the_noisy_side_is_heard_worse(folder: Path, cache: Path, tmp_path: Path) -> None:
    asked = ("--data", folder / "prepared", "--jobs", "0", "--cache", cache)
    for snr in (-10, 30):
        output = tmp_path / f"{snr}.jsonl"
        assert transcribe(*asked, "--side", "noisy", "--snr", snr, "--output", output) == 0
    assert lines(tmp_path / "-10.jsonl")[0]["text"] != SAID
    assert lines(tmp_path / "30.jsonl")[0]["text"].endswith("tomorrow morning")


def test_a_recording_that_fails_is_told_and_the_status_is_1(
    folder: Path, cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_audio(tmp_path / "nan.wav", np.full(RATE, np.nan), RATE, subtype="FLOAT")
    output = tmp_path / "heard.jsonl"
    asked = (tmp_path / "nan.wav", folder / "audio" / "said.wav")
    assert transcribe(*asked, "--output", output, "--jobs", "0", "--cache", cache) == 1
    assert "not recognised: nan.wav: AudioError: `audio` must be finite" in capsys.readouterr().err
    assert [each["text"] for each in lines(output)] == [None, SAID]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "neither is given"),
        (("audio", "--data", "prepared"), "both are given"),
        (("audio", "--output", "folder"), "must name a table that ends in .jsonl"),
        (("audio", "--keep-transcripts"), "--keep-transcripts belongs to --data"),
        (("audio", "--side", "noisy"), "--side belongs to --data"),
        (("--data", "prepared", "--snr", "0"), "--snr belongs to --side noisy"),
        (("--data", "prepared", "--side", "noisy", "--snr", "inf"), "--snr must be finite"),
        (("--data", "prepared", "--seed", "0"), "--seed belongs to --side noisy"),
        (("--data", "prepared", "--transcriber", "sphinx"), "`transcriber` must be one of"),
        (("--data", "prepared", "--output", "prepared"), "must be another folder than the data"),
        (("--data", "absent"), "must be a prepared folder"),
        (("absent.wav",), "does not exist"),
        (("audio", "--cache", "x", "--no-cache"), "`--cache` must be left out"),
        (("audio", "--jobs", "-1"), "`jobs` must be 0 or more"),
    ],
)
def test_options_that_cannot_work_are_bad_input_and_nothing_is_written(
    folder: Path, arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with contextlib.chdir(folder):
        given = arguments if "--output" in arguments else (*arguments, "--output", "x.jsonl")
        assert transcribe(*given) == 2
    assert message in capsys.readouterr().err
    assert not (folder / "x.jsonl").exists()
