from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from cmkt.errors import DataError
from cmkt.evaluation.conclusion import compare_all, conclusion, conclusion_markdown, conclusion_values
from cmkt.evaluation.record import Score
from cmkt.evaluation.run_scores import Evaluated


def system(name: str, *, stoi: float = 0.0, si_sdr: float = 0.0, utterances: int = 40, seed: int = 0) -> Evaluated:
    rng = np.random.default_rng(1)
    scores = {}
    for number in range(utterances):
        for snr_db in (0.0, 10.0):
            noise = rng.normal(0.0, 0.01, 2) if name != "plain" else (0.0, 0.0)
            metrics = {"stoi": 0.5 + stoi + noise[0], "si_sdr": si_sdr + noise[1]}
            score = Score(str(number), snr_db, name, "", "d", seed, 1.0, metrics=metrics)
            scores[score.item] = score
    return Evaluated(name, scores)


def test_what_differs_and_what_cannot_be_told_is_said() -> None:
    tested = compare_all([system("plain"), system("transfer", stoi=0.1)], ["stoi", "si_sdr", "pesq_wb"])
    assert [(each.comparison.metric, each.differs) for each in tested] == [("stoi", True), ("si_sdr", False)]
    said = conclusion(tested)
    assert said.startswith("transfer is better than plain in STOI; cannot be told from plain in SI-SDR (dB). ")
    assert "cannot tell a better method from a luckier seed" in said


def test_every_later_system_is_compared_with_the_first_and_the_correction_is_over_all() -> None:
    systems = [system("plain"), system("worse", stoi=-0.1), system("same")]
    tested = compare_all(systems, ["stoi"])
    assert [each.comparison.system for each in tested] == ["worse", "same"]
    assert {each.comparison.baseline for each in tested} == {"plain"}
    assert tested[0].corrected_p == pytest.approx(2 * tested[0].p)
    assert "worse is worse than plain in STOI. same cannot be told from plain in STOI." in conclusion(tested)


def test_fewer_word_errors_are_better() -> None:
    baseline, system_ = system("plain"), system("transfer", stoi=0.1)
    errors = [
        Evaluated(
            each.name,
            {item: replace(score, metrics={"wer": score.metrics["stoi"]}) for item, score in each.scores.items()},
        )
        for each in (baseline, system_)
    ]
    assert conclusion(compare_all(errors, ["wer"])).startswith("transfer is worse than plain in WER. ")
    assert conclusion(compare_all(errors[::-1], ["wer"])).startswith("plain is better than transfer in WER. ")


def test_what_guesses_opinions_comes_with_a_caution() -> None:
    own = [
        Evaluated(
            each.name,
            {item: replace(score, metrics={"dnsmos_ovrl": 3.0}) for item, score in each.scores.items()},
        )
        for each in (system("plain"), system("transfer"))
    ]
    assert "over-suppression" in conclusion(compare_all(own, ["dnsmos_ovrl"]))
    assert "over-suppression" not in conclusion(compare_all([system("plain"), system("transfer")], ["stoi"]))


def test_snrs_of_an_utterance_are_one_observation() -> None:
    tested = compare_all([system("plain", utterances=5), system("transfer", stoi=0.1, utterances=5)], ["stoi"])
    assert tested[0].p == pytest.approx(2 / 32)
    assert not tested[0].differs
    assert "Intervals of fewer than 10" in conclusion_markdown(tested)


def test_different_utterances_or_seeds_are_refused_by_name() -> None:
    with pytest.raises(DataError, match="`transfer` lacks 2: 39 at 0 dB, 39 at 10 dB"):
        compare_all([system("plain"), system("transfer", utterances=39)], ["stoi"])
    with pytest.raises(DataError, match="80 differ in seed, noise or data"):
        compare_all([system("plain"), system("transfer", seed=1)], ["stoi"])


def test_the_table_and_the_json_have_everything() -> None:
    tested = compare_all([system("plain"), system("transfer", stoi=0.1)], ["stoi"])
    text = conclusion_markdown(tested)
    assert "| transfer - plain |" in text
    assert "<0.0001" in text
    assert "40 utterances" in text
    assert text.rstrip().endswith(conclusion(tested))
    values = json.loads(json.dumps(conclusion_values(tested), allow_nan=False))
    assert values["comparisons"][0]["differs"] is True
    assert values["conclusion"] == conclusion(tested)
