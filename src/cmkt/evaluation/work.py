"""One system on one mixture, from audio to score. It runs in a worker: nothing but names and numbers comes and goes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cmkt.evaluation.kept_audio import keep_audio, kept_ids
from cmkt.evaluation.noise_kind import NOISE_KIND, mixture_noise_kind
from cmkt.evaluation.opened import open_cache, open_held_out, open_mixture, open_sentences, open_word_errors
from cmkt.evaluation.plan import IDENTIFICATION, WORD_ERRORS
from cmkt.evaluation.record import CLEAN, Score, other_fields, strings
from cmkt.evaluation.score import Metrics
from cmkt.evaluation.sound import measure_sound
from cmkt.metrics.registry import choose_metrics

if TYPE_CHECKING:
    from cmkt.evaluation.held_out import HeldOutMixture
    from cmkt.evaluation.plan import Plan, Task
    from cmkt.types import FloatArray


def work(plan: Plan, task: Task) -> Score:
    """The score of a task, with all that the plan wants.

    Raises: CmktError where the mixture cannot be read or the system fails on it.
    """
    settings = plan.settings
    mixture = open_mixture(settings, task.index)
    estimate = task.system.estimate(mixture)
    if task.item.id in kept_ids(open_held_out(settings).items, settings.save_audio):
        keep_audio(settings.output, mixture, task.system.name, estimate)
    score = task.known or _unmeasured(plan, task, mixture)
    for add in (_with_sound, _with_word_errors, _with_identification):
        score = add(plan, task, mixture, estimate, score)
    return score


def _with_sound(plan: Plan, task: Task, mixture: HeldOutMixture, estimate: FloatArray, score: Score) -> Score:
    lacking = plan.lacking_sound(task.system.name, task.known)
    if not lacking:
        return score
    measured = measure_sound(
        estimate=estimate,
        reference=mixture.clean,
        sample_rate=mixture.sample_rate,
        metrics=choose_metrics(lacking),
        cache=open_cache(plan.settings),
    )
    if score.sound != plan.sound:
        score = _words_alone(score)
    return replace(with_metrics(score, measured), sound=plan.sound)


def _with_word_errors(plan: Plan, task: Task, mixture: HeldOutMixture, estimate: FloatArray, score: Score) -> Score:
    test = open_word_errors(plan.settings)
    if test is None or not plan.lacks_word_errors(task.known):
        return score
    measured, heard = test.measure(mixture.item.id, estimate, sample_rate=mixture.sample_rate)
    return replace(with_metrics(score, measured), transcriber=test.identity, heard=heard)


def _with_identification(plan: Plan, task: Task, mixture: HeldOutMixture, estimate: FloatArray, score: Score) -> Score:
    sentences = open_sentences(plan.settings)
    if sentences is None or not plan.lacks_words(task.known):
        return score
    measured = sentences.measure(mixture.item.id, estimate, sample_rate=mixture.sample_rate)
    return replace(with_metrics(score, measured), words=sentences.identity, chance=sentences.chance(mixture.item.id))


def failed(plan: Plan, task: Task, reason: str) -> Score:
    """What was known before of a mixture, and why there is no more. What was measured in another way is not kept."""
    score = task.known or _blank(plan, task)
    lost = [name for name in plan.all_metrics(task.system.name) if name not in {*score.metrics, *score.missing}]
    if plan.lacks_words(task.known):
        lost += IDENTIFICATION
        score = replace(score, words=None, chance=None)
    if plan.lacks_word_errors(task.known):
        lost += WORD_ERRORS
        score = replace(score, transcriber=None, heard=None)
    if task.system.name != CLEAN and score.sound != plan.sound:
        lost += plan.metrics
        score = replace(_words_alone(score), sound=None)
    return replace(with_metrics(score, Metrics({}, dict.fromkeys(lost, f"failed: {reason}"))), error=reason)


def with_metrics(score: Score, measured: Metrics) -> Score:
    """The score with these values in place of what it had under their names."""
    names = {*measured.values, *measured.missing}
    metrics = {name: value for name, value in score.metrics.items() if name not in names}
    missing = {name: reason for name, reason in score.missing.items() if name not in names}
    return replace(score, metrics=metrics | measured.values, missing=missing | measured.missing)


def _words_alone(score: Score) -> Score:
    """The score without anything of sound, whatever that was called."""
    keep = (*WORD_ERRORS, *IDENTIFICATION)
    return replace(
        score,
        metrics={name: value for name, value in score.metrics.items() if name in keep},
        missing={name: reason for name, reason in score.missing.items() if name in keep},
    )


def _blank(plan: Plan, task: Task) -> Score:
    return Score(
        id=task.item.id,
        snr_db=task.item.snr_db,
        system=task.system.name,
        weights=task.system.weights,
        data=plan.data,
        seed=plan.settings.seed,
        duration=0.0,
    )


def _unmeasured(plan: Plan, task: Task, mixture: HeldOutMixture) -> Score:
    """A score of everything that the data say."""
    about = mixture.metadata
    return replace(
        _blank(plan, task),
        duration=round(len(mixture.noisy) / mixture.sample_rate, 3),
        noise_ids=strings(about.get("noise_ids")),
        noise_classes=strings(about.get("noise_classes")),
        speaker=_string(about.get("speaker")),
        language=_string(about.get("language")),
        gender=_string(about.get("gender")),
        age=_string(about.get("age")),
        corpus=_string(about.get("corpus")),
        text=_string(about.get("text")),
        about=other_fields(about) | _noise_kind(mixture),
    )


def _noise_kind(mixture: HeldOutMixture) -> dict[str, str]:
    kind = mixture_noise_kind(
        mixture.metadata, noisy=mixture.noisy, clean=mixture.clean, sample_rate=mixture.sample_rate
    )
    return {} if kind is None else {NOISE_KIND: kind}


def _string(value: object) -> str | None:
    return None if value is None else str(value)
