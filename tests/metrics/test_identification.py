from __future__ import annotations

import pytest

from cmkt.errors import ConfigError
from cmkt.metrics.identification import Identification, chance, identify


@pytest.mark.parametrize(
    ("true", "other", "expected"),
    [
        (-100.0, -150.0, Identification(1, 10.0)),
        (-150.0, -100.0, Identification(0, -10.0)),
        (-100.0, -100.0, Identification(0, 0.0)),
        (-100.0, None, Identification(1, None)),
        (None, -100.0, Identification(0, None)),
        (None, None, Identification(0, None)),
    ],
)
def test_the_likelier_sentence_wins_and_one_that_cannot_be_aligned_loses(
    true: float | None, other: float | None, expected: Identification
) -> None:
    assert identify(true, other, words=5) == expected


def test_a_sentence_needs_words() -> None:
    with pytest.raises(ConfigError, match="`words` must be at least 1"):
        identify(-1.0, -2.0, words=0)


def test_guessing_among_eleven_finds_one_in_eleven() -> None:
    assert chance(10) == pytest.approx(1 / 11)
