"""What an evaluation leaves beside its scores: `summary.json` for programs and `summary.md` for people."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from cmkt.audio.write import write_json, write_text
from cmkt.evaluation.comparison import compare_models
from cmkt.evaluation.description import read_warnings
from cmkt.evaluation.group_table import groups_markdown, groups_values, harm_markdown, harm_values
from cmkt.evaluation.groupings import STANDARD
from cmkt.evaluation.groups import group_cells
from cmkt.evaluation.harm import find_harm
from cmkt.evaluation.heard_table import heard_markdown, heard_values
from cmkt.evaluation.record import CLEAN, NOISY
from cmkt.evaluation.summary import summarise
from cmkt.evaluation.table import summary_markdown, summary_values
from cmkt.evaluation.words_table import words_markdown, words_values
from cmkt.metrics.utterance import NO_REFERENCE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cmkt.evaluation.counts import Verdict
    from cmkt.evaluation.plan import Plan
    from cmkt.evaluation.record import Score
    from cmkt.evaluation.systems import System

SUMMARY_JSON: Final = "summary.json"
SUMMARY_MARKDOWN: Final = "summary.md"
OVER_SUPPRESSION: Final = "DNSMOS favours systems that suppress too much, so choose none by it."


def write_results(
    plan: Plan,
    systems: Sequence[System],
    scores: Sequence[Score],
    *,
    group_by: Sequence[str] = (),
    verdicts: Mapping[str, Verdict] | None = None,
) -> str:
    """Writes both summaries of these scores into the output folder and gives the Markdown.

    group_by: fields of the data that groups are made of besides the usual ones; verdicts: of some systems, whether a
    comparison with them counts.

    Raises: ConfigError where the data do not have such a field.
    """
    output, metrics = plan.settings.output, plan.all_metrics(NOISY)
    summary = summarise([score for score in scores if score.system != CLEAN], metrics)
    cells = group_cells(scores, metrics, fields=[*STANDARD, *group_by])
    harm = find_harm(cells)
    comparisons = compare_models(
        scores, [system.name for system in systems if system.name not in (NOISY, CLEAN)], metrics
    )
    values: dict[str, Any] = {
        **_told(plan, systems, scores),
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
        notes=[*_conditions(plan, scores), *_failure_notes(scores), *_verdict_notes(verdicts or {})],
    )
    text += "\n" + "\n\n".join([*groups_markdown(cells), *harm_markdown(harm)]) + "\n" if cells else ""
    if plan.settings.candidates:
        values["words"] = words_values(scores)
        text += "\n" + "\n\n".join(words_markdown(scores, candidates=plan.settings.candidates)) + "\n"
    if plan.transcriber is not None:
        values["word_errors"] = heard_values(scores)
        text += "\n" + "\n\n".join(heard_markdown(scores)) + "\n"
    output.mkdir(parents=True, exist_ok=True)
    write_json(output / SUMMARY_JSON, values)
    write_text(output / SUMMARY_MARKDOWN, text)
    return text


def _told(plan: Plan, systems: Sequence[System], scores: Sequence[Score]) -> dict[str, Any]:
    """What was evaluated, and what has no value."""
    return {
        "data": plan.settings.source.described()["path"],
        "seed": plan.settings.seed,
        "snrs_db": sorted({score.snr_db for score in scores if score.snr_db is not None}),
        "utterances": len({score.id for score in scores}),
        "weights": {system.name: system.weights for system in systems},
        "failed": _failed(scores),
        "missing": _reasons(scores),
    }


def _failed(scores: Sequence[Score]) -> dict[str, int]:
    return dict(Counter(score.system for score in scores if score.error is not None))


def _reasons(scores: Sequence[Score]) -> dict[str, dict[str, int]]:
    """How often each reason was given for each metric that has no value, over all systems."""
    counted: dict[str, Counter[str]] = {}
    for score in scores:
        for metric, reason in score.missing.items():
            counted.setdefault(metric, Counter())[reason] += 1
    return {metric: dict(counter.most_common()) for metric, counter in counted.items()}


def _conditions(plan: Plan, scores: Sequence[Score]) -> list[str]:
    utterances = len({score.id for score in scores})
    told = [f"{utterances} utterances of {plan.settings.source.title}, seed {plan.settings.seed}."]
    without = len({score.item for score in scores if NO_REFERENCE in score.missing.values()})
    if any(name.startswith("dnsmos_") for name in plan.metrics):
        told.append(OVER_SUPPRESSION)
    if plan.blind:
        told.append("**No clean references: what a system did to the speech itself is not measured.**")
    elif without:
        told.append(f"{without} recordings have no clean reference, and so no score that needs one.")
    return [*told, *(f"**Warning: {warning}**" for warning in read_warnings(plan.settings.output))]


def _failure_notes(scores: Sequence[Score]) -> list[str]:
    failed = _failed(scores)
    return [f"{system} failed on {count} mixtures; run again to try them again." for system, count in failed.items()]


def _verdict_notes(verdicts: Mapping[str, Verdict]) -> list[str]:
    return [f"{name}: {verdict.verdict}. {'; '.join(verdict.reasons)}." for name, verdict in verdicts.items()]
