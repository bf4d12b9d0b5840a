import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cmkt.errors import ConfigError, DataError, TextError
from cmkt.recipes.espeak import Espeak, espeak

SENTENCE = "The new student borrowed the blue suitcase."


def test_speech_is_finite_audible_and_of_a_plausible_length() -> None:
    speech = espeak().synthesise(SENTENCE, voice="en-us+m1")
    assert speech.dtype == np.float32
    assert speech.ndim == 1
    assert np.isfinite(speech).all()
    assert 0.05 < np.abs(speech).max() <= 1.0
    assert 1.0 < speech.size / espeak().sample_rate < 4.0


def test_its_rate_is_22_05_khz() -> None:
    assert espeak().sample_rate == 22_050


def test_mandarin_reads_hanzi_as_one_syllable_each() -> None:
    short = espeak().synthesise("天气很好", voice="cmn+f2")
    long = espeak().synthesise("天气很好天气很好天气很好", voice="cmn+f2")
    assert 0.4 < short.size / espeak().sample_rate < 2.5
    assert 2.0 < long.size / short.size < 4.0


def test_more_words_a_minute_are_shorter() -> None:
    slow = espeak().synthesise(SENTENCE, voice="en-us+m1", words_per_minute=130)
    fast = espeak().synthesise(SENTENCE, voice="en-us+m1", words_per_minute=260)
    assert fast.size < 0.7 * slow.size


def test_a_female_variant_has_a_higher_pitch_than_a_male_one() -> None:
    assert _pitch_hz("en-us+f1") > 1.3 * _pitch_hz("en-us+m1")


@pytest.mark.parametrize("voice", ["nonsense", "xx+f1", "en-us+nobody", "", "en-us+"])
def test_an_unknown_voice_is_an_error_and_not_the_voice_before(voice: str) -> None:
    espeak().synthesise(SENTENCE, voice="en-us+m1")
    with pytest.raises(ConfigError, match="`voice` must be one eSpeak NG knows"):
        espeak().synthesise(SENTENCE, voice=voice)


@pytest.mark.parametrize("arguments", [{"words_per_minute": 20}, {"pitch": 101}, {"pitch_range": -1}])
def test_a_value_out_of_range_is_an_error(arguments: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match=f"`{next(iter(arguments))}` must be in"):
        espeak().synthesise(SENTENCE, voice="en-us+m1", **arguments)


def test_empty_text_is_an_error() -> None:
    with pytest.raises(TextError, match="empty"):
        espeak().synthesise("  ", voice="en-us+m1")


def test_a_library_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="must be loadable"):
        Espeak(tmp_path / "libespeak.so", tmp_path)


def test_there_is_one_synthesiser_in_a_process() -> None:
    assert espeak() is espeak()


def test_two_fresh_processes_give_the_same_samples() -> None:
    program = (
        "from cmkt.recipes.espeak import espeak\n"
        "for voice in ('en-us+f1', 'en-us+m3', 'en-us+f1'):\n"
        f"    print(hash(espeak().synthesise({SENTENCE!r}, voice=voice).tobytes()))\n"
    )
    command = [sys.executable, "-c", program]
    runs = [
        subprocess.run(command, env={"PYTHONHASHSEED": "0"}, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert runs[0] == runs[1]
    assert runs[0]


def _pitch_hz(voice: str) -> float:
    """From the highest peak of the autocorrelation between 60 and 400 Hz, averaged over loud windows."""
    rate = espeak().sample_rate
    speech = espeak().synthesise("Aaah, far away are calm palms.", voice=voice)
    windows = np.lib.stride_tricks.sliding_window_view(speech, 2048)[::1024]
    loud = windows[np.std(windows, axis=1) > np.std(speech)]
    spectrum = np.abs(np.fft.rfft(loud, 4096)) ** 2
    correlation = np.fft.irfft(spectrum)[:, : rate // 60]
    return float(np.median(rate / (rate // 400 + correlation[:, rate // 400 :].argmax(axis=1))))
