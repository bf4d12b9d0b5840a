from __future__ import annotations

import base64
import io
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from cmkt.evaluation.record import CLEAN, NOISY, Item
from cmkt.evaluation.report.chosen import Chosen, Reason, choose
from cmkt.evaluation.report.saved_audio import SavedAudio
from cmkt.evaluation.report.sound import BYTES_PER_SAMPLE, Audio
from cmkt.evaluation.report.test_sets import TestSet
from cmkt.evaluation.report.utterances import BUDGET_BYTES, make_cards, ordinal, reason_text, shown_systems, title_of
from tests.evaluation.report.conftest import RATE, SECONDS, TEXT


def test_a_card_has_scores_words_and_sounds_of_every_system(made: TestSet) -> None:
    chosen = choose(made, "plain", each=1, usable=lambda item: item.id == "utterance04")
    card = make_cards(made, chosen, shown_systems(made, "plain"), SavedAudio(made).get)[0]
    assert [voice.name for voice in card.voices] == [NOISY, "plain", "transfer", CLEAN]
    assert [metric.name for metric in card.columns] == ["stoi", "si_sdr", "wer", "identified"]
    assert card.voices[0].values[-1] in ("yes", "no")
    assert card.voices[-1].values[0] == "–"
    assert card.text == TEXT
    assert [piece.kind for piece in card.voices[2].heard] == ["equal"]
    assert all(voice.sound.startswith("data:audio/flac") for voice in card.voices)
    assert (card.seconds, card.shown_seconds) == (SECONDS, SECONDS)
    assert ("noise", "<b>hum</b>") in card.facts


def test_a_card_without_audio_still_has_its_scores(made: TestSet) -> None:
    (card, *_) = make_cards(made, choose(made, "plain", each=1), shown_systems(made, "plain"), lambda *_: None)
    assert card.voices[0].sound == ""
    assert card.voices[0].picture == ""
    assert card.shown_seconds == 0.0


def test_audio_is_cut_so_that_all_of_it_fits(made: TestSet) -> None:
    long = Audio(np.zeros(120 * RATE), RATE)
    short = Audio(np.zeros(RATE), RATE)

    whole = {NOISY: long, "plain": long, CLEAN: short}
    chosen = choose(made, "plain", each=3)
    cards = make_cards(made, chosen, shown_systems(made, "plain"), lambda _, system: whole.get(system))
    sounds = [voice.sound for card in cards for voice in card.voices if voice.sound]
    assert len(sounds) == 3 * len(chosen)
    samples = sum(soundfile.info(io.BytesIO(base64.b64decode(each.partition(",")[2]))).frames for each in sounds)
    assert samples * BYTES_PER_SAMPLE == pytest.approx(BUDGET_BYTES, rel=0.01)


def test_the_system_in_focus_is_shown_among_many(made: TestSet) -> None:

    many = replace(made, systems=(NOISY, *(f"s{number}" for number in range(9)), CLEAN))
    assert shown_systems(many, "s8") == [NOISY, "s0", "s1", "s2", "s8", CLEAN]
    assert shown_systems(many, "s1") == [NOISY, "s0", "s1", "s2", "s3", CLEAN]


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        (Reason("stoi", "worst", 1, 96, -0.0123), "STOI −0.0123, worst of 96"),
        (Reason("word_margin", "best", 2, 96, 3.25), "margin +3.2 nats/word, 2nd best of 96"),
    ],
)
def test_a_reason_tells_the_change_and_the_rank(reason: Reason, text: str) -> None:
    assert reason_text(reason) == text


def test_titles_tell_the_snr_where_it_is_known() -> None:
    assert title_of(Item("a", -5.0)) == "a at −5 dB"
    assert title_of(Item("a", None)) == "a"
    assert [ordinal(number) for number in (1, 2, 3, 4, 11, 22, 113)] == [
        "1st",
        "2nd",
        "3rd",
        "4th",
        "11th",
        "22nd",
        "113th",
    ]


def test_a_mixture_without_scores_of_a_system_leaves_it_out(made: TestSet) -> None:

    item = Item("utterance00", 5.0)
    fewer = replace(made, scores={key: value for key, value in made.scores.items() if key != ("transfer", item)})
    chosen = [Chosen(item, (Reason("stoi", "best", 1, 2, 0.1),))]
    (card,) = make_cards(fewer, chosen, [NOISY, "plain", "transfer"], lambda *_: None)
    assert [voice.name for voice in card.voices] == [NOISY, "plain"]
