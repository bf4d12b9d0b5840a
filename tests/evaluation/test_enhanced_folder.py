from __future__ import annotations

import logging
import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cmkt.audio.read import read_audio
from cmkt.audio.write import write_audio
from cmkt.data.pairs import read_pairs, write_pairs
from cmkt.errors import ConfigError, DataError
from cmkt.evaluation.enhanced_folder import EnhancedFolder, find_enhanced, forget_files
from cmkt.evaluation.pair_set import PairList, PairSet

NAMES = ("one_0dB", "one_10dB", "two_0dB", "two_10dB", "three")


@pytest.fixture
def pairs(pair_list: Path) -> PairSet:
    return PairList(pair_list).open(seed=0, limit=None, sample_rate=None)


@pytest.fixture
def folder(pair_list: Path, tmp_path: Path) -> Path:
    """Each noisy file at half its level, as FLAC."""
    (tmp_path / "theirs").mkdir()
    for name in NAMES:
        noisy, rate = read_audio(pair_list.parent / "noisy" / f"{name}.wav")
        write_audio(tmp_path / "theirs" / f"{name}.flac", 0.5 * noisy, rate, subtype="PCM_24")
    return tmp_path / "theirs"


def found(folder: Path, pairs: PairSet, *, sample_rate: int | None = None) -> EnhancedFolder:
    forget_files()
    return find_enhanced(folder, "theirs", pairs, sample_rate=sample_rate)


def change(path: Path, samples: NDArray[np.floating], rate: int = 16_000) -> None:
    path.unlink(missing_ok=True)
    write_audio(path.with_suffix(".wav"), samples, rate, subtype="FLOAT")


def test_files_of_the_same_name_are_scored_whatever_their_suffix(folder: Path, pairs: PairSet) -> None:
    system = found(folder, pairs)
    for index in range(5):
        mixture = pairs.mixture(index)
        assert system.estimate(mixture) == pytest.approx(0.5 * mixture.noisy, abs=1e-6)
    assert system.described() == {"kind": "enhanced", "source": str(folder)}


def test_subfolders_may_mirror_those_of_the_noisy_files(pair_list: Path, folder: Path, tmp_path: Path) -> None:
    listed = read_pairs(pair_list)
    for place, pair in enumerate(listed[:4]):
        (tmp_path / f"snr{place % 2}").mkdir(exist_ok=True)
        (tmp_path / "out" / f"snr{place % 2}").mkdir(exist_ok=True, parents=True)
        shutil.copy(pair.noisy, tmp_path / f"snr{place % 2}" / f"{pair.id}.wav")
        shutil.copy(folder / f"{pair.noisy.stem}.flac", tmp_path / "out" / f"snr{place % 2}" / f"{pair.id}.flac")
    moved = [
        type(pair)(pair.id, tmp_path / f"snr{place % 2}" / f"{pair.id}.wav", pair.clean, None, pair.snr_db)
        for place, pair in enumerate(listed[:4])
    ]
    write_pairs(tmp_path / "moved.jsonl", moved)
    pairs = PairList(tmp_path / "moved.jsonl").open(seed=0, limit=None, sample_rate=None)
    system = found(tmp_path / "out", pairs)
    assert system.estimate(pairs.mixture(3)) == pytest.approx(0.5 * pairs.mixture(3).noisy, abs=1e-6)
    flat = tmp_path / "flat"
    flat.mkdir()
    shutil.copy(folder / "one_0dB.flac", flat / "one.flac")
    with pytest.raises(ConfigError, match="an enhanced one of its own"):
        found(flat, pairs)


def test_files_may_carry_the_id_of_their_pair(pair_list: Path, folder: Path, tmp_path: Path) -> None:
    (pair,) = (each for each in read_pairs(pair_list) if each.id == "three")
    write_pairs(tmp_path / "list.jsonl", [type(pair)("third", pair.noisy, pair.clean)])
    pairs = PairList(tmp_path / "list.jsonl").open(seed=0, limit=None, sample_rate=None)
    (tmp_path / "named").mkdir()
    shutil.copy(folder / "three.flac", tmp_path / "named" / "third.flac")
    system = found(tmp_path / "named", pairs)
    assert system.estimate(pairs.mixture(0)) == pytest.approx(0.5 * pairs.mixture(0).noisy, abs=1e-6)


def test_a_missing_file_fails_alone_and_is_counted(
    folder: Path, pairs: PairSet, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "three.flac").unlink()
    with caplog.at_level(logging.WARNING):
        system = found(folder, pairs)
    assert "1 of 5 noisy files have no file and fail" in caplog.text
    with pytest.raises(DataError, match="has no file three"):
        system.estimate(pairs.mixture(4))
    assert system.estimate(pairs.mixture(0)).size > 0


