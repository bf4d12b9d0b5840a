from __future__ import annotations

import pytest

from cmkt.text.characters import CharacterTeacher, spoken_characters
from cmkt.text.teacher import resolve_teacher
from cmkt.types import Teacher


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("IT IS SO SAID THE CAT", "it is so said the cat"),
        ("“Don’t!”  SAID the Ｃａｔ, 3 times.", "don't said the cat 3 times"),
        ("rock-'n'-roll o'clock", "rock n roll o'clock"),
        ("Straße", "strasse"),
        ("打开，空调", "打开 空调"),
        (" ... ", ""),
        ("''", ""),
    ],
)
def test_only_what_is_spoken_is_left(text: str, spoken: str) -> None:
    assert spoken_characters(text) == spoken
    assert spoken_characters(spoken) == spoken


def test_composed_and_decomposed_letters_are_the_same() -> None:
    assert spoken_characters("caf\u00e9") == spoken_characters("cafe\u0301") == "caf\u00e9"


def test_vectors_are_one_hot_bytes() -> None:
    english, mandarin, silent = CharacterTeacher().embed(["Ab c", "空", "?!"])
    assert english.argmax(dim=1).tolist() == list(b"ab c")
    assert mandarin.argmax(dim=1).tolist() == list("空".encode())
    assert english.sum(dim=1).tolist() == [1.0] * 4
    assert silent.shape == (0, 256)


def test_it_is_a_teacher_with_a_name() -> None:
    teacher = resolve_teacher("characters")
    assert isinstance(teacher, CharacterTeacher)
    assert isinstance(teacher, Teacher)
