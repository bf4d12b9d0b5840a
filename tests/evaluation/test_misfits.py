from __future__ import annotations

import json
import logging
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cmkt.audio.read import read_audio
from cmkt.audio.write import write_audio
from cmkt.evaluation.evaluate import evaluate
from cmkt.evaluation.evaluated_model import Model, find_models
from cmkt.evaluation.held_out import HeldOutMixture
from cmkt.evaluation.misfits import check_systems
from cmkt.evaluation.opened import forget_all, open_held_out
from cmkt.evaluation.pair_set import PairFolders, PairList
from cmkt.evaluation.plan import make_plan
from cmkt.evaluation.results import write_results
from cmkt.evaluation.settings import Settings
from cmkt.evaluation.systems import Noisy, System, find_systems


@pytest.fixture
def settings(pair_list: Path, tmp_path: Path) -> Settings:
    forget_all()
    return Settings(PairList(pair_list), output=tmp_path / "out", metrics=("si_sdr",))


@dataclass(frozen=True)
class Late:
    """What a system gives that does not take its own delay off."""

    samples: int
    name: str = "late"
    source: None = None
    weights: str = "w"

    def described(self) -> dict[str, object]:
        return {}

    def estimate(self, mixture: HeldOutMixture) -> NDArray[np.float32]:
        return np.concatenate([np.zeros(self.samples, np.float32), mixture.noisy[: -self.samples]])


@dataclass(frozen=True)
class Broken:
    """A model of somebody else's that fails in its own way."""

    name: str = "broken"
    source: None = None
    weights: str = "w"

    def described(self) -> dict[str, object]:
        return {}

    def estimate(self, mixture: HeldOutMixture) -> NDArray[np.float32]:
        raise ZeroDivisionError


def test_what_lies_on_its_reference_is_not_told_of(settings: Settings) -> None:
    systems: list[System] = [Noisy(), *find_models(["default"])]
    assert check_systems(settings, systems) == []


def test_a_delay_is_told_by_system(settings: Settings) -> None:
    (told,) = check_systems(settings, [Noisy(), Late(160)])
    assert told.startswith("late: shifted by 10 ms (160 samples later)")


def test_a_system_that_fails_and_files_that_cannot_be_read_are_left_out(settings: Settings, pair_list: Path) -> None:
    clean, rate = read_audio(pair_list.parent / "clean" / "three.wav")
    write_audio(pair_list.parent / "clean" / "three.wav", np.nan * clean, rate, subtype="FLOAT")
    assert check_systems(settings, [Noisy(), Broken()]) == []


def test_without_references_there_is_nothing_to_tell(settings: Settings, pair_list: Path) -> None:
    alone = replace(settings, source=PairFolders(pair_list.parent / "noisy"))
    assert check_systems(alone, [Noisy(), Late(160)]) == []


def test_few_mixtures_are_enhanced_for_it(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[HeldOutMixture] = []

    def listen(self: Model, mixture: HeldOutMixture) -> NDArray[np.float32]:
        asked.append(mixture)
        return mixture.noisy

    monkeypatch.setattr(Model, "estimate", listen)
    monkeypatch.setattr("cmkt.evaluation.misfits.CHECKED_OF_MODELS", 2)
    check_systems(settings, [Noisy(), Model("m", "m", "w")])
    assert len(asked) == 2


def test_an_evaluation_warns_of_a_shifted_folder_and_writes_it_down(
    settings: Settings, pair_list: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.copytree(pair_list.parent / "noisy", tmp_path / "theirs")
    for path in (tmp_path / "theirs").iterdir():
        noisy, rate = read_audio(path)
        write_audio(path, np.roll(noisy, 3, axis=1), rate, subtype="FLOAT")
    systems = find_systems(open_held_out(settings), enhanced=[str(tmp_path / "theirs")])
    with caplog.at_level(logging.WARNING):
        scores = evaluate(make_plan(settings), systems, jobs=0, progress=False)
    assert "(3 samples later)" in caplog.text
    told = json.loads((settings.output / "evaluation.json").read_text())
    assert [warning.partition(" by ")[0] for warning in told["warnings"]] == ["theirs: shifted"]
    assert "**Warning: theirs: shifted by" in write_results(make_plan(settings), systems, scores)
