from __future__ import annotations

from dataclasses import replace

from cmkt.evaluation.groups import group_cells
from cmkt.evaluation.harm import find_harm
from cmkt.evaluation.record import Item
from cmkt.evaluation.report.group_tables import group_spreads, group_tables, harm_rows
from cmkt.evaluation.report.test_sets import TestSet


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


def test_a_grouping_of_many_groups_is_told_by_its_ends(made: TestSet) -> None:
    many = {
        (name, Item(f"{item.id}{copy}", item.snr_db)): replace(
            score, id=f"{item.id}{copy}", speaker=f"{score.speaker}-{copy}"
        )
        for (name, item), score in made.scores.items()
        for copy in range(3)
    }
    test_set = replace(made, scores=many)
    cells = group_cells(many.values(), ["stoi", "wer"])
    assert "speaker" not in {table.title for table in group_tables(test_set, cells)}
    (spread,) = (each for each in group_spreads(test_set, cells) if each.title == "speaker")
    assert [(row.system, row.metric.name) for row in spread.rows[:2]] == [("plain", "stoi"), ("plain", "wer")]
    stoi, wer = spread.rows[:2]
    assert (stoi.groups, stoi.worse) == (42, 24)  # from the sixth utterance on nothing is gained
    assert stoi.worst.startswith("speaker13-")
    assert stoi.best == "speaker0-0: +0.0500 (1)" or stoi.best.startswith("speaker0-")
    assert wer.worst.startswith("speaker13-")
    assert "+0.080" in wer.worst
