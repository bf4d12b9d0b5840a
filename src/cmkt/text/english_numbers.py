"""Numbers as an English transcript writes them: in words, as they are said."""

from __future__ import annotations

import re
from typing import Final

_SMALL: Final = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS: Final = ("zero", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_LARGE: Final = ("", "thousand", "million", "billion", "trillion")
_ORDINALS: Final = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
_LONGEST_VALUE: Final = 15
"""Digits. A longer number, or one that starts with a zero, is a code, which is read digit by digit."""

_NUMBER: Final = re.compile(r"([0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+)(?:\.([0-9]+))?(st|nd|rd|th|%)?(?![0-9])", re.I)


def english_numbers(text: str) -> str:
    """The text with its digits in words. Four digits from 1100 to 1999 without a comma are read as a year.

    >>> english_numbers("In 1984, 1,200 of them were 3.5% late on the 22nd")
    'In nineteen eighty four, one thousand two hundred of them were three point five percent late on the twenty second'
    """
    return _NUMBER.sub(_said, text)


def _said(found: re.Match[str]) -> str:
    digits, decimals, ending = found[1].replace(",", ""), found[2], (found[3] or "").lower()
    year = "," not in found[1] and len(digits) == 4 and 1100 <= int(digits) < 2000 and decimals is None and not ending
    words = _year(int(digits)) if year else _value(digits)
    if decimals is not None:
        words = f"{words} point {_digits(decimals)}"
    if ending == "%":
        words = f"{words} percent"
    elif ending:
        words = _ordinal(words)
    before = " " if found.start() and found.string[found.start() - 1].isalpha() else ""
    after = " " if found.string[found.end() : found.end() + 1].isalpha() else ""
    return f"{before}{words}{after}"


def _value(digits: str) -> str:
    if len(digits) > _LONGEST_VALUE or (digits[0] == "0" and len(digits) > 1):
        return _digits(digits)
    number = int(digits)
    if number == 0:
        return _SMALL[0]
    parts: list[str] = []
    for name in _LARGE:
        number, rest = divmod(number, 1000)
        if rest:
            parts.insert(0, f"{_below_thousand(rest)} {name}".strip())
    return " ".join(parts)


def _below_thousand(number: int) -> str:
    hundreds, rest = divmod(number, 100)
    parts = [f"{_SMALL[hundreds]} hundred"] if hundreds else []
    if rest:
        parts.append(_below_hundred(rest))
    return " ".join(parts)


def _below_hundred(number: int) -> str:
    if number < len(_SMALL):
        return _SMALL[number]
    tens, ones = divmod(number, 10)
    return f"{_TENS[tens]} {_SMALL[ones]}" if ones else _TENS[tens]


def _year(number: int) -> str:
    century, rest = divmod(number, 100)
    if rest == 0:
        return f"{_below_hundred(century)} hundred"
    return f"{_below_hundred(century)} {f'oh {_SMALL[rest]}' if rest < 10 else _below_hundred(rest)}"


def _digits(digits: str) -> str:
    return " ".join(_SMALL[int(digit)] for digit in digits)


def _ordinal(words: str) -> str:
    rest, _, last = words.rpartition(" ")
    said = _ORDINALS.get(last) or (f"{last[:-1]}ieth" if last.endswith("y") else f"{last}th")
    return f"{rest} {said}".strip()
