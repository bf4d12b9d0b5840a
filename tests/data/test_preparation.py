"""From entries to a prepared folder: what is dropped, what is noted, what is written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cmkt.data.entry import Entry, Kind
from cmkt.data.manifest import load_prepared
from cmkt.data.preparation import prepare, usable_text, validate
from cmkt.errors import ConfigError

Wav = Callable[..., Path]
TONE = 0.1 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)


@pytest.mark.parametrize(
    ("text", "kept", "remarked"),
    [
        ("hello", "hello", False),
        (" hello \n", "hello", False),
        (None, None, False),
        ("", None, True),
        (" \n", None, True),
        ("x" * 41, None, True),
        ("x" * 40, "x" * 40, False),
    ],
)
def test_transcript_is_kept_only_where_it_can_be_of_this_audio(
    text: str | None, kept: str | None, remarked: bool
) -> None:
    found, remark = usable_text(text, 1.0)
    assert found == kept
    assert (remark is not None) == remarked


def test_everything_good_is_kept_with_what_is_known(entries: dict[Kind, list[Entry]], tmp_path: Path) -> None:
    report = prepare(entries, tmp_path / "out")
    assert {kind: (one.listed, one.kept) for kind, one in report.kinds.items()} == {
        "speech": (6, 6),
        "noise": (5, 5),
        "rir": (1, 1),
    }
    assert report.kinds["speech"].with_text == 4
    assert not any(one.dropped or one.noted for one in report.kinds.values())
    cut = next(iter(load_prepared(tmp_path / "out").speech))
    assert (cut.id, cut.duration, cut.custom["corpus"]) == ("u0", 1.0, "toy")
    supervision = cut.supervisions[0]
    assert (supervision.text, supervision.speaker, supervision.language) == ("SENTENCE 0", "s0", "en")
    assert Path(cut.recording.sources[0].source).is_absolute()


def test_bad_files_are_dropped_and_told(wav: Wav, tmp_path: Path) -> None:
    (tmp_path / "corrupt.wav").write_bytes(b"RIFFnothing")
    speech = [
        Entry("good", wav("good.wav", TONE), text=""),
        Entry("long", wav("long.wav", TONE), text="much too long " * 20),
        Entry("good", wav("again.wav", TONE)),
        Entry("six", wav("six.wav", np.tile(TONE, (6, 1)))),
        Entry("clipped", wav("clipped.wav", np.clip(99 * TONE, -1, 1))),
        Entry("corrupt", tmp_path / "corrupt.wav"),
        Entry("missing", tmp_path / "missing.wav"),
        Entry("short", wav("short.wav", TONE[:1000])),
        Entry("listed", wav("listed.wav", TONE), duration=3.0),
    ]
    cuts, report = validate(speech, "speech")
    assert [cut.id for cut in cuts] == ["good", "long", "six"]
    assert {reason: tally.count for reason, tally in report.dropped.items()} == {
        "id given twice": 1,
        "clipped": 1,
        "unreadable": 1,
        "missing": 1,
        "too short": 1,
        "duration disagrees": 1,
    }
    assert {remark.split(",")[0]: tally.examples for remark, tally in report.noted.items()} == {
        "empty transcript": ["good"],
        "transcript dropped": ["long"],
        "several channels": ["six: 6 channels"],
    }
    assert all(not cut.supervisions for cut in cuts)


def test_distance_of_speech_to_its_noise_floor_is_kept_and_reported(wav: Wav, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    gate = np.tile(np.repeat([1.0, 0.0], 8_000), 4)
    speech = [
        Entry(
            f"floor{floor_db}",
            wav(f"{floor_db}.wav", (0.1 * gate + 10 ** (floor_db / 20)) * rng.standard_normal(gate.size)),
            custom={"speech_to_floor_db": "what the list says"},
        )
        for floor_db in (-40, -60)
    ]
    report = prepare({"speech": speech, "noise": speech}, tmp_path / "out", workers=1)
    loaded = load_prepared(tmp_path / "out")
    assert [cut.custom["speech_to_floor_db"] for cut in loaded.speech] == pytest.approx([20.0, 40.0], abs=2.0)
    assert loaded.noise is not None
    assert {cut.custom["speech_to_floor_db"] for cut in loaded.noise} == {"what the list says"}
    written = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert written["speech"]["speech_to_floor_db"] == pytest.approx({"p10": 22.0, "p50": 30.0, "p90": 38.0}, abs=2.0)
    assert written["noise"]["speech_to_floor_db"] == {}
    assert sum("above the noise floor" in line for line in report.lines()) == 1


def test_clipped_noise_is_kept_with_a_note(wav: Wav) -> None:
    cuts, report = validate([Entry("n", wav("n.wav", np.clip(99 * TONE, -1, 1)))], "noise")
    assert len(cuts) == 1
    assert report.noted["clipped"].count == 1


def test_processes_give_what_one_process_gives(wav: Wav) -> None:
    many = [Entry(f"e{number}", wav(f"e{number}.wav", TONE[: 4000 + 100 * number])) for number in range(70)]
    alone, pooled = validate(many, "speech", workers=1), validate(many, "speech", workers=2)
    assert [cut.to_dict() for cut in alone[0]] == [cut.to_dict() for cut in pooled[0]]
    assert alone[1] == pooled[1]


def test_report_is_written_also_when_nothing_is_left(tmp_path: Path) -> None:
    report = prepare({"speech": [Entry("a", tmp_path / "a.wav")]}, tmp_path / "out")
    assert report.kinds["speech"].kept == 0
    written = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert written["speech"]["dropped"]["missing"]["count"] == 1
    assert not (tmp_path / "out" / "speech.jsonl.gz").exists()


def test_too_few_workers_are_refused(entries: dict[Kind, list[Entry]], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="workers"):
        prepare(entries, tmp_path / "out", workers=0)
