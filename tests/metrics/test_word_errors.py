from __future__ import annotations

import sys

import pytest

from cmkt.errors import ConfigError, MetricUndefinedError, MissingExtraError
from cmkt.metrics.word_errors import ErrorCounts, Step, align, count_errors


@pytest.mark.parametrize(
    ("said", "heard", "expected", "rate", "information_lost"),
    [
        ("the old man", "the old man", ErrorCounts(equal=3), 0.0, 0.0),
        ("the old man", "the cold man", ErrorCounts(equal=2, substituted=1), 1 / 3, 1 - 4 / 9),
        ("the old man", "the man", ErrorCounts(equal=2, deleted=1), 1 / 3, 1 - 4 / 6),
        ("the old man", "the very old man", ErrorCounts(equal=3, inserted=1), 1 / 3, 1 - 9 / 12),
        ("the old man", "", ErrorCounts(deleted=3), 1.0, 1.0),
        ("man", "the old woman", ErrorCounts(substituted=1, inserted=2), 3.0, 1.0),
        ("a b", "b a", ErrorCounts(equal=1, deleted=1, inserted=1), 1.0, 1 - 1 / 4),
    ],
)
def test_errors_counted_by_hand(
    said: str, heard: str, expected: ErrorCounts, rate: float, information_lost: float
) -> None:
    found = count_errors(said=said.split(), heard=heard.split())
    assert found.errors == expected.errors
    assert found.rate == pytest.approx(rate)
    if said != "a b":  # two substitutions cost as much as a deletion and an insertion
        assert found == expected
        assert found.information_lost == pytest.approx(information_lost)


def test_the_example_of_the_textbooks_has_three_errors() -> None:
    """kitten, sitting: k becomes s, e becomes i, g is added."""
    assert count_errors(said=list("kitten"), heard=list("sitting")) == ErrorCounts(4, substituted=2, inserted=1)


def test_counts_of_utterances_add_up_to_the_rate_of_all() -> None:
    short, long = ErrorCounts(substituted=1), ErrorCounts(equal=8, deleted=1, inserted=1)
    assert (short + long).rate == pytest.approx(3 / 10)
    assert (short.rate + long.rate) / 2 == pytest.approx(0.5 * (1 + 2 / 9))
    assert ((short + long).said, (short + long).heard) == (10, 10)
    assert (short + long).information_lost == pytest.approx(1 - 64 / 100)


def test_what_was_not_said_has_no_rate() -> None:
    nothing = count_errors(said=[], heard=["man"])
    assert nothing == ErrorCounts(inserted=1)
    for rate in ("rate", "information_lost"):
        with pytest.raises(MetricUndefinedError, match="the transcript has no words"):
            getattr(nothing, rate)


def test_an_alignment_tells_what_became_of_each_word() -> None:
    assert align(said=["she", "saw", "the", "old", "man"], heard=["he", "saw", "the", "man"]) == [
        Step("substitute", "she", "he"),
        Step("equal", "saw", "saw"),
        Step("equal", "the", "the"),
        Step("delete", "old", None),
        Step("equal", "man", "man"),
    ]
    assert align(said=["she", "saw"], heard=["she", "really", "saw"])[1] == Step("insert", None, "really")
    assert align(said=["man"], heard=[]) == [Step("delete", "man", None)]
    assert align(said=[], heard=["man"]) == [Step("insert", None, "man")]


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("the old man", "a cold old man ran off"),
        ("x y z", "p q"),
        ("a a a b", "a b b b a"),
        ("今 天 很 慢", "今 年 慢"),
    ],
)
def test_the_steps_of_an_alignment_are_those_that_are_counted_and_hold_every_word(said: str, heard: str) -> None:
    steps = align(said=said.split(), heard=heard.split())
    operations = [step.operation for step in steps]
    counts = [operations.count(each) for each in ("equal", "substitute", "delete", "insert")]
    assert ErrorCounts(*counts) == count_errors(said=said.split(), heard=heard.split())
    assert [step.said for step in steps if step.said is not None] == said.split()
    assert [step.heard for step in steps if step.heard is not None] == heard.split()
    assert all((step.said == step.heard) == (step.operation == "equal") for step in steps)


@pytest.mark.parametrize("word", ["", "two words", " x", "x\n"])
def test_words_must_not_hold_white_space(word: str) -> None:
    with pytest.raises(ConfigError, match="`said` must be words without white space"):
        count_errors(said=["one", word], heard=["one"])
    with pytest.raises(ConfigError, match="`heard` must be words without white space"):
        align(said=["one"], heard=[word])


def test_the_missing_extra_names_the_pip_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jiwer", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'cmkt\[eval\]'"):
        count_errors(said=["one"], heard=["two"])
