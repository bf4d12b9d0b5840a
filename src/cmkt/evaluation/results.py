"""What an evaluation leaves beside its scores: `summary.json` for programs and `summary.md` for people."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from cmkt.audio.write import write_json, write_text
from cmkt.evaluation.comparison import compare_models
from cmkt.evaluation.group_table import groups_markdown, groups_values, harm_markdown, harm_values
from cmkt.evaluation.groups import group_cells
from cmkt.evaluation.harm import find_harm
from cmkt.evaluation.record import CLEAN, NOISY
from cmkt.evaluation.summary import summarise
from cmkt.evaluation.table import summary_markdown, summary_values
from cmkt.evaluation.words_table import words_markdown, words_values

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cmkt.evaluation.counts import Verdict
    from cmkt.evaluation.evaluate import Settings
    from cmkt.evaluation.identity import System
    from cmkt.evaluation.record import Score

SUMMARY_JSON = "summary.json"
SUMMARY_MARKDOWN = "summary.md"


def write_results(
    settings: Settings,
    systems: Sequence[System],
    scores: Sequence[Score],
    *,
    verdicts: Mapping[str, Verdict] | None = None,
) -> str:
    """Writes both summaries of these scores into the output folder and gives the Markdown.

    `verdicts` says of some systems whether a comparison with them counts.
    """
    metrics = settings.metrics
    summary = summarise([score for score in scores if score.system != CLEAN], metrics)
    cells = group_cells(scores, metrics)
    harm = find_harm(cells)
    comparisons = compare_models(
        scores, [system.name for system in systems if system.name not in (NOISY, CLEAN)], metrics
    )
    failed = Counter(score.system for score in scores if score.error is not None)
    values: dict[str, Any] = {
        "data": str(settings.data),
        "seed": settings.seed,
        "snrs_db": list(settings.snrs_db),
        "utterances": len({score.id for score in scores}),
        "weights": {system.name: system.weights for system in systems},
        "failed": dict(failed),
        "missing": _reasons(scores),
        "systems": summary_values(summary),
        "groups": groups_values(cells),
        "harm": harm_values(harm),
        "comparisons": [asdict(each) for each in comparisons],
        "verdicts": {name: asdict(verdict) for name, verdict in (verdicts or {}).items()},
    }
    text = summary_markdown(
        summary,
        metrics=metrics,
        title="Evaluation",
        comparisons=comparisons,
        notes=[_conditions(settings, scores), *_failure_notes(failed), *_verdict_notes(verdicts or {})],
    )
    text += "\n" + "\n\n".join([*groups_markdown(cells), *harm_markdown(harm)]) + "\n" if cells else ""
    if settings.candidates:
        values["words"] = words_values(scores)
        text += "\n" + "\n\n".join(words_markdown(scores, candidates=settings.candidates)) + "\n"
    settings.output.mkdir(parents=True, exist_ok=True)
    write_json(settings.output / SUMMARY_JSON, values)
    write_text(settings.output / SUMMARY_MARKDOWN, text)
    return text


def _reasons(scores: Sequence[Score]) -> dict[str, dict[str, int]]:
    """How often each reason was given for each metric that has no value, over all systems."""
    counted: dict[str, Counter[str]] = {}
    for score in scores:
        for metric, reason in score.missing.items():
            counted.setdefault(metric, Counter())[reason] += 1
    return {metric: dict(counter.most_common()) for metric, counter in counted.items()}


def _conditions(settings: Settings, scores: Sequence[Score]) -> str:
    snrs = ", ".join(f"{snr_db:g}" for snr_db in settings.snrs_db)
    utterances = len({score.id for score in scores})
    return f"{utterances} utterances of `{settings.data.name}` at SNR {snrs} dB, seed {settings.seed}."


def _failure_notes(failed: Mapping[str, int]) -> list[str]:
    return [f"{system} failed on {count} mixtures; run again to try them again." for system, count in failed.items()]


def _verdict_notes(verdicts: Mapping[str, Verdict]) -> list[str]:
    return [f"{name}: {verdict.verdict}. {'; '.join(verdict.reasons)}." for name, verdict in verdicts.items()]
