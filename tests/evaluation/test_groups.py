from __future__ import annotations

from dataclasses import replace

import pytest

from cmkt.evaluation.groups import GROUPINGS, NOT_STATED, age_band, group_cells
from cmkt.evaluation.record import Score


def score(utterance: str, system: str, value: float, *, snr_db: float = 0.0, **about: object) -> Score:
    made = Score(utterance, snr_db, system, "", "d", seed=0, duration=1.0, metrics={"stoi": value})
    return replace(made, **about)  # type: ignore[arg-type]


def pair(utterance: str, gain: float, **about: object) -> list[Score]:
    return [
        score(utterance, "noisy", 0.5, **about),  # type: ignore[arg-type]
        score(utterance, "plain", 0.5 + gain, **about),  # type: ignore[arg-type]
    ]


@pytest.mark.parametrize(
    ("age", "band"),
    [
        ("6", "child (under 13)"),
        ("12.9", "child (under 13)"),
        ("13", "teen (13-17)"),
        ("17", "teen (13-17)"),
        ("18", "adult (18+)"),
        ("80", "adult (18+)"),
        ("twenties", "twenties"),
        ("", None),
        ("-1", None),
        ("nan", None),
        (None, None),
    ],
)
def test_ages_fall_into_bands(age: str | None, band: str | None) -> None:
    assert age_band(age) == band


def test_each_group_has_the_difference_of_its_own_mixtures() -> None:
    scores = [*pair("a", 0.1, gender="f"), *pair("b", 0.3, gender="f"), *pair("c", -0.2, gender="m"), *pair("d", 0.0)]
    cells = {cell.group: cell for cell in group_cells(scores, ["stoi"]) if cell.grouping == "gender"}
    assert list(cells) == ["f", "m", NOT_STATED]
    assert [cell.difference.interval.mean for cell in cells.values()] == pytest.approx([0.2, -0.2, 0.0])
    assert [cell.difference.utterances for cell in cells.values()] == [2, 1, 1]


def test_every_grouping_gives_groups_for_every_system_and_metric_with_a_value() -> None:
    about = {"language": "en", "gender": "f", "age": "30", "corpus": "c", "noise_classes": ("rain",)}
    scores = pair("a", 0.1, **about)
    scores += [replace(scores[1], system="other", metrics={})]
    cells = group_cells(scores, ["stoi", "pesq_wb"])
    assert [(cell.grouping, cell.group) for cell in cells] == [
        ("all mixtures", "all"),
        ("SNR", "0 dB"),
        ("language", "en"),
        ("gender", "f"),
        ("age", "adult (18+)"),
        ("corpus", "c"),
        ("noise class", "rain"),
    ]
    assert [cell.grouping for cell in cells] == list(GROUPINGS)
    assert {(cell.system, cell.metric) for cell in cells} == {("plain", "stoi")}


def test_snrs_and_ages_are_in_their_order_and_other_groups_by_size() -> None:
    scores = []
    for number, (snr_db, age, noise) in enumerate(
        [(10.0, "40", "a"), (-5.0, "5", "z"), (0.0, None, "z"), (5.0, "15", "b")]
    ):
        scores += pair(str(number), 0.0, snr_db=snr_db, age=age, noise_classes=(noise,))
    cells = group_cells(scores, ["stoi"])
    groups = {name: [cell.group for cell in cells if cell.grouping == name] for name in ("SNR", "age", "noise class")}
    assert groups == {
        "SNR": ["-5 dB", "0 dB", "5 dB", "10 dB"],
        "age": ["child (under 13)", "teen (13-17)", "adult (18+)", NOT_STATED],
        "noise class": ["z", "a", "b"],
    }


def test_a_grouping_of_which_the_data_say_nothing_has_no_cell() -> None:
    assert {cell.grouping for cell in group_cells(pair("a", 0.0), ["stoi"])} == {"all mixtures", "SNR"}


def test_two_noises_at_once_are_a_class_of_their_own() -> None:
    cells = group_cells(pair("a", 0.0, noise_classes=("rain", "babble")), ["stoi"])
    assert [cell.group for cell in cells if cell.grouping == "noise class"] == ["babble + rain"]


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
    assert {cell.difference.drawn_by for cell in group_cells(scores, ["stoi"])} == {"speaker"}


def test_without_noisy_and_for_the_clean_reference_there_is_no_difference() -> None:
    assert group_cells([score("a", "plain", 0.5)], ["stoi"]) == []
    assert group_cells([score("a", "noisy", 0.5), score("a", "clean", 1.0)], ["stoi"]) == []
