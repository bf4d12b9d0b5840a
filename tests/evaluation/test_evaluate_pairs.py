"""`cmkt.evaluation.evaluate` on pairs of files, which needs neither torch nor Lhotse."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cmkt.audio.read import read_audio
from cmkt.audio.write import write_audio
from cmkt.data.pairs import Pair, write_pairs
from cmkt.evaluation.evaluate import evaluate
from cmkt.evaluation.evaluated_model import find_models
from cmkt.evaluation.opened import open_held_out
from cmkt.evaluation.pair_set import PairFolders, PairList
from cmkt.evaluation.plan import make_plan
from cmkt.evaluation.record import Score
from cmkt.evaluation.results import write_results
from cmkt.evaluation.settings import Settings
from cmkt.evaluation.systems import Noisy, find_systems
from cmkt.inference.load import GRAPH_NAME, default_card
from tests.evaluation.conftest import SENTENCES

CHEAP = ("stoi", "si_sdr")


@pytest.fixture
def settings(pair_list: Path, tmp_path: Path) -> Settings:
    return Settings(PairList(pair_list), output=tmp_path / "out", metrics=CHEAP, cache=tmp_path / "cache")


@pytest.fixture
def theirs(pair_list: Path, tmp_path: Path) -> Path:
    """Each noisy file, halfway between noisy and clean."""
    (tmp_path / "theirs").mkdir()
    for path in (pair_list.parent / "noisy").iterdir():
        noisy, rate = read_audio(path)
        clean, _ = read_audio(pair_list.parent / "clean" / f"{path.stem.partition('_')[0]}.wav")
        write_audio(tmp_path / "theirs" / path.name, (noisy + clean) / 2, rate, subtype="FLOAT")
    return tmp_path / "theirs"


def quiet(settings: Settings, *enhanced: str, models: tuple[str, ...] = (), jobs: int = 0) -> list[Score]:
    plan = make_plan(settings)
    systems = find_systems(open_held_out(settings), models=find_models(models), enhanced=enhanced)
    return evaluate(plan, systems, jobs=jobs, progress=False)


def test_models_and_folders_are_scored_beside_noisy(settings: Settings, theirs: Path) -> None:
    scores = quiet(replace(settings, save_audio=3), f"half={theirs}", models=("default",), jobs=1)
    assert [score.system for score in scores[:3]] == ["noisy", "default", "half"]
    assert len(scores) == 5 * 3
    assert all(score.error is None and set(score.metrics) == set(CHEAP) for score in scores)
    gains = [
        half.metrics["si_sdr"] - noisy.metrics["si_sdr"] for noisy, half in zip(scores[::3], scores[2::3], strict=True)
    ]
    assert gains == pytest.approx([6.0] * 5, abs=0.3)
    kept = {path.name for path in (settings.output / "audio").iterdir()}
    assert {"one_10dB_half.wav", "three_noisy.wav", "three_clean.wav", "three_default.wav"} < kept
    assert len(kept) == 5 * 4


def test_the_same_audio_is_never_scored_twice(
    settings: Settings, theirs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = quiet(settings, str(theirs))

    def refuse(**_: object) -> None:
        raise AssertionError("computed again")

    monkeypatch.setattr("cmkt.evaluation.sound.measure", refuse)
    shutil.copytree(theirs, tmp_path / "copy")
    second = quiet(replace(settings, output=tmp_path / "elsewhere"), f"renamed={tmp_path / 'copy'}")
    assert [score.metrics for score in second] == [score.metrics for score in first]
    assert [score.system for score in second[:2]] == ["noisy", "renamed"]
    without = quiet(replace(settings, output=tmp_path / "without", cache=None), str(theirs))
    assert all("computed again" in str(score.error) for score in without)


def test_one_bad_file_of_the_folder_costs_its_own_score_and_is_tried_again(settings: Settings, theirs: Path) -> None:
    whole = (theirs / "two_10dB.wav").read_bytes()
    (theirs / "two_10dB.wav").write_bytes(whole[:20_000])
    failed = [score for score in quiet(settings, str(theirs)) if score.error is not None]
    assert [(score.id, score.snr_db, score.system) for score in failed] == [("two", 10.0, "theirs")]
    assert "two_10dB.wav" in str(failed[0].error)
    (theirs / "two_10dB.wav").write_bytes(whole)
    assert all(score.error is None for score in quiet(settings, str(theirs)))


def test_one_bad_pair_costs_every_system_that_mixture_alone(settings: Settings, pair_list: Path, theirs: Path) -> None:
    clean, rate = read_audio(pair_list.parent / "clean" / "three.wav")
    clean[0, 5] = np.nan
    write_audio(pair_list.parent / "clean" / "three.wav", clean, rate, subtype="FLOAT")
    failed = [score for score in quiet(settings, str(theirs)) if score.error is not None]
    assert [(score.id, score.system) for score in failed] == [("three", "noisy"), ("three", "theirs")]
    assert "NaN" in str(failed[0].error)


def test_silence_has_no_value_and_says_why(settings: Settings, theirs: Path) -> None:
    write_audio(theirs / "three.wav", np.zeros(19_200, dtype=np.float32), 16_000, subtype="FLOAT")
    (silent,) = (score for score in quiet(settings, str(theirs)) if (score.id, score.system) == ("three", "theirs"))
    assert silent.error is None
    assert set(silent.missing) == set(CHEAP)
    assert all("silent" in reason for reason in silent.missing.values())


def test_a_changed_file_of_the_set_is_scored_again(settings: Settings, pair_list: Path) -> None:
    before = {score.item: score.metrics["si_sdr"] for score in quiet(settings)}
    noisy, rate = read_audio(pair_list.parent / "noisy" / "two_0dB.wav")
    write_audio(pair_list.parent / "noisy" / "two_0dB.wav", noisy[:, ::-1], rate, subtype="FLOAT")
    after = {score.item: score.metrics["si_sdr"] for score in quiet(settings)}
    assert [item for item in before if before[item] != after[item]] == [("two", 0.0)]


def test_pairs_with_and_without_references_go_together(settings: Settings, pair_list: Path) -> None:
    lines = pair_list.read_text().splitlines()
    pair_list.write_text("\n".join([*lines[:4], lines[4].replace('"clean/three.wav"', "null")]))
    scores = quiet(replace(settings, save_audio=3))
    assert [set(score.missing) for score in scores] == [set()] * 4 + [set(CHEAP)]
    assert scores[-1].missing["stoi"] == "there is no clean reference"
    assert not (settings.output / "audio" / "three_clean.wav").exists()


def test_folders_are_scored_as_lists_are(settings: Settings, pair_list: Path, tmp_path: Path) -> None:
    for path in (pair_list.parent / "noisy").iterdir():
        (tmp_path / "clean").mkdir(exist_ok=True)
        shutil.copy(pair_list.parent / "clean" / f"{path.stem.partition('_')[0]}.wav", tmp_path / "clean" / path.name)
    folders = PairFolders(pair_list.parent / "noisy", tmp_path / "clean")
    by_list = sorted(str(score.metrics) for score in quiet(settings))
    by_folder = quiet(replace(settings, source=folders, output=tmp_path / "folders"))
    assert sorted(str(score.metrics) for score in by_folder) == by_list
    assert {score.snr_db for score in by_folder} == {None}


def test_recordings_without_references_have_the_scores_that_need_none(
    settings: Settings, pair_list: Path, theirs: Path
) -> None:
    alone = replace(settings, source=PairFolders(pair_list.parent / "noisy"), metrics=("dnsmos_p808",), limit=1)
    noisy, enhanced = quiet(alone, str(theirs))
    assert noisy.error is None
    assert noisy.metrics.keys() == {"dnsmos_p808"}
    assert enhanced.metrics["dnsmos_p808"] != noisy.metrics["dnsmos_p808"]


def test_words_of_recordings_without_references_are_measured(settings: Settings, spoken: Path, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    for name in ("river", "apples"):
        shutil.copy(spoken.parent / f"{name}.wav", tmp_path / "real")
        (tmp_path / "real" / f"{name}.txt").write_text(SENTENCES[name])
    alone = replace(settings, source=PairFolders(tmp_path / "real"), metrics=(), candidates=1)
    scores = quiet(alone)
    assert [(score.system, score.text) for score in scores] == [
        ("noisy", SENTENCES["apples"]),
        ("noisy", SENTENCES["river"]),
    ]
    assert all(score.metrics["identified"] == 1.0 and score.chance == 0.5 for score in scores)


def test_a_recogniser_hears_noisy_and_clean_and_is_not_asked_twice(
    settings: Settings, spoken: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs = []
    for name, language in (("river", "en"), ("foreign", "de")):
        audio = spoken.parent / f"{name}.wav"
        pairs.append(Pair(name, audio, audio, "the old man walked", None, {"language": language}))
    write_pairs(tmp_path / "words.jsonl", pairs)
    source = PairList(tmp_path / "words.jsonl")
    heard = replace(settings, source=source, metrics=("stoi",), transcriber="pocketsphinx")
    scores = quiet(heard)
    assert [(score.id, score.system) for score in scores] == [
        (name, system) for name in ("river", "foreign") for system in ("noisy", "clean")
    ]
    assert all(score.error is None for score in scores)
    assert {"stoi", "wer", "cer", "wil"} == scores[0].metrics.keys()
    assert scores[1].metrics.keys() == {"wer", "cer", "wil"}
    assert scores[0].heard == scores[1].heard
    assert scores[0].heard
    assert scores[2].missing["wer"] == "a language that the recogniser does not know: de"

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("heard again")

    monkeypatch.setattr("cmkt.text.pocketsphinx_transcriber.PocketsphinxTranscriber.transcribe", refuse)
    again = quiet(replace(heard, output=tmp_path / "again"))
    assert again == scores
    assert write_results(make_plan(heard), [Noisy()], again).count("| clean ") == 3


BANNED = "raise AssertionError('torch and lhotse must not be imported')\n"


def test_a_fresh_process_and_its_workers_import_neither_torch_nor_lhotse(
    pair_list: Path, theirs: Path, tmp_path: Path
) -> None:
    for name in ("torch", "lhotse"):
        (tmp_path / "banned" / name).mkdir(parents=True)
        (tmp_path / "banned" / name / "__init__.py").write_text(BANNED)
    graph = shutil.copy(default_card().with_name(GRAPH_NAME), tmp_path / "mine.onnx")
    asked = ["evaluate", "--pairs", pair_list, "--model", "default", graph, "--enhanced", theirs, "--jobs", "1"]
    asked += ["--output", tmp_path / "out", "--no-cache", "--limit", "1", "--metrics", "si_sdr"]
    done = subprocess.run(
        [sys.executable, "-c", "import sys, cmkt.cli.main as m; sys.exit(m.main(sys.argv[1:]))", *map(str, asked)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path / "banned"), os.environ.get("PYTHONPATH", "")])},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "| mine " in done.stdout
