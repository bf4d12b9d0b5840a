from __future__ import annotations

from dataclasses import replace

import pytest

from cmkt.evaluation.bootstrap import Interval
from cmkt.evaluation.comparison import Difference
from cmkt.evaluation.groups import GroupCell, group_cells
from cmkt.evaluation.harm import find_harm
from cmkt.evaluation.record import Score


def cell(
    high: float, *, utterances: int = 20, independent: int = 20, metric: str = "stoi", group: str = "child"
) -> GroupCell:
    interval = Interval(high - 0.1, high - 0.2, high)
    return GroupCell("age", group, "plain", metric, Difference(interval, utterances, 80, independent, "utterance"))


def test_a_large_group_whose_whole_interval_lies_below_zero_is_harmed() -> None:
    harm = find_harm([cell(-0.01), cell(0.0, group="adult"), cell(0.3, group="teen")])
    assert [each.group for each in harm.harmed] == ["child"]
    assert harm.looked_at == 3
    assert harm.sentence.startswith("Yes: in 1 of 3 looked at")
    assert "About 0.1 would by chance" in harm.sentence


def test_groups_under_twenty_utterances_are_not_looked_at() -> None:
    harm = find_harm([cell(-0.01, utterances=19), cell(0.1, group="adult")])
    assert (harm.harmed, harm.looked_at) == ((), 1)
    assert harm.sentence.startswith("No: in none of 1 looked at")


def test_groups_of_fewer_than_ten_independent_clusters_are_not_looked_at_and_counted() -> None:
    harm = find_harm([cell(-0.01, independent=9), cell(-0.01, independent=10, group="adult")])
    assert [each.group for each in harm.harmed] == ["adult"]
    assert (harm.looked_at, harm.too_small) == (1, 1)
    assert harm.sentence.endswith(" 1 more were too small to look at.")


def test_two_speakers_prove_no_harm_to_others() -> None:
    scores = []
    for number in range(40):
        loss = -0.1 - 0.01 * (number % 2)
        for system, value in (("noisy", 0.5), ("plain", 0.5 + loss)):
            scores.append(
                Score(str(number), 0.0, system, "", "d", 0, 1.0, speaker=str(number % 2), metrics={"stoi": value})
            )
    harm = find_harm(group_cells(scores, ["stoi"], fields=["language"]))
    assert (harm.harmed, harm.looked_at, harm.too_small) == ((), 0, 1)


def test_nothing_large_enough_is_said_plainly() -> None:
    assert find_harm([cell(-0.01, utterances=19)]).sentence.startswith("Not known: no group has 20 utterances")


def test_only_the_metrics_of_harm_are_looked_at() -> None:
    def looked_at(*metrics: str) -> int:
        return find_harm([cell(-0.1, metric=metric, group=group) for metric in metrics for group in "ab"]).looked_at

    assert looked_at("estoi") == 0
    assert looked_at("stoi", "pesq_wb", "si_sdr") == 6


def test_word_errors_harm_where_they_rise() -> None:
    fewer, more = cell(-0.1, metric="wer", group="child"), cell(0.3, metric="wer", group="adult")
    assert more.difference.interval.low > 0
    assert [each.group for each in find_harm([fewer, more]).harmed] == ["adult"]
    assert find_harm([cell(0.1, metric="wer"), cell(-0.1, metric="wer", group="adult")]).harmed == ()


def test_other_metrics_are_looked_at_when_asked() -> None:
    cells = [cell(0.3, metric="lsd"), cell(-0.1, metric="lsd", group="adult")]
    assert find_harm(cells).looked_at == 0
    assert [each.group for each in find_harm(cells, ["lsd"]).harmed] == ["child"]


def test_a_speaker_with_utterances_enough_is_somebody() -> None:
    scores = []
    for number in range(60):
        speaker = ("anna", "ben", "cleo")[number % 3]
        gained = -0.1 - 0.01 * (number % 7) if speaker == "ben" else 0.1
        for system, value in (("noisy", 0.5), ("plain", 0.5 + gained)):
            scores.append(Score(str(number), 0.0, system, "", "d", 0, 1.0, speaker=speaker, metrics={"stoi": value}))
    harm = find_harm(group_cells(scores, ["stoi"]))
    assert [(each.grouping, each.group) for each in harm.harmed] == [("speaker", "ben")]


def test_a_grouping_with_one_group_says_nothing_of_its_own() -> None:
    assert find_harm([cell(-0.1)]).looked_at == 0
    assert find_harm([replace(cell(-0.1), grouping="all mixtures")]).looked_at == 1


def test_the_largest_group_comes_first() -> None:
    harm = find_harm([cell(-0.01, utterances=20, group="few"), cell(-0.01, utterances=50, group="many")])
    assert [each.group for each in harm.harmed] == ["many", "few"]


@pytest.mark.parametrize(("harm", "expected"), [(-0.1, {"m"}), (0.1, set())])
def test_harm_to_one_group_shows_although_the_whole_gains(harm: float, expected: set[str]) -> None:
    scores = []
    for number in range(60):
        gender = "m" if number < 20 else "f"
        gain = (harm if gender == "m" else 0.2) + 0.01 * (number % 5)
        for system, value in (("noisy", 0.5), ("plain", 0.5 + gain)):
            scores.append(
                Score(str(number), 0.0, system, "", "d", 0, 1.0, gender=gender, metrics={"stoi": value, "si_sdr": 1.0})
            )
    harmed = {each.group for each in find_harm(group_cells(scores, ["stoi", "si_sdr"])).harmed}
    assert harmed == expected
