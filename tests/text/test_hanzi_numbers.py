from __future__ import annotations

import pytest

from cmkt.text.hanzi_numbers import hanzi_numbers


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("0", "零"),
        ("10", "十"),
        ("12", "十二"),
        ("20", "二十"),
        ("105", "一百零五"),
        ("110", "一百一十"),
        ("1005", "一千零五"),
        ("1050", "一千零五十"),
        ("10500", "一万零五百"),
        ("100000", "十万"),
        ("1000500", "一百万零五百"),
        ("20010000", "二千零一万"),
        ("100050000", "一亿零五万"),
        ("2000000000", "二十亿"),
        ("1,200人", "一千二百人"),
        ("2014年", "二零一四年"),
        ("106年", "一百零六年"),
        ("5月1日", "五月一日"),
        ("4.5分", "四点五分"),
        ("0.05", "零点零五"),
        ("30%", "百分之三十"),
        ("4.5%", "百分之四点五"),
        ("1/3", "三分之一"),
        ("13:30", "十三点三十分"),
        ("2:05", "两点零五分"),
        ("9:00", "九点"),
        ("2个", "两个"),
        ("2月", "二月"),
        ("22个", "二十二个"),
        ("007", "零零七"),
        ("6212345678901234", "六二一二三四五六七八九零一二三四"),
    ],
)
def test_numbers_are_written_as_they_are_said(written: str, said: str) -> None:
    assert hanzi_numbers(written) == said


def test_everything_else_stays() -> None:
    assert hanzi_numbers("今天 go!") == "今天 go!"
    assert hanzi_numbers("50-100元,共3项") == "五十-一百元,共三项"
