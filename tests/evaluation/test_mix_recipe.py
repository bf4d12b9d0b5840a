"""A recipe is checked, says everything that the bytes depend on, and keeps two sets from sharing a folder."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from cmkt.data.manifest import load_prepared
from cmkt.data.preparation import prepare
from cmkt.errors import AudioError, ConfigError, DataError
from cmkt.evaluation.mix_recipe import RECIPE, MixRecipe, claim
from tests.evaluation.conftest import write_corpus

PLAIN = MixRecipe()


@pytest.mark.parametrize("snrs_db", [(), (0.0, 0.0), (float("nan"),), (float("inf"),)])
def test_snrs_must_be_finite_and_each_once(snrs_db: tuple[float, ...]) -> None:
    with pytest.raises(ConfigError, match="`snr` must"):
        MixRecipe(snrs_db)


def test_probability_and_rate_are_checked() -> None:
    with pytest.raises(ConfigError, match="`reverb` must be a probability"):
        MixRecipe(reverb_probability=1.5)
    with pytest.raises(AudioError, match="`sample_rate` must"):
        MixRecipe(sample_rate=16)


def test_rooms_and_noise_that_are_not_there_are_missed_at_once(prepared: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"must hold room impulse responses .* Prepare it with --rir"):
        MixRecipe(reverb_probability=0.5).mixtures(load_prepared(prepared))
    shutil.copytree(prepared, tmp_path / "quiet")
    (tmp_path / "quiet/noise.jsonl.gz").unlink()
    with pytest.raises(DataError, match="noise"):
        PLAIN.mixtures(load_prepared(tmp_path / "quiet"))


def test_the_description_does_not_depend_on_where_the_data_lies_but_on_what_it_is(tmp_path: Path) -> None:
    def described(place: str, *, seed: int = 0) -> dict[str, object]:
        entries = write_corpus(tmp_path / place / "audio", seed=seed)
        prepare({"speech": entries["speech"], "noise": entries["noise"]}, tmp_path / place / "test", workers=1)
        return PLAIN.describe(load_prepared(tmp_path / place / "test"), format="wav")

    first = described("here")
    assert described("there") == first
    assert str(tmp_path) not in json.dumps(first)
    assert described("other", seed=1)["data"] != first["data"]


@pytest.mark.parametrize(
    "other",
    [
        MixRecipe(snrs_db=(0.0,)),
        MixRecipe(seed=1),
        MixRecipe(sample_rate=8_000),
        MixRecipe(limit=2),
        MixRecipe(reverb_probability=0.5),
    ],
)
def test_every_setting_is_part_of_the_description(prepared: Path, other: MixRecipe) -> None:
    data = load_prepared(prepared)
    assert other.describe(data, format="wav") != PLAIN.describe(data, format="wav")
    assert replace(PLAIN).describe(data, format="wav") == PLAIN.describe(data, format="wav")
    assert PLAIN.describe(data, format="wav") != PLAIN.describe(data, format="flac")


def test_a_folder_is_claimed_once_by_one_recipe(tmp_path: Path) -> None:
    claim(tmp_path / "set", {"seed": 0, "format": "wav"})
    (tmp_path / "set/noisy").mkdir()
    (tmp_path / "set/noisy/.1a2b.part.u_5dB.wav").touch()
    claim(tmp_path / "set", {"seed": 0, "format": "wav"})
    assert not list((tmp_path / "set/noisy").iterdir())
    with pytest.raises(ConfigError, match=r"but holds another: seed was 0 and is 1\."):
        claim(tmp_path / "set", {"seed": 1, "format": "wav"})
    assert json.loads((tmp_path / "set" / RECIPE).read_text()) == {"seed": 0, "format": "wav"}


def test_a_folder_of_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ConfigError, match="holds other files"):
        claim(tmp_path, {"seed": 0})
    with pytest.raises(ConfigError, match="is a file"):
        claim(tmp_path / "mine.txt", {"seed": 0})
    (tmp_path / RECIPE).write_text("{")
    with pytest.raises(ConfigError, match=r"recipe\.json must be a recipe in JSON"):
        claim(tmp_path, {"seed": 0})
    (tmp_path / RECIPE).write_text("[]")
    with pytest.raises(ConfigError, match="seed was None and is 0"):
        claim(tmp_path, {"seed": 0})
    assert {path.name for path in tmp_path.iterdir()} == {"mine.txt", RECIPE}
