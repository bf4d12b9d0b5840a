"""What is wrong with the audio of a pair shows when it is read, by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cmkt.data.pair_audio import read_pair, unequal_lengths
from cmkt.data.pairs import Pair
from cmkt.errors import DataError
from tests.data.conftest import Wav, speech_like

SPEECH = speech_like(0.5, 0)


def test_samples_are_those_of_the_files(wav: Wav) -> None:
    pair = Pair("a", wav("noisy.wav", SPEECH, subtype="FLOAT"), wav("clean.wav", SPEECH / 2, subtype="FLOAT"))
    audio = read_pair(pair)
    assert audio.clean is not None
    assert (audio.noisy == SPEECH).all()
    assert (audio.clean == SPEECH / 2).all()
    assert audio.noisy.dtype == np.float32
    assert (audio.sample_rate, audio.trimmed_samples) == (16_000, 0)
    assert read_pair(Pair("a", pair.noisy)).clean is None


def test_both_come_at_the_rate_that_is_asked_for(wav: Wav) -> None:
    audio = read_pair(Pair("a", wav("noisy.wav", SPEECH), wav("clean.wav", SPEECH)), sample_rate=8_000)
    assert audio.clean is not None
    assert audio.noisy.shape == audio.clean.shape == (4000,)
    assert audio.sample_rate == 8_000


@pytest.mark.parametrize("longer", ["noisy", "clean"])
def test_lengths_that_differ_by_a_few_samples_are_trimmed_to_the_shorter(wav: Wav, longer: str) -> None:
    noisy, clean = (wav(f"{name}.wav", SPEECH[: 8000 if name == longer else 7841]) for name in ("noisy", "clean"))
    audio = read_pair(Pair("a", noisy, clean))
    assert audio.clean is not None
    assert audio.noisy.shape == audio.clean.shape == (7841,)
    assert audio.trimmed_samples == 159
    assert (audio.noisy == audio.clean).all()


def test_lengths_that_differ_by_a_lot_are_refused_with_the_difference(wav: Wav) -> None:
    pair = Pair("a", wav("noisy.wav", SPEECH), wav("clean.wav", SPEECH[:7200]))
    with pytest.raises(DataError, match=r"noisy\.wav and .*clean\.wav .* 8000 and 7200 samples, 50 ms apart"):
        read_pair(pair)


def test_lengths_that_differ_by_a_lot_are_known_from_headers(wav: Wav) -> None:
    whole, near, short = wav("a.wav", SPEECH), wav("b.wav", SPEECH[:7841]), wav("c.flac", SPEECH[:7200])
    pairs = [Pair("a", whole, whole), Pair("b", whole, near), Pair("c", whole, short), Pair("d", whole)]
    assert unequal_lengths(pairs) == [pairs[2]]


def test_audio_that_is_not_finite_is_refused_by_name_and_silence_is_not(wav: Wav) -> None:
    broken = SPEECH.copy()
    broken[10] = np.nan
    with pytest.raises(DataError, match=r"clean\.wav must be finite, but 1 of its 8000"):
        read_pair(Pair("a", wav("noisy.wav", SPEECH), wav("clean.wav", broken, subtype="FLOAT")))
    assert not read_pair(Pair("a", wav("silent.wav", np.zeros(8000)))).noisy.any()


def test_files_that_changed_since_they_were_listed_are_refused(tmp_path: Path, wav: Wav) -> None:
    noisy = wav("noisy.wav", SPEECH)
    with pytest.raises(DataError, match="one channel, but has 2"):
        read_pair(Pair("a", wav("stereo.wav", np.stack([SPEECH, SPEECH]))))
    with pytest.raises(DataError, match="16000 and 8000 Hz"):
        read_pair(Pair("a", noisy, wav("slow.wav", SPEECH, rate=8_000)))
    with pytest.raises(DataError, match=r"audio of a must be readable.*does not exist"):
        read_pair(Pair("a", tmp_path / "gone.wav"))
