"""Small recordings and prepared folders that the tests of this part share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from cmkt.data.entry import Entry, Kind
from cmkt.data.manifest import Prepared, load_prepared
from cmkt.data.preparation import prepare

RATE = 16_000
Wav = Callable[..., Path]


def speech_like(seconds: float, seed: int, *, rate: int = RATE) -> NDArray[np.float32]:
    """Noise in syllables: four bursts a second, with silence between them."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    envelope = np.clip(np.sin(2 * np.pi * 4 * time), 0.0, None)
    return (0.2 * envelope * rng.standard_normal(time.size)).astype(np.float32)


@pytest.fixture
def wav(tmp_path: Path) -> Wav:
    """Writes (T,) or (C, T) audio under a name and gives the path."""

    def write(name: str, audio: NDArray[np.floating], *, rate: int = RATE, subtype: str = "PCM_16") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, np.asarray(audio).T, rate, subtype=subtype)
        return path

    return write


@pytest.fixture
def entries(wav: Wav) -> dict[Kind, list[Entry]]:
    """Six utterances (two without text), five noises of two classes (one of short events), one room."""
    speech = [
        Entry(
            id=f"u{number}",
            path=wav(f"speech/u{number}.wav", speech_like(1.0 + 0.5 * number, number)),
            text=None if number in (2, 5) else f"SENTENCE {number}",
            speaker=f"s{number % 2}",
            language="en",
            custom={"corpus": "toy"},
        )
        for number in range(6)
    ]
    rng = np.random.default_rng(9)
    hiss = [
        Entry(
            id=f"hiss{n}",
            path=wav(f"noise/hiss{n}.wav", 0.1 * rng.standard_normal(RATE * (2 + 4 * n))),
            custom={"class": "hiss"},
        )
        for n in range(2)
    ]
    knocks = [
        Entry(
            id=f"knock{n}",
            path=wav(f"noise/knock{n}.wav", 0.3 * rng.standard_normal(4000 + 1000 * n)),
            custom={"class": "knock"},
        )
        for n in range(3)
    ]
    room = np.zeros(3200)
    room[100], room[1500], room[2400] = 0.5, 0.2, 0.1
    return {"speech": speech, "noise": hiss + knocks, "rir": [Entry(id="room", path=wav("rir/room.wav", room))]}


@pytest.fixture
def prepared(entries: dict[Kind, list[Entry]], tmp_path: Path) -> Prepared:
    """The same as a prepared folder."""
    prepare(entries, tmp_path / "prepared", workers=1)
    return load_prepared(tmp_path / "prepared")
