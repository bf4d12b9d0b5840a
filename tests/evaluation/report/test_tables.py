from __future__ import annotations

from dataclasses import replace

import pytest

from cmkt.evaluation.groups import group_cells
from cmkt.evaluation.harm import find_harm
from cmkt.evaluation.record import CLEAN, NOISY, Item
from cmkt.evaluation.report.tables import NOTHING, comparisons, group_tables, harm_rows, minus, summary_table
from cmkt.evaluation.report.test_sets import TestSet


def test_the_summary_has_means_and_differences_with_their_intervals(made: TestSet) -> None:
    cells = [cell for cell in group_cells(made.scores.values(), made.metrics) if cell.grouping == "all mixtures"]
    table = summary_table(made, cells)
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


def test_groups_that_differ_have_tables_with_bars_and_marks(made: TestSet) -> None:
    tables = {table.title: table for table in group_tables(made, group_cells(made.scores.values(), made.metrics))}
    assert {"SNR", "gender", "noise class"} <= set(tables)
    assert "language" not in tables  # all are English
    snr = tables["SNR"]
    assert [row.name for row in snr.rows] == ["−5 dB", "−5 dB", "5 dB", "5 dB"]
    assert all(entry.bar for row in snr.rows for entry in row.entries)
    few = tables["noise class"].rows[0].entries[0]
    assert few.difference.endswith("*")
    assert few.tone == "open"


def test_a_group_of_one_has_no_interval(made: TestSet) -> None:
    one = {key: score for key, score in made.scores.items() if score.item.id == "utterance00"}
    rest = {key: replace(score, gender="m") for key, score in made.scores.items() if key not in one}
    alone = replace(made, scores={**rest, **{key: replace(score, gender="f") for key, score in one.items()}})
    table = next(
        t for t in group_tables(alone, group_cells(alone.scores.values(), alone.metrics)) if t.title == "gender"
    )
    entry = next(row for row in table.rows if row.name == "f").entries[0]
    assert entry.difference
    assert entry.bounds == ""


def test_a_group_that_is_harmed_is_named(made: TestSet) -> None:
    harmful = {
        key: replace(score, metrics={**score.metrics, "stoi": score.metrics["stoi"] - 0.3})
        if score.system == "plain"
        else score
        for key, score in made.scores.items()
    }
    twice = {
        (name, Item(f"{item.id}{copy}", item.snr_db)): replace(
            score, id=f"{item.id}{copy}", speaker=f"{score.speaker}{copy}"
        )
        for (name, item), score in harmful.items()
        for copy in "ab"
    }
    test_set = replace(made, scores=twice)
    rows = harm_rows(find_harm(group_cells(twice.values(), test_set.metrics)), test_set)
    assert ("all mixtures: all", "stoi", "plain") in {(row.group, row.metric.name, row.row.system) for row in rows}
    entry = next(row for row in rows if row.metric.name == "stoi").row.entries[0]
    assert entry.tone == "worse"
    assert entry.difference.startswith("−0.3")


def test_every_later_system_is_compared_with_the_first(made: TestSet) -> None:
    found = comparisons(made)
    assert found is not None
    assert {row.systems for row in found.rows} == {"transfer − plain"}
    assert [row.metric.name for row in found.rows] == list(made.metrics)
    assert found.conclusion.startswith("transfer ")
    assert not found.few
    assert all(0 <= row.p_value <= row.corrected_p_value <= 1 for row in found.rows)


def test_one_system_is_compared_with_nothing(made: TestSet) -> None:
    alone = {key: score for key, score in made.scores.items() if score.system != "transfer"}
    assert comparisons(replace(made, scores=alone, systems=(NOISY, "plain", CLEAN))) is None


def test_systems_on_different_mixtures_are_refused_with_the_reason(made: TestSet) -> None:
    fewer = {key: score for key, score in made.scores.items() if key != ("transfer", Item("utterance00", 5.0))}
    found = comparisons(replace(made, scores=fewer))
    assert found is not None
    assert "`transfer` lacks 1: utterance00 at 5 dB" in found.refusal
    assert found.rows == ()


def test_systems_without_a_shared_metric_are_not_compared(made: TestSet) -> None:
    apart = {
        key: replace(score, metrics={"stoi" if score.system == "plain" else "lsd": 0.5})
        for key, score in made.scores.items()
    }
    found = comparisons(replace(made, scores=apart))
    assert found is not None
    assert "share no metric" in found.refusal


def test_minus_signs_are_real() -> None:
    assert minus("-0.1 [-0.2, +0.1]") == "−0.1 [−0.2, +0.1]"
