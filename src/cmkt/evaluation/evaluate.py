"""Scores of systems on the mixtures of a test set, in parallel and resumable.

A task is one system on one mixture. A worker makes the mixture again from (seed, SNR, utterance id), so nothing but
names and numbers crosses between processes and memory holds one utterance a worker. Mixing costs little beside scoring.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, final

import numpy as np
from tqdm import tqdm

from cmkt.audio.write import write_audio
from cmkt.data.manifest import load_prepared
from cmkt.data.testset import TestMixture, TestMixtures
from cmkt.errors import ConfigError, DataError
from cmkt.evaluation.identity import NOISY_SYSTEM, System, data_fingerprint, model_fingerprint, system_names
from cmkt.evaluation.pool import Failure, run_tasks
from cmkt.evaluation.record import NOISY, Item, Score, ScoreWriter, load_scores
from cmkt.evaluation.score import check_installed, measure
from cmkt.inference.load import load
from cmkt.metrics.registry import METRICS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cmkt.inference.enhancer import TorchEnhancer
    from cmkt.types import FloatArray

SCORES = "scores.jsonl"
AUDIO = "audio"
DESCRIBED = ("speaker", "language", "gender", "age", "corpus")


@final
@dataclass(frozen=True, slots=True)
class Settings:
    """What to evaluate on: a prepared folder, the SNRs in dB, the seed of the mixtures and their rate in Hz.

    `limit` takes that many utterances, chosen by the hash of their ids, so that a smaller set is part of a larger one.
    `output` is the folder of results; `save_audio` utterances, spread over the set, leave their audio there.
    `allow_foreign` as in `cmkt.load`.
    """

    data: Path
    output: Path
    snrs_db: tuple[float, ...] = (-5.0, 0.0, 5.0, 10.0)
    seed: int = 0
    sample_rate: int = 16_000
    limit: int | None = None
    save_audio: int = 0
    device: str = "cpu"
    allow_foreign: bool = False

    def __post_init__(self) -> None:
        if not self.snrs_db or len(set(self.snrs_db)) != len(self.snrs_db) or not np.isfinite(self.snrs_db).all():
            raise ConfigError(f"`snr` must name at least one SNR, finite and each once, but is {self.snrs_db}.")
        if self.limit is not None and self.limit < 1:
            raise ConfigError(f"`limit` must be 1 or more utterances, but is {self.limit}.")
        if self.save_audio < 0:
            raise ConfigError(f"`save_audio` must be 0 or more utterances, but is {self.save_audio}.")

    @property
    def scores_path(self) -> Path:
        """The file of scores, one JSON line each."""
        return self.output / SCORES


@final
@dataclass(frozen=True, slots=True)
class Task:
    """One system on the mixture at `index` of the test set."""

    index: int
    item: Item
    system: System


def find_systems(sources: Sequence[str], *, device: str = "cpu", allow_foreign: bool = False) -> list[System]:
    """Noisy and each model, loaded once to see that it works and to take its fingerprint.

    Raises: CheckpointError or ConfigError where a model cannot be loaded or two cannot be told apart.
    """
    systems = [NOISY_SYSTEM]
    for source, name in zip(sources, system_names(sources), strict=True):
        model = load(source, device=device, allow_foreign=allow_foreign).model
        systems.append(System(name, source, model_fingerprint(model)))
    return systems


def evaluate(settings: Settings, systems: Sequence[System], *, jobs: int = 1, progress: bool = True) -> list[Score]:
    """The score of each system on each mixture, in the order of the test set; those already in the file are read.

    Raises: DataError where the data cannot be used; ConfigError where a setting cannot work. A mixture or system that
    fails gives a score with `error` set.
    """
    check_installed(METRICS)
    data = f"{data_fingerprint(settings.data)}-{settings.sample_rate}"
    tasks = [
        Task(index, item, system) for index, item in enumerate(_open_test_set(settings).items) for system in systems
    ]
    known = _reusable(settings, data)
    pending = [task for task in tasks if _key(task) not in known or _lacks_audio(settings, task)]
    outcomes = run_tasks(partial(_work, settings, data), pending, jobs=min(jobs, len(pending)), prepare=_use_one_thread)
    try:
        with ScoreWriter(settings.scores_path) as writer:
            bar = tqdm(total=len(tasks), initial=len(tasks) - len(pending), disable=not progress, unit="score")
            with bar:
                for outcome in outcomes:
                    score = outcome.result
                    if isinstance(score, Failure):
                        score = _failed(outcome.task, settings, data, score.reason)
                    writer.write(score)
                    known[_key(outcome.task)] = score
                    bar.update()
    finally:
        outcomes.close()
        _open_test_set.cache_clear()
        _open_enhancer.cache_clear()
        _mixture.cache_clear()
    return [known[_key(task)] for task in tasks]


def _key(task: Task) -> tuple[str, str, Item]:
    return task.system.name, task.system.weights, task.item


def _reusable(settings: Settings, data: str) -> dict[tuple[str, str, Item], Score]:
    """The scores in the file that were computed on the same mixtures, without failures."""
    if not settings.scores_path.exists():
        return {}
    return {
        (score.system, score.weights, score.item): score
        for score in load_scores(settings.scores_path)
        if score.data == data and score.seed == settings.seed and score.error is None
    }


def _work(settings: Settings, data: str, task: Task) -> Score:
    """Runs in a worker."""
    mixture, rate = _mixture(settings, task.index), settings.sample_rate
    estimate: FloatArray = mixture.noisy
    if task.system.source is not None:
        enhancer = _open_enhancer(task.system.source, settings.device, allow_foreign=settings.allow_foreign)
        estimate = enhancer.enhance(mixture.noisy, sample_rate=rate)
    if task.index in _open_test_set(settings).kept:
        _save_audio(settings, task, estimate=estimate, clean=mixture.clean)
    measured = measure(estimate=estimate, reference=mixture.clean, sample_rate=rate, metrics=METRICS)
    about = mixture.metadata
    return Score(
        id=mixture.id,
        snr_db=mixture.snr_db,
        system=task.system.name,
        weights=task.system.weights,
        data=data,
        seed=settings.seed,
        duration=round(len(mixture.noisy) / rate, 3),
        noise_ids=_strings(about.get("noise_ids")),
        noise_classes=_strings(about.get("noise_classes")),
        **{name: None if about.get(name) is None else str(about[name]) for name in DESCRIBED},
        metrics=measured.values,
        missing=measured.missing,
    )


def _failed(task: Task, settings: Settings, data: str, reason: str) -> Score:
    return Score(
        id=task.item.id,
        snr_db=task.item.snr_db,
        system=task.system.name,
        weights=task.system.weights,
        data=data,
        seed=settings.seed,
        duration=0.0,
        missing=dict.fromkeys(METRICS, f"failed: {reason}"),
        error=reason,
    )


def _strings(values: object) -> tuple[str, ...]:
    return tuple(str(value) for value in values) if isinstance(values, (list, tuple)) else ()


@final
@dataclass(frozen=True, slots=True)
class TestSet:
    """The mixtures that are evaluated, the identity of each, and the indices of those that keep their audio."""

    __test__ = False

    mixtures: TestMixtures
    items: tuple[Item, ...]
    kept: frozenset[int]


@lru_cache(maxsize=1)
def _open_test_set(settings: Settings) -> TestSet:
    snrs_db = settings.snrs_db
    mixtures = TestMixtures(
        load_prepared(settings.data),
        snrs_db=snrs_db,
        sample_rate=settings.sample_rate,
        seed=settings.seed,
        limit=settings.limit,
    )
    ids = mixtures.ids
    if repeated := [name for name, count in Counter(ids).items() if count > 1]:
        raise DataError(f"Each utterance of {settings.data} must have its own id, but these repeat: {repeated[:5]}.")
    listened = spread(len(ids), settings.save_audio)
    kept = frozenset(row * len(snrs_db) + place for row in listened for place in range(len(snrs_db)))
    return TestSet(mixtures, tuple(Item(name, snr_db) for name in ids for snr_db in snrs_db), kept)


def spread(count: int, wanted: int) -> list[int]:
    """`wanted` indices below `count`, or all of them, spread evenly with the first one included."""
    wanted = min(wanted, count)
    return [place * count // wanted for place in range(wanted)]


@lru_cache(maxsize=1)
def _mixture(settings: Settings, index: int) -> TestMixture:
    return _open_test_set(settings).mixtures[index]


@lru_cache(maxsize=16)
def _open_enhancer(source: str, device: str, *, allow_foreign: bool) -> TorchEnhancer:
    return load(source, device=device, allow_foreign=allow_foreign)


def _use_one_thread() -> None:
    """In a worker: the processes are the parallelism, and threads would fight over the cores."""
    import torch

    torch.set_num_threads(1)


def audio_path(output: Path, item: Item, system: str) -> Path:
    """Where the audio of a system, or "clean", on a mixture is kept."""
    safe = [re.sub(r"[^\w.-]+", "_", name) for name in (item.id, system)]
    return output / AUDIO / f"{safe[0]}_{item.snr_db:g}dB_{safe[1]}.wav"


def _audio_names(task: Task) -> Iterator[str]:
    yield task.system.name
    if task.system.name == NOISY:
        yield "clean"


def _lacks_audio(settings: Settings, task: Task) -> bool:
    return task.index in _open_test_set(settings).kept and not all(
        audio_path(settings.output, task.item, name).exists() for name in _audio_names(task)
    )


def _save_audio(settings: Settings, task: Task, *, estimate: FloatArray, clean: FloatArray) -> None:
    for name, audio in zip(_audio_names(task), (estimate, clean), strict=False):
        path = audio_path(settings.output, task.item, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_audio(path, audio, settings.sample_rate, subtype="PCM_16")
