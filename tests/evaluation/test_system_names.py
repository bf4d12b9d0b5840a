from __future__ import annotations

import pytest

from cmkt.errors import ConfigError
from cmkt.evaluation.system_names import check_names, system_names


def test_names_take_as_many_parents_as_they_need() -> None:
    assert system_names(["runs/plain", "runs/transfer"]) == ["plain", "transfer"]
    assert system_names(["a/x/run", "b/x/run", "c"]) == ["a/x/run", "b/x/run", "c"]
    assert system_names(["models/small.safetensors", "models/large.onnx", "v1.2"]) == ["small", "large", "v1.2"]


def test_a_model_given_twice_or_called_noisy_is_refused() -> None:
    with pytest.raises(ConfigError, match="given again: runs/plain"):
        system_names(["runs/plain", "runs/plain"])
    with pytest.raises(ConfigError, match="`noisy`"):
        system_names(["runs/noisy"])
    with pytest.raises(ConfigError, match="`clean`"):
        system_names(["runs/clean"])
    with pytest.raises(ConfigError, match="given again: a"):
        check_names(["a", "b", "a"])
