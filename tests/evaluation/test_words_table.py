from __future__ import annotations

import json

from cmkt.evaluation.record import Score
from cmkt.evaluation.words_table import left_out, mean_chance, words_markdown, words_values


def score(utterance: str, system: str, found: float, margin: float, *, snr_db: float = 0.0) -> Score:
    metrics = {"identified": found, "word_margin": margin}
    return Score(utterance, snr_db, system, "", "d", 0, 1.0, metrics=metrics, words="ps, 10 others", chance=1 / 11)


def excluded(utterance: str, system: str, reason: str) -> Score:
    missing = {"identified": reason, "word_margin": reason}
    return Score(utterance, 0.0, system, "", "d", 0, 1.0, missing=missing, words="ps, 10 others")


SCORES = [
    *(score("a", system, found, margin) for system, found, margin in (("noisy", 0, -3), ("m", 1, 5), ("clean", 1, 50))),
    *(score("b", system, found, margin) for system, found, margin in (("noisy", 1, 1), ("m", 1, 7), ("clean", 1, 60))),
    *(excluded("c", system, "words outside the dictionary: henny") for system in ("noisy", "m", "clean")),
    *(excluded("d", system, "words outside the dictionary: jayme's") for system in ("noisy", "m", "clean")),
    *(excluded("e", system, "no English transcript") for system in ("noisy", "m", "clean")),
]


def rows(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("|") and not line.startswith("|-")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_rate_margin_and_chance_are_told_for_noisy_enhanced_and_clean() -> None:
    text = "\n\n".join(words_markdown(SCORES, candidates=10))
    assert "Guessing finds 0.091 of them." in text
    assert rows(text) == [
        ["system", "all", "0 dB", "utterances"],
        ["noisy", "0.500 ± 0.500", "0.500 ± 0.500", "2"],
        ["m", "1.000 ± 0.000", "1.000 ± 0.000", "2"],
        ["clean", "1.000 ± 0.000", "-", "2"],
        ["system", "all", "0 dB", "utterances"],
        ["noisy", "-1.0 ± 2.0", "-1.0 ± 2.0", "2"],
        ["m", "6.0 ± 1.0", "6.0 ± 1.0", "2"],
        ["clean", "55.0 ± 5.0", "-", "2"],
    ]


def test_utterances_left_out_are_counted_by_reason_once_each() -> None:
    assert left_out(SCORES) == {"words outside the dictionary": 2, "no English transcript": 1}
    text = "\n\n".join(words_markdown(SCORES, candidates=10))
    assert "Utterances left out: 2 for words outside the dictionary; 1 for no English transcript." in text


def test_nothing_left_out_and_no_chance_are_not_told() -> None:
    text = "\n\n".join(words_markdown(SCORES[:6], candidates=10))
    assert "left out" not in text
    assert mean_chance([]) is None


def test_values_are_plain_json() -> None:
    values = json.loads(json.dumps(words_values(SCORES), allow_nan=False))
    assert values["measured_by"] == "ps, 10 others"
    assert values["left_out"] == {"words outside the dictionary": 2, "no English transcript": 1}
    assert values["systems"]["clean"]["overall"]["identified"]["score"]["mean"] == 1.0
