from __future__ import annotations

from dataclasses import replace

import pytest

from cmkt.evaluation.heard_table import heard_markdown, heard_values
from cmkt.evaluation.record import Score


def score(name: str, snr_db: float, system: str, text: str, heard: str | None) -> Score:
    missing = {} if heard is not None else {"wer": "a language that the recogniser does not know: de"}
    return Score(
        name, snr_db, system, "", "d", seed=0, duration=1.0, text=text, heard=heard, transcriber="ears", missing=missing
    )


SCORES = [
    score("a", 0.0, "noisy", "one two three four", "one two"),
    score("a", 10.0, "noisy", "one two three four", "one two three four"),
    score("b", 0.0, "noisy", "five", "nine"),
    score("c", 0.0, "noisy", "eins", None),
    score("a", 0.0, "clean", "one two three four", "one two three four"),
]


def test_rates_are_all_errors_over_all_words() -> None:
    values = heard_values(SCORES)
    assert (values["measured_by"], values["left_out"]) == ("ears", {"a language that the recogniser does not know": 1})
    noisy = values["systems"]["noisy"]
    assert noisy["overall"]["wer"] == pytest.approx(3 / 9)
    assert noisy["by_snr"]["0"]["wer"] == pytest.approx(3 / 5)
    assert noisy["by_snr"]["10"]["wer"] == 0.0
    assert (noisy["overall"]["words"], noisy["overall"]["recordings"]) == (9, 3)


def test_the_tables_have_every_rate_by_snr_and_clean_has_none() -> None:
    text = "\n".join(heard_markdown(SCORES))
    assert "What ears heard" in text
    assert "Utterances left out: 1 for a language that the recogniser does not know." in text
    (row,) = (line for line in text.split("### WER")[1].split("###")[0].splitlines() if line.startswith("| noisy"))
    assert [cell.strip() for cell in row.split("|")[1:-1]] == ["noisy", "0.333", "0.600", "0.000", "9"]
    (row,) = (line for line in text.split("### WER")[1].split("###")[0].splitlines() if line.startswith("| clean"))
    assert [cell.strip() for cell in row.split("|")[1:-1]] == ["clean", "0.000", "-", "-", "4"]
    assert "### CER" in text
    assert "### WIL" in text


def test_a_recogniser_that_is_weak_on_clean_speech_is_told_of() -> None:
    assert "saturates" not in "\n".join(heard_markdown(SCORES))
    weak = [*SCORES[:-1], replace(SCORES[-1], heard="one two")]
    assert "It has 50% word errors on clean speech already" in "\n".join(heard_markdown(weak))
