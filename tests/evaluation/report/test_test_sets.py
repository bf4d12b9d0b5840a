from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from cmkt.evaluation.record import CLEAN, NOISY, Item, Score, ScoreWriter
from cmkt.evaluation.report.sources import read_evaluation
from cmkt.evaluation.report.test_sets import TestSet, find_test_sets


def written(folder: Path, *scores: Score) -> Path:
    with ScoreWriter(folder / "scores.jsonl") as writer:
        for each in scores:
            writer.write(each)
    return folder


def one(system: str, *, weights: str = "w", data: str = "d", **metrics: float) -> Score:
    return Score("a", 5.0, system, "" if system == NOISY else weights, data, 0, 1.0, metrics=metrics)


def test_noisy_comes_first_and_clean_last(made: TestSet) -> None:
    assert made.systems == (NOISY, "plain", "transfer", CLEAN)
    assert made.models == ("plain", "transfer")
    assert made.metrics == ("stoi", "si_sdr", "lsd", "wer", "identified")
    assert made.title == "made pairs"
    assert made.utterances() == 14
    assert len(made.of("plain")) == 28


def test_evaluations_of_the_same_data_are_one_test_set(tmp_path: Path) -> None:
    folders = [
        written(tmp_path / "a", one(NOISY, stoi=0.5), one("plain", stoi=0.6)),
        written(tmp_path / "b", one(NOISY, stoi=0.5), one("transfer", weights="v", stoi=0.7)),
        written(tmp_path / "c", one(NOISY, data="other", stoi=0.1)),
    ]
    found = find_test_sets([read_evaluation(folder) for folder in folders])
    assert [each.systems for each in found] == [(NOISY, "plain", "transfer"), (NOISY,)]
    assert [each.title for each in found] == ["a at SNR 5 dB", "c at SNR 5 dB"]
    assert found[0].origins["transfer"].evaluation.path == folders[1]


def test_one_name_for_different_models_is_told_apart_and_the_same_model_is_joined(tmp_path: Path) -> None:
    folders = [
        written(tmp_path / "a", one("run", stoi=0.6), one("same", stoi=0.5)),
        written(
            tmp_path / "b", one("run", weights="other", stoi=0.7), replace(one("same", wer=0.2), heard="x", words="m")
        ),
    ]
    (found,) = find_test_sets([read_evaluation(folder) for folder in folders])
    assert set(found.systems) == {"a/run", "same", "b/run"}
    same = found.scores["same", Item("a", 5.0)]
    assert same.metrics == {"wer": 0.2, "stoi": 0.5}
    assert (same.heard, same.words) == ("x", "m")
    assert found.scores["b/run", Item("a", 5.0)].system == "b/run"
    assert found.origins["b/run"].system == "run"


def test_old_evaluations_are_named_by_their_data(tmp_path: Path) -> None:
    folder = written(tmp_path / "a", one(NOISY, stoi=0.5), replace(one(NOISY), snr_db=None))
    (folder / "summary.json").write_text(json.dumps({"data": "/somewhere/dev"}))
    (found,) = find_test_sets([read_evaluation(folder)])
    assert found.title == "dev at SNR 5 dB"
