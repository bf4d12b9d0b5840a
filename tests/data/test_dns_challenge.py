"""What names of the DNS Challenge say."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmkt.data.dns_challenge import MixtureName, pair_folders_below, parse_name


@pytest.mark.parametrize(
    ("stem", "told"),
    [
        ("clnsp1_train_69005_1_snr15_tl-21_fileid_158", MixtureName(158, 15.0, -21.0)),
        ("book_1_snr-5_tl-25_fileid_7", MixtureName(7, -5.0, -25.0)),
        ("x_snr2.5_fileid_0", MixtureName(0, 2.5, None)),
        ("clean_fileid_12", MixtureName(12, None, None)),
        ("fileid_3", MixtureName(3, None, None)),
        ("p232_001", None),
        ("fileid_3_again", None),
        ("profileid_3", None),
    ],
)
def test_a_name_tells_file_id_snr_and_level(stem: str, told: MixtureName | None) -> None:
    assert parse_name(stem) == told


def test_folders_lie_in_the_root_or_in_its_conditions(tmp_path: Path) -> None:
    assert pair_folders_below(tmp_path) == []
    for name in ("with_reverb/noisy", "with_reverb/clean", "no_reverb/noisy", "no_reverb/clean"):
        (tmp_path / name).mkdir(parents=True)
    assert [name for name, _, _ in pair_folders_below(tmp_path)] == ["no_reverb", "with_reverb"]
    (tmp_path / "noisy").mkdir()
    (tmp_path / "clean").mkdir()
    assert pair_folders_below(tmp_path) == [("", tmp_path / "noisy", tmp_path / "clean")]
