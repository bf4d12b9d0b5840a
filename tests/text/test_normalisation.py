from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmkt.text.normalisation import normalise, tidy


def test_white_space_is_collapsed_and_trimmed() -> None:
    assert tidy("  A \t B\n\nC ") == "A B C"


def test_composed_and_decomposed_accents_become_the_same() -> None:
    assert tidy("cafe\u0301") == tidy("caf\u00e9")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("MIKE LIKES THE WHITE ONE", "Mike likes the white one"),
        ("all small", "All small"),
        ("Dr Who met Ann", "Dr Who met Ann"),
        ("'TIS 12 O'CLOCK", "'Tis 12 o'clock"),
        ("我们在北京", "我们在北京"),
        ("12 30", "12 30"),
        ("  ", ""),
    ],
)
def test_text_without_mixed_case_becomes_sentence_case_for_a_cased_teacher(text: str, expected: str) -> None:
    assert normalise(text, lowercase=False) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Well - it's 21, isn't it?", "Well it's twenty one isn't it"),
        ("‘TWAS 3.5%", "Twas three point five percent"),
        ("state-of-the-art e-mail", "State of the art e mail"),
        ("他在2014年, 走了。", "他在二零一四年 走了"),
        ("IT IS 21", "It is twenty one"),
        ("...", ""),
    ],
)
def test_a_text_as_it_is_said_has_neither_digits_nor_punctuation(text: str, expected: str) -> None:
    assert normalise(text, lowercase=False, spoken=True) == expected


def test_an_uncased_teacher_gets_small_letters() -> None:
    assert normalise("Dr WHO", lowercase=True) == "dr who"


@given(st.text(max_size=30), st.booleans(), st.booleans())
def test_normalised_text_is_always_tidy(text: str, lowercase: bool, spoken: bool) -> None:
    once = normalise(text, lowercase=lowercase, spoken=spoken)
    assert once == " ".join(once.split())
