from __future__ import annotations

import pytest

from cmkt.text.english_numbers import english_numbers


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("0", "zero"),
        ("13", "thirteen"),
        ("21", "twenty one"),
        ("100", "one hundred"),
        ("305", "three hundred five"),
        ("1,200", "one thousand two hundred"),
        ("2000", "two thousand"),
        ("1000000", "one million"),
        ("7,000,001", "seven million one"),
        ("1984", "nineteen eighty four"),
        ("1905", "nineteen oh five"),
        ("1900", "nineteen hundred"),
        ("3.05", "three point zero five"),
        ("50%", "fifty percent"),
        ("1st 2nd 3rd 12th 20th 21st 100th", "first second third twelfth twentieth twenty first one hundredth"),
        ("007", "zero zero seven"),
        ("1234567890123456", "one two three four five six seven eight nine zero one two three four five six"),
        ("a4 b", "a four b"),
        ("no number", "no number"),
    ],
)
def test_numbers_are_written_as_they_are_said(written: str, said: str) -> None:
    assert english_numbers(written) == said
