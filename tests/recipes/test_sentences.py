import numpy as np
import pytest

from cmkt.errors import ConfigError, DataError
from cmkt.recipes.sentences import Grammar, languages, sentences


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("held_out", [False, True])
def test_sentences_are_distinct_and_complete(language: str, held_out: bool) -> None:
    drawn = sentences(400, language=language, held_out=held_out, rng=np.random.default_rng(1))
    assert len(set(drawn)) == 400
    for text in drawn:
        assert "{" not in text
        assert text[-1] in ".?。"
        assert text[0] == text[0].upper()


@pytest.mark.parametrize("language", languages())
def test_no_sentence_is_both_held_out_and_not(language: str) -> None:
    rng = np.random.default_rng(2)
    shown = sentences(2000, language=language, held_out=False, rng=rng)
    hidden = sentences(500, language=language, held_out=True, rng=rng)
    assert not set(shown) & set(hidden)


@pytest.mark.parametrize("language", languages())
def test_the_same_generator_gives_the_same_sentences(language: str) -> None:
    first, second = (sentences(20, language=language, held_out=False, rng=np.random.default_rng(3)) for _ in range(2))
    assert first == second


def test_mandarin_sentences_are_hanzi_only() -> None:
    for text in sentences(200, language="zh", held_out=False, rng=np.random.default_rng(4)):
        assert all("一" <= letter <= "鿿" or letter in "，。" for letter in text)


def test_an_unknown_language_is_an_error() -> None:
    with pytest.raises(ConfigError, match="must be one of"):
        sentences(1, language="xx", held_out=False, rng=np.random.default_rng(0))


def test_more_sentences_than_the_grammar_gives_are_an_error() -> None:
    grammar = Grammar(templates=("{who} ran.",), phrases={"who": ("a dog", "a cat")})
    assert set(grammar.distinct(2, held_out=False, rng=np.random.default_rng(0))) == {"A dog ran.", "A cat ran."}
    with pytest.raises(DataError, match="about 2, but is 3"):
        grammar.distinct(3, held_out=False, rng=np.random.default_rng(0))
