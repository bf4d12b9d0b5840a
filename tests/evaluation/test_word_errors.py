from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from cmkt.errors import ConfigError, MetricUndefinedError
from cmkt.evaluation.record import Score
from cmkt.evaluation.score import Metrics
from cmkt.evaluation.word_errors import (
    SpokenErrors,
    WordErrorTest,
    corpus_rates,
    knows,
    spoken_errors,
    word_errors_identity,
)
from cmkt.metrics.word_errors import ErrorCounts
from cmkt.recipes.espeak import espeak
from cmkt.signal.resample import resample
from cmkt.types import Heard

if TYPE_CHECKING:
    from cmkt.types import FloatArray

RATE = 16_000
AUDIO = np.ones(RATE)


class Saying:
    """A recogniser that always hears the same."""

    def __init__(self, text: str, languages: frozenset[str] | None = frozenset({"en"})) -> None:
        self.identity = f"says {text}"
        self.languages = languages
        self._text = text

    def transcribe(self, audio: FloatArray, *, sample_rate: int) -> Heard:
        return Heard(self._text)


def make(heard: str, text: str | None, language: str | None = None) -> WordErrorTest:
    return WordErrorTest({"u": text}, languages={"u": language}, transcriber=Saying(heard))


def score(system: str, text: str | None, heard: str | None) -> Score:
    return Score(id="u", snr_db=0.0, system=system, weights="", data="d", seed=0, duration=1.0, text=text, heard=heard)


@pytest.mark.parametrize(
    ("text", "heard", "values"),
    [
        ("THE OLD MAN", "the old man.", {"wer": 0.0, "cer": 0.0, "wil": 0.0}),
        ("The old man!", "The cold man", {"wer": 1 / 3, "cer": 1 / 11, "wil": 1 - 4 / 9}),
        ("the old man", "", {"wer": 1.0, "cer": 1.0, "wil": 1.0}),
        ("well-known", "well known", {"wer": 0.0, "cer": 0.0, "wil": 0.0}),
        ("今天很慢", "今年 很慢", {"wer": 1 / 4, "cer": 1 / 4, "wil": 1 - 9 / 16}),
        ("a", "a b c d", {"wer": 3.0, "cer": 6.0, "wil": 1 - 1 / 4}),
    ],
)
def test_what_was_heard_is_scored_without_case_and_punctuation(text: str, heard: str, values: dict[str, float]) -> None:
    measured, told = make(heard, text).measure("u", AUDIO, sample_rate=RATE)
    assert measured.values == pytest.approx(values)
    assert measured.missing == {}
    assert told == heard


@pytest.mark.parametrize("text", [None, "", "..."])
def test_without_a_transcript_there_is_no_rate_but_what_was_heard_is_told(text: str | None) -> None:
    measured, told = make("the old man", text).measure("u", AUDIO, sample_rate=RATE)
    assert measured == Metrics({}, dict.fromkeys(("wer", "cer", "wil"), "no transcript"))
    assert told == "the old man"
    assert make("x", "y").measure("absent", AUDIO, sample_rate=RATE)[0].missing["wer"] == "no transcript"


def test_a_language_that_the_recogniser_does_not_know_is_not_given_to_it() -> None:
    measured, told = make("the old man", "今天很慢", "zh-CN").measure("u", AUDIO, sample_rate=RATE)
    assert measured.values == {}
    assert set(measured.missing.values()) == {"a language that the recogniser does not know: zh-CN"}
    assert told is None
    assert make("the old man", "the old man", "en-GB").measure("u", AUDIO, sample_rate=RATE)[0].values["wer"] == 0.0


@pytest.mark.parametrize(
    ("languages", "language", "expected"),
    [
        (frozenset({"en"}), "EN_us", True),
        (frozenset({"en"}), "de", False),
        (frozenset({"en"}), "eng", False),
        (frozenset({"en"}), None, True),
        (None, "de", True),
    ],
)
def test_a_language_is_known_by_its_code(
    languages: frozenset[str] | None, language: str | None, expected: bool
) -> None:
    assert knows(Saying("", languages), language) == expected


def test_corpus_rates_are_sums_of_errors_by_sums_of_words_for_each_system() -> None:
    scores = [
        score("noisy", "one two three four", "one two"),
        score("noisy", "five", "six"),
        score("clean", "five", "five"),
        score("noisy", None, "heard without a transcript"),
        score("noisy", "...", "heard"),
        score("noisy", "not heard by anyone", None),
    ]
    rates = corpus_rates(scores)
    assert list(rates) == ["noisy", "clean"]
    assert rates["noisy"].words == ErrorCounts(equal=2, substituted=1, deleted=2)
    assert rates["noisy"].utterances == 2
    assert rates["noisy"].rates["wer"] == pytest.approx(3 / 5)
    assert rates["clean"].rates == {"wer": 0.0, "cer": 0.0, "wil": 0.0}


def test_no_utterances_have_no_rates() -> None:
    assert corpus_rates([]) == {}
    assert SpokenErrors().rates == {}
    with pytest.raises(MetricUndefinedError, match="no transcript"):
        spoken_errors(text="", heard="something")


def test_pocketsphinx_hears_clean_speech_better_than_noise(tmp_path: Path) -> None:
    said = "please call me tomorrow morning"
    speech = resample(espeak().synthesise(said, voice="en-us+f2"), espeak().sample_rate, RATE)
    noise = 0.3 * np.random.default_rng(0).standard_normal(len(speech))
    test = WordErrorTest({"call": said}, transcriber="pocketsphinx", cache_folder=tmp_path)
    clean, heard = test.measure("call", speech, sample_rate=RATE)
    noisy, _ = test.measure("call", speech + noise, sample_rate=RATE)
    assert (clean.values, heard) == ({"wer": 0.0, "cer": 0.0, "wil": 0.0}, said)
    assert noisy.values["wer"] > 0.5
    assert len(list(tmp_path.rglob("*.json"))) == 2


def test_the_identity_is_known_without_a_test() -> None:
    assert word_errors_identity("pocketsphinx") == WordErrorTest({}, transcriber="pocketsphinx").identity
    with pytest.raises(ConfigError, match="`transcriber`"):
        word_errors_identity("sphinx")
