from __future__ import annotations

import pytest

from cmkt.text.language.lines import letters_of, main_script, prepare_lines, without_punctuation
from cmkt.text.script import HAN


def lines(count: int) -> list[str]:
    return [f"第{number}句话,好不好?" for number in range(count)]


def test_the_main_script_is_that_of_most_letters() -> None:
    assert main_script(["用 app 打开空调", "好"]) == HAN
    assert main_script(["Ночь", "улица", "go"]) == "CYRILLIC"
    assert main_script(["123"]) == "LATIN"


def test_lines_of_another_script_and_repeated_ones_are_dropped_and_counted() -> None:
    made = prepare_lines(
        ["打开空调", "打开空调", "hello there", "用 python", "2024", ""], script=HAN, max_characters=100
    )
    assert made.kept == ["打开空调"]
    assert made.dropped == {
        "repeated": 1,
        "fewer than 2 letters": 4,
    }
    made = prepare_lines(["打开 the python application"], script=HAN, max_characters=100)
    assert made.dropped == {"mostly another script than CJK": 1}


def test_half_of_the_lines_are_as_transcripts_and_a_tenth_as_they_were() -> None:
    made = prepare_lines(lines(4000), script=HAN, max_characters=100)
    plain = ["," not in line and "?" not in line for line in made.kept]
    assert plain == made.spoken
    assert sum(made.spoken) / 4000 == pytest.approx(0.5, abs=0.03)
    with_digits = [any(each.isdigit() and each.isascii() for each in line) for line in made.kept]
    assert sum(with_digits) / 4000 == pytest.approx(0.1, abs=0.02)
    assert not any(digits and spoken for digits, spoken in zip(with_digits, made.spoken, strict=True))


def test_a_line_gives_the_same_wherever_it_stands_and_another_seed_others() -> None:
    whole = prepare_lines(lines(200), script=HAN, max_characters=100).kept
    assert prepare_lines(lines(200)[50:60], script=HAN, max_characters=100).kept == whole[50:60]
    assert prepare_lines(lines(200), script=HAN, max_characters=100, seed=1).kept != whole


def test_long_lines_are_cut_after_punctuation_and_lose_nothing() -> None:
    text = "一二三,四五六七。八九十"
    for length in (4, 5, 6, 8):
        made = prepare_lines([text], script=HAN, max_characters=length)
        assert max(map(len, made.kept)) <= length
        assert letters_of("".join(made.kept)) == letters_of(text)
    whole = "好" * 10
    assert [len(line) for line in prepare_lines([whole], script=HAN, max_characters=4).kept] == [4, 4, 2]


def test_widths_case_and_spaces_are_one() -> None:
    made = prepare_lines(["ＡＰＰ  打开 了 ，好"], script=HAN, max_characters=100)
    assert without_punctuation(made.kept[0]) == "app打开了好"


def test_other_scripts_keep_digits_and_spaces() -> None:
    made = prepare_lines(["В 2024 году, зима!"] * 1, script="CYRILLIC", max_characters=100)
    assert made.kept[0].replace(",", "").replace("!", "") == "в 2024 году зима"


def test_punctuation_goes_but_not_inside_words() -> None:
    assert without_punctuation("今天,很好!don't go.") == "今天很好don't go"
    assert without_punctuation("'so' it is - 4.5") == "so it is 4 5"
