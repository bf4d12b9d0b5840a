"""What readers of a test set's tables must know before they believe them, in sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from cmkt.evaluation.conclusion import caution
from cmkt.evaluation.table import label
from cmkt.evaluation.words_table import mean_chance
from cmkt.metrics.identification import IDENTIFIED

if TYPE_CHECKING:
    from cmkt.evaluation.report.sources import Evaluation
    from cmkt.evaluation.report.test_sets import TestSet

MOST_REASONS = 3


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
