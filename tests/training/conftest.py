"""A corpus of a few seconds, a store for its transcripts, and a model small enough to train in a test."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cmkt.audio.write import write_audio
from cmkt.data.entry import Entry
from cmkt.data.manifest import make_cut, write_prepared
from cmkt.data.report import Report
from cmkt.data.validation import Checked, check_recording, check_speech
from cmkt.losses.mae import MAE
from cmkt.text.store_writer import StoreWriter
from cmkt.training.data import MixtureData
from cmkt.training.module import EnhancementModule

SAMPLE_RATE = 8000


class ToyEnhancer(nn.Module):
    """(B, T) -> (B, T), with dropout; `hidden` is (B, F, 6)."""

    sample_rate = SAMPLE_RATE

    def __init__(self) -> None:
        super().__init__()
        self.encode = nn.Conv1d(1, 6, 80, stride=80)
        self.hidden = nn.Sequential(nn.Linear(6, 6), nn.Tanh(), nn.Dropout(0.3))
        self.decode = nn.Linear(6, 80)

    def forward(self, noisy: Tensor) -> Tensor:
        padded = nn.functional.pad(noisy, (0, -noisy.shape[-1] % 80))
        gain = self.decode(self.hidden(self.encode(padded[:, None]).transpose(1, 2))).sigmoid()
        enhanced: Tensor = (padded * gain.flatten(1))[:, : noisy.shape[-1]]
        return enhanced


def write_cuts(folder: Path, audio: dict[str, np.ndarray], custom: dict[str, object], *, text: bool) -> list[object]:
    """Cuts of arrays, as a recipe makes them."""
    cuts: list[object] = []
    for name, samples in audio.items():
        path = folder / f"{name}.wav"
        write_audio(path, samples, SAMPLE_RATE)
        checked = check_recording(path) if "class" in custom else check_speech(path)
        assert isinstance(checked, Checked)
        entry = Entry(id=name, path=path, custom=custom)
        cuts.append(make_cut(entry, checked, text=f"words of {name}" if text else None))
    return cuts


def make_prepared(folder: Path, utterances: int, *, seed: int, text: bool = True) -> Path:
    """A prepared folder of modulated noise, 0.6 to 1.15 s each, with two noises."""
    rng = np.random.default_rng(seed)
    audio = folder.with_name(folder.name + "-audio")
    audio.mkdir(parents=True)
    speech = {}
    for index in range(utterances):
        time = np.arange(int(rng.choice((0.6, 0.62, 1.1, 1.15)) * SAMPLE_RATE)) / SAMPLE_RATE
        speech[f"{folder.name}{index:02d}"] = (
            0.2 * np.sin(2 * np.pi * rng.uniform(150, 400) * time) * (1 + np.sin(2 * np.pi * 4 * time))
        ).astype(np.float32)
    noise = {f"{folder.name}-n{i}": 0.1 * rng.standard_normal(2 * SAMPLE_RATE).astype(np.float32) for i in range(2)}
    write_prepared(
        folder,
        speech=write_cuts(audio, speech, {}, text=text),
        noise=write_cuts(audio, noise, {"class": "hiss"}, text=False),
        rir=[],
        report=Report(),
    )
    return folder


@pytest.fixture(scope="session")
def corpus_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `train` (18 utterances), `dev` (4) and `store`."""
    root = tmp_path_factory.mktemp("corpus")
    make_prepared(root / "train", 18, seed=1)
    make_prepared(root / "dev", 4, seed=2)
    rng = torch.Generator().manual_seed(3)
    with StoreWriter(root / "store", identity="toy", width=5) as store:
        for split, count in (("train", 18), ("dev", 4)):
            for index in range(count):
                store.put(f"words of {split}{index:02d}", torch.randn(3, 5, generator=rng))
    return root


@pytest.fixture
def data(corpus_folder: Path) -> MixtureData:
    """Data of a run, five batches an epoch or so."""
    return make_data(corpus_folder)


def make_data(folder: Path, *, seed: int = 0) -> MixtureData:
    """The data module of the small corpus."""
    return MixtureData(
        str(folder / "train"), str(folder / "dev"), sample_rate=SAMPLE_RATE, batch_seconds=4.0, seed=seed
    )


@pytest.fixture
def module() -> EnhancementModule:
    """The plain arm on the toy model."""
    torch.manual_seed(0)
    return EnhancementModule(ToyEnhancer(), MAE(window_samples=64, hop_samples=32), warmup_steps=2)


@pytest.fixture
def toy() -> type[ToyEnhancer]:
    """The class of the toy model."""
    return ToyEnhancer


@pytest.fixture(scope="session")
def other_prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three utterances that the store does not know."""
    return make_prepared(tmp_path_factory.mktemp("other") / "unheard", 3, seed=4)


@pytest.fixture(scope="session")
def wordless_prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Training and dev folders without a transcript."""
    root = tmp_path_factory.mktemp("wordless")
    return make_prepared(root / "train", 3, seed=5, text=False), make_prepared(root / "dev", 2, seed=6, text=False)
