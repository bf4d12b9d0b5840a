from __future__ import annotations

import math

import pytest

from cmkt.evaluation.record import Score
from cmkt.evaluation.summary import Estimate, clustered, summarise, utterance_means


def score(utterance: str, snr_db: float, system: str, **metrics: float) -> Score:
    return Score(utterance, snr_db, system, weights="", data="d", seed=0, duration=1.0, metrics=metrics)


def test_an_utterance_counts_once_however_many_snrs_it_has() -> None:
    # Means of the utterances are 2 and 4: mean 3, deviation sqrt(2), standard error sqrt(2) / sqrt(2) = 1.
    assert clustered([("a", 1.0), ("a", 3.0), ("b", 4.0)]) == Estimate(3.0, pytest.approx(1.0), 2)  # type: ignore[arg-type]


def test_the_standard_error_is_by_hand() -> None:
    # 1, 2, 6: mean 3, squared deviations 4 + 1 + 9 = 14, variance 7, standard error sqrt(7 / 3).
    assert clustered([("a", 1.0), ("b", 2.0), ("c", 6.0)]).standard_error == pytest.approx(math.sqrt(7 / 3))


def test_one_utterance_has_a_mean_but_no_error() -> None:
    assert clustered([("a", 1.0), ("a", 2.0)]) == Estimate(1.5, None, 1)


def test_nothing_has_neither() -> None:
    assert clustered([]) == Estimate(None, None, 0)


def test_means_keep_the_order_of_appearance() -> None:
    assert list(utterance_means([("b", 1.0), ("a", 2.0), ("b", 3.0)]).items()) == [("b", 2.0), ("a", 2.0)]


def test_the_difference_is_formed_on_the_same_mixtures_before_the_mean() -> None:
    scores = [
        score("a", 0.0, "noisy", stoi=0.1),
        score("a", 0.0, "plain", stoi=0.4),
        score("b", 0.0, "noisy", stoi=0.8),
        score("b", 0.0, "plain", stoi=0.9),
    ]
    cell = summarise(scores, ["stoi"])["plain"].overall["stoi"]
    # Differences 0.3 and 0.1: mean 0.2, deviation 0.1414, standard error 0.1.
    assert cell.difference is not None
    assert cell.difference.mean == pytest.approx(0.2)
    assert cell.difference.standard_error == pytest.approx(0.1)


def test_a_missing_value_leaves_the_difference_on_both_sides_and_is_counted() -> None:
    scores = [
        score("a", 0.0, "noisy", stoi=0.1),
        score("b", 0.0, "noisy"),
        score("a", 0.0, "plain", stoi=0.2),
        score("b", 0.0, "plain", stoi=0.9),
    ]
    summary = summarise(scores, ["stoi"])
    assert summary["noisy"].overall["stoi"].missing == 1
    plain = summary["plain"].overall["stoi"]
    assert plain.missing == 0
    assert plain.score.mean == pytest.approx(0.55)
    assert plain.difference == Estimate(pytest.approx(0.1), None, 1)  # type: ignore[arg-type]


def test_each_snr_has_its_own_cells_in_order() -> None:
    scores = [score("a", snr_db, "noisy", si_sdr=snr_db) for snr_db in (10.0, -5.0)]
    by_snr = summarise(scores, ["si_sdr"])["noisy"].by_snr
    assert [(snr_db, cells["si_sdr"].score.mean) for snr_db, cells in by_snr.items()] == [(-5.0, -5.0), (10.0, 10.0)]


def test_noisy_has_no_difference_to_itself() -> None:
    assert summarise([score("a", 0.0, "noisy", stoi=1.0)], ["stoi"])["noisy"].overall["stoi"].difference is None
