from __future__ import annotations

from dataclasses import replace

from cmkt.evaluation.record import Item
from cmkt.evaluation.report.notes import audio_note, notes, size
from cmkt.evaluation.report.test_sets import TestSet


def test_the_size_of_a_test_set_counts_each_utterance_once(made: TestSet) -> None:
    assert dict(size(made)) == {
        "utterances": "14",
        "mixtures": "28",
        "speakers": "14",
        "languages": "en",
        "speech": "0.1 min",
    }


def test_what_the_data_do_not_say_is_left_out_and_failures_tell_no_size(made: TestSet) -> None:
    silent = {key: replace(score, speaker=None, language=None) for key, score in made.scores.items()}
    first = next(iter(silent))
    silent[first] = replace(silent[first], error="broken", duration=0.0)
    told = dict(size(replace(made, scores=silent)))
    assert "speakers" not in told
    assert "languages" not in told
    assert told["speech"] == "0.1 min"


def test_failures_missing_values_and_cautions_are_told(made: TestSet) -> None:
    key = ("plain", Item("utterance00", 5.0))
    broken = replace(made.scores[key], error="x", missing={"stoi": "failed: x"}, metrics={"dnsmos_sig": 3.0})
    told = notes(replace(made, scores={**made.scores, key: broken}, metrics=(*made.metrics, "dnsmos_sig")))
    assert "plain failed on 1 mixtures." in told
    assert "STOI has no value: 1 × failed." in told
    assert "Guessing finds 0.100 of the sentences to be identified." in told
    assert any(sentence.startswith("Words were recognised by made;") for sentence in told)
    assert any("over-suppression" in sentence for sentence in told)


def test_verdicts_of_the_evaluation_are_told(made: TestSet) -> None:
    verdict = {"plain": {"verdict": "undertrained", "reasons": ["stoi: not above noisy"]}, "odd": "text"}
    evaluation = replace(made.evaluations[0], summary={"verdicts": verdict})
    assert "plain: undertrained. stoi: not above noisy." in notes(replace(made, evaluations=(evaluation,)))


def test_what_could_not_be_heard_is_told_with_the_way_to_it() -> None:
    assert audio_note(5, 5, "") == ""
    assert audio_note(0, 5, "The model is gone.").startswith(
        "No audio was kept. More cannot be made here: The model is"
    )
    assert "Chosen among the 2 of 5" in audio_note(2, 5, "x")
