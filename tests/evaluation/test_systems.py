from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from cmkt.errors import ConfigError, DataError
from cmkt.evaluation.evaluated_model import find_models
from cmkt.evaluation.held_out import HeldOutMixture
from cmkt.evaluation.pair_set import PairList
from cmkt.evaluation.prepared_set import PreparedFolder
from cmkt.evaluation.record import Item
from cmkt.evaluation.systems import Clean, Noisy, find_systems, split_name


def test_noisy_and_clean_are_what_the_mixture_has() -> None:
    noisy = np.ones(4, dtype=np.float32)
    mixture = HeldOutMixture(Item("a", 0.0), noisy, 0.5 * noisy, 16_000)
    np.testing.assert_array_equal(Noisy().estimate(mixture), noisy)
    np.testing.assert_array_equal(Clean().estimate(mixture), 0.5 * noisy)
    with pytest.raises(DataError, match="no clean reference"):
        Clean().estimate(HeldOutMixture(Item("a", 0.0), noisy, None, 16_000))


def test_models_and_folders_are_named_by_their_place_or_as_told(pair_list: Path, run: Path, tmp_path: Path) -> None:
    held_out = PairList(pair_list).open(seed=0, limit=None, sample_rate=None)
    for name in ("theirs", "others"):
        shutil.copytree(pair_list.parent / "noisy", tmp_path / name)
    systems = find_systems(
        held_out,
        models=find_models(["default", str(run)]),
        enhanced=[str(tmp_path / "theirs"), f"spectral={tmp_path / 'others'}"],
    )
    assert [system.name for system in systems] == ["noisy", "default", "first", "theirs", "spectral"]
    assert [system.described()["kind"] for system in systems] == ["noisy", "model", "model", "enhanced", "enhanced"]


def test_names_that_are_taken_are_refused(pair_list: Path, run: Path, tmp_path: Path) -> None:
    held_out = PairList(pair_list).open(seed=0, limit=None, sample_rate=None)
    shutil.copytree(pair_list.parent / "noisy", tmp_path / "theirs")
    with pytest.raises(ConfigError, match=r"given again: first. Write NAME=DIR"):
        find_systems(held_out, models=find_models([str(run)]), enhanced=[f"first={tmp_path / 'theirs'}"])
    with pytest.raises(ConfigError, match="`noisy`"):
        find_systems(held_out, enhanced=[str(pair_list.parent / "noisy")])


def test_folders_belong_to_files(prepared: Path, tmp_path: Path) -> None:
    held_out = PreparedFolder(prepared).open(seed=0, limit=None, sample_rate=None)
    with pytest.raises(ConfigError, match="cmkt mix"):
        find_systems(held_out, enhanced=[str(tmp_path)])


def test_a_name_stands_before_an_equals_sign(tmp_path: Path) -> None:
    assert split_name("theirs=out/a") == ("theirs", Path("out/a"))
    assert split_name("out/a") == (None, Path("out/a"))
    (tmp_path / "a=b").mkdir()
    assert split_name(str(tmp_path / "a=b")) == (None, tmp_path / "a=b")
    for wrong in ("=out", "theirs="):
        with pytest.raises(ConfigError, match="NAME=DIR"):
            split_name(wrong)
