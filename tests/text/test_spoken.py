from __future__ import annotations

import pytest

from cmkt.text.spoken import GAP, spoken_letters, spoken_units, spoken_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("THEY MUST HAVE DONE IT", "they must have done it"),
        ("Don't go - it’s well-known.", "don't go it's well known"),
        ("'Quoted' dogs' 'tis", "quoted dogs tis"),
        ("12 o'clock", "12 o'clock"),
        ("a_b", "a b"),
        ("  ", ""),
        ("...", ""),
        ("今天", "今天"),
        ("क्या हाल है?", "क्या हाल है"),
    ],
)
def test_words_are_lower_case_without_punctuation(text: str, words: str) -> None:
    assert " ".join(spoken_words(text)) == words


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("THE OLD MAN", "the old man"),
        ("今天天气很好。", "今 天 天 气 很 好"),
        ("今天 GitHub很慢", "今 天 github 很 慢"),
        ("カメラを買う", "カ メ ラ を 買 う"),
        ("안녕 하세요", "안녕 하세요"),
        ("", ""),
    ],
)
def test_units_are_words_and_single_characters_of_scripts_without_spaces(text: str, units: str) -> None:
    assert " ".join(spoken_units(text)) == units


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("THE old man.", f"the{GAP}old{GAP}man"),
        ("今 天 天气", "今天天气"),
        ("用 GitHub Actions 吧", f"用github{GAP}actions吧"),
        ("  ", ""),
    ],
)
def test_letters_have_a_gap_between_words_but_none_beside_scripts_without_spaces(text: str, letters: str) -> None:
    assert "".join(spoken_letters(text)) == letters


def test_no_word_has_the_character_of_the_gap() -> None:
    assert spoken_words(f"a{GAP}b") == ("a", "b")
