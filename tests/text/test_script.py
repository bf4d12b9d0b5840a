from __future__ import annotations

import pytest

from cmkt.text.script import HAN, script_of, scripts


@pytest.mark.parametrize(
    ("character", "script"),
    [
        ("今", HAN),
        ("é", "LATIN"),
        ("ж", "CYRILLIC"),
        ("あ", "HIRAGANA"),
        ("अ", "DEVANAGARI"),
        ("7", None),
        ("。", None),
    ],
)
def test_a_letter_has_the_script_of_its_name(character: str, script: str | None) -> None:
    assert script_of(character) == script


def test_only_letters_are_counted() -> None:
    assert scripts(["用 app 打开。", "9"]) == {HAN: 3, "LATIN": 3}
