from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cmkt.audio.read import read_audio
from cmkt.data.preparation import prepare
from cmkt.errors import CheckpointError, ConfigError, DataError
from cmkt.evaluation.evaluate import evaluate
from cmkt.evaluation.evaluated_model import find_models
from cmkt.evaluation.kept_audio import audio_path
from cmkt.evaluation.plan import make_plan
from cmkt.evaluation.prepared_set import PreparedFolder
from cmkt.evaluation.record import Item, Score, load_scores
from cmkt.evaluation.settings import Settings
from cmkt.evaluation.systems import Noisy, System
from cmkt.metrics.registry import DEFAULT_METRICS
from cmkt.recipes.jsonl import read_list

METRICS = set(DEFAULT_METRICS)


@pytest.fixture
def settings(prepared: Path, tmp_path: Path) -> Settings:
    return Settings(PreparedFolder(prepared, (0.0, 10.0)), output=tmp_path / "out")


def quiet(settings: Settings, *runs: Path, jobs: int = 0) -> list[Score]:
    systems: list[System] = [Noisy(), *find_models([str(run) for run in runs])]
    return evaluate(make_plan(settings), systems, jobs=jobs, progress=False)


def without_metrics(score: Score) -> Score:
    return replace(score, system="", weights="", metrics={}, missing={})


def test_every_system_is_scored_on_every_mixture(settings: Settings, run: Path) -> None:
    scores = quiet(settings, run)
    assert len(scores) == 3 * 2 * 2
    assert {(score.id, score.snr_db, score.system) for score in load_scores(settings.scores_path)} == {
        (score.id, score.snr_db, score.system) for score in scores
    }
    assert [score.system for score in scores[:2]] == ["noisy", "first"]
    for score in scores:
        assert set(score.metrics) | set(score.missing) == METRICS
        assert score.error is None
        assert (score.noise_ids, score.noise_classes, score.age, score.corpus) == (
            ("hiss",),
            ("hiss",),
            score.age,
            "made",
        )
        assert (score.speaker, score.language, score.gender) == ("s", "en", "f")


def test_the_noisy_si_sdr_is_near_the_snr_and_grows_with_it(settings: Settings) -> None:
    by_item = {score.item: score.metrics["si_sdr"] for score in quiet(settings)}
    for name in ("long", "other"):
        assert by_item[Item(name, 10.0)] - by_item[Item(name, 0.0)] == pytest.approx(10.0, abs=0.5)


def test_a_metric_without_a_value_is_missing_with_its_reason(settings: Settings) -> None:
    short = [score for score in quiet(settings) if score.id == "short"]
    assert all("STOI needs" in score.missing["stoi"] for score in short)
    assert all("stoi" not in score.metrics and "si_sdr" in score.metrics for score in short)


def test_every_model_meets_the_same_mixture(settings: Settings, run: Path, second_run: Path) -> None:
    scores = quiet(settings, run, second_run)
    for start in range(0, len(scores), 3):
        first, *others = (without_metrics(score) for score in scores[start : start + 3])
        assert all(other == first for other in others)


def test_processes_and_a_second_folder_give_the_same_scores(settings: Settings, run: Path, tmp_path: Path) -> None:
    alone = quiet(settings, run)
    together = quiet(replace(settings, output=tmp_path / "again"), run, jobs=2)
    assert together == alone


def test_scores_that_are_there_are_not_computed_again(settings: Settings, run: Path) -> None:
    first = quiet(settings, run)
    lines = settings.scores_path.read_text().splitlines()
    marked = [line.replace('"gender": "f"', '"gender": "kept"') for line in lines[:-1]]
    settings.scores_path.write_text("\n".join(marked) + '\n{"id": "half')
    second = quiet(settings, run)
    assert sum(score.gender == "kept" for score in second) == len(first) - 1
    assert len(settings.scores_path.read_text().splitlines()) == len(first)


def test_other_weights_are_computed_again_under_the_same_name(settings: Settings, run: Path, second_run: Path) -> None:
    quiet(settings, run)
    (other,) = find_models([str(second_run)])
    scores = evaluate(make_plan(settings), [Noisy(), replace(other, name="first")], jobs=0, progress=False)
    assert {score.weights for score in scores if score.system == "first"} == {other.weights}
    assert len(load_scores(settings.scores_path)) == 3 * 2 * 3


@pytest.mark.parametrize("change", [{"seed": 1}, {"sample_rate": 8_000}])
def test_other_mixtures_are_computed_again(settings: Settings, change: dict[str, int]) -> None:
    before = quiet(settings)
    changed = quiet(replace(settings, **change))  # type: ignore[arg-type]
    assert len(load_scores(settings.scores_path)) == 2 * len(before)
    assert [score.metrics["si_sdr"] for score in changed] != [score.metrics["si_sdr"] for score in before]


