from __future__ import annotations

from dataclasses import replace

import pytest

from cmkt.errors import DataError
from cmkt.evaluation.comparison import compare, compare_models
from cmkt.evaluation.record import Score


def score(utterance: str, system: str, value: float | None, snr_db: float = 0.0) -> Score:
    metrics = {} if value is None else {"stoi": value}
    return Score(utterance, snr_db, system, "", "d", seed=0, duration=1.0, noise_ids=("n",), metrics=metrics)


def test_a_constant_gain_has_no_spread_whatever_the_utterances_are_like() -> None:
    scores = [score(name, "plain", value) for name, value in (("a", 0.1), ("b", 0.5), ("c", 0.8))]
    scores += [replace(each, system="transfer", metrics={"stoi": each.metrics["stoi"] + 0.1}) for each in scores]
    found = compare(scores, baseline="plain", system="transfer", metric="stoi")
    assert (found.difference.mean, found.difference.low, found.difference.high) == pytest.approx((0.1, 0.1, 0.1))
    assert found.excludes_zero
    assert found.utterances == 3


def test_snrs_of_one_utterance_are_one_cluster() -> None:
    scores = [
        score("a", system, value, snr_db=snr) for snr in range(40) for system, value in (("p", 0.0), ("t", float(snr)))
    ]
    found = compare(scores, baseline="p", system="t", metric="stoi")
    assert found.utterances == 1
    assert found.difference.low == found.difference.high == pytest.approx(19.5)
    assert not found.excludes_zero


def test_utterances_of_one_speaker_are_one_cluster_where_there_are_others() -> None:
    gains = {"a1": 0.1, "a2": 0.3, "b1": 0.0, "b2": 0.0, "c": -0.1}
    base = [replace(score(name, "p", 0.5), speaker=name[0]) for name in gains]
    gained = [replace(each, system="t", metrics={"stoi": 0.5 + gains[each.id]}) for each in base]
    found = compare([*base, *gained], baseline="p", system="t", metric="stoi")
    assert (found.utterances, found.independent, found.drawn_by) == (5, 3, "speaker")
    assert found.difference.mean == pytest.approx(0.06)
    assert found.difference.high == pytest.approx(0.2)
    alone = compare([*base[:2], *gained[:2]], baseline="p", system="t", metric="stoi")
    assert (alone.independent, alone.drawn_by) == (1, "speaker")
    assert not alone.excludes_zero


def test_a_mixture_without_a_value_in_either_is_left_out_and_counted() -> None:
    scores = [score("a", "p", 0.5), score("a", "t", 0.7), score("b", "p", None), score("b", "t", 0.1)]
    found = compare(scores, baseline="p", system="t", metric="stoi")
    assert (found.utterances, found.missing) == (1, 1)
    assert found.difference.mean == pytest.approx(0.2)


def test_systems_on_different_mixtures_are_refused_by_name() -> None:
    scores = [score("a", "p", 0.5), score("b", "p", 0.5), score("a", "t", 0.7)]
    with pytest.raises(DataError, match="`t` lacks 1: b at 0 dB"):
        compare(scores, baseline="p", system="t", metric="stoi")
    with pytest.raises(DataError, match="`t` lacks 1: b at 0 dB"):
        compare(scores, baseline="t", system="p", metric="stoi")


@pytest.mark.parametrize("changed", [{"noise_ids": ("other",)}, {"seed": 1}, {"data": "other"}])
def test_the_same_utterance_with_other_noise_is_another_mixture(changed: dict[str, object]) -> None:
    scores = [score("a", "p", 0.5), replace(score("a", "t", 0.7), **changed)]  # type: ignore[arg-type]
    with pytest.raises(DataError, match="1 differ in seed, noise or data: a at 0 dB"):
        compare(scores, baseline="p", system="t", metric="stoi")


def test_a_system_or_a_metric_without_scores_is_refused() -> None:
    scores = [score("a", "p", 0.5), score("a", "t", None)]
    with pytest.raises(DataError, match="`x` must have scores"):
        compare(scores, baseline="p", system="x", metric="stoi")
    with pytest.raises(DataError, match="`stoi` must have a value"):
        compare(scores, baseline="p", system="t", metric="stoi")


def test_a_score_that_failed_is_left_out_whatever_it_knows_of_its_mixture() -> None:
    scores = [score(name, system, 0.5) for name in "ab" for system in "pt"]
    scores[-1] = replace(scores[-1], noise_ids=(), metrics={}, missing={"stoi": "failed"}, error="no memory")
    found = compare(scores, baseline="p", system="t", metric="stoi")
    assert (found.utterances, found.missing) == (1, 1)


def test_words_measured_among_other_sentences_are_refused_with_both_settings() -> None:
    metrics = {"stoi": 0.5, "identified": 1.0}
    scores = [
        replace(score("a", system, 0.5), metrics=metrics, words=words)
        for system, words in (("p", "x, 10 others"), ("t", "x, 3 others"))
    ]
    with pytest.raises(DataError, match="by 'x, 10 others' for `p` and by 'x, 3 others' for `t`"):
        compare(scores, baseline="p", system="t", metric="identified")
    assert compare(scores, baseline="p", system="t", metric="stoi").utterances == 1


@pytest.mark.parametrize("metric", ["wer", "cer", "wil"])
def test_word_errors_of_another_recogniser_are_refused(metric: str) -> None:
    scores = [
        replace(score("a", system, 0.5), metrics={"stoi": 0.5, metric: 0.3}, transcriber=transcriber)
        for system, transcriber in (("p", "small"), ("t", "large"))
    ]
    with pytest.raises(DataError, match="by 'small' for `p` and by 'large' for `t`"):
        compare(scores, baseline="p", system="t", metric=metric)
    assert compare(scores, baseline="p", system="t", metric="stoi").utterances == 1
    same = [replace(each, transcriber="small", words=each.system) for each in scores]
    assert compare(same, baseline="p", system="t", metric=metric).utterances == 1


def test_mixtures_of_unknown_snr_are_named_without_it() -> None:
    scores = [replace(score(name, "p", 0.5), snr_db=None) for name in "ab"]
    scores.append(replace(score("a", "t", 0.7), snr_db=None))
    with pytest.raises(DataError, match=r"`t` lacks 1: b\. Run"):
        compare(scores, baseline="p", system="t", metric="stoi")
    assert compare([scores[0], scores[2]], baseline="p", system="t", metric="stoi").utterances == 1


def test_later_models_are_compared_with_the_first_where_both_have_values() -> None:
    scores = [score(name, system, 0.5 + 0.1 * (system == "t")) for name in "ab" for system in "pt"]
    found = compare_models(scores, ["p", "t"], ["stoi", "pesq_wb"])
    assert [(each.system, each.baseline, each.metric) for each in found] == [("t", "p", "stoi")]
    assert found[0].difference.mean == pytest.approx(0.1)
    assert compare_models(scores, ["p"], ["stoi"]) == []
    assert compare_models(scores, [], ["stoi"]) == []
