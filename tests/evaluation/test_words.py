from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cmkt.audio.read import read_audio
from cmkt.data.manifest import load_prepared
from cmkt.data.preparation import prepare
from cmkt.data.testset import TestMixtures
from cmkt.errors import ConfigError, DataError
from cmkt.evaluation.score import Metrics
from cmkt.evaluation.words import SentenceTest, words_identity
from cmkt.recipes.jsonl import read_list
from cmkt.text.pocketsphinx import PocketsphinxAligner

RATE = 16_000
TEXTS: dict[str, str | None] = {
    "river": "The old man walked along the river.",
    "again": "THE OLD MAN WALKED ALONG THE RIVER",
    "apples": "she bought seven apples at the market",
    "calling": "we never found out who was calling",
    "morning": "they danced until the morning came",
    "odd": "the xqzzy river",
    "silent": None,
    "dots": "...",
}
WORDS = ["old", "red", "big", "sad", "bad", "fat", "new", "low", "wet", "dry", "hot", "raw"]

Make = Callable[..., SentenceTest]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def made(transcripts: dict[str, str | None] = TEXTS, *, candidates: int = 2, seed: int = 0) -> SentenceTest:
        return SentenceTest(transcripts, candidates=candidates, seed=seed, cache_folder=tmp_path / "cache")

    return made


@pytest.fixture(scope="module")
def river(spoken: Path) -> np.ndarray:
    audio, _ = read_audio(spoken.parent / "river.wav")
    return np.asarray(audio[0])


def test_what_was_said_is_identified_and_something_else_is_not(make: Make, river: np.ndarray) -> None:
    sentences = make()
    right = sentences.measure("river", river, sample_rate=RATE)
    wrong = sentences.measure("apples", river, sample_rate=RATE)
    assert right.values["identified"] == 1.0
    assert right.values["word_margin"] > 10
    assert wrong.values["word_margin"] < 0.5 * right.values["word_margin"]
    assert right.missing == wrong.missing == {}


def test_noise_lowers_the_margin(make: Make, river: np.ndarray) -> None:
    sentences = make(candidates=3)
    noise = np.random.default_rng(0).standard_normal(len(river))
    margins = [
        sentences.measure("river", river + gain * noise, sample_rate=RATE).values["word_margin"]
        for gain in (0.0, 0.1, 1.0)
    ]
    assert margins == sorted(margins, reverse=True)
    assert margins[-1] < 0.3 * margins[0]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("odd", "words outside the dictionary: xqzzy"),
        ("silent", "no English transcript"),
        ("dots", "no English transcript"),
        ("absent", "no English transcript"),
    ],
)
def test_an_utterance_that_cannot_take_part_is_left_out_with_its_reason(
    make: Make, river: np.ndarray, name: str, reason: str
) -> None:
    sentences = make()
    measured = sentences.measure(name, river, sample_rate=RATE)
    assert measured == Metrics({}, {"identified": reason, "word_margin": reason})
    assert sentences.chance(name) is None


def test_the_same_words_never_compete_with_themselves(make: Make) -> None:
    true, others = make(candidates=10).sentences("river")
    assert true == "the old man walked along the river"
    assert len(others) == 3
    assert true not in others
    assert all("xqzzy" not in other for other in others)


def test_chance_follows_how_many_really_compete(make: Make) -> None:
    assert make(candidates=2).chance("river") == pytest.approx(1 / 3)
    assert make(candidates=10).chance("river") == pytest.approx(1 / 4)


def test_candidates_depend_on_seed_and_id_and_not_on_the_order_of_the_data(make: Make) -> None:
    many: dict[str, str | None] = {f"u{number}": f"the {word} man" for number, word in enumerate(WORDS)}
    chosen = make(many).sentences("u3")
    assert make(dict(reversed(many.items()))).sentences("u3") == chosen
    drawn = {tuple(make(many, seed=seed).sentences("u3")[1]) for seed in range(8)}
    assert len(drawn) > 2


def test_the_same_audio_is_never_aligned_twice(make: Make, river: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    first = make().measure("river", river, sample_rate=RATE)
    again = make()

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("aligned again")

    monkeypatch.setattr(PocketsphinxAligner, "best", refuse)
    assert again.measure("river", river, sample_rate=RATE) == first
    with pytest.raises(AssertionError, match="aligned again"):
        again.measure("river", river[::-1], sample_rate=RATE)
    with pytest.raises(AssertionError, match="aligned again"):
        make(candidates=1).measure("river", river, sample_rate=RATE)


def test_silence_is_not_identified_and_has_no_margin(make: Make) -> None:
    measured = make().measure("river", np.zeros(RATE), sample_rate=RATE)
    assert measured.values == {"identified": 0.0}
    assert "cannot be aligned" in measured.missing["word_margin"]


def test_data_without_two_usable_transcripts_are_refused() -> None:
    with pytest.raises(DataError, match=r"two different English transcripts or more.*have 1 of these among 3"):
        SentenceTest(
            {"a": "the river", "b": "THE RIVER", "c": "今天"}, candidates=2, seed=0, cache_folder=Path("nowhere")
        )


def test_the_identity_changes_with_the_candidates() -> None:
    assert words_identity(10) != words_identity(9)
    with pytest.raises(ConfigError, match="`candidates`"):
        words_identity(0)


@pytest.mark.corpus
def test_on_real_speech_identification_grows_with_snr(corpus: Path, tmp_path: Path) -> None:
    speech = [each for each in read_list(corpus / "speech.test.jsonl", root=corpus) if each.text][:60]
    noise = read_list(corpus / "noise.test.jsonl", root=corpus)[:20]
    prepare({"speech": speech, "noise": noise}, tmp_path / "data", workers=1)
    mixtures = TestMixtures(load_prepared(tmp_path / "data"), snrs_db=(-10.0, 20.0), sample_rate=RATE, limit=12)
    sentences = SentenceTest(
        {each.id: each.text for each in speech}, candidates=10, seed=0, cache_folder=tmp_path / "cache"
    )
    margins: dict[float, list[float]] = {-10.0: [], 20.0: []}
    for mixture in mixtures:
        measured = sentences.measure(mixture.id, mixture.noisy, sample_rate=RATE)
        if "word_margin" in measured.values:
            margins[mixture.snr_db].append(measured.values["word_margin"])
    assert len(margins[20.0]) >= 8
    assert np.mean(np.array(margins[20.0]) > 0) >= np.mean(np.array(margins[-10.0]) > 0) + 0.3
    assert np.mean(margins[20.0]) > np.mean(margins[-10.0]) + 20
