from __future__ import annotations

from dataclasses import replace

import pytest

from cmkt.errors import ConfigError
from cmkt.evaluation.groupings import NOT_STATED
from cmkt.evaluation.groups import group_cells
from cmkt.evaluation.record import Score


def score(utterance: str, system: str, value: float, *, snr_db: float = 0.0, **about: object) -> Score:
    made = Score(utterance, snr_db, system, "", "d", seed=0, duration=1.0, metrics={"stoi": value})
    return replace(made, **about)  # type: ignore[arg-type]


def pair(utterance: str, gain: float, **about: object) -> list[Score]:
    return [
        score(utterance, "noisy", 0.5, **about),  # type: ignore[arg-type]
        score(utterance, "plain", 0.5 + gain, **about),  # type: ignore[arg-type]
    ]


def test_each_group_has_the_difference_of_its_own_mixtures() -> None:
    scores = [*pair("a", 0.1, gender="f"), *pair("b", 0.3, gender="f"), *pair("c", -0.2, gender="m"), *pair("d", 0.0)]
    cells = {cell.group: cell for cell in group_cells(scores, ["stoi"]) if cell.grouping == "gender"}
    assert list(cells) == ["f", "m", NOT_STATED]
    assert [cell.difference.interval.mean for cell in cells.values()] == pytest.approx([0.2, -0.2, 0.0])
    assert [cell.difference.utterances for cell in cells.values()] == [2, 1, 1]


def test_every_grouping_gives_a_cell_for_every_system_and_metric_with_a_value() -> None:
    scores = pair("a", 0.1, language="en", gender="f")
    scores += [replace(scores[1], system="other", metrics={})]
    cells = group_cells(scores, ["stoi", "pesq_wb"], fields=["gender", "language"])
    assert [(cell.grouping, cell.group) for cell in cells] == [
        ("all mixtures", "all"),
        ("gender", "f"),
        ("language", "en"),
    ]
    assert {(cell.system, cell.metric) for cell in cells} == {("plain", "stoi")}


def test_without_fields_named_there_are_the_standard_ones() -> None:
    cells = group_cells(pair("a", 0.0, about={"shoe": "42"}), ["stoi"])
    assert {cell.grouping for cell in cells} == {"all mixtures", "SNR", "duration"}


def test_a_field_that_the_data_do_not_have_is_refused() -> None:
    with pytest.raises(ConfigError, match="is 'hat'"):
        group_cells(pair("a", 0.0, about={"shoe": "42"}), ["stoi"], fields=["hat"])


def test_any_system_can_be_the_baseline() -> None:
    scores = [*pair("a", 0.1), score("a", "transfer", 0.9), score("a", "clean", 1.0)]
    (cell,) = group_cells(scores, ["stoi"], fields=(), baseline="plain")
    assert cell.system == "transfer"
    assert cell.difference.interval.mean == pytest.approx(0.3)


def test_an_utterance_counts_once_over_its_snrs() -> None:
    scores = [each for snr_db in (0.0, 5.0, 10.0) for each in pair("a", 0.1, snr_db=snr_db, language="en")]
    (cell,) = (cell for cell in group_cells(scores, ["stoi"]) if cell.grouping == "language")
    assert (cell.difference.utterances, cell.difference.mixtures) == (1, 3)


def test_few_utterances_or_few_speakers_are_marked() -> None:
    def marked(count: int, speakers: int) -> bool:
        scores = []
        for number in range(count):
            scores += pair(str(number), 0.1, speaker=str(number % speakers))
        return group_cells(scores, ["stoi"])[0].few

    assert marked(9, 9)
    assert not marked(10, 10)
    assert marked(40, 9)
    assert not marked(40, 10)
    assert marked(40, 1)


def test_a_group_of_one_speaker_is_one_observation_where_speakers_repeat_elsewhere() -> None:
    scores = []
    for number in range(60):
        about = {"gender": "m", "speaker": "m"} if number < 30 else {"gender": "f", "speaker": f"f{number % 15}"}
        scores += pair(str(number), 0.01 * number, **about)
    cells = {cell.group: cell.difference for cell in group_cells(scores, ["stoi"]) if cell.grouping == "gender"}
    assert {group: (each.independent, each.drawn_by) for group, each in cells.items()} == {
        "m": (1, "speaker"),
        "f": (15, "speaker"),
    }


def test_speakers_are_drawn_in_a_group_where_none_repeats_if_they_do_in_the_data() -> None:
    scores = [each for n in range(4) for each in pair(str(n), 0.1, speaker=str(n % 3), language="en" if n else "de")]
    assert {cell.difference.drawn_by for cell in group_cells(scores, ["stoi"], fields=["language"])} == {"speaker"}


def test_without_noisy_and_for_the_clean_reference_there_is_no_difference() -> None:
    assert group_cells([score("a", "plain", 0.5)], ["stoi"]) == []
    assert group_cells([score("a", "noisy", 0.5), score("a", "clean", 1.0)], ["stoi"]) == []


def test_within_a_speaker_utterances_are_independent() -> None:
    scores = [each for n in range(24) for each in pair(str(n), 0.01 * n, speaker=str(n % 2))]
    cells = group_cells(scores, ["stoi"], fields=["speaker"])
    assert {(cell.grouping, cell.difference.drawn_by, cell.difference.independent) for cell in cells} == {
        ("all mixtures", "speaker", 2),
        ("speaker", "utterance", 12),
    }
