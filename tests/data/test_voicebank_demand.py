"""Where VoiceBank+DEMAND lies, and its log."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmkt.data.voicebank_demand import Logged, find_part, part_names, read_log, speaker
from cmkt.errors import DataError


def folders(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).mkdir(parents=True)
    return root


def test_the_test_set_is_found_among_parts_with_its_texts_and_log(tmp_path: Path) -> None:
    parts = ("testset", "trainset_28spk")
    root = folders(tmp_path, *(f"{kind}_{part}_wav" for kind in ("noisy", "clean") for part in parts), "logfiles")
    assert part_names(root) == list(parts)
    assert (find_part(root).noisy, find_part(root).texts, find_part(root).log) == (
        root / "noisy_testset_wav",
        None,
        None,
    )
    folders(root, "testset_txt")
    (root / "logfiles/log_testset.txt").touch()
    assert find_part(root).texts == root / "testset_txt"
    assert find_part(root).log == root / "logfiles/log_testset.txt"


def test_a_root_without_the_test_set_must_have_one_part(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no such pair"):
        find_part(folders(tmp_path, "noisy_trainset_28spk_wav"))
    folders(tmp_path, "clean_trainset_28spk_wav")
    assert find_part(tmp_path).clean.name == "clean_trainset_28spk_wav"
    folders(tmp_path, "noisy_trainset_56spk_wav", "clean_trainset_56spk_wav")
    with pytest.raises(DataError, match="has trainset_28spk, trainset_56spk; name their folders"):
        find_part(tmp_path)


def test_the_log_tells_noise_and_snr(tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_text("p232_001 bus 17.5\r\n\np232_002 cafe 2.5\n")
    assert read_log(tmp_path / "log.txt") == {"p232_001": Logged("bus", 17.5), "p232_002": Logged("cafe", 2.5)}


@pytest.mark.parametrize("line", ["b bus", "b bus loud", "b bus nan", "b bus 5 dB", "a cafe 5"])
def test_a_line_of_another_form_or_of_a_file_that_was_named_is_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / "log.txt").write_text(f"a bus 5\n{line}\n")
    with pytest.raises(DataError, match=r"log\.txt, line 2 must"):
        read_log(tmp_path / "log.txt")
    with pytest.raises(DataError, match="none"):
        read_log(tmp_path / "none")


def test_the_speaker_is_in_the_name() -> None:
    assert [speaker(stem) for stem in ("p232_001", "s5_012", "a", "p232")] == ["p232", "s5", None, None]