def test_a_smaller_limit_is_part_of_a_larger_one(settings: Settings) -> None:
    everything = {score.item: score for score in quiet(settings)}
    for limit in (1, 2):
        limited = quiet(replace(settings, limit=limit, output=settings.output / str(limit)))
        assert len(limited) == limit * 2
        assert all(everything[score.item] == score for score in limited)


def test_a_file_that_vanished_costs_only_its_own_scores_and_is_tried_again(tmp_path: Path, prepared: Path) -> None:
    data = tmp_path / "data"
    audio = tmp_path / "audio"
    audio.mkdir()
    for path in (prepared.parent / "audio").iterdir():
        (audio / path.name).write_bytes(path.read_bytes())
    listed = tmp_path / "speech.jsonl"
    listed.write_text("".join(f'{{"id": "{name}", "audio": "{name}.wav"}}\n' for name in ("long", "other")))
    noises = tmp_path / "noise.jsonl"
    noises.write_text('{"id": "hiss", "audio": "hiss.wav", "class": "hiss"}\n')
    prepare({"speech": read_list(listed, root=audio), "noise": read_list(noises, root=audio)}, data, workers=1)
    settings = Settings(PreparedFolder(data, (5.0,)), output=tmp_path / "out")
    (audio / "long.wav").rename(audio / "away.wav")
    by_id = {score.id: score for score in quiet(settings)}
    assert by_id["other"].error is None
    assert "long.wav" in str(by_id["long"].error)
    assert set(by_id["long"].missing) == METRICS
    (audio / "away.wav").rename(audio / "long.wav")
    assert all(score.error is None for score in quiet(settings))


def test_audio_of_some_utterances_is_kept(settings: Settings, run: Path) -> None:
    keeping = replace(settings, save_audio=1)
    quiet(settings, run)
    scores = quiet(keeping, run)
    kept = sorted(path.name for path in (settings.output / "audio").iterdir())
    assert len(kept) == 2 * 3
    (name,) = {path.rsplit("_", 2)[0] for path in kept}
    duration = next(score.duration for score in scores if score.id == name)
    for system in ("noisy", "first", "clean"):
        audio, rate = read_audio(audio_path(settings.output, Item(name, 0.0), system))
        assert (rate, audio.shape[0]) == (16_000, 1)
        assert audio.shape[1] / rate == pytest.approx(duration, abs=1e-3)
        assert np.abs(audio).max() > 0.01


def test_missing_data_and_missing_runs_are_refused(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="prepared folder"):
        quiet(replace(settings, source=PreparedFolder(tmp_path / "none")))
    with pytest.raises(ConfigError, match="does not exist"):
        find_models([str(tmp_path / "none")])
    (tmp_path / "empty").mkdir()
    with pytest.raises(CheckpointError, match=r"model\.json"):
        find_models([str(tmp_path / "empty")])


@pytest.fixture
def worded(spoken: Path, tmp_path: Path) -> Settings:
    source = PreparedFolder(spoken, (20.0,))
    return Settings(source, output=tmp_path / "out", candidates=3, cache=tmp_path / "cache")


def test_words_are_measured_for_noisy_enhanced_and_clean(worded: Settings, run: Path) -> None:
    scores = quiet(worded, run)
    assert len(scores) == 8 * 3
    for score in scores:
        assert score.error is None
        assert score.words is not None
        assert "identified" in score.metrics or "identified" in score.missing
        assert METRICS.isdisjoint({*score.metrics, *score.missing}) == (score.system == "clean")
    by_key = {(score.id, score.system): score for score in scores}
    assert by_key["river", "clean"].metrics["identified"] == 1.0
    assert by_key["river", "clean"].chance == 0.25
    assert by_key["odd", "noisy"].missing["identified"] == "words outside the dictionary: xqzzy"
    assert by_key["odd", "noisy"].chance is None
    assert by_key["foreign", "noisy"].missing["identified"] == "no English transcript"
    assert by_key["silent", "first"].missing["word_margin"] == "no English transcript"


