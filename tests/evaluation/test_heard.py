from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from cmkt.errors import AudioError
from cmkt.evaluation.heard import RememberingTranscriber
from cmkt.signal.mono import check_mono
from cmkt.types import Heard, Transcriber

if TYPE_CHECKING:
    from cmkt.types import FloatArray

RATE = 16_000


class Counting:
    """Hears how often it was asked."""

    languages = frozenset({"en"})

    def __init__(self, identity: str = "counting", confidence: float | None = 0.5) -> None:
        self.identity = identity
        self.asked = 0
        self._confidence = confidence

    def transcribe(self, audio: FloatArray, *, sample_rate: int) -> Heard:
        check_mono(audio, "audio")
        self.asked += 1
        return Heard(f"asked {self.asked}", self._confidence)


@pytest.mark.parametrize("confidence", [0.5, None])
def test_the_same_audio_is_recognised_once_also_by_another_process(tmp_path: Path, confidence: float | None) -> None:
    audio = np.ones(RATE)
    counting = Counting(confidence=confidence)
    first = RememberingTranscriber(counting, tmp_path).transcribe(audio, sample_rate=RATE)
    again = RememberingTranscriber(counting, tmp_path).transcribe(audio.astype(np.float32), sample_rate=RATE)
    assert first == again == Heard("asked 1", confidence)


def test_other_audio_another_rate_and_another_recogniser_are_recognised_anew(tmp_path: Path) -> None:
    audio = np.ones(RATE)
    counting = Counting()
    remembering = RememberingTranscriber(counting, tmp_path)
    heard = [
        remembering.transcribe(audio, sample_rate=RATE),
        remembering.transcribe(0.5 * audio, sample_rate=RATE),
        remembering.transcribe(audio, sample_rate=8_000),
        remembering.transcribe(audio[:-1], sample_rate=RATE),
    ]
    assert [each.text for each in heard] == ["asked 1", "asked 2", "asked 3", "asked 4"]
    other = RememberingTranscriber(Counting("other"), tmp_path)
    assert other.transcribe(0.5 * audio, sample_rate=RATE).text == "asked 1"


def test_without_a_folder_nothing_is_kept() -> None:
    remembering = RememberingTranscriber(Counting(), None)
    heard = [remembering.transcribe(np.ones(RATE), sample_rate=RATE).text for _ in range(2)]
    assert heard == ["asked 1", "asked 2"]


@pytest.mark.parametrize("content", ["{}", "[]", "nonsense", '{"text": 3, "confidence": null}', '{"text": "a"}'])
def test_what_is_not_ours_is_recognised_again(tmp_path: Path, content: str) -> None:
    RememberingTranscriber(Counting(), tmp_path).transcribe(np.ones(RATE), sample_rate=RATE)
    for path in tmp_path.rglob("*.json"):
        path.write_text(content)
    counting = Counting()
    assert RememberingTranscriber(counting, tmp_path).transcribe(np.ones(RATE), sample_rate=RATE) == Heard(
        "asked 1", 0.5
    )


def test_audio_that_is_refused_is_not_kept(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="`audio` must be finite"):
        RememberingTranscriber(Counting(), tmp_path).transcribe(np.full(RATE, np.nan), sample_rate=RATE)
    assert list(tmp_path.rglob("*.json")) == []


def test_it_is_a_transcriber_with_the_identity_and_languages_of_the_other() -> None:
    remembering: Transcriber = RememberingTranscriber(Counting(), None)
    assert (remembering.identity, remembering.languages) == ("counting", frozenset({"en"}))
