"""Folders of audio with transcripts in every form, and their split."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmkt.data.entry import Entry, Kind
from cmkt.errors import AudioFileError, DataError
from cmkt.recipes.folder import noise_entries, rir_entries, speech_entries, split_dev


def touch(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


def test_speech_without_text_has_ids_and_speakers(tmp_path: Path) -> None:
    found = speech_entries(touch(tmp_path, "ann/1.wav", "bob/1.flac", "alone.ogg"))
    assert {(entry.id, entry.speaker, entry.text) for entry in found} == {
        ("ann/1", "ann", None),
        ("bob/1", "bob", None),
        ("alone", None, None),
    }


def test_text_beside_a_file_is_its_transcript(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav", "b.wav")
    (tmp_path / "a.txt").write_text("\ufeffhallo wörld\n", encoding="utf-8")
    assert [entry.text for entry in speech_entries(tmp_path)] == ["hallo wörld\n", None]
    (tmp_path / "b.txt").write_bytes(b"\xff\xff")
    with pytest.raises(DataError, match=r"b\.txt"):
        speech_entries(tmp_path)


@pytest.mark.parametrize("name", ["s/a.wav", "s/a", "a.wav", "a"])
def test_table_names_files_in_any_usual_way(tmp_path: Path, name: str) -> None:
    touch(tmp_path / "audio", "s/a.wav", "s/b.wav")
    table = tmp_path / "t.csv"
    table.write_text(f'file,text\n{name},"Yes, please"\n', encoding="utf-8")
    assert [entry.text for entry in speech_entries(tmp_path / "audio", transcripts=table)] == ["Yes, please", None]


def test_table_of_other_files_is_an_error(tmp_path: Path) -> None:
    touch(tmp_path / "audio", "a.wav")
    with pytest.raises(DataError, match="names none"):
        speech_entries(tmp_path / "audio", transcripts=table(tmp_path / "t.csv", "file,text\nother,b\n"))


def test_noise_class_is_its_folder(tmp_path: Path) -> None:
    found = noise_entries(touch(tmp_path, "rain/1.wav", "2.wav"))
    assert {(entry.id, entry.custom["class"]) for entry in found} == {("rain/1", "rain"), ("2", "noise")}
    assert [entry.id for entry in rir_entries(tmp_path)] == [entry.id for entry in found]


def test_folder_that_is_none_or_holds_no_audio_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not a folder"):
        speech_entries(tmp_path / "nothing")
    with pytest.raises(AudioFileError):
        speech_entries(touch(tmp_path, "readme.md"))


def listed(count: int, *, speakers: int) -> list[Entry]:
    return [
        Entry(id=f"{number}", path=Path(f"{number}.wav"), speaker=f"s{number % speakers}" if speakers else None)
        for number in range(count)
    ]


def ids(entries: list[Entry]) -> set[str]:
    return {entry.id for entry in entries}


def test_split_keeps_speakers_apart_and_loses_nothing() -> None:
    found: dict[Kind, list[Entry]] = {"speech": listed(100, speakers=10), "noise": listed(20, speakers=0)}
    train, dev = split_dev(found, 0.2, seed=3)
    assert len(dev["speech"]) == 20
    assert not {entry.speaker for entry in train["speech"]} & {entry.speaker for entry in dev["speech"]}
    for kind in ("speech", "noise"):
        assert ids(train[kind]) | ids(dev[kind]) == ids(found[kind])
        assert not ids(train[kind]) & ids(dev[kind])
    assert len(dev["noise"]) == 4
    assert split_dev(found, 0.2, seed=3) == (train, dev)
    assert split_dev(found, 0.2, seed=4) != (train, dev)


@pytest.mark.parametrize("speakers", [0, 1])
def test_split_of_one_speaker_is_by_file(speakers: int) -> None:
    train, dev = split_dev({"speech": listed(10, speakers=speakers)}, 0.1)
    assert (len(train["speech"]), len(dev["speech"])) == (9, 1)


def test_something_always_stays_for_training_and_a_single_noise_is_shared() -> None:
    train, dev = split_dev({"speech": listed(2, speakers=2), "noise": listed(1, speakers=0)}, 0.9)
    assert (len(train["speech"]), len(dev["speech"])) == (1, 1)
    assert train["noise"] == dev["noise"]


@pytest.mark.parametrize(("count", "fraction"), [(10, 1.0), (10, -0.1), (1, 0.1)])
def test_impossible_split_is_refused(count: int, fraction: float) -> None:
    with pytest.raises(DataError):
        split_dev({"speech": listed(count, speakers=0)}, fraction)


def table(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_bare_name_that_is_that_of_two_files_is_refused(tmp_path: Path) -> None:
    folder = touch(tmp_path / "audio", "ann/1.wav", "bob/1.wav")
    with pytest.raises(DataError, match="two files"):
        speech_entries(folder, transcripts=table(tmp_path / "t.csv", "file,text\n1.wav,yes\n"))
    named = table(tmp_path / "t.csv", "file,text\nann/1.wav,yes\nbob/1.wav,no\n")
    assert [entry.text for entry in speech_entries(folder, transcripts=named)] == ["yes", "no"]