@pytest.mark.parametrize(("missing", "value"), [(100, 0.0), (-100, None)])
def test_lengths_that_differ_by_a_few_samples_are_mended(
    folder: Path, pairs: PairSet, caplog: pytest.LogCaptureFixture, missing: int, value: float | None
) -> None:
    noisy = pairs.mixture(4).noisy
    change(folder / "three.flac", noisy[:-missing] if missing > 0 else np.pad(noisy, (0, -missing)))
    with caplog.at_level(logging.WARNING):
        system = found(folder, pairs)
    assert "1 of 5 noisy files differ by up to 10 ms in length" in caplog.text
    estimate = system.estimate(pairs.mixture(4))
    assert estimate.size == noisy.size
    assert (estimate[-100:] == (noisy[-100:] if value is None else value)).all()


def test_a_length_that_differs_by_a_lot_fails_alone(
    folder: Path, pairs: PairSet, caplog: pytest.LogCaptureFixture
) -> None:
    change(folder / "three.flac", pairs.mixture(4).noisy[:-1_600])
    with caplog.at_level(logging.WARNING):
        system = found(folder, pairs)
    assert "1 of 5 noisy files differ by more than 10 ms in length, and fail" in caplog.text
    with pytest.raises(DataError, match="100 ms apart"):
        system.estimate(pairs.mixture(4))


def test_another_rate_is_refused_unless_everything_is_resampled(pair_list: Path, folder: Path) -> None:
    pairs = PairList(pair_list).open(seed=0, limit=None, sample_rate=None)
    change(folder / "three.flac", pairs.mixture(4).noisy[::2], 8_000)
    with pytest.raises(ConfigError, match=r"1 of 5 have another: three.wav has 8000 Hz .*--sample-rate 8000"):
        found(folder, pairs)
    lower = PairList(pair_list).open(seed=0, limit=None, sample_rate=8_000)
    system = found(folder, lower, sample_rate=8_000)
    assert system.estimate(lower.mixture(4)).size == lower.mixture(4).noisy.size
    assert system.estimate(lower.mixture(0)).size == lower.mixture(0).noisy.size
    with pytest.raises(ConfigError, match=r"1 of 5 files of .* have less than 12000 Hz"):
        found(folder, PairList(pair_list).open(seed=0, limit=None, sample_rate=12_000), sample_rate=12_000)


def test_stereo_is_refused(folder: Path, pairs: PairSet) -> None:
    change(folder / "three.flac", np.stack([pairs.mixture(4).noisy] * 2))
    with pytest.raises(ConfigError, match="1 of 5 have more"):
        found(folder, pairs)


def test_a_sample_that_is_no_number_fails_alone(folder: Path, pairs: PairSet) -> None:
    noisy = pairs.mixture(4).noisy.copy()
    noisy[7] = np.nan
    change(folder / "three.flac", noisy)
    with pytest.raises(DataError, match="1 of its 19200 samples are NaN"):
        found(folder, pairs).estimate(pairs.mixture(4))


def test_a_damaged_file_fails_alone_and_is_counted(
    folder: Path, pairs: PairSet, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "three.flac").write_bytes(b"no audio")
    with caplog.at_level(logging.WARNING):
        system = found(folder, pairs)
    assert "1 of 5 noisy files have a file that cannot be read, and fail" in caplog.text
    with pytest.raises(DataError, match="must be readable"):
        system.estimate(pairs.mixture(4))


def test_two_files_of_one_name_are_refused(folder: Path, pairs: PairSet) -> None:
    shutil.copy(folder / "three.flac", folder / "three.wav")
    with pytest.raises(ConfigError, match="must have different names"):
        found(folder, pairs)


def test_folders_that_cannot_be_used_are_refused(tmp_path: Path, pairs: PairSet) -> None:
    with pytest.raises(ConfigError, match="is not a folder"):
        found(tmp_path / "none", pairs)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="holds none"):
        found(tmp_path / "empty", pairs)
    write_audio(tmp_path / "empty" / "other.wav", np.zeros(100), 16_000)
    with pytest.raises(ConfigError, match=r"none of 1 is: they are called other.wav and one_0dB.wav"):
        found(tmp_path / "empty", pairs)


def test_the_weights_follow_every_byte_and_not_the_place_or_the_limit(
    folder: Path, pair_list: Path, pairs: PairSet, tmp_path: Path
) -> None:
    first = found(folder, pairs).weights
    fewer = PairList(pair_list).open(seed=0, limit=1, sample_rate=None)
    assert found(folder, fewer).weights == first
    shutil.copytree(folder, tmp_path / "moved")
    assert found(tmp_path / "moved", pairs).weights == first
    (tmp_path / "moved" / "unrelated.wav").write_bytes(b"")
    assert found(tmp_path / "moved", pairs).weights == first
    change(tmp_path / "moved" / "three.flac", pairs.mixture(4).noisy)
    assert found(tmp_path / "moved", pairs).weights != first
