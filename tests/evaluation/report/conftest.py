"""An evaluation as `cmkt evaluate` leaves it: two systems on made speech, with audio, words, and a hostile id."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cmkt.audio.write import write_audio
from cmkt.evaluation.kept_audio import audio_path
from cmkt.evaluation.record import CLEAN, NOISY, Item, Score, ScoreWriter
from cmkt.evaluation.report.sources import Evaluation, read_evaluation
from cmkt.evaluation.report.test_sets import TestSet, find_test_sets

RATE = 16_000
SECONDS = 0.5
HOSTILE = "<script>alert('id')</script>"
UTTERANCES = (*(f"utterance{number:02d}" for number in range(13)), HOSTILE)
SNRS_DB = (-5.0, 5.0)
TEXT = "the old man walked along the river"
HEARD = {NOISY: "the cold man river", "plain": "the old man walked along a river", "transfer": TEXT, CLEAN: TEXT}
GAIN = {NOISY: 0.0, "plain": 0.05, "transfer": 0.1}


def score(utterance: int, snr_db: float, system: str) -> Score:
    """Better at a higher SNR, with more gain for earlier utterances: the first is helped most, the last least."""
    gain = GAIN.get(system, 0.0) * (1 - utterance / 5)
    base = 0.6 + 0.01 * snr_db + 0.005 * utterance
    own = Score(
        id=UTTERANCES[utterance],
        snr_db=snr_db,
        system=system,
        weights="" if system in (NOISY, CLEAN) else f"weights-{system}",
        data="data",
        seed=0,
        duration=SECONDS,
        noise_ids=("n",),
        noise_classes=("hiss" if utterance % 2 else "<b>hum</b>",),
        speaker=f"speaker{utterance}",
        language="en",
        gender="f" if utterance % 3 else "m",
        words="made",
        chance=0.1,
        text=TEXT,
        heard=HEARD[system],
        transcriber="made",
    )
    words = {"wer": 0.5 - gain, "identified": float(gain > 0 or snr_db > 0)}
    if system == CLEAN:
        return replace(own, metrics=words)
    return replace(own, metrics={"stoi": base + gain, "si_sdr": snr_db + 40 * gain, "lsd": 3 - gain, **words})


def write_evaluation(folder: Path, systems: tuple[str, ...], *, audio: bool = True) -> Path:
    """The scores, what describes them, and the audio of every second utterance and the hostile one."""
    rng = np.random.default_rng(0)
    with ScoreWriter(folder / "scores.jsonl") as writer:
        for utterance in range(len(UTTERANCES)):
            for snr_db in SNRS_DB:
                for system in (NOISY, *systems, CLEAN):
                    writer.write(score(utterance, snr_db, system))
                    if audio and (utterance % 2 == 0 or UTTERANCES[utterance] == HOSTILE):
                        path = audio_path(folder, Item(UTTERANCES[utterance], snr_db), system)
                        path.parent.mkdir(exist_ok=True)
                        write_audio(path, 0.1 * rng.standard_normal(round(SECONDS * RATE)), RATE, subtype="PCM_16")
    described = {
        "test_set": {"kind": "pairs", "path": str(folder / "list.jsonl"), "title": "`made` pairs", "seed": 0},
        "systems": {name: {"kind": "model", "source": str(folder / name)} for name in systems},
        "versions": {"cmkt": "0.1.0", "python": "3.11"},
    }
    (folder / "evaluation.json").write_text(json.dumps(described))
    return folder


@pytest.fixture(scope="session")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder."""
    return write_evaluation(tmp_path_factory.mktemp("made") / "evaluation", ("plain", "transfer"))


@pytest.fixture
def evaluation(evaluated: Path) -> Evaluation:
    """The evaluation in it."""
    return read_evaluation(evaluated)


@pytest.fixture
def made(evaluation: Evaluation) -> TestSet:
    """Its test set."""
    (test_set,) = find_test_sets([evaluation])
    return test_set


LOG = (
    "step,train/enhancement,dev/enhancement,dev/si_sdr_improvement,train/steps_per_second\n"
    "9,0.5,,,2.0\n9,,0.6,1.5,\n19,0.4,,,4.0\n19,,0.55,2.5,\n29,nan,,,4.0\n"
)


@pytest.fixture
def crashed(tmp_path: Path) -> Path:
    """What is left of a run that crashed: its configuration, and a log that ends within a row."""
    folder = tmp_path / "crashed"
    (folder / "logs").mkdir(parents=True)
    (folder / "logs" / "metrics.csv").write_text(LOG + "39,0.")
    (folder / "config.yaml").write_text("seed_everything: 1\nmodel:\n  transfer: null\n")
    return folder


@pytest.fixture
def silent(evaluated: Path, tmp_path: Path) -> Path:
    """The same evaluation without audio."""
    folder = tmp_path / "silent"
    shutil.copytree(evaluated, folder, ignore=shutil.ignore_patterns("audio"))
    return folder
