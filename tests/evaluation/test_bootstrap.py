from __future__ import annotations

import numpy as np
import pytest

from cmkt.errors import ConfigError, DataError
from cmkt.evaluation import bootstrap
from cmkt.evaluation.bootstrap import bootstrap_mean, cluster_kind, find_clusters


def test_the_interval_is_that_of_the_normal_mean_for_many_values() -> None:
    values = np.random.default_rng(1).normal(2.0, 1.0, 400)
    interval = bootstrap_mean(list(values), rng=np.random.default_rng(0))
    half = 1.96 * values.std(ddof=1) / 20
    assert interval.mean == pytest.approx(values.mean())
    assert interval.low == pytest.approx(values.mean() - half, abs=0.015)
    assert interval.high == pytest.approx(values.mean() + half, abs=0.015)


def test_the_same_seed_gives_the_same_interval() -> None:
    first, second = (bootstrap_mean([1.0, 2.0, 5.0], rng=np.random.default_rng(3)) for _ in range(2))
    assert first == second


def test_the_bootstrap_refuses_nothing_and_too_few_resamples() -> None:
    with pytest.raises(DataError, match="at least one value"):
        bootstrap_mean([], rng=np.random.default_rng(0))
    with pytest.raises(ConfigError, match="at least 100"):
        bootstrap_mean([1.0], rng=np.random.default_rng(0), resamples=10)


def test_clusters_must_be_one_a_value() -> None:
    with pytest.raises(ConfigError, match="each of 2 values, but names 1"):
        bootstrap_mean([1.0, 2.0], rng=np.random.default_rng(0), clusters=["a"])


def test_clusters_of_one_value_each_change_nothing() -> None:
    values = [1.0, 2.0, 5.0]
    plain, clustered = (
        bootstrap_mean(values, rng=np.random.default_rng(3), clusters=names) for names in (None, ["a", "b", "c"])
    )
    assert plain == clustered


def test_a_cluster_counts_once_however_often_it_speaks() -> None:
    rng = np.random.default_rng(0)
    centres = rng.normal(0.0, 1.0, 100)
    values, names = np.repeat(centres, 20), np.repeat(np.arange(100), 20)
    interval = bootstrap_mean(list(values), rng=np.random.default_rng(1), clusters=list(names))
    half = 1.96 * centres.std(ddof=1) / 10
    assert interval.high - interval.low == pytest.approx(2 * half, rel=0.1)
    naive = bootstrap_mean(list(values), rng=np.random.default_rng(1))
    assert (interval.high - interval.low) / (naive.high - naive.low) == pytest.approx(np.sqrt(20), rel=0.1)


def test_the_mean_weighs_every_value_alike_in_clusters_of_any_size() -> None:
    interval = bootstrap_mean([0.0, 0.0, 0.0, 4.0], rng=np.random.default_rng(0), clusters=["a", "a", "a", "b"])
    assert (interval.mean, interval.low, interval.high) == (1.0, 0.0, 4.0)


def test_memory_is_bounded_and_the_portions_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = bootstrap_mean([1.0, 2.0, 5.0], rng=np.random.default_rng(3), resamples=250)
    monkeypatch.setattr(bootstrap, "AT_ONCE", 300)
    assert bootstrap_mean([1.0, 2.0, 5.0], rng=np.random.default_rng(3), resamples=250) == whole


def test_speakers_are_independent_where_one_of_them_repeats() -> None:
    assert cluster_kind(["x", "x", "y", None]) == "speaker"
    assert cluster_kind(["x", "x"]) == "speaker"
    assert cluster_kind(["x", "y"]) == "utterance"
    assert cluster_kind([None, None]) == "utterance"


def test_clusters_are_speakers_or_utterances() -> None:
    speakers = {"a": "x", "b": "x", "c": "y", "d": None}
    assert find_clusters(speakers, "speaker").count == 3
    assert find_clusters(speakers, "utterance").count == 4


def test_one_speaker_alone_is_one_cluster() -> None:
    assert find_clusters({"a": "x", "b": "x", "c": "x"}, "speaker").count == 1


def test_an_utterance_is_never_taken_for_a_speaker_of_its_name() -> None:
    assert find_clusters({"x": None, "b": "x", "c": "x", "d": "y"}, "speaker").count == 3
