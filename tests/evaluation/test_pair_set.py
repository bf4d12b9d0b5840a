from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from cmkt.audio.read import read_audio
from cmkt.audio.write import write_audio
from cmkt.errors import ConfigError, DataError
from cmkt.evaluation.pair_set import PairFolders, PairList, PairSet
from cmkt.evaluation.record import Item, other_fields


def opened(path: Path, *, limit: int | None = None, sample_rate: int | None = None) -> PairSet:
    return PairList(path).open(seed=0, limit=limit, sample_rate=sample_rate)


def test_a_list_gives_its_files_with_all_that_it_says_of_them(pair_list: Path) -> None:
    held_out = opened(pair_list)
    assert held_out.items == tuple(
        Item(*each) for each in (("one", 0.0), ("one", 10.0), ("two", 0.0), ("two", 10.0), ("three", None))
    )
    mixture = held_out.mixture(1)
    noisy, _ = read_audio(pair_list.parent / "noisy" / "one_10dB.wav")
    clean, _ = read_audio(pair_list.parent / "clean" / "one.wav")
    np.testing.assert_array_equal(mixture.noisy, noisy[0])
    assert mixture.clean is not None
    np.testing.assert_array_equal(mixture.clean, clean[0])
    assert mixture.sample_rate == 16_000
    assert mixture.names == ("one_10dB", "one_10dB", "one")
    assert mixture.metadata["text"] == "words of one"
    assert mixture.metadata["rir_id"] == "hall"
    assert held_out.transcripts["three"].english == "words of three"


def test_its_fields_are_those_that_scores_can_be_grouped_by(pair_list: Path) -> None:
    held_out = opened(pair_list)
    assert held_out.fields == {*other_fields(held_out.mixture(0).metadata)} == {"rir_id"}


def test_a_limit_takes_utterances_with_all_their_snrs_and_knows_all_texts(pair_list: Path) -> None:
    held_out = opened(pair_list, limit=2)
    ids = [item.id for item in held_out.items]
    assert len(set(ids)) == 2
    assert all(ids.count(name) == (1 if name == "three" else 2) for name in ids)
    assert len(held_out.transcripts) == 3


def test_everything_can_be_resampled_but_not_upwards(pair_list: Path) -> None:
    held_out = opened(pair_list, sample_rate=8_000)
    mixture = held_out.mixture(0)
    assert (mixture.sample_rate, set(held_out.sample_rates)) == (8_000, {8_000})
    assert mixture.noisy.size == opened(pair_list).mixture(0).noisy.size // 2
    with pytest.raises(ConfigError, match="5 of 5 noisy files have less than 24000 Hz"):
        opened(pair_list, sample_rate=24_000)


def test_folders_give_pairs_by_name_and_alone_recordings_without_references(pair_list: Path) -> None:
    noisy = pair_list.parent / "noisy"
    clean = pair_list.parent / "both"
    clean.mkdir()
    for path in noisy.iterdir():
        shutil.copy(path, clean / path.name)
    (noisy / "three.txt").write_text("what was said")
    both = PairFolders(noisy, clean).open(seed=0, limit=None, sample_rate=None)
    alone = PairFolders(noisy).open(seed=0, limit=None, sample_rate=None)
    assert len(both.items) == len(alone.items) == 5
    assert all(item.snr_db is None for item in both.items)
    assert [both.has_reference(index) for index in range(5)] == [True] * 5
    assert [alone.has_reference(index) for index in range(5)] == [False] * 5
    assert alone.mixture(0).clean is None
    assert alone.transcripts["three"].text == "what was said"


def test_it_tells_what_it_is(tmp_path: Path) -> None:
    assert PairList(tmp_path / "set" / "list.jsonl").title == "`set/list.jsonl`"
    assert PairFolders(tmp_path / "a", tmp_path / "b").title == "`a` beside `b`"
    assert PairFolders(tmp_path / "a").title == "`a`"
    described = PairFolders(tmp_path / "a").described()
    assert described == {"kind": "folders", "path": str(tmp_path / "a"), "clean": None, "transcripts": None}


def test_the_fingerprint_follows_every_byte_and_field_and_not_the_place_or_the_limit(
    pair_list: Path, tmp_path: Path
) -> None:
    first = opened(pair_list).fingerprint()
    assert opened(pair_list, limit=1).fingerprint() == first
    assert opened(pair_list, sample_rate=8_000).fingerprint() == f"{first}-8000"
    moved = Path(shutil.move(pair_list.parent, tmp_path / "moved")) / "list.jsonl"
    assert opened(moved).fingerprint() == first
    moved.write_text(moved.read_text().replace("words of two", "other words"))
    changed = opened(moved).fingerprint()
    clean, rate = read_audio(moved.parent / "clean" / "two.wav")
    write_audio(moved.parent / "clean" / "two.wav", 0.5 * clean, rate, subtype="FLOAT")
    assert len({first, changed, opened(moved).fingerprint()}) == 3


def test_lengths_that_differ_by_a_lot_fail_where_they_are_read_and_by_little_are_trimmed(pair_list: Path) -> None:
    path = pair_list.parent / "clean" / "three.wav"
    clean, rate = read_audio(path)
    write_audio(path, clean[:, :-100], rate, subtype="FLOAT")
    mixture = opened(pair_list).mixture(4)
    assert mixture.clean is not None
    assert mixture.noisy.size == mixture.clean.size == clean.size - 100
    write_audio(path, clean[:, :-1_000], rate, subtype="FLOAT")
    held_out = opened(pair_list)
    with pytest.raises(DataError, match="equally long"):
        held_out.mixture(4)
    assert held_out.mixture(0).noisy.size > 0


def test_files_that_vanish_change_the_fingerprint_and_fail_where_they_are_read(pair_list: Path) -> None:
    held_out = opened(pair_list)
    before = held_out.fingerprint()
    (pair_list.parent / "noisy" / "three.wav").unlink()
    assert held_out.fingerprint() != before
    with pytest.raises(DataError, match="three"):
        held_out.mixture(4)
    with pytest.raises(DataError, match="line 5"):
        opened(pair_list)
