"""What readers of a test set's tables must know before they believe them, in sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from cmkt.evaluation.conclusion import caution
from cmkt.evaluation.table import label
from cmkt.evaluation.words_table import mean_chance
from cmkt.metrics.identification import IDENTIFIED

if TYPE_CHECKING:
    from cmkt.evaluation.record import Score
    from cmkt.evaluation.report.sources import Evaluation
    from cmkt.evaluation.report.test_sets import TestSet

MOST_REASONS: Final = 3


def notes(test_set: TestSet) -> list[str]:
    """Failures, missing values with their reasons, how words were measured, cautions, and verdicts."""
    scores = test_set.scores.values()
    failed = Counter(score.system for score in scores if score.error is not None)
    told = [f"{system} failed on {count} mixtures." for system, count in failed.items()]
    for metric in test_set.metrics:
        reasons = Counter(score.missing[metric].partition(":")[0] for score in scores if metric in score.missing)
        if reasons:
            counted = "; ".join(f"{count} × {reason}" for reason, count in reasons.most_common(MOST_REASONS))
            told.append(f"{label(metric)} has no value: {counted}.")
    chance = mean_chance(scores)
    if IDENTIFIED in test_set.metrics and chance is not None:
        told.append(f"Guessing finds {chance:.3f} of the sentences to be identified.")
    if recognisers := sorted({score.transcriber for score in scores if score.transcriber}):
        told.append(f"Words were recognised by {', '.join(recognisers)}; a weak recogniser saturates.")
    return [*told, *caution(test_set.metrics), *_verdicts(test_set.evaluations)]


def size(test_set: TestSet) -> list[tuple[str, str]]:
    """How large a test set is, by what: utterances, mixtures, speakers, languages, and the duration of its speech."""
    by_utterance: dict[str, Score] = {}
    for score in test_set.scores.values():
        known = by_utterance.get(score.id)
        if known is None or known.error is not None:
            by_utterance[score.id] = score
    speakers = {score.speaker for score in by_utterance.values()} - {None}
    languages = sorted({score.language for score in by_utterance.values() if score.language})
    minutes = sum(score.duration for score in by_utterance.values()) / 60
    told = [
        ("utterances", f"{len(by_utterance):,}"),
        ("mixtures", f"{len({item for _, item in test_set.scores}):,}"),
        ("speakers", f"{len(speakers):,}" if speakers else ""),
        ("languages", ", ".join(languages)),
        ("speech", f"{minutes:.1f} min"),
    ]
    return [(name, value) for name, value in told if value]


def _verdicts(evaluations: Iterable[Evaluation]) -> list[str]:
    """What `cmkt evaluate --verdict` said."""
    told = []
    for evaluation in evaluations:
        verdicts: Any = evaluation.summary.get("verdicts")
        for name, verdict in verdicts.items() if isinstance(verdicts, dict) else ():
            if isinstance(verdict, dict):
                told.append(f"{name}: {verdict.get('verdict')}. {'; '.join(map(str, verdict.get('reasons', ())))}.")
    return told


def audio_note(usable: int, count: int, refusal: str) -> str:
    """What was chosen from, where it is not everything, and how to get more."""
    if usable == count:
        return ""
    how = f"More cannot be made here: {refusal} `cmkt evaluate --save-audio 24`, run again, keeps more."
    if not usable:
        return f"No audio was kept. {how}"
    return f"Chosen among the {usable} of {count} mixtures whose audio was kept. {how}"
