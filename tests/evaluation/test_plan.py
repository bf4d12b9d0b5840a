from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cmkt.errors import ConfigError
from cmkt.evaluation.opened import forget_all
from cmkt.evaluation.pair_set import PairFolders, PairList
from cmkt.evaluation.plan import Plan, make_plan
from cmkt.evaluation.record import Score
from cmkt.evaluation.settings import Settings
from cmkt.metrics.registry import DEFAULT_METRICS, METRICS

BLIND = tuple(name for name, metric in METRICS.items() if not metric.needs_reference)


@pytest.fixture
def settings(pair_list: Path, tmp_path: Path) -> Settings:
    forget_all()
    return Settings(PairList(pair_list), output=tmp_path / "out")


def plan_of(*metrics: str, words: str | None = None) -> Plan:
    settings = Settings(PairList(Path("list.jsonl")), output=Path("out"))
    return Plan(settings, data="d", blind=False, metrics=metrics, sound="new", words=words)


def score(**known: object) -> Score:
    return Score("a", 0.0, "noisy", "", "d", seed=0, duration=1.0, **known)  # type: ignore[arg-type]


def test_the_usual_metrics_are_measured_unless_others_are_named(settings: Settings) -> None:
    plan = make_plan(settings)
    assert (plan.metrics, plan.blind, plan.words) == (tuple(DEFAULT_METRICS), False, None)
    assert make_plan(replace(settings, metrics=("si_sdr", "stoi"))).metrics == ("stoi", "si_sdr")
    assert make_plan(replace(settings, metrics=("si_sdr", "usual"))).metrics == tuple(DEFAULT_METRICS)
    everything = make_plan(replace(settings, metrics=("dnsmos", "usual"))).metrics
    assert set(everything) - set(DEFAULT_METRICS) == set(BLIND)


def test_without_references_only_metrics_that_need_none_are_measured(settings: Settings, pair_list: Path) -> None:
    alone = replace(settings, source=PairFolders(pair_list.parent / "noisy"))
    with pytest.raises(ConfigError, match=r"no recording has one, but stoi do"):
        make_plan(replace(alone, metrics=("stoi",)))
    if BLIND:
        plan = make_plan(replace(alone, metrics=BLIND))
        assert (plan.metrics, plan.blind) == (BLIND, True)


def test_metrics_that_are_unknown_or_none_are_refused(settings: Settings) -> None:
    with pytest.raises(ConfigError, match="loudness"):
        make_plan(replace(settings, metrics=("loudness",)))
    with pytest.raises(ConfigError, match="names none"):
        make_plan(replace(settings, metrics=()))


def test_a_score_lacks_what_it_has_neither_a_value_nor_a_reason_for() -> None:
    plan = plan_of("stoi", "estoi", "si_sdr")
    known = score(sound="new", metrics={"si_sdr": 1.0}, missing={"stoi": "short"})
    assert plan.lacking_sound("noisy", known) == ("estoi",)
    assert plan.lacking_sound("noisy", None) == plan.metrics
    assert plan.lacking_sound("clean", known) == ()
    assert not plan_of("stoi").lacks_anything("noisy", known)


def test_a_score_by_older_metrics_lacks_all_of_them() -> None:
    plan = plan_of("stoi")
    assert plan.lacking_sound("noisy", score(sound="old", metrics={"stoi": 1.0})) == ("stoi",)


def test_words_are_lacking_where_they_were_measured_in_another_way() -> None:
    plan = plan_of("stoi", words="10 others")
    full = score(sound="new", metrics={"stoi": 1.0}, words="10 others")
    assert not plan.lacks_anything("noisy", full)
    assert plan.lacks_words(replace(full, words="5 others"))
    assert plan.all_metrics("noisy") == ("stoi", "identified", "word_margin")
    assert plan.all_metrics("clean") == ("identified", "word_margin")
    assert plan_of("stoi").all_metrics("noisy") == ("stoi",)


def test_word_errors_are_lacking_where_another_recogniser_heard() -> None:
    plan = replace(plan_of("stoi"), transcriber="ears 2")
    full = score(sound="new", metrics={"stoi": 1.0}, transcriber="ears 2")
    assert not plan.lacks_anything("noisy", full)
    assert plan.lacks_word_errors(replace(full, transcriber="ears 1"))
    assert plan.lacks_anything("clean", None)
    assert plan.all_metrics("clean") == ("wer", "cer", "wil")
    assert plan.measures_words
    assert not plan_of("stoi").measures_words
