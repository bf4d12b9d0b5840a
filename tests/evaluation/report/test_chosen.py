from __future__ import annotations

from cmkt.evaluation.record import NOISY
from cmkt.evaluation.report.chosen import choose
from cmkt.evaluation.report.test_sets import TestSet
from tests.evaluation.report.conftest import HOSTILE


def test_the_worst_and_best_are_by_what_the_system_changed(made: TestSet) -> None:
    found = [(each.item.id, reason) for each in choose(made, "transfer", each=1) for reason in each.reasons]
    assert {(reason.metric, reason.kind, name) for name, reason in found} == {
        ("stoi", "worst", HOSTILE),
        ("stoi", "best", "utterance00"),
        ("wer", "worst", HOSTILE),
        ("wer", "best", "utterance00"),
    }
    assert {reason.rank for _, reason in found} == {1}
    assert {round(reason.difference, 3) for _, reason in found} == {-0.16, 0.1, 0.16, -0.1}


def test_each_utterance_is_shown_once_for_a_reason_and_ranks_count_all(made: TestSet) -> None:
    chosen = [each for each in choose(made, "transfer", each=3) if each.reasons[0].metric == "stoi"]
    assert len({each.item.id for each in chosen}) == 6
    assert [each.reasons[0].kind for each in chosen] == ["worst"] * 3 + ["best"] * 3
    assert [each.reasons[0].count for each in chosen] == [28] * 6
    assert chosen[1].reasons[0].rank == 3  # the second is the same utterance at the other SNR


def test_only_what_is_usable_is_chosen_and_keeps_its_rank(made: TestSet) -> None:
    chosen = choose(made, "plain", each=1, usable=lambda item: item.id == "utterance05")
    ranks = {reason.rank for each in chosen for reason in each.reasons}
    assert {each.item.id for each in chosen} == {"utterance05"}
    assert min(ranks) > 5


def test_more_than_there_is_gives_all_there_is(made: TestSet) -> None:
    chosen = choose(made, "plain", each=99)
    assert {each.item.id for each in chosen} == {item.id for item in made.of(NOISY)}


def test_a_system_without_a_shared_metric_has_none(made: TestSet) -> None:
    assert choose(made, "nobody", each=3) == []
