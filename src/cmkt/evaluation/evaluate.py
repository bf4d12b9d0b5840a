"""Scores of systems on the mixtures of a test set, in parallel and resumable.

A task is one system on one mixture. A worker makes the mixture again from (seed, SNR, utterance id), so nothing but
names and numbers crosses between processes and memory holds one utterance a worker. Mixing costs little beside scoring.
A score that lacks only words, or only sound, gets what it lacks.
"""

from __future__ import annotations

import re
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np
from tqdm import tqdm

from cmkt.audio.write import write_audio
from cmkt.errors import ConfigError
from cmkt.evaluation.held_out import forget_all, open_enhancer, open_held_out, open_mixture, open_sentences
from cmkt.evaluation.identity import (
    CLEAN_SYSTEM,
    NOISY_SYSTEM,
    System,
    data_fingerprint,
    model_fingerprint,
    system_names,
)
from cmkt.evaluation.pool import Failure, Outcome, run_tasks
from cmkt.evaluation.record import CLEAN, NOISY, SCORES, Item, Score, ScoreWriter, load_scores
from cmkt.evaluation.score import Metrics, check_installed, measure
from cmkt.evaluation.words import WORD_METRICS, words_identity
from cmkt.inference.load import load
from cmkt.metrics.registry import DEFAULT_METRICS as METRICS

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence

    from cmkt.data.testset import TestMixture
    from cmkt.types import FloatArray

    Key = tuple[str, str, Item]

AUDIO = "audio"
DESCRIBED = ("speaker", "language", "gender", "age", "corpus")


@final
@dataclass(frozen=True, slots=True)
class Settings:
    """What to evaluate on: a prepared folder, the SNRs in dB, the seed of the mixtures and their rate in Hz.

    `limit` takes that many utterances, chosen by the hash of their ids, so that a smaller set is part of a larger one.
    `output` is the folder of results; `save_audio` utterances, spread over the set, leave their audio there.
    `allow_foreign` as in `cmkt.load`. `candidates` is how many other sentences compete with the true one where words
    are measured, None where they are not; their likelihoods are kept in `words_cache`, by default in the user's cache.
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
    candidates: int | None = None
    words_cache: Path | None = None

    def __post_init__(self) -> None:
        if not self.snrs_db or len(set(self.snrs_db)) != len(self.snrs_db) or not np.isfinite(self.snrs_db).all():
            raise ConfigError(f"`snr` must name at least one SNR, finite and each once, but is {self.snrs_db}.")
        if self.limit is not None and self.limit < 1:
            raise ConfigError(f"`limit` must be 1 or more utterances, but is {self.limit}.")
        if self.save_audio < 0:
            raise ConfigError(f"`save_audio` must be 0 or more utterances, but is {self.save_audio}.")
        if self.candidates is not None and self.candidates < 1:
            raise ConfigError(f"`candidates` must be 1 or more sentences, but is {self.candidates}.")

    @property
    def scores_path(self) -> Path:
        """The file of scores, one JSON line each."""
        return self.output / SCORES

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of what is measured of noisy and enhanced speech."""
        return (*METRICS, *(WORD_METRICS if self.candidates else ()))


