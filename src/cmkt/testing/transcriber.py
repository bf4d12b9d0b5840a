"""The contract of every speech recogniser, ours or an outsider's: `check_transcriber(transcriber)`, or one check at a
time.

A check passes silently or raises AssertionError with what was promised and what happened. The recogniser may have any
weights: nothing is asked of the words. Shapes: T samples.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from cmkt.errors import AudioError
from cmkt.types import Heard, Transcriber

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SEED = 20250307
_RATE = 16_000


def check_declarations(transcriber: Transcriber) -> None:
    """It is a `Transcriber`; `identity` is one text that stays, `languages` lower-case codes or None."""
    _require(isinstance(transcriber, Transcriber), "it must have `identity`, `languages` and `transcribe`")
    identity: Any = transcriber.identity
    _require(isinstance(identity, str) and bool(identity.strip()), f"`identity` must be a text, but is {identity!r}")
    _require(transcriber.identity == identity, f"`identity` must stay, but became {transcriber.identity!r}")
    languages: Any = transcriber.languages
    codes = languages is None or (
        isinstance(languages, frozenset) and all(isinstance(each, str) and each.islower() for each in languages)
    )
    _require(codes, f"`languages` must be None or a frozenset of codes such as 'en', but is {languages!r}")


def check_result(transcriber: Transcriber) -> None:
    """It gives `Heard` with a text on one line and a confidence of 0 to 1, or None; the audio stays as it is."""
    audio = _syllables(1.0, seed=0)
    before = audio.copy()
    heard: Any = transcriber.transcribe(audio, sample_rate=_RATE)
    _require(isinstance(heard, Heard), f"`transcribe` must give Heard, but gave {heard!r}")
    _require(isinstance(heard.text, str) and heard.text == heard.text.strip(), f"text must be stripped: {heard.text!r}")
    confident = heard.confidence is None or 0.0 <= heard.confidence <= 1.0
    _require(confident, f"`confidence` must be None or from 0 to 1, but is {heard.confidence!r}")
    _require(np.array_equal(audio, before), "the audio must stay as it is, but was changed")


def check_order(transcriber: Transcriber) -> None:
    """What it heard before plays no part."""
    clips = [_syllables(seconds, seed=seed) for seed, seconds in enumerate((0.8, 1.3, 0.5))]
    forwards = [transcriber.transcribe(clip, sample_rate=_RATE) for clip in clips]
    backwards = [transcriber.transcribe(clip, sample_rate=_RATE) for clip in reversed(clips)][::-1]
    for number, (first, second) in enumerate(zip(forwards, backwards, strict=True)):
        _require(first == second, f"clip {number} must be heard as {first} in any order, but was {second}")


def check_precision(transcriber: Transcriber) -> None:
    """float32 and float64 audio are heard in the same way."""
    audio = _syllables(0.8, seed=1).astype(np.float32)
    single = transcriber.transcribe(audio, sample_rate=_RATE)
    double = transcriber.transcribe(audio.astype(np.float64), sample_rate=_RATE)
    _require(single.text == double.text, f"float32 must be heard as float64: {single.text!r}, {double.text!r}")


def check_rates(transcriber: Transcriber) -> None:
    """Audio of any rate is taken."""
    for rate in (8_000, 44_100, 48_000):
        heard = transcriber.transcribe(_syllables(0.5, seed=2, rate=rate), sample_rate=rate)
        _require(isinstance(heard, Heard), f"audio of {rate} Hz must be taken, but gave {heard!r}")


def check_silence(transcriber: Transcriber) -> None:
    """There are no words in digital silence, in no sample at all, or in a few milliseconds."""
    clips = {
        "silence": np.zeros(_RATE),
        "no sample": np.zeros(0),
        "one sample": np.full(1, 0.1),
        "5 ms": np.full(80, 0.1),
    }
    for name, clip in clips.items():
        text = transcriber.transcribe(clip, sample_rate=_RATE).text
        _require(text == "", f"no word must be heard in {name}, but {text!r} was")


def check_refusal(transcriber: Transcriber) -> None:
    """Two dimensions, NaN and integers are refused with AudioError."""
    clips = {
        "two dimensions": np.full((1, _RATE), 0.1),
        "NaN": np.where(np.arange(_RATE) == 7, np.nan, 0.1),
        "integers": np.ones(_RATE, dtype=np.int16),
    }
    for name, clip in clips.items():
        try:
            heard = transcriber.transcribe(clip, sample_rate=_RATE)
        except AudioError:
            continue
        _require(False, f"{name} must be refused with AudioError, but gave {heard!r}")


TRANSCRIBER_CHECKS: tuple[Callable[[Transcriber], None], ...] = (
    check_declarations,
    check_result,
    check_order,
    check_precision,
    check_rates,
    check_silence,
    check_refusal,
)
"""Every promise, in the order in which to read them."""


def check_transcriber(transcriber: Transcriber) -> None:
    """Every promise. A few seconds of audio are recognised a dozen times."""
    for check in TRANSCRIBER_CHECKS:
        check(transcriber)


def _syllables(seconds: float, *, seed: int, rate: int = _RATE) -> NDArray[np.float64]:
    """Noise (T,) that comes and goes four times a second."""
    time = np.arange(round(seconds * rate)) / rate
    noise = np.random.default_rng(_SEED + seed).standard_normal(time.size)
    return 0.1 * np.clip(np.sin(2 * np.pi * 4 * time), 0.0, None) * noise


def _require(promise: bool, message: str) -> None:
    if not promise:
        raise AssertionError(message)
