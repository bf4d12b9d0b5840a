from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from cmkt.audio.write import write_audio
from cmkt.errors import ConfigError
from cmkt.evaluation.recognition import Listening, Recognised, errors_of, recognise, write_table
from cmkt.evaluation.recordings import AudioFiles, PreparedSpeech, Recording
from cmkt.metrics.word_errors import ErrorCounts
from cmkt.recipes.espeak import espeak
from cmkt.recipes.jsonl import read_list
from cmkt.signal.resample import resample

RATE = 16_000
SAID = "please call me tomorrow morning"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An utterance with its transcript, silence, and a file that is damaged."""
    made = tmp_path_factory.mktemp("recordings")
    speech = resample(espeak().synthesise(SAID, voice="en-us+f2"), espeak().sample_rate, RATE)
    write_audio(made / "call.wav", 0.5 * speech, RATE)
    (made / "call.txt").write_text("Please call Tom tomorrow morning!")
    write_audio(made / "silence.wav", np.zeros(RATE), RATE)
    (made / "damaged.wav").write_bytes(b"RIFF")
    return made


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def recognised(folder: Path, cache: Path) -> list[Recognised]:
    listening = Listening("pocketsphinx", cache=cache)
    return recognise(AudioFiles.find([folder]), listening, jobs=2, progress=False)


def test_each_recording_is_heard_in_order_and_one_that_fails_does_not_lose_the_others(
    recognised: list[Recognised],
) -> None:
    call, damaged, silence = recognised
    assert call.text == SAID
    assert call.transcriber is not None
    assert call.transcriber.startswith("pocketsphinx 5")
    assert (damaged.text, damaged.failed) == (None, True)
    assert damaged.reason is not None
    assert "damaged.wav" in damaged.reason
    assert (silence.text, silence.confidence, silence.failed) == ("", None, False)


def test_what_was_heard_is_not_recognised_again_in_this_process_either(
    folder: Path, cache: Path, recognised: list[Recognised]
) -> None:
    kept = {path: path.read_text() for path in cache.rglob("*.json")}
    assert len(kept) == 2
    for path, content in kept.items():
        path.write_text(content.replace("tomorrow", "yesterday"))
    again = recognise(AudioFiles.find([folder]), Listening("pocketsphinx", cache=cache), jobs=0, progress=False)
    for path, content in kept.items():
        path.write_text(content)
    assert again[0].text == SAID.replace("tomorrow", "yesterday")
    assert again[2] == recognised[2]


def test_errors_are_counted_against_the_transcripts_that_exist(recognised: list[Recognised]) -> None:
    errors = errors_of(recognised)
    assert errors.words == ErrorCounts(equal=4, substituted=1)
    assert errors.utterances == 1
    assert errors_of(recognised[1:]).rates == {}


def test_a_kept_transcript_has_no_errors_and_is_not_heard(folder: Path) -> None:
    files = AudioFiles(tuple((folder / f"{name}.wav", name) for name in ("call", "silence")))
    kept, silence = recognise(files, Listening("pocketsphinx"), keep_transcripts=True, jobs=0, progress=False)
    assert kept == Recognised(files.listed()[0], "Please call Tom tomorrow morning!")
    assert silence.text == ""
    assert errors_of([kept]).utterances == 0


def test_a_language_that_the_recogniser_does_not_know_is_left_out(spoken: Path) -> None:
    listed = PreparedSpeech(spoken).listed()
    foreign = next(each for each in listed if each.id == "foreign")

    class One:
        def listed(self) -> tuple[Recording, ...]:
            return (foreign,)

        def audio(self, index: int) -> tuple[np.ndarray, int]:
            raise AssertionError("heard")

    (left_out,) = recognise(One(), Listening("pocketsphinx"), jobs=0, progress=False)
    assert (left_out.text, left_out.failed) == (None, False)
    assert left_out.reason == "a language that the recogniser does not know: de"


def test_a_recogniser_that_does_not_exist_is_refused_before_anything_is_heard(folder: Path) -> None:
    with pytest.raises(ConfigError, match="`transcriber`"):
        recognise(AudioFiles.find([folder]), Listening("sphinx"))


def test_the_table_is_a_list_that_prepare_reads(folder: Path, recognised: list[Recognised], tmp_path: Path) -> None:
    write_table(tmp_path / "heard.jsonl", recognised)
    lines = [json.loads(line) for line in (tmp_path / "heard.jsonl").read_text().splitlines()]
    assert list(lines[0]) == ["id", "text", "confidence", "transcriber", "transcript", "audio"]
    assert (lines[0]["id"], lines[0]["text"]) == ("call.wav", SAID)
    assert lines[0]["transcript"] == "Please call Tom tomorrow morning!"
    assert lines[1]["text"] is None
    assert "damaged.wav" in lines[1]["reason"]
    entries = read_list(tmp_path / "heard.jsonl")
    assert [(each.path, each.text) for each in entries][::2] == [
        ((folder / "call.wav").resolve(), SAID),
        ((folder / "silence.wav").resolve(), ""),
    ]
