from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cmkt.audio.read import read_audio
from cmkt.recipes.espeak import espeak
from cmkt.recipes.jsonl import read_list
from cmkt.signal.resample import resample
from cmkt.text.pocketsphinx_transcriber import PocketsphinxTranscriber
from cmkt.text.transcriber import open_transcriber
from cmkt.types import Heard, Transcriber

if TYPE_CHECKING:
    from cmkt.types import FloatArray

RATE = 16_000
SAID = "please call me tomorrow morning"


@pytest.fixture(scope="module")
def speech() -> FloatArray:
    return resample(espeak().synthesise(SAID, voice="en-us+f2"), espeak().sample_rate, RATE)


@pytest.fixture(scope="module")
def heard(speech: FloatArray) -> Heard:
    return open_transcriber("pocketsphinx").transcribe(speech, sample_rate=RATE)


def test_it_hears_what_an_easy_voice_says(heard: Heard) -> None:
    assert heard.text == SAID
    assert heard.confidence is not None
    assert 0.1 < heard.confidence <= 1


def test_level_plays_no_part(speech: FloatArray, heard: Heard) -> None:
    assert PocketsphinxTranscriber().transcribe(0.25 * speech, sample_rate=RATE).text == heard.text


def test_it_says_what_it_is() -> None:
    transcriber: Transcriber = PocketsphinxTranscriber()
    assert transcriber.identity.startswith("pocketsphinx 5")
    assert transcriber.languages == frozenset({"en"})


@pytest.mark.corpus
def test_the_order_of_real_utterances_changes_nothing(corpus: Path) -> None:
    listed = [each for each in read_list(corpus / "speech.test.jsonl", root=corpus) if each.text]
    shortest = sorted(listed, key=lambda each: each.duration or 0.0)[:2]
    clips = [(audio[0], rate) for audio, rate in (read_audio(each.path) for each in shortest)]
    transcriber = PocketsphinxTranscriber()
    forwards = [transcriber.transcribe(audio, sample_rate=rate) for audio, rate in clips]
    backwards = [transcriber.transcribe(audio, sample_rate=rate) for audio, rate in reversed(clips)]
    assert forwards == backwards[::-1]
    assert any(each.text for each in forwards)
