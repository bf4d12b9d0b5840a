"""Every recogniser keeps the contract, and the contract notices each way to break it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from cmkt.evaluation.heard import RememberingTranscriber
from cmkt.testing.tiny_recognisers import save_tiny_ctc, save_tiny_whisper
from cmkt.testing.transcriber import (
    TRANSCRIBER_CHECKS,
    check_declarations,
    check_order,
    check_precision,
    check_rates,
    check_refusal,
    check_result,
    check_silence,
    check_transcriber,
)
from cmkt.text.audible import audible
from cmkt.text.pocketsphinx_transcriber import PocketsphinxTranscriber
from cmkt.text.transcriber import open_transcriber
from cmkt.types import Heard, Transcriber

if TYPE_CHECKING:
    from cmkt.types import FloatArray


class Loudness:
    """Keeps the contract; each test below breaks it in one way."""

    identity = "loudness 1"
    languages: frozenset[str] | None = frozenset({"en"})

    def transcribe(self, audio: FloatArray, *, sample_rate: int) -> Heard:
        heard = audible(audio, sample_rate=sample_rate, at=16_000)
        return Heard("") if heard is None else Heard(f"level {np.abs(heard).mean():.3f}", 0.5)


def remembering(folder: Path) -> Transcriber:
    return RememberingTranscriber(Loudness(), folder)


def tiny_ctc(folder: Path) -> Transcriber:
    return open_transcriber(f"transformers:{save_tiny_ctc(folder)}")


def tiny_whisper(folder: Path) -> Transcriber:
    return open_transcriber(f"transformers:{save_tiny_whisper(folder)}")


def faster_whisper(folder: Path) -> Transcriber:
    converters = pytest.importorskip(
        "ctranslate2.converters", reason="needs faster-whisper: pip install 'cmkt[whisper]'"
    )
    source, copied = save_tiny_whisper(folder / "torch"), ["tokenizer.json", "preprocessor_config.json"]
    converters.TransformersConverter(str(source), copy_files=copied).convert(str(folder / "converted"))
    return open_transcriber(f"faster-whisper:{folder / 'converted'}")


MAKERS: dict[str, Callable[[Path], Transcriber]] = {
    "pocketsphinx": lambda _: PocketsphinxTranscriber(),
    "ctc": tiny_ctc,
    "whisper": tiny_whisper,
    "faster_whisper": faster_whisper,
    "remembering": remembering,
}


@pytest.fixture(scope="module", params=MAKERS)
def transcriber(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Transcriber:
    return MAKERS[request.param](tmp_path_factory.mktemp("recogniser"))


@pytest.mark.parametrize("check", TRANSCRIBER_CHECKS, ids=lambda check: check.__name__)
def test_a_recogniser_keeps_the_contract(transcriber: Transcriber, check: Callable[[Transcriber], None]) -> None:
    check(transcriber)


def test_one_call_checks_everything() -> None:
    check_transcriber(Loudness())


def test_something_that_cannot_transcribe_is_noticed() -> None:
    with pytest.raises(AssertionError, match="must have `identity`"):
        check_declarations(object())  # type: ignore[arg-type]


@pytest.mark.parametrize("identity", ["", " ", 3])
def test_an_empty_identity_is_noticed(identity: object) -> None:
    broken = Loudness()
    broken.identity = identity  # type: ignore[assignment]
    with pytest.raises(AssertionError, match="`identity` must be a text"):
        check_declarations(broken)


def test_an_identity_that_changes_is_noticed() -> None:
    class Changing(Loudness):
        calls = 0

        @property
        def identity(self) -> str:  # type: ignore[override]
            self.calls += 1
            return str(self.calls)

    with pytest.raises(AssertionError, match="`identity` must stay"):
        check_declarations(Changing())


def test_languages_that_are_no_codes_are_noticed() -> None:
    broken = Loudness()
    broken.languages = "en"  # type: ignore[assignment]
    with pytest.raises(AssertionError, match="`languages`"):
        check_declarations(broken)


@pytest.mark.parametrize("heard", ["text", Heard(" text "), Heard("text", 1.5)])
def test_a_result_of_another_form_is_noticed(heard: Heard) -> None:
    class Broken(Loudness):
        def transcribe(self, audio: FloatArray, *, sample_rate: int) -> Heard:
            return heard

    with pytest.raises(AssertionError, match=r"Heard|stripped|confidence"):
        check_result(Broken())


def test_audio_that_is_changed_is_noticed() -> None:
    class Changing(Loudness):
        def transcribe(self, audio: FloatArray, *, sample_rate: int) -> Heard:
            audio *= 0.5
            return Heard("")

    with pytest.raises(AssertionError, match="was changed"):
        check_result(Changing())


def test_a_memory_of_what_was_heard_before_is_noticed() -> None:
    class Adapting(Loudness):
        peak = 0.0

        def transcribe(self, audio: FloatArray, *, sample_rate: int) -> Heard:
            self.peak = max(self.peak, float(np.abs(audio).max()))
            return Heard(f"{np.abs(audio).mean() / self.peak:.6f}")

    with pytest.raises(AssertionError, match="in any order"):
        check_order(Adapting())


def test_a_recogniser_of_one_precision_or_rate_is_noticed() -> None:
    class Narrow(Loudness):
        def transcribe(self, audio: FloatArray, *, sample_rate: int) -> Heard:
            return Heard(str(audio.dtype)) if sample_rate == 16_000 else None  # type: ignore[return-value]

    with pytest.raises(AssertionError, match="float32 must be heard as float64"):
        check_precision(Narrow())
    with pytest.raises(AssertionError, match="8000 Hz must be taken"):
        check_rates(Narrow())


def test_words_in_silence_and_audio_that_is_not_refused_are_noticed() -> None:
    class Hallucinating(Loudness):
        def transcribe(self, audio: FloatArray, *, sample_rate: int) -> Heard:
            return Heard("thanks for watching")

    with pytest.raises(AssertionError, match="no word must be heard in silence"):
        check_silence(Hallucinating())
    with pytest.raises(AssertionError, match="two dimensions must be refused"):
        check_refusal(Hallucinating())
