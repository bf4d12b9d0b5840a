from __future__ import annotations

from dataclasses import replace

import pytest

from cmkt.evaluation.groups import group_cells
from cmkt.evaluation.record import CLEAN, NOISY
from cmkt.evaluation.report.entries import NOTHING
from cmkt.evaluation.report.overview import summary_table, word_table
from cmkt.evaluation.report.test_sets import TestSet


def test_the_summary_has_means_and_differences_with_their_intervals(made: TestSet) -> None:
    table = summary_table(made, group_cells(made.scores.values(), made.metrics, fields=()))
    assert [row.name for row in table.rows] == [NOISY, "plain", "transfer", CLEAN]
    assert [row.colour for row in table.rows] == ["s-noisy", "s1", "s2", "s-clean"]
    noisy, plain, _, clean = (
        dict(zip((each.name for each in table.columns), row.entries, strict=True)) for row in table.rows
    )
    assert noisy["stoi"].difference == ""
    assert plain["stoi"].value == pytest.approx(noisy["stoi"].value or 0, abs=0.05)
    assert plain["stoi"].difference.startswith("−0.0150")  # the mean gain is 0.05 * (1 - 6.5 / 5)
    assert plain["stoi"].tone == "open"
    assert clean["stoi"] == NOTHING
    assert clean["wer"].text.startswith("0.5")
    assert {row.utterances for row in table.rows} == {14}


def test_word_errors_are_counted_over_all_words_together(made: TestSet) -> None:
    table = word_table(made)
    assert table is not None
    assert [metric.name for metric in table.columns] == ["wer", "cer", "wil"]
    rates = {row.name: row.entries[0].text for row in table.rows}
    # of "the old man walked along the river": "the cold man river", "... along a river", and all of it
    assert rates == {NOISY: "0.571", "plain": "0.143", "transfer": "0.000", CLEAN: "0.000"}
    assert {row.utterances for row in table.rows} == {28 * 7}


def test_a_mean_over_fewer_utterances_than_its_row_says_how_many(made: TestSet) -> None:
    fewer = {
        key: replace(score, metrics={"stoi": score.metrics["stoi"]})
        if score.system == "plain" and score.id != "utterance00"
        else score
        for key, score in made.scores.items()
    }
    test_set = replace(made, scores=fewer)
    table = summary_table(test_set, group_cells(fewer.values(), made.metrics, fields=()))
    plain = dict(zip((each.name for each in table.columns), table.rows[1].entries, strict=True))
    assert (plain["stoi"].count, plain["si_sdr"].count) == ("", "n = 1")
    assert table.rows[1].utterances == 14


def test_nothing_recognised_has_no_table(made: TestSet) -> None:
    silent = {key: replace(score, heard=None) for key, score in made.scores.items()}
    assert word_table(replace(made, scores=silent)) is None
