from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cmkt.errors import ConfigError
from cmkt.evaluation.evaluated_model import Model, find_models, warn_of_band
from cmkt.evaluation.held_out import HeldOutMixture
from cmkt.evaluation.record import Item
from cmkt.inference.load import GRAPH_NAME, default_card, load

GRAPH = default_card().with_name(GRAPH_NAME)


def mixture(rate: int = 16_000) -> HeldOutMixture:
    noisy = np.random.default_rng(0).standard_normal(rate // 2).astype(np.float32)
    return HeldOutMixture(Item("a", 0.0), 0.1 * noisy, None, rate)


def test_a_model_gives_what_cmkt_load_gives(run: Path) -> None:
    for source in (str(run), "default", str(GRAPH)):
        (model,) = find_models([source])
        np.testing.assert_array_equal(
            model.estimate(mixture()), load(source).enhance(mixture().noisy, sample_rate=16_000)
        )


def test_the_default_model_is_a_graph_unless_a_device_is_named() -> None:
    (graph,) = find_models(["default"])
    (same,) = find_models([str(GRAPH)], device="cpu")
    (model,) = find_models(["default"], device="cpu")
    assert graph.weights == same.weights != model.weights
    assert (graph.device, same.device, model.device) == (None, None, "cpu")
    assert model.estimate(mixture()) == pytest.approx(graph.estimate(mixture()), abs=1e-4)


def test_a_rate_above_the_models_is_not_warned_of_for_each_mixture(run: Path) -> None:
    (model,) = find_models([str(run)])
    assert model.sample_rate == 16_000
    assert model.estimate(mixture(48_000)).shape == (24_000,)


def test_it_is_warned_of_once_for_all(run: Path, caplog: pytest.LogCaptureFixture) -> None:
    models = find_models([str(run)])
    warn_of_band(models, frozenset({8_000, 16_000}))
    assert caplog.text == ""
    warn_of_band(models, frozenset({16_000, 48_000}))
    assert "first works at 16000 Hz" in caplog.text
    assert "--sample-rate 16000" in caplog.text


def test_it_tells_where_the_model_is(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(run.parent)
    described = Model("a", run.name, "w", None, allow_foreign=False, sample_rate=16_000).described()
    assert described == {"kind": "model", "source": str(run), "device": None, "sample_rate": 16_000}
    assert Model("default", "default", "w").described()["source"] == "default"


def test_a_model_given_twice_is_refused(run: Path) -> None:
    with pytest.raises(ConfigError, match="given again"):
        find_models([str(run), str(run)])
