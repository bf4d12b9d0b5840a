from __future__ import annotations

from pathlib import Path

import pytest
import torch

from cmkt.errors import ConfigError
from cmkt.inference.average import average_saved
from cmkt.inference.load import load_torch
from cmkt.inference.save import save_model
from cmkt.models.crn import CRN


def saved(path: Path, *, seed: int, hidden: int = 4) -> str:
    torch.manual_seed(seed)
    return str(save_model(CRN(channels=(4,), hidden=hidden), path))


def test_weights_and_running_statistics_are_means_and_counters_stay(tmp_path: Path) -> None:
    sources = [saved(tmp_path / str(seed), seed=seed) for seed in range(3)]
    average_saved(sources, tmp_path / "mean")
    states = [load_torch(source).model.state_dict() for source in sources]
    loaded = load_torch(tmp_path / "mean").model.state_dict()
    for name, value in loaded.items():
        if value.is_floating_point():
            wanted = (states[0][name] + states[1][name] + states[2][name]) / 3
            torch.testing.assert_close(value, wanted)
        else:
            assert torch.equal(value, states[0][name])
    assert any(not torch.equal(loaded[name], states[0][name]) for name in loaded)


def test_the_card_tells_of_what(tmp_path: Path) -> None:
    sources = [saved(tmp_path / str(seed), seed=seed) for seed in range(2)]
    average_saved(sources, tmp_path / "mean")
    assert f'"source": "{sources[1]}"' in (tmp_path / "mean" / "model.json").read_text()


def test_networks_that_differ_cannot_be_averaged(tmp_path: Path) -> None:
    sources = [saved(tmp_path / "a", seed=0), saved(tmp_path / "b", seed=0, hidden=8)]
    with pytest.raises(ConfigError, match=r"must be the same network, but .*'hidden': 4.*'hidden': 8"):
        average_saved(sources, tmp_path / "mean")
    assert not (tmp_path / "mean").exists()


def test_one_model_is_no_average(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="at least two models, but is of 1"):
        average_saved([saved(tmp_path / "a", seed=0)], tmp_path / "mean")


def test_nothing_that_exists_is_overwritten(tmp_path: Path) -> None:
    sources = [saved(tmp_path / "a", seed=0), saved(tmp_path / "b", seed=1)]
    before = (tmp_path / "a" / "model.safetensors").read_bytes()
    with pytest.raises(ConfigError, match="`output` must be a new or an empty folder"):
        average_saved(sources, tmp_path / "a")
    assert (tmp_path / "a" / "model.safetensors").read_bytes() == before
