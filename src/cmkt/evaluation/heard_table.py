"""Word errors as Markdown, and as plain values for JSON: all errors over all words, by system and SNR."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cmkt.evaluation.record import CLEAN
from cmkt.evaluation.table import label, markdown_table
from cmkt.evaluation.word_errors import WORD_ERROR_METRICS, corpus_rates
from cmkt.evaluation.words_table import left_out
from cmkt.metrics.about import about
from cmkt.metrics.word_errors import WER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cmkt.evaluation.record import Score
    from cmkt.evaluation.word_errors import SpokenErrors

SATURATED: Final = 0.25
"""A recogniser that misses so many words of clean speech can tell little of enhanced speech."""


def heard_markdown(scores: Sequence[Score]) -> list[str]:
    """Which recogniser listened, who was left out, and a table of each rate by SNR; clean has no SNR."""
    total, by_snr = corpus_rates(scores), _by_snr(scores)
    parts = [
        "## Words through a recogniser",
        f"What {_transcriber(scores)} heard, against the transcript: all errors over all words, which is not the mean "
        "over utterances above. Lower is better.",
    ]
    if (clean := total.get(CLEAN)) is not None and clean.rates.get(WER, 0.0) > SATURATED:
        parts.append(
            f"**It has {clean.rates[WER]:.0%} word errors on clean speech already: a recogniser that weak saturates, "
            "and tells little of systems. See whether sentences are identified (`--words`).**"
        )
    if reasons := left_out(scores, WER):
        parts.append(f"Utterances left out: {'; '.join(f'{count} for {why}' for why, count in reasons.items())}.")
    for metric in WORD_ERROR_METRICS:
        parts += [f"### {label(metric)}", _table(total, by_snr, metric)]
    return parts


def heard_values(scores: Sequence[Score]) -> dict[str, Any]:
    """Which recogniser listened, utterances left out by reason, and the rates of every system, clean too."""
    by_snr = _by_snr(scores)
    return {
        "measured_by": _transcriber(scores),
        "left_out": left_out(scores, WER),
        "systems": {
            name: {
                "overall": _values(errors),
                "by_snr": {f"{snr_db:g}": _values(own[name]) for snr_db, own in by_snr.items() if name in own},
            }
            for name, errors in corpus_rates(scores).items()
        },
    }


def _transcriber(scores: Sequence[Score]) -> str | None:
    return next((score.transcriber for score in scores if score.transcriber is not None), None)


def _by_snr(scores: Sequence[Score]) -> dict[float, dict[str, SpokenErrors]]:
    known = sorted({score.snr_db for score in scores if score.snr_db is not None})
    return {snr_db: corpus_rates(score for score in scores if score.snr_db == snr_db) for snr_db in known}


def _values(errors: SpokenErrors) -> dict[str, float | int]:
    return {**errors.rates, "words": errors.words.said, "recordings": errors.utterances}


def _table(total: Mapping[str, SpokenErrors], by_snr: Mapping[float, Mapping[str, SpokenErrors]], metric: str) -> str:
    rows = []
    for name, errors in total.items():
        snrs = ["-" if name == CLEAN or name not in own else _text(own[name], metric) for own in by_snr.values()]
        rows.append([name, _text(errors, metric), *snrs, str(errors.words.said)])
    return markdown_table(["system", "all", *(f"{snr_db:g} dB" for snr_db in by_snr), "words"], rows)


def _text(errors: SpokenErrors, metric: str) -> str:
    rate = errors.rates.get(metric)
    return "-" if rate is None else f"{rate:.{about(metric).decimals}f}"
