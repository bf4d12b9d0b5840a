"""Audio that was kept, and audio that is made again from data and systems that are what they were."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from cmkt.audio.read import read_audio
from cmkt.audio.write import write_audio
from cmkt.cli.main import main
from cmkt.errors import DataError
from cmkt.evaluation.record import CLEAN, NOISY, Item
from cmkt.evaluation.report.audible import Audible
from cmkt.evaluation.report.made_audio import MadeAudio
from cmkt.evaluation.report.saved_audio import SavedAudio
from cmkt.evaluation.report.sources import read_evaluation
from cmkt.evaluation.report.test_sets import TestSet, find_test_sets
from cmkt.inference.load import load_torch
from tests.evaluation.report.conftest import RATE, SECONDS

ONE, THREE = Item("one", 0.0), Item("three", None)


def evaluate(output: Path, *arguments: object) -> TestSet:
    asked = [
        "evaluate",
        *map(str, arguments),
        "--output",
        str(output),
        "--metrics",
        "si_sdr",
        "--no-cache",
        "--jobs",
        "0",
    ]
    assert main(asked) == 0
    return find_test_sets([read_evaluation(output)])[0]


@pytest.fixture
def theirs(pair_list: Path, tmp_path: Path) -> Path:
    """Another system's output: half of the noisy speech."""
    (tmp_path / "theirs").mkdir()
    for path in (pair_list.parent / "noisy").iterdir():
        noisy, rate = read_audio(path)
        write_audio(tmp_path / "theirs" / path.name, 0.5 * np.squeeze(noisy), rate, subtype="FLOAT")
    return tmp_path / "theirs"


def test_kept_audio_is_found_by_mixture_and_system(made: TestSet) -> None:
    saved = SavedAudio(made)
    assert saved.has(Item("utterance00", 5.0), "plain")
    assert not saved.has(Item("utterance01", 5.0), "plain")
    assert not saved.has(Item("utterance00", 5.0), "nobody")
    audio = saved.get(Item("utterance00", 5.0), CLEAN)
    assert audio is not None
    assert (audio.sample_rate, audio.seconds) == (RATE, SECONDS)
    assert saved.get(Item("utterance01", 5.0), NOISY) is None


def test_a_damaged_file_is_left_out_with_a_warning(
    evaluated: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(evaluated, folder)
    (folder / "audio" / "utterance00_5dB_plain.wav").write_bytes(b"RIFF")
    (test_set,) = find_test_sets([read_evaluation(folder)])
    assert SavedAudio(test_set).get(Item("utterance00", 5.0), "plain") is None
    assert "was left out" in caplog.text


def test_what_was_not_kept_is_made_again_exactly(pair_list: Path, theirs: Path, run: Path, tmp_path: Path) -> None:
    test_set = evaluate(tmp_path / "out", "--model", run, "--enhanced", f"half={theirs}", "--pairs", pair_list)
    audible = Audible(test_set)
    items = [item for _, item in test_set.scores]
    assert audible.heard(items, run.name) == set(items)
    noisy = audible.get(ONE, NOISY)
    half, model, clean = (audible.get(ONE, system) for system in ("half", run.name, CLEAN))
    assert noisy is not None
    assert half is not None
    assert model is not None
    assert clean is not None
    assert np.array_equal(half.samples, np.float32(0.5) * noisy.samples)
    expected = load_torch(run).enhance(np.asarray(noisy.samples), sample_rate=noisy.sample_rate)
    assert np.allclose(model.samples, expected, atol=1e-6)
    assert np.array_equal(np.squeeze(read_audio(pair_list.parent / "clean" / "one.wav")[0]), clean.samples)
    assert audible.get(THREE, NOISY) is not None
    assert audible.get(Item("nobody", 0.0), NOISY) is None


def test_a_prepared_folder_is_mixed_again(prepared: Path, run: Path, tmp_path: Path) -> None:
    arguments = ("--model", run, "--data", prepared, "--snr", "0", "--save-audio", "1")
    test_set = evaluate(tmp_path / "out", *arguments)
    saved, made = SavedAudio(test_set), MadeAudio(test_set.evaluations[0])
    (kept,) = {item for _, item in test_set.scores if saved.has(item, NOISY)}
    for system in (NOISY, CLEAN, run.name):
        first, again = saved.get(kept, system), made.get(kept, system)
        assert first is not None
        assert again is not None
        assert np.abs(first.samples - again.samples).max() <= 1 / 32768 + 1e-6


def test_data_or_a_model_that_has_changed_is_not_taken_for_the_old_one(
    pair_list: Path, theirs: Path, tmp_path: Path
) -> None:
    test_set = evaluate(tmp_path / "out", "--enhanced", f"half={theirs}", "--pairs", pair_list)
    name = next(theirs.iterdir()).name
    audio, rate = read_audio(theirs / name)
    write_audio(theirs / name, 0.9 * np.squeeze(audio), rate, subtype="FLOAT")
    audible = Audible(test_set)
    assert audible.refusal(NOISY) == ""
    assert "half at" in audible.refusal("half")
    assert "has changed since" in audible.refusal("half")
    assert audible.get(ONE, "half") is None
    assert audible.heard([ONE], "half") == set()
    clean = pair_list.parent / "clean" / "one.wav"
    audio, rate = read_audio(clean)
    write_audio(clean, 0.9 * np.squeeze(audio), rate, subtype="FLOAT")
    assert "The test set at" in Audible(test_set).refusal(NOISY)


def test_an_evaluation_that_does_not_say_where_anything_is_cannot_be_made_again(made: TestSet) -> None:
    audible = Audible(made)
    assert audible.heard([Item("utterance00", 5.0), Item("utterance01", 5.0)], "plain") == {Item("utterance00", 5.0)}
    assert audible.refusal("plain")
    assert audible.get(Item("utterance01", 5.0), "plain") is None


@pytest.mark.parametrize(
    ("described", "message"),
    [
        ({}, "does not say its test_set"),
        ({"test_set": {"kind": "pairs"}}, "Where the test set is"),
        ({"test_set": {"kind": "tape", "path": "x"}}, "of a kind that is not known here: 'tape'"),
    ],
)
def test_an_incomplete_description_is_told(
    described: dict[str, object], message: str, evaluated: Path, tmp_path: Path
) -> None:
    (tmp_path / "scores.jsonl").write_bytes((evaluated / "scores.jsonl").read_bytes())
    (tmp_path / "evaluation.json").write_text(json.dumps(described))
    with pytest.raises(DataError, match=message):
        MadeAudio(read_evaluation(tmp_path)).check(NOISY)
