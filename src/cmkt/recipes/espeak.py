"""eSpeak NG, a formant synthesiser, through ctypes: text in, 22.05 kHz speech out.

The library is one global machine per process, so this file keeps one of it, behind a lock. It arrives as a wheel
(`espeakng-loader`: the shared library and its data), which makes it the one synthesiser that pip alone installs.

Found when it was tried: a name that `espeak_SetVoiceByName` does not know leaves the voice of the call before in place,
and an unknown variant ("en-us+nobody") is dropped with EE_OK. So a voice counts as set only when
`espeak_GetCurrentVoice` names language and variant. And the library carries state (random numbers, phase) from one
utterance to the next: the same calls in the same order in a fresh process give the same samples, the same call twice
does not.
"""

from __future__ import annotations

import ctypes
import threading
from functools import cache
from pathlib import Path
from typing import final

import numpy as np
from numpy.typing import NDArray

from cmkt.errors import ConfigError, DataError, TextError
from cmkt.extras import import_extra

_SYNCHRONOUS = 2  # AUDIO_OUTPUT_SYNCHRONOUS: samples come to the callback, espeak_Synth returns when all have
_DO_NOT_EXIT = 0x8000  # espeakINITIALIZE_DONT_EXIT: an error code instead of exit(1) when the data are missing
_UTF8 = 1
_RATE, _PITCH, _RANGE = 1, 3, 4
_SLOWEST, _FASTEST = 80, 450  # words a minute, the library's documented limits

_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class _Voice(ctypes.Structure):
    """The head of espeak_VOICE; the rest is never read."""

    _fields_ = (("name", ctypes.c_char_p), ("languages", ctypes.c_char_p), ("identifier", ctypes.c_char_p))


@final
class Espeak:
    """The synthesiser of this process. Get it from `espeak()`; a second one would fight over the same global state."""

    def __init__(self, library: Path, data: Path) -> None:
        """library: the shared library; data: the folder `espeak-ng-data`. Raises DataError when they do not start."""
        try:
            self._library = ctypes.CDLL(str(library))
        except OSError as error:
            raise DataError(f"eSpeak NG must be loadable from {library}, but is not: {error}") from error
        self._library.espeak_GetCurrentVoice.restype = ctypes.POINTER(_Voice)
        self._data = data
        self._lock = threading.Lock()
        self._chunks: list[NDArray[np.int16]] = []
        self._callback = _Callback(self._receive)  # kept: the library holds only its address
        rate = int(self._library.espeak_Initialize(_SYNCHRONOUS, 0, str(data).encode(), _DO_NOT_EXIT))
        if rate <= 0:
            raise DataError(f"eSpeak NG must start with the data in {data}, but answers {rate} instead of a rate.")
        self._library.espeak_SetSynthCallback(self._callback)
        self.sample_rate = rate

    def variants(self) -> list[str]:
        """Names of the voice variants that came with the library, sorted."""
        return sorted(path.name for path in (self._data / "voices" / "!v").iterdir())

    def synthesise(
        self, text: str, *, voice: str, words_per_minute: int = 175, pitch: int = 50, pitch_range: int = 50
    ) -> NDArray[np.float32]:
        """Speech (T,) in [-1, 1) at `sample_rate`.

        voice: a language with an optional variant, such as "en-us+f1" or "cmn+m3"; words_per_minute: 80 to 450;
        pitch and pitch_range: 0 to 100.
        Raises ConfigError for an unknown voice or a value out of range, TextError when nothing was spoken.
        """
        if not _SLOWEST <= words_per_minute <= _FASTEST:
            raise ConfigError(f"`words_per_minute` must be in [{_SLOWEST}, {_FASTEST}], but is {words_per_minute}.")
        for name, value in (("pitch", pitch), ("pitch_range", pitch_range)):
            if not 0 <= value <= 100:
                raise ConfigError(f"`{name}` must be in [0, 100], but is {value}.")
        if not text.strip():
            raise TextError("`text` must have something to say, but is empty.")
        with self._lock:
            self._set_voice(voice)
            for parameter, value in ((_RATE, words_per_minute), (_PITCH, pitch), (_RANGE, pitch_range)):
                self._check(self._library.espeak_SetParameter(parameter, value, 0), f"set parameter {parameter}")
            return self._speak(text)

    def _speak(self, text: str) -> NDArray[np.float32]:
        self._chunks.clear()
        encoded = text.encode() + b"\0"
        arguments = (encoded, ctypes.c_size_t(len(encoded)), 0, 0, 0, _UTF8, None, None)
        self._check(self._library.espeak_Synth(*arguments), "synthesise")
        self._check(self._library.espeak_Synchronize(), "finish")
        if not self._chunks:
            raise TextError(f"eSpeak NG must say something for {text!r}, but gave no sample.")
        return (np.concatenate(self._chunks) / np.float32(32768)).astype(np.float32)

    def _receive(self, samples: ctypes._Pointer[ctypes.c_short], count: int, events: int | None) -> int:
        if samples and count > 0:
            self._chunks.append(np.ctypeslib.as_array(samples, shape=(count,)).copy())
        return 0

    def _set_voice(self, voice: str) -> None:
        code = self._library.espeak_SetVoiceByName(voice.encode())
        identifier = (self._library.espeak_GetCurrentVoice().contents.identifier or b"").decode()
        if code != 0 or identifier.rpartition("/")[2].casefold() != voice.casefold():
            raise ConfigError(
                f"`voice` must be one eSpeak NG knows, such as 'en-us+f1', but is {voice!r}: "
                f"it would speak as {identifier!r}. Variants: {', '.join(self.variants())}."
            )

    @staticmethod
    def _check(code: int, action: str) -> None:
        if code != 0:
            raise ConfigError(f"eSpeak NG must {action}, but answers error {code}.")


@cache
def espeak() -> Espeak:
    """The synthesiser of this process, started at the first call.

    Raises MissingExtraError without `espeakng-loader`.
    """
    espeakng_loader = import_extra("espeakng_loader", "demo")
    return Espeak(Path(espeakng_loader.get_library_path()), Path(espeakng_loader.get_data_path()))
