from __future__ import annotations

from pathlib import Path

import pytest

from cmkt.audio.files import check_output_folder, find_audio
from cmkt.errors import AudioFileError, ConfigError


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def relative(paths: list[Path]) -> list[str]:
    return [str(name) for _, name in find_audio(paths)]


def test_folders_are_searched_to_any_depth_in_order(tmp_path: Path) -> None:
    touch(tmp_path, "b.wav", "a/z.flac", "a/b/c.OPUS", "c.mp3", "notes.txt", "a/b/c.txt")
    assert relative([tmp_path]) == ["a/b/c.OPUS", "a/z.flac", "b.wav", "c.mp3"]
    assert all(path == tmp_path / name for path, name in find_audio([tmp_path]))


def test_a_named_file_keeps_its_name_alone_and_needs_no_suffix(tmp_path: Path) -> None:
    touch(tmp_path, "deep/a.wav", "deep/raw")
    assert find_audio([tmp_path / "deep/a.wav", str(tmp_path / "deep/raw")]) == [
        (tmp_path / "deep/a.wav", Path("a.wav")),
        (tmp_path / "deep/raw", Path("raw")),
    ]


def test_hidden_files_and_folders_are_left_out(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav", "._a.wav", ".b.1234.part.wav", ".cache/c.wav")
    assert relative([tmp_path]) == ["a.wav"]


def test_a_hidden_parent_of_the_named_folder_does_not_matter(tmp_path: Path) -> None:
    touch(tmp_path, ".data/a.wav")
    assert relative([tmp_path / ".data"]) == ["a.wav"]


def test_a_file_that_is_found_twice_counts_once(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav", "b.wav")
    assert relative([tmp_path / "b.wav", tmp_path]) == ["b.wav", "a.wav"]


def test_two_files_for_one_output_are_an_error_that_names_both(tmp_path: Path) -> None:
    touch(tmp_path, "one/a.wav", "two/a.wav")
    with pytest.raises(AudioFileError, match=r"one/a\.wav' and '.*two/a\.wav'"):
        find_audio([tmp_path / "one", tmp_path / "two"])
    assert relative([tmp_path]) == ["one/a.wav", "two/a.wav"]


def test_nothing_found_and_a_missing_path_are_errors(tmp_path: Path) -> None:
    touch(tmp_path, "notes.txt")
    with pytest.raises(AudioFileError, match=f"{tmp_path.name}' holds none"):
        find_audio([tmp_path])
    with pytest.raises(AudioFileError, match=r"missing\.wav' must be an audio file or a folder"):
        find_audio([tmp_path / "missing.wav"])
    with pytest.raises(AudioFileError, match="no path"):
        find_audio([])


def test_an_output_folder_may_be_new_at_any_depth_but_lies_in_no_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path, tmp_path / "new", tmp_path / "new" / "below", Path("new")):
        check_output_folder(folder)
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(ConfigError, match=r"must be a folder, but .*file.* is a file"):
            check_output_folder(folder)