@final
@dataclass(frozen=True, slots=True)
class Task:
    """One system on the mixture at `index` of the test set, and what was measured of it before."""

    index: int
    item: Item
    system: System
    known: Score | None = None


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

    Where words are measured, the clean reference is one more system, with words alone.

    Raises: DataError where the data cannot be used; ConfigError where a setting cannot work; MissingExtraError where a
    package is not installed. A mixture or system that fails gives a score with `error` set.
    """
    check_installed(METRICS)
    systems = [*systems, CLEAN_SYSTEM] if settings.candidates else systems
    data = f"{data_fingerprint(settings.data)}-{settings.sample_rate}"
    try:
        known = _reusable(settings, data)
        tasks = [
            Task(index, item, system, known.get((system.name, system.weights, item)))
            for index, item in enumerate(open_held_out(settings).items)
            for system in systems
        ]
        open_sentences(settings)  # data without usable transcripts must show now
        words = words_identity(settings.candidates) if settings.candidates else None
        pending = [task for task in tasks if _lacks_scores(task, words) or _lacks_audio(settings, task)]
        outcomes = run_tasks(
            partial(_work, settings, data), pending, jobs=min(jobs, len(pending)), prepare=_use_one_thread
        )
        bar = tqdm(total=len(tasks), initial=len(tasks) - len(pending), disable=not progress, unit="score")
        with bar, closing(_written(settings, data, words, outcomes)) as written:
            for key, score in written:
                known[key] = score
                bar.update()
    finally:
        forget_all()
    return [known[_key(task)] for task in tasks]


def _written(
    settings: Settings, data: str, words: str | None, outcomes: Generator[Outcome[Task, Score], None, None]
) -> Generator[tuple[Key, Score], None, None]:
    """Each score once it is in the file."""
    try:
        with ScoreWriter(settings.scores_path) as writer:
            for outcome in outcomes:
                score = outcome.result
                if isinstance(score, Failure):
                    score = _failed(outcome.task, settings, data, score.reason, words=words)
                writer.write(score)
                yield _key(outcome.task), score
    finally:
        outcomes.close()


def _key(task: Task) -> Key:
    return task.system.name, task.system.weights, task.item


def _reusable(settings: Settings, data: str) -> dict[Key, Score]:
    """The scores in the file that were computed on the same mixtures, without failures."""
    if not settings.scores_path.exists():
        return {}
    return {
        (score.system, score.weights, score.item): score
        for score in load_scores(settings.scores_path)
        if score.data == data and score.seed == settings.seed and score.error is None
    }


def _lacks_scores(task: Task, words: str | None) -> bool:
    return task.known is None or _lacks_sound(task) or _lacks_words(task, words)


def _lacks_sound(task: Task) -> bool:
    """Whether the metrics of sound have not been computed; the clean reference needs none."""
    return task.system.name != CLEAN and (
        task.known is None or not any(name in task.known.metrics or name in task.known.missing for name in METRICS)
    )


def _lacks_words(task: Task, words: str | None) -> bool:
    return words is not None and (task.known is None or task.known.words != words)


def _work(settings: Settings, data: str, task: Task) -> Score:
    """Runs in a worker."""
    mixture, sentences = open_mixture(settings, task.index), open_sentences(settings)
    estimate = _estimate(settings, task.system, mixture)
    if _keeps_audio(settings, task):
        _save_audio(settings, task, estimate=estimate, clean=mixture.clean)
    score = task.known or _unmeasured(settings, data, task, mixture)
    if _lacks_sound(task):
        score = _with(
            score,
            measure(estimate=estimate, reference=mixture.clean, sample_rate=settings.sample_rate, metrics=METRICS),
        )
    if sentences is not None and _lacks_words(task, sentences.identity):
        score = _with(score, sentences.measure(mixture.id, estimate, sample_rate=settings.sample_rate))
        score = replace(score, words=sentences.identity, chance=sentences.chance(mixture.id))
    return score


def _estimate(settings: Settings, system: System, mixture: TestMixture) -> FloatArray:
    if system.name == CLEAN:
        return mixture.clean
    if system.source is None:
        return mixture.noisy
    enhancer = open_enhancer(system.source, settings.device, allow_foreign=settings.allow_foreign)
    return enhancer.enhance(mixture.noisy, sample_rate=settings.sample_rate)


def _with(score: Score, measured: Metrics) -> Score:
    """The score with these values in place of what it had under their names."""
    names = measured.values.keys() | measured.missing.keys()
    metrics = {name: value for name, value in score.metrics.items() if name not in names}
    missing = {name: reason for name, reason in score.missing.items() if name not in names}
    return replace(score, metrics=metrics | measured.values, missing=missing | measured.missing)


def _unmeasured(settings: Settings, data: str, task: Task, mixture: TestMixture) -> Score:
    about = mixture.metadata
    return Score(
        id=mixture.id,
        snr_db=mixture.snr_db,
        system=task.system.name,
        weights=task.system.weights,
        data=data,
        seed=settings.seed,
        duration=round(len(mixture.noisy) / settings.sample_rate, 3),
        noise_ids=_strings(about.get("noise_ids")),
        noise_classes=_strings(about.get("noise_classes")),
        **_described(about),
    )


def _described(about: Mapping[str, object]) -> dict[str, Any]:
    return {name: None if about.get(name) is None else str(about[name]) for name in DESCRIBED}


def _failed(task: Task, settings: Settings, data: str, reason: str, *, words: str | None) -> Score:
    """What was known before of this mixture, and why there is no more. Words measured in another way are not kept."""
    score = task.known or Score(
        id=task.item.id,
        snr_db=task.item.snr_db,
        system=task.system.name,
        weights=task.system.weights,
        data=data,
        seed=settings.seed,
        duration=0.0,
    )
    names = WORD_METRICS if task.system.name == CLEAN else settings.metrics
    lost = [name for name in names if name not in {*score.metrics, *score.missing}]
    if _lacks_words(task, words):
        lost = list(dict.fromkeys([*lost, *WORD_METRICS]))
        score = replace(score, words=None, chance=None)
    return replace(_with(score, Metrics({}, dict.fromkeys(lost, f"failed: {reason}"))), error=reason)


def _strings(values: object) -> tuple[str, ...]:
    return tuple(str(value) for value in values) if isinstance(values, (list, tuple)) else ()


def spread(count: int, wanted: int) -> list[int]:
    """`wanted` indices below `count`, or all of them, spread evenly with the first one included."""
    wanted = min(wanted, count)
    return [place * count // wanted for place in range(wanted)]


def _use_one_thread() -> None:
    """In a worker: the processes are the parallelism, and threads would fight over the cores."""
    import torch

    torch.set_num_threads(1)


def audio_path(output: Path, item: Item, system: str) -> Path:
    """Where the audio of a system, or "clean", on a mixture is kept."""
    safe = [re.sub(r"[^\w.-]+", "_", name) for name in (item.id, system)]
    return output / AUDIO / f"{safe[0]}_{item.snr_db:g}dB_{safe[1]}.wav"


def _keeps_audio(settings: Settings, task: Task) -> bool:
    snrs = len(settings.snrs_db)
    utterances = len(open_held_out(settings).items) // snrs
    return task.index // snrs in spread(utterances, settings.save_audio)


def _audio_names(task: Task) -> Iterator[str]:
    if task.system.name == CLEAN:
        return
    yield task.system.name
    if task.system.name == NOISY:
        yield "clean"


def _lacks_audio(settings: Settings, task: Task) -> bool:
    return _keeps_audio(settings, task) and not all(
        audio_path(settings.output, task.item, name).exists() for name in _audio_names(task)
    )


def _save_audio(settings: Settings, task: Task, *, estimate: FloatArray, clean: FloatArray) -> None:
    for name, audio in zip(_audio_names(task), (estimate, clean), strict=False):
        path = audio_path(settings.output, task.item, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_audio(path, audio, settings.sample_rate, subtype="PCM_16")
