"""Noisy files find their references and texts by name, or say which do not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cmkt.data.pair_matching import pair_up
from cmkt.errors import AudioFileError, DataError
from tests.data.conftest import Wav

SOUND = np.full(160, 0.1)


@pytest.fixture
def files(wav: Wav, tmp_path: Path) -> Path:
    """noisy and clean of two files in folders, of other suffixes."""
    for name in ("noisy/s1/a.wav", "noisy/s2/a.wav", "clean/s1/a.flac", "clean/s2/a.flac", "clean/s3/more.wav"):
        wav(name, SOUND)
    return tmp_path


def below(root: Path, folder: str = "noisy", clean: str = "clean") -> list[tuple[str, str]]:
    pairs = pair_up(root / folder, root / clean)
    return [(pair.id, str(pair.clean and pair.clean.relative_to(root))) for pair in pairs]


def test_folders_inside_are_mirrored_and_suffixes_may_differ(files: Path) -> None:
    assert below(files) == [("s1/a", "clean/s1/a.flac"), ("s2/a", "clean/s2/a.flac")]


def test_one_reference_in_another_folder_serves_several_noisy_files(files: Path, wav: Wav) -> None:
    wav("flat/a.wav", SOUND)
    assert below(files, clean="flat") == [("s1/a", "flat/a.wav"), ("s2/a", "flat/a.wav")]


def test_without_a_clean_folder_there_are_no_references(files: Path) -> None:
    assert [(pair.id, pair.clean, pair.snr_db) for pair in pair_up(files / "noisy")] == [
        ("s1/a", None, None),
        ("s2/a", None, None),
    ]


def test_names_of_the_dns_challenge_are_matched_by_file_id_and_tell_the_snr(wav: Wav, tmp_path: Path) -> None:
    wav("noisy/x_snr-5_tl-25_fileid_7.wav", SOUND)
    wav("noisy/y_snr12_tl-30_fileid_17.wav", SOUND)
    wav("clean/clean_fileid_7.wav", SOUND)
    wav("clean/clean_fileid_17.wav", SOUND)
    assert [name for _, name in below(tmp_path)] == ["clean/clean_fileid_7.wav", "clean/clean_fileid_17.wav"]
    first = pair_up(tmp_path / "noisy")[0]
    assert (first.id, first.snr_db, first.about) == ("x_snr-5_tl-25_fileid_7", -5.0, {"target_level_db": -25.0})


def test_a_missing_reference_is_named_and_never_replaced_by_one_of_the_same_name(files: Path) -> None:
    (files / "clean/s2/a.flac").unlink()
    with pytest.raises(DataError, match=r"1 of 2 have none: s2/a\.wav\. Add them"):
        below(files)


def test_folders_with_nothing_in_common_say_how_files_are_called(files: Path, wav: Wav) -> None:
    wav("other/b.wav", SOUND)
    with pytest.raises(DataError, match=r"but none has\. They are called s1/a\.wav and b\.wav"):
        below(files, clean="other")


def test_a_name_with_two_references_is_refused(files: Path, wav: Wav) -> None:
    wav("other/x/a.wav", SOUND)
    wav("other/y/a.wav", SOUND)
    with pytest.raises(DataError, match=r"s1/a\.wav of .* must have one reference, but .*x/a\.wav and .*y/a\.wav"):
        below(files, clean="other")


def test_files_that_differ_only_in_their_suffix_are_refused(files: Path, wav: Wav) -> None:
    wav("noisy/s1/a.flac", SOUND)
    with pytest.raises(DataError, match=r"differ in more than their suffix.*s1/a"):
        below(files)


def test_a_folder_that_is_none_or_empty_is_refused(files: Path) -> None:
    (files / "empty").mkdir()
    with pytest.raises(AudioFileError, match="empty"):
        below(files, folder="empty")
    with pytest.raises(AudioFileError, match="empty"):
        below(files, clean="empty")
    with pytest.raises(DataError, match="`clean` must be a folder"):
        below(files, clean="nowhere")
    with pytest.raises(DataError, match="`noisy` must be a folder"):
        below(files, folder="noisy/s1/a.wav")


def test_texts_lie_beside_noisy_or_clean_in_a_folder_or_in_a_table(files: Path) -> None:
    def texts(transcripts: Path | None = None) -> list[str | None]:
        return [pair.text for pair in pair_up(files / "noisy", files / "clean", transcripts=transcripts)]

    assert texts() == [None, None]
    (files / "clean/s1/a.txt").write_text("of the\nclean one \n", encoding="utf-8")
    (files / "noisy/s2/a.txt").write_text(" \n", encoding="utf-8")
    assert texts() == ["of the clean one", None]
    (files / "texts/s2").mkdir(parents=True)
    (files / "texts/s2/a.txt").write_text("in a folder\n", encoding="utf-8")
    assert texts(files / "texts") == [None, "in a folder"]
    (files / "t.csv").write_text("file,text\ns1/a.wav,in a table\n", encoding="utf-8")
    assert texts(files / "t.csv") == ["in a table", None]


def test_transcripts_of_other_files_are_refused(files: Path) -> None:
    (files / "t.csv").write_text("file,text\nb.wav,other\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"names none of 2\. It has names such as 'b\.wav', the folder such as 's1/a'"):
        pair_up(files / "noisy", transcripts=files / "t.csv")
    with pytest.raises(DataError, match="names none of 2"):
        pair_up(files / "noisy", transcripts=files / "clean")
