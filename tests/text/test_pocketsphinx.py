from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from cmkt.errors import ConfigError, MetricUndefinedError, MissingExtraError
from cmkt.extras import import_extra
from cmkt.recipes.espeak import espeak
from cmkt.signal.resample import resample
from cmkt.text.pocketsphinx import NATS, PocketsphinxAligner, sixteen_bits

if TYPE_CHECKING:
    from cmkt.types import FloatArray

RATE = 16_000
SAID = "the old man walked along the river"
OTHERS = [
    "she bought seven apples at the market",
    "we never found out who was calling",
    "they danced until morning came",
]


@pytest.fixture(scope="module")
def aligner() -> PocketsphinxAligner:
    return PocketsphinxAligner()


@pytest.fixture(scope="module")
def speech() -> FloatArray:
    return resample(espeak().synthesise(SAID, voice="en-us+m3"), espeak().sample_rate, RATE)


def likelihood(aligner: PocketsphinxAligner, audio: FloatArray, *sentences: str, rate: int = RATE) -> float:
    fit = aligner.best(audio, sample_rate=rate, sentences=sentences)
    assert fit is not None
    return fit.log_likelihood


def test_what_was_said_is_likelier_than_anything_else(aligner: PocketsphinxAligner, speech: FloatArray) -> None:
    said = likelihood(aligner, speech, SAID)
    assert all(said > likelihood(aligner, speech, other) + 100 for other in OTHERS)


def test_the_best_of_several_has_the_likelihood_that_it_has_alone(
    aligner: PocketsphinxAligner, speech: FloatArray
) -> None:
    alone = {sentence: likelihood(aligner, speech, sentence) for sentence in (*OTHERS, SAID)}
    for sentences in (OTHERS, [*OTHERS, SAID]):
        together = aligner.best(speech, sample_rate=RATE, sentences=sentences)
        assert together is not None
        assert together.sentence == max(sentences, key=alone.__getitem__)
        assert together.log_likelihood == pytest.approx(alone[together.sentence])


def test_it_is_the_likelihood_of_pocketsphinx_own_alignment(aligner: PocketsphinxAligner, speech: FloatArray) -> None:
    pocketsphinx = import_extra("pocketsphinx", "asr")
    wide = {"beam": 0.0, "wbeam": 0.0, "pbeam": 0.0, "lw": 1.0, "wip": 1.0, "pip": 1.0}
    decoder = pocketsphinx.Decoder(
        pocketsphinx.Config(lm=None, loglevel="FATAL", compallsen=True, bestpath=False, **wide)
    )
    for sentence in (SAID, *OTHERS):
        decoder.set_align_text(sentence)
        decoder.reinit_feat()
        decoder.start_utt()
        decoder.process_raw(sixteen_bits(speech, sample_rate=RATE).tobytes(), full_utt=True)
        decoder.end_utt()
        assert likelihood(aligner, speech, sentence) == pytest.approx(math.log(decoder.hyp().score) * NATS)


def test_what_was_heard_before_plays_no_part(aligner: PocketsphinxAligner, speech: FloatArray) -> None:
    first = likelihood(aligner, speech, SAID)
    noise = 0.3 * np.random.default_rng(0).standard_normal(2 * RATE)
    aligner.best(noise, sample_rate=RATE, sentences=OTHERS)
    assert likelihood(aligner, speech, SAID) == first
    assert likelihood(PocketsphinxAligner(), speech, SAID) == first


def test_level_and_rate_play_almost_no_part(aligner: PocketsphinxAligner, speech: FloatArray) -> None:
    said = likelihood(aligner, speech, SAID)
    assert likelihood(aligner, speech * 0.001, SAID) == pytest.approx(said, abs=1)
    assert likelihood(aligner, resample(speech, RATE, 48_000), SAID, rate=48_000) == pytest.approx(said, rel=0.05)


@pytest.mark.parametrize("audio", [np.zeros(RATE), np.zeros(0), np.full(800, 0.1)])
def test_silence_and_next_to_nothing_cannot_be_aligned(aligner: PocketsphinxAligner, audio: FloatArray) -> None:
    assert aligner.best(audio, sample_rate=RATE, sentences=[SAID]) is None


def test_more_words_than_fit_into_the_time_cannot_be_aligned(aligner: PocketsphinxAligner, speech: FloatArray) -> None:
    assert aligner.best(speech[: RATE // 4], sample_rate=RATE, sentences=[" ".join([SAID] * 10)]) is None


def test_unknown_words_are_told_and_refused(aligner: PocketsphinxAligner, speech: FloatArray) -> None:
    assert aligner.unknown(["the", "xqzzy", "man", "xqzzy", "12"]) == ["xqzzy", "12"]
    assert aligner.phones(["the", "man"]) == 5
    with pytest.raises(MetricUndefinedError, match="cannot align"):
        aligner.best(speech, sample_rate=RATE, sentences=["the xqzzy"])
    assert likelihood(aligner, speech, SAID) < 0


@pytest.mark.parametrize("sentences", [[], [""], [SAID, " "]])
def test_a_sentence_must_have_words(aligner: PocketsphinxAligner, sentences: list[str]) -> None:
    with pytest.raises(ConfigError, match="`sentences`"):
        aligner.best(np.ones(RATE), sample_rate=RATE, sentences=sentences)


def test_the_missing_extra_names_the_pip_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pocketsphinx", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'cmkt\[asr\]'"):
        PocketsphinxAligner()
