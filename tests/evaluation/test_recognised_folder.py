from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from cmkt.data.entry import Entry
from cmkt.data.manifest import Prepared, cut_text, load_prepared, make_cut, write_prepared
from cmkt.data.report import Report
from cmkt.data.validation import Checked
from cmkt.errors import ConfigError
from cmkt.evaluation.recognised_folder import TABLE, check_target, write_recognised
from cmkt.evaluation.recognition import Recognised
from cmkt.evaluation.recordings import Recording

CHECKED = Checked(sample_rate=16_000, channels=1, samples=16_000, peak=0.5, clipped_share=0.0, speech_to_floor_db=30.0)
TEXTS = {"a": "SAID A", "b": None, "c": "SAID C", "d": "SAID D", "e": "SAID E"}
HEARD = {
    "a": Recognised(Recording("a"), "heard a", 0.25, "somebody 1"),
    "b": Recognised(Recording("b"), "heard b", None, "somebody 1"),
    "c": Recognised(Recording("c"), "", None, "somebody 1"),
    "d": Recognised(Recording("d"), "SAID D"),
    "e": Recognised(Recording("e"), reason="the file is gone", failed=True),
}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Five utterances, of which `b` says nothing of itself and `c` has two supervisions, and a noise."""
    speech = []
    for name, text in TEXTS.items():
        entry = Entry(name, Path(f"{name}.wav"), speaker=None if name == "b" else "s", custom={"corpus": "toy"})
        speech.append(make_cut(entry, CHECKED, text=text))
    speech[2].supervisions.append(dataclasses.replace(speech[2].supervisions[0], id="c2", text="AND MORE"))
    noise = make_cut(Entry("hiss", Path("hiss.wav"), custom={"class": "hiss"}), CHECKED)
    write_prepared(tmp_path / "data", speech=speech, noise=[noise], rir=[], report=Report())
    return tmp_path / "data"


@pytest.fixture
def written(source: Path, tmp_path: Path) -> Prepared:
    write_recognised(source, tmp_path / "heard", list(HEARD.values()))
    return load_prepared(tmp_path / "heard")


def test_utterances_carry_what_was_heard_and_no_transcript_stays_that_was_not_kept(written: Prepared) -> None:
    assert [cut_text(cut) for cut in written.speech] == ["heard a", "heard b", None, "SAID D", None]


def test_all_else_stays(source: Path, written: Prepared) -> None:
    before = list(load_prepared(source).speech)
    after = list(written.speech)
    assert [cut.recording for cut in after] == [cut.recording for cut in before]
    assert [[each.speaker for each in cut.supervisions] for cut in after] == [["s"], [None], ["s", "s"], ["s"], ["s"]]
    assert all(cut.custom["corpus"] == "toy" for cut in after)
    assert written.noise is not None
    assert [cut.custom for cut in written.noise] == [{"class": "hiss", "speech_to_floor_db": 30.0}]
    assert written.rir is None


def test_cuts_say_who_heard_their_text_and_how_surely(written: Prepared) -> None:
    said = [
        {name: cut.custom[name] for name in ("transcriber", "confidence") if name in cut.custom}
        for cut in written.speech
    ]
    heard_by = {"transcriber": "somebody 1"}
    assert said == [{**heard_by, "confidence": 0.25}, heard_by, {}, {}, {}]


def test_the_report_counts_what_the_texts_are(source: Path, written: Prepared) -> None:
    report = json.loads((written.directory / "report.json").read_text())
    assert report["speech"]["with_text"] == 3
    assert report["speech"]["seconds"] == 5.0
    assert report["speech"]["speech_to_floor_db"] == {"p10": 30.0, "p50": 30.0, "p90": 30.0}
    assert {note: tally["count"] for note, tally in report["speech"]["noted"].items()} == {
        "the text is what a recogniser heard": 2,
        "no word was heard": 1,
        "could not be recognised": 1,
    }
    assert report["noise"]["kept"] == 1


def test_a_text_that_is_too_long_for_its_audio_is_dropped(source: Path, tmp_path: Path) -> None:
    babble = Recognised(Recording("a"), "the " * 50, None, "somebody 1")
    report = write_recognised(source, tmp_path / "heard", [babble, *list(HEARD.values())[1:]])
    assert cut_text(next(iter(load_prepared(tmp_path / "heard").speech))) is None
    assert "transcript dropped, over 40 characters per second" in report.kinds["speech"].noted


def test_a_recognised_folder_that_is_recognised_again_forgets_who_heard_it_before(source: Path, tmp_path: Path) -> None:
    write_recognised(source, tmp_path / "heard", list(HEARD.values()))
    transcripts = [Recognised(Recording(name), "SAID") for name in TEXTS]
    write_recognised(tmp_path / "heard", tmp_path / "again", transcripts)
    assert all("transcriber" not in cut.custom for cut in load_prepared(tmp_path / "again").speech)


def test_only_a_new_folder_or_an_earlier_result_is_written_to(source: Path, tmp_path: Path) -> None:
    check_target(source, tmp_path / "new")
    with pytest.raises(ConfigError, match="must be another folder than the data"):
        check_target(source, source.parent / "." / "data")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").write_text("")
    with pytest.raises(ConfigError, match="must be empty or an earlier result"):
        check_target(source, tmp_path / "other")
    (tmp_path / "other" / TABLE).write_text("")
    check_target(source, tmp_path / "other")
    with pytest.raises(ConfigError, match="is a file"):
        check_target(source, tmp_path / "other" / TABLE)
