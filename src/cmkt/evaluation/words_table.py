"""Words as Markdown, and as plain values for JSON: the rate of identified sentences and the margin, beside chance."""

from __future__ import annotations

import statistics
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

from cmkt.evaluation.record import CLEAN, NOISY
from cmkt.evaluation.summary import Cell, SystemSummary, summarise
from cmkt.evaluation.table import estimate_text, label, markdown_table, summary_values
from cmkt.evaluation.words import WORD_METRICS
from cmkt.metrics.about import about
from cmkt.metrics.identification import IDENTIFIED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cmkt.evaluation.record import Score


def words_markdown(scores: Sequence[Score], *, candidates: int) -> list[str]:
    """How words were measured, who was left out, and a table of each measure by SNR; clean has no SNR."""
    summary = summarise(scores, WORD_METRICS)
    reached = mean_chance(scores)
    guessing = "" if reached is None else f" Guessing finds {reached:.3f} of them."
    parts = [
        "## Words: was the sentence that was said the likeliest?",
        f"The true sentence against {candidates} others of the same data and of similar length (fewer where there are"
        f" not so many), by forced alignment under PocketSphinx' English model.{guessing} The margin is the"
        " log-likelihood of the true sentence minus that of the likeliest other, in nats for each of its words.",
    ]
    if reasons := left_out(scores):
        told = "; ".join(f"{count} for {reason}" for reason, count in reasons.items())
        parts.append(f"Utterances left out: {told}.")
    for metric in WORD_METRICS:
        parts += [f"### {label(metric).capitalize()}", _table(summary, metric)]
    return parts


def words_values(scores: Sequence[Score]) -> dict[str, Any]:
    """How it was measured, chance, utterances left out by reason, and both measures of every system, clean too."""
    return {
        "measured_by": next((score.words for score in scores if score.words is not None), None),
        "chance": mean_chance(scores),
        "left_out": left_out(scores),
        "systems": summary_values(summarise(scores, WORD_METRICS)),
    }


def mean_chance(scores: Iterable[Score]) -> float | None:
    """The rate of guessing over the utterances that count; None where there is none."""
    by_utterance = {score.id: score.chance for score in scores if score.chance is not None}
    return statistics.fmean(by_utterance.values()) if by_utterance else None


def left_out(scores: Iterable[Score], metric: str = IDENTIFIED) -> dict[str, int]:
    """How many utterances were left out of a metric for each reason, told without its particulars."""
    reasons = {
        score.id: score.missing[metric].partition(":")[0]
        for score in scores
        if score.system == NOISY and score.error is None and metric in score.missing
    }
    return dict(Counter(reasons.values()).most_common())


def _table(summary: Mapping[str, SystemSummary], metric: str) -> str:
    snrs_db = sorted({snr_db for system in summary.values() for snr_db in system.by_snr})
    text = partial(_text, metric=metric)
    rows = []
    for name, system in summary.items():
        by_snr = ["-" if name == CLEAN else text(system.by_snr.get(snr_db, {})) for snr_db in snrs_db]
        utterances = system.overall[metric].score.utterances
        rows.append([name, text(system.overall), *by_snr, str(utterances)])
    return markdown_table(["system", "all", *(f"{snr_db:g} dB" for snr_db in snrs_db), "utterances"], rows)


def _text(cells: Mapping[str, Cell], metric: str) -> str:
    return estimate_text(cells[metric].score, decimals=about(metric).decimals) if metric in cells else "-"
