"""Numbers as a Mandarin transcript writes them: in Hanzi, as they are said."""

from __future__ import annotations

import re
from typing import Final

_DIGITS: Final = "零一二三四五六七八九"
_SMALL_UNITS: Final = ("", "十", "百", "千")
_LARGE_UNITS: Final = ("", "万", "亿")
_LONGEST_VALUE: Final = 12
"""Digits. A longer number is a code, which is read digit by digit."""

_COUNTED: Final = "个位名天次种条件本张点岁届句块间家群项对段度"
"""What 2 is 两 in front of, not 二."""

_TIME: Final = re.compile(r"(?<![0-9:])([01]?[0-9]|2[0-3]):([0-5][0-9])(?![0-9:])")
_FRACTION: Final = re.compile(r"(?<![0-9/.])([0-9]+)/([0-9]+)(?![0-9/.])")
_NUMBER: Final = re.compile(r"([0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+)(?:\.([0-9]+))?(%?)")


def hanzi_numbers(text: str) -> str:
    """The text with its digits in Hanzi: years and codes digit by digit, all others by value.

    >>> hanzi_numbers("2014年5月有1,200人,占4.5%,13:30开始")
    '二零一四年五月有一千二百人,占百分之四点五,十三点三十分开始'
    """
    text = _TIME.sub(_said_time, text)
    text = _FRACTION.sub(lambda found: f"{_value(found[2])}分之{_value(found[1])}", text)
    return _NUMBER.sub(_said_number, text)


def _said_time(found: re.Match[str]) -> str:
    minutes = "" if int(found[2]) == 0 else f"{_minute(found[2])}分"
    return f"{_before_count(found[1])}点{minutes}"


def _minute(digits: str) -> str:
    return digit_by_digit(digits) if digits[0] == "0" else _value(digits)


def _said_number(found: re.Match[str]) -> str:
    whole, decimals, percent = found[1].replace(",", ""), found[2], found[3]
    after = found.string[found.end() : found.end() + 1]
    if decimals is not None:
        said = f"{_value(whole)}点{digit_by_digit(decimals)}"
    elif percent:
        said = _value(whole)
    elif len(whole) == 4 and after == "年":
        said = digit_by_digit(whole)
    elif after and after in _COUNTED:
        said = _before_count(whole)
    else:
        said = _value(whole)
    return f"百分之{said}" if percent else said


def _before_count(digits: str) -> str:
    return "两" if digits.lstrip("0") == "2" else _value(digits)


def digit_by_digit(digits: str) -> str:
    """Each digit on its own, as telephone numbers are read."""
    return "".join(_DIGITS[int(each)] for each in digits)


def _value(digits: str) -> str:
    if len(digits) > _LONGEST_VALUE or (len(digits) > 1 and digits[0] == "0"):
        return digit_by_digit(digits)
    number = int(digits)
    if number == 0:
        return _DIGITS[0]
    said = ""
    for power in reversed(range(len(_LARGE_UNITS))):
        group = number // 10_000**power % 10_000
        if group:
            said += (
                _gap(said, group, number // 10_000 ** (power + 1)) + _below_ten_thousand(group) + _LARGE_UNITS[power]
            )
    return said[1:] if said.startswith("一十") else said


def _gap(said: str, group: int, above: int) -> str:
    """The 零 that stands for skipped digits between two groups."""
    return _DIGITS[0] if said and (group < 1000 or above % 10_000 == 0) else ""


def _below_ten_thousand(group: int) -> str:
    said, skipped = "", False
    for power in reversed(range(len(_SMALL_UNITS))):
        digit = group // 10**power % 10
        if digit:
            said += (_DIGITS[0] if skipped and said else "") + _DIGITS[digit] + _SMALL_UNITS[power]
            skipped = False
        else:
            skipped = True
    return said
