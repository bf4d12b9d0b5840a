from __future__ import annotations

from dataclasses import replace

import pytest

from cmkt.errors import ConfigError
from cmkt.evaluation.groupings import (
    EVERYTHING,
    NOT_STATED,
    STANDARD,
    Grouping,
    age_band,
    duration_band,
    find_groupings,
    number_labels,
)
from cmkt.evaluation.record import Score


def mixture(number: int, **about: object) -> Score:
    return replace(Score(str(number), 0.0, "noisy", "", "d", 0, 3.0), **about)  # type: ignore[arg-type]


def mixtures(field: str, *values: object) -> list[Score]:
    return [mixture(number, **{field: value}) for number, value in enumerate(values)]


def with_about(key: str, *values: str | None) -> list[Score]:
    return mixtures("about", *({} if value is None else {key: value} for value in values))


def grouped(scores: list[Score], field: str) -> Grouping:
    everything, grouping = find_groupings(scores, [field])
    assert everything.name == EVERYTHING
    return grouping


def groups(scores: list[Score], field: str) -> list[str]:
    return [*grouped(scores, field).groups]


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
    label = age_band(age)
    assert (None if label is None else label.group) == band


@pytest.mark.parametrize(
    ("seconds", "band"),
    [(0.0, None), (1.99, "under 2 s"), (2.0, "2 to 4 s"), (4.0, "4 to 8 s"), (7.9, "4 to 8 s"), (8.0, "8 s or more")],
)
def test_durations_fall_into_bands(seconds: float, band: str | None) -> None:
    label = duration_band(seconds)
    assert (None if label is None else label.group) == band


def test_everything_is_one_group_and_comes_first() -> None:
    (everything,) = find_groupings(mixtures("gender", "f", "m"))
    assert {name: len(items) for name, items in everything.groups.items()} == {"all": 2}


def test_every_standard_field_has_its_groups() -> None:
    about = {"language": "en", "gender": "f", "age": "30", "corpus": "c", "speaker": "x", "noise_classes": ("rain",)}
    scores = [mixture(0, **about, about={"rir_id": "r1", "noise_kind": "stationary"})]
    found = {each.name: [*each.groups] for each in find_groupings(scores, STANDARD)}
    assert found == {
        EVERYTHING: ["all"],
        "SNR": ["0 dB"],
        "language": ["en"],
        "gender": ["f"],
        "age": ["adult (18+)"],
        "duration": ["2 to 4 s"],
        "corpus": ["c"],
        "reverberation": ["in a room"],
        "noise kind": ["stationary"],
        "noise class": ["rain"],
        "speaker": ["x"],
    }
    assert [*found] == [EVERYTHING, *STANDARD]


def test_a_field_of_which_the_data_say_nothing_has_no_grouping() -> None:
    scores = mixtures("snr_db", None, None)
    assert [each.name for each in find_groupings(scores, STANDARD)] == [EVERYTHING, "duration"]


def test_bands_are_in_their_order_and_other_groups_by_size_and_what_is_not_stated_last() -> None:
    assert groups(mixtures("snr_db", 10.0, None, -5.0, 0.0, None), "SNR") == ["-5 dB", "0 dB", "10 dB", NOT_STATED]
    assert groups(mixtures("age", "40", "5", None, "15"), "age") == [
        "child (under 13)",
        "teen (13-17)",
        "adult (18+)",
        NOT_STATED,
    ]
    assert groups(mixtures("corpus", "a", None, None, None, "z", "z", "b"), "corpus") == ["z", "a", "b", NOT_STATED]


def test_each_mixture_is_in_its_group() -> None:
    items = grouped(mixtures("gender", "f", "m", "f"), "gender").groups
    assert {name: [item.id for item in own] for name, own in items.items()} == {"f": ["0", "2"], "m": ["1"]}


def test_two_noises_at_once_are_a_class_of_their_own() -> None:
    assert groups(mixtures("noise_classes", ("rain", "babble"), ("babble", "rain")), "noise class") == ["babble + rain"]


def test_snrs_of_many_values_are_cut_every_five_decibels() -> None:
    scores = mixtures("snr_db", -5.0, -0.1, 0.0, 1.0, 2.0, 3.0, 4.9, 5.0, 17.5, None)
    assert groups(scores, "snr") == ["-5 to 0 dB", "0 to 5 dB", "5 to 10 dB", "15 to 20 dB", NOT_STATED]


def test_a_mixture_without_a_room_is_dry_only_where_others_name_theirs() -> None:
    assert groups(with_about("rir_id", "r1", None, "r2"), "reverberation") == ["dry", "in a room"]
    assert [each.name for each in find_groupings(with_about("other", "x"), ["reverberation"])] == [EVERYTHING]


def test_any_other_field_groups_by_its_values() -> None:
    assert groups(with_about("accent", "scots", "welsh", "scots", None, ""), "accent") == ["scots", "welsh", NOT_STATED]


def test_few_numbers_are_groups_in_order_and_many_are_thirds() -> None:
    assert groups(with_about("microphones", "10", "2", "2.0"), "microphones") == ["2", "10"]
    many = [str(number) for number in range(12)]
    found = grouped(with_about("level_db", *many, None), "level_db")
    assert [(name, len(items)) for name, items in found.groups.items()] == [
        ("up to 3.67", 4),
        ("3.67 to 7.33", 4),
        ("above 7.33", 4),
        (NOT_STATED, 1),
    ]


def test_values_that_are_not_all_numbers_are_words() -> None:
    assert number_labels(["1", "two", None]) is None
    assert number_labels(["1", "nan"]) is None
    assert number_labels([None]) is None
    assert groups(with_about("room", "1", "kitchen", "kitchen"), "room") == ["kitchen", "1"]


@pytest.mark.parametrize("spelling", ["noise_class", "Noise Class", "NOISE_class"])
def test_fields_may_be_spelled_as_on_the_command_line(spelling: str) -> None:
    assert grouped(mixtures("noise_classes", ("rain",)), spelling).name == "noise class"


def test_a_field_that_is_named_twice_counts_once() -> None:
    found = find_groupings(mixtures("gender", "f"), ["gender", "Gender", *STANDARD])
    assert [each.name for each in found].count("gender") == 1


def test_a_field_that_is_nowhere_is_refused_with_those_that_are() -> None:
    with pytest.raises(ConfigError, match=r"'hat'\. There are: SNR, .*noise_class, speaker, shoe\."):
        find_groupings(with_about("shoe", "42"), ["hat"])
