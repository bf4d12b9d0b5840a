from __future__ import annotations

import sys

import pytest

from cmkt.errors import ConfigError, MissingExtraError
from cmkt.text.pocketsphinx_transcriber import PocketsphinxTranscriber
from cmkt.text.transcriber import open_transcriber
from cmkt.types import Heard, Transcriber


class Parrot:
    """An outsider's recogniser."""

    identity = "parrot"
    languages = None

    def transcribe(self, audio: object, *, sample_rate: int) -> Heard:
        return Heard(f"squawk at {sample_rate} Hz")


def test_a_spelling_opens_a_recogniser() -> None:
    assert isinstance(open_transcriber("pocketsphinx"), PocketsphinxTranscriber)


def test_a_recogniser_of_ones_own_is_taken_as_it_is() -> None:
    parrot: Transcriber = Parrot()
    assert open_transcriber(parrot) is parrot


@pytest.mark.parametrize(
    "spelling", ["", "sphinx", "pocketsphinx:en", "faster-whisper", "faster-whisper:", "transformers", "whisper:tiny"]
)
def test_an_unknown_spelling_is_refused_with_those_that_are_known(spelling: str) -> None:
    with pytest.raises(
        ConfigError, match=rf"one of pocketsphinx, faster-whisper:NAME, transformers:NAME, .*'{spelling}'"
    ):
        open_transcriber(spelling)


def test_what_cannot_transcribe_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"`transcriber` must be a spelling or an object .* but is int"):
        open_transcriber(3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("spelling", "package", "extra"),
    [
        ("pocketsphinx", "pocketsphinx", "asr"),
        ("faster-whisper:tiny", "faster_whisper", "whisper"),
        ("transformers:tiny", "transformers", "train"),
    ],
)
def test_a_missing_extra_names_the_pip_command(
    spelling: str, package: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=rf"pip install 'cmkt\[{extra}\]'"):
        open_transcriber(spelling)
