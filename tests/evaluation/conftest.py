"""A prepared folder of sounds that are like speech to the metrics, and saved models that have learnt nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from cmkt.audio.write import write_audio
from cmkt.data.entry import Entry
from cmkt.data.pairs import Pair, write_pairs
from cmkt.data.preparation import prepare
from cmkt.inference.save import save_model
from cmkt.models.crn import CRN
from cmkt.recipes.espeak import espeak
from cmkt.signal.resample import resample

RATE = 16_000
SECONDS = {"long": 1.6, "other": 1.2, "short": 0.3}
TEXTS = {"long": "words long spoken", "other": "words other spoken", "short": "a short one"}
SMALL = {"channels": (4, 8), "hidden": 16}


def voice(seconds: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Harmonics of a gliding pitch in syllables of a quarter of a second, (T,)."""
    time = np.arange(round(seconds * RATE)) / RATE
    pitch = 120 + 30 * np.sin(2 * np.pi * 0.7 * time + rng.uniform(0, 6))
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    tone = sum(np.sin(order * phase + rng.uniform(0, 6)) / order for order in range(1, 25))
    syllables = np.clip(np.sin(2 * np.pi * 2 * time), 0.0, None)
    return np.asarray(0.1 * tone * syllables + 1e-4 * rng.standard_normal(len(time)), dtype=np.float32)


def write_corpus(folder: Path, *, seed: int = 0) -> dict[str, list[Entry]]:
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    speech = []
    for number, (name, seconds) in enumerate(SECONDS.items()):
        write_audio(folder / f"{name}.wav", voice(seconds, rng), RATE)
        custom: dict[str, object] = {"age": 30 + number, "corpus": "made"}
        speech.append(
            Entry(name, folder / f"{name}.wav", text=TEXTS[name], speaker="s", language="en", gender="f", custom=custom)
        )
    write_audio(folder / "hiss.wav", np.asarray(0.1 * rng.standard_normal(3 * RATE), dtype=np.float32), RATE)
    return {"speech": speech, "noise": [Entry("hiss", folder / "hiss.wav", custom={"class": "hiss"})]}


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prepared folder of three utterances; the shortest has no STOI."""
    folder = tmp_path_factory.mktemp("data")
    entries = write_corpus(folder / "audio")
    prepare({"speech": entries["speech"], "noise": entries["noise"]}, folder / "test", workers=1)
    return folder / "test"


def write_pair_files(folder: Path, *, rate: int = RATE, seed: int = 0) -> list[Pair]:
    """Two utterances at two SNRs and a third of unknown SNR, each beside its reference."""
    rng = np.random.default_rng(seed)
    (folder / "noisy").mkdir(parents=True)
    (folder / "clean").mkdir()
    pairs = []
    for name, snrs_db in (("one", (0.0, 10.0)), ("two", (0.0, 10.0)), ("three", (None,))):
        clean = resample(voice(1.2, rng), RATE, rate)
        write_audio(folder / "clean" / f"{name}.wav", clean, rate, subtype="FLOAT")
        for snr_db in snrs_db:
            gain = np.std(clean) * 10 ** (-(5.0 if snr_db is None else snr_db) / 20)
            noisy = clean + gain * rng.standard_normal(clean.size).astype(np.float32)
            path = folder / "noisy" / (f"{name}.wav" if snr_db is None else f"{name}_{snr_db:g}dB.wav")
            write_audio(path, noisy, rate, subtype="FLOAT")
            about = {"speaker": f"speaker of {name}", "language": "en", "noise_classes": ["hiss"], "rir_id": "hall"}
            pairs.append(Pair(name, path, folder / "clean" / f"{name}.wav", f"words of {name}", snr_db, about))
    return pairs


@pytest.fixture
def pair_list(tmp_path: Path) -> Path:
    """A pair list of five mixtures, whose files a test may change."""
    write_pairs(tmp_path / "set" / "list.jsonl", write_pair_files(tmp_path / "set"))
    return tmp_path / "set" / "list.jsonl"


def save_untrained(folder: Path, *, seed: int) -> Path:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return save_model(CRN(**SMALL), folder)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved model with fresh weights."""
    return save_untrained(tmp_path_factory.mktemp("runs") / "first", seed=0)


@pytest.fixture(scope="session")
def second_run(run: Path) -> Path:
    """Another one."""
    return save_untrained(run.parent / "second", seed=1)


SENTENCES = {
    "river": "the old man walked along the river",
    "apples": "she bought seven apples at the market",
    "calling": "we never found out who was calling",
    "morning": "they danced until the morning came",
    "letter": "please bring the letter to my office",
}


@pytest.fixture(scope="session")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prepared folder of synthetic speech with known words; one has an unknown word, one is German, one no text."""
    folder = tmp_path_factory.mktemp("spoken")
    rng = np.random.default_rng(0)
    speech = []
    for name, text in (SENTENCES | {"odd": "the xqzzy river", "foreign": "the river", "silent": None}).items():
        path = folder / f"{name}.wav"
        samples = espeak().synthesise(text or "good morning", voice="en-us+m3")
        write_audio(path, 0.5 * resample(samples, espeak().sample_rate, RATE), RATE)
        speech.append(Entry(name, path, text=text, speaker="s", language="de" if name == "foreign" else "en"))
    write_audio(folder / "hiss.wav", np.asarray(0.1 * rng.standard_normal(3 * RATE), dtype=np.float32), RATE)
    noise = [Entry("hiss", folder / "hiss.wav", custom={"class": "hiss"})]
    prepare({"speech": speech, "noise": noise}, folder / "test", workers=1)
    return folder / "test"
