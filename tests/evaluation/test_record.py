from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cmkt.errors import DataError
from cmkt.evaluation.record import Item, Score, ScoreWriter, latest, load_scores

SCORE = Score(
    id="a",
    snr_db=-5.0,
    system="plain",
    weights="0f",
    data="d",
    seed=0,
    duration=1.5,
    noise_ids=("n1", "n2"),
    noise_classes=("dog",),
    speaker="s",
    metrics={"stoi": 0.5},
    missing={"pesq_wb": "PESQ finds no utterance"},
)


def test_score_survives_a_round_trip() -> None:
    assert Score.from_json(SCORE.to_json()) == SCORE
    assert "\n" not in SCORE.to_json()


def test_values_that_json_cannot_hold_are_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        replace(SCORE, metrics={"stoi": float("nan")}).to_json()


@pytest.mark.parametrize(
    ("line", "message"), [("{", "must be one line of JSON"), ("[1]", "JSON object"), ('{"id": "a"}', "lacks snr_db")]
)
def test_a_line_that_is_no_score_says_why(line: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        Score.from_json(line)


def test_fields_of_a_later_version_are_ignored() -> None:
    assert Score.from_json(SCORE.to_json()[:-1] + ', "new": 1}') == SCORE


def test_written_scores_are_read_in_order_and_a_second_writer_appends(tmp_path: Path) -> None:
    path = tmp_path / "new" / "scores.jsonl"
    for snr_db in (0.0, 5.0):
        with ScoreWriter(path) as writer:
            writer.write(replace(SCORE, snr_db=snr_db))
    assert [score.item for score in load_scores(path)] == [Item("a", 0.0), Item("a", 5.0)]


def test_each_line_reaches_the_file_before_the_writer_closes(tmp_path: Path) -> None:
    with ScoreWriter(tmp_path / "scores.jsonl") as writer:
        writer.write(SCORE)
        assert load_scores(tmp_path / "scores.jsonl") == [SCORE]


def test_a_half_line_left_by_a_kill_costs_nothing_but_itself(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "scores.jsonl"
    path.write_text(SCORE.to_json() + '\n{"id": "b", "sn', encoding="utf-8")
    assert load_scores(path) == [SCORE]
    assert "line 2 was left out" in caplog.text
    with ScoreWriter(path) as writer:
        writer.write(replace(SCORE, id="b"))
    assert [score.id for score in load_scores(path)] == ["a", "b"]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        load_scores(tmp_path / "none.jsonl")


def test_the_later_of_two_lines_holds() -> None:
    newer = replace(SCORE, weights="1f")
    assert latest([SCORE, newer]) == {("plain", Item("a", -5.0)): newer}


def test_a_line_that_failed_gives_way_to_an_earlier_one_of_the_same_model_and_data() -> None:
    failed = replace(SCORE, metrics={}, error="no memory")
    key = ("plain", Item("a", -5.0))
    assert latest([SCORE, failed])[key] == SCORE
    assert latest([failed, SCORE])[key] == SCORE
    assert latest([SCORE, replace(failed, weights="1f")])[key].weights == "1f"