def test_words_are_added_to_scores_that_are_there_and_sound_is_not_computed_again(
    worded: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited = replace(worded, limit=3)
    before = {score.item: score.metrics for score in quiet(replace(limited, candidates=None))}

    def refuse(**_: object) -> None:
        raise AssertionError("computed again")

    monkeypatch.setattr("cmkt.evaluation.sound.measure", refuse)
    after = [score for score in quiet(limited) if score.system == "noisy"]
    for score in after:
        assert score.error is None
        assert before[score.item].items() <= score.metrics.items()
        assert score.words is not None
    assert [score for score in quiet(limited) if score.system == "noisy"] == after
    assert len(load_scores(limited.scores_path)) == 3 + 3 + 3
    assert [score.metrics for score in quiet(replace(limited, candidates=None))] == [score.metrics for score in after]


def test_another_number_of_candidates_is_measured_again(worded: Settings) -> None:
    limited = replace(worded, limit=3)
    first, second = quiet(limited), quiet(replace(limited, candidates=2))
    assert {score.words for score in first}.isdisjoint({score.words for score in second})
    assert {score.chance for score in second} <= {None, 1 / 3}


def test_what_is_known_stays_where_words_fail(worded: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    limited = replace(worded, limit=1)
    (before,) = quiet(replace(limited, candidates=None))

    def fail(*_: object, **__: object) -> None:
        raise MemoryError("full")

    with monkeypatch.context() as patched:
        patched.setattr("cmkt.evaluation.words.SentenceTest.measure", fail)
        noisy, clean = quiet(limited)
    assert (noisy.error, clean.error) == ("MemoryError: full", "MemoryError: full")
    assert (noisy.metrics, noisy.noise_ids, noisy.speaker) == (before.metrics, before.noise_ids, before.speaker)
    assert noisy.missing["identified"] == "failed: MemoryError: full"
    assert noisy.words is None
    assert all(score.error is None and score.words for score in quiet(limited))


def test_words_over_processes_and_in_another_folder_are_the_same(worded: Settings, tmp_path: Path) -> None:
    limited = replace(worded, limit=3)
    alone = quiet(limited)
    elsewhere = replace(limited, output=tmp_path / "again", cache=tmp_path / "other")
    assert quiet(elsewhere, jobs=1) == alone


def test_the_clean_reference_keeps_no_audio_of_its_own(worded: Settings) -> None:
    quiet(replace(worded, limit=1, save_audio=1))
    assert sorted(path.name.rsplit("_", 1)[1] for path in (worded.output / "audio").iterdir()) == [
        "clean.wav",
        "noisy.wav",
    ]


def test_data_without_transcripts_are_refused_before_anything_is_scored(prepared: Path, tmp_path: Path) -> None:
    audio = prepared.parent / "audio"
    listed = tmp_path / "speech.jsonl"
    listed.write_text('{"id": "long", "audio": "long.wav"}\n')
    noises = tmp_path / "noise.jsonl"
    noises.write_text('{"id": "hiss", "audio": "hiss.wav"}\n')
    entries = {"speech": read_list(listed, root=audio), "noise": read_list(noises, root=audio)}
    prepare(entries, tmp_path / "data", workers=1)  # type: ignore[arg-type]
    settings = Settings(PreparedFolder(tmp_path / "data"), output=tmp_path / "out", candidates=3)
    with pytest.raises(DataError, match="Leave out --words"):
        quiet(settings)
    assert not settings.scores_path.exists()


def test_ctrl_c_keeps_what_was_scored(prepared: Path, run: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    arguments = ["evaluate", "--model", str(run), "--data", str(prepared), "--output", str(output), "--jobs", "1"]
    arguments += ["--snr", *(f"{snr / 10}" for snr in range(-100, 300))]
    code = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); import cmkt.cli.main as m; "
    process = subprocess.Popen(
        [sys.executable, "-c", code + "sys.exit(m.main(sys.argv[1:]))", *arguments], stderr=subprocess.DEVNULL
    )
    scores = output / "scores.jsonl"
    try:
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline and not (scores.exists() and scores.read_text().count("\n") > 2):
            time.sleep(0.1)
        process.send_signal(2)
        assert process.wait(timeout=300) == 130
    finally:
        process.kill()
    lines = scores.read_text().splitlines()
    assert 2 < len(lines) < 3 * 400 * 2
    assert all(json.loads(line)["metrics"] for line in lines)


@pytest.mark.corpus
def test_real_utterances_are_scored(corpus: Path, run: Path, tmp_path: Path) -> None:
    speech = read_list(corpus / "speech.test.jsonl", root=corpus)[:2]
    noise = read_list(corpus / "noise.test.jsonl", root=corpus)[:3]
    prepare({"speech": speech, "noise": noise}, tmp_path / "data", workers=1)
    scores = quiet(Settings(PreparedFolder(tmp_path / "data", (-5.0, 10.0)), output=tmp_path / "out"), run)
    assert len(scores) == 2 * 2 * 2
    noisy = {score.item: score.metrics for score in scores if score.system == "noisy"}
    for utterance in {item.id for item in noisy}:
        assert noisy[Item(utterance, 10.0)]["stoi"] > noisy[Item(utterance, -5.0)]["stoi"]
