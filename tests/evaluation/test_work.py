from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cmkt.errors import DataError
from cmkt.evaluation.opened import forget_all
from cmkt.evaluation.pair_set import PairList
from cmkt.evaluation.plan import Plan, Task, make_plan
from cmkt.evaluation.record import Item, Score
from cmkt.evaluation.settings import Settings
from cmkt.evaluation.systems import Clean, Noisy
from cmkt.evaluation.work import failed, work


@pytest.fixture
def plan(pair_list: Path, tmp_path: Path) -> Plan:
    forget_all()
    return make_plan(Settings(PairList(pair_list), output=tmp_path / "out", metrics=("stoi", "si_sdr")))


TASK = Task(0, Item("one", 0.0), Noisy())


def test_a_score_has_everything_that_the_data_say(plan: Plan) -> None:
    score = work(plan, TASK)
    assert (score.id, score.snr_db, score.system, score.data, score.duration) == ("one", 0.0, "noisy", plan.data, 1.2)
    assert (score.speaker, score.language, score.noise_classes) == ("speaker of one", "en", ("hiss",))
    assert (score.text, score.about) == ("words of one", {"rir_id": "hall"})
    assert set(score.metrics) == {"stoi", "si_sdr"}
    assert score.metrics["si_sdr"] == pytest.approx(0.0, abs=0.5)
    assert (score.sound, score.words, score.error) == (plan.sound, None, None)


def test_any_other_field_becomes_a_string_and_none_is_absent(pair_list: Path, plan: Plan) -> None:
    line = pair_list.read_text().splitlines()[0]
    fields = '"room": "hall", "metres": 2.5, "takes": [1, 2], "indoors": true, "who": null, "more": {"a": 1}, "age": 7}'
    pair_list.write_text(line.replace('"noise_classes": ["hiss"]', '"noise_classes": "hiss"')[:-1] + ", " + fields)
    forget_all()
    score = work(plan, TASK)
    assert score.about == {"rir_id": "hall", "room": "hall", "metres": "2.5", "takes": "1, 2", "indoors": "True"}
    assert (score.age, score.noise_classes) == ("7", ("hiss",))


def test_the_kind_of_noise_is_measured_where_it_is_not_stated(pair_list: Path, plan: Plan) -> None:
    assert "noise_kind" not in work(plan, TASK).about
    pair_list.write_text(pair_list.read_text().replace(', "rir_id": "hall"', ""))
    forget_all()
    assert work(plan, TASK).about == {"noise_kind": "stationary"}


def test_what_is_known_stays_and_what_lacks_is_added(plan: Plan) -> None:
    known = replace(work(plan, TASK), metrics={"stoi": 0.5}, chance=0.1, words="w")
    added = work(plan, replace(TASK, known=known))
    assert added.metrics["stoi"] == 0.5
    assert added.metrics["si_sdr"] == pytest.approx(0.0, abs=0.5)
    assert (added.chance, added.words) == (0.1, "w")


def test_values_of_older_metrics_give_way_and_words_stay(plan: Plan) -> None:
    old = replace(work(plan, TASK), sound="old", metrics={"stoi": 0.5, "pesq_wb": 4.0, "identified": 1.0})
    new = work(plan, replace(TASK, known=old))
    assert set(new.metrics) == {"stoi", "si_sdr", "identified"}
    assert new.metrics["stoi"] != 0.5
    assert new.sound == plan.sound


def test_of_the_reference_no_sound_is_measured(plan: Plan) -> None:
    score = work(plan, Task(0, Item("one", 0.0), Clean()))
    assert (score.metrics, score.missing, score.sound) == ({}, {}, None)


def test_a_failure_tells_its_reason_for_every_metric(plan: Plan) -> None:
    score = failed(plan, TASK, "no file")
    assert score.missing == dict.fromkeys(("stoi", "si_sdr"), "failed: no file")
    assert score.error == "no file"
    assert failed(plan, replace(TASK, system=Clean()), "no file").missing == {}


def test_a_failure_keeps_what_was_known_in_the_same_way(plan: Plan) -> None:
    known = Score(
        "one", 0.0, "noisy", "", plan.data, seed=0, duration=1.2, sound=plan.sound, metrics={"stoi": 0.5}, words="w"
    )
    wanting_words = replace(plan, words="other")
    score = failed(wanting_words, replace(TASK, known=known), "full")
    assert score.metrics == {"stoi": 0.5}
    assert set(score.missing) == {"si_sdr", "identified", "word_margin"}
    assert (score.words, score.sound) == (None, plan.sound)
    other_ears = replace(plan, transcriber="new")
    deaf = failed(
        other_ears, replace(TASK, known=replace(known, transcriber="old", heard="x", metrics={"wer": 0.5})), ""
    )
    assert (deaf.transcriber, deaf.heard, deaf.metrics) == (None, None, {})
    assert deaf.missing["wer"] == "failed: "
    older = failed(plan, replace(TASK, known=replace(known, sound="old")), "full")
    assert (older.metrics, older.sound, older.words) == ({}, None, "w")


def test_a_mixture_that_cannot_be_read_raises(plan: Plan, pair_list: Path) -> None:
    (pair_list.parent / "clean" / "one.wav").write_bytes(b"RIFF")
    forget_all()
    with pytest.raises(DataError, match="one"):
        work(plan, TASK)
