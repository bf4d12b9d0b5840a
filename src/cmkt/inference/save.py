"""Saving an enhancer: weights as safetensors, everything else as JSON. Nothing in either file can run code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import save
from torch import Tensor, nn

from cmkt.audio.write import atomic_path
from cmkt.errors import CheckpointError, ConfigError
from cmkt.inference.card import CARD_NAME, WEIGHTS_NAME, Card, package_version, sha256_of


def save_model(
    model: nn.Module,
    directory: str | Path,
    *,
    class_path: str | None = None,
    init_args: Mapping[str, Any] | None = None,
    sample_rate: int | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Path:
    """Folder with `model.safetensors` and `model.json`, from which `cmkt.load` builds the same model.

    class_path, init_args and sample_rate default to the model's class, `model.init_args` and `model.sample_rate`;
    extra is kept under `training` in the JSON. Both files are written beside their final names and renamed together.
    Raises ConfigError, before anything is written, if the model could not be built again from what would be saved;
    CheckpointError if the files cannot be written.
    """
    directory = Path(directory)
    card, weights = _card_and_weights(model, class_path, init_args, sample_rate, extra)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with (
            atomic_path(directory / CARD_NAME) as card_path,
            atomic_path(directory / WEIGHTS_NAME) as weights_path,
        ):
            # Not save_file, which leaves a file that nobody else may read.
            described = {"class_path": card.class_path, "cmkt_version": card.cmkt_version}
            weights_path.write_bytes(save(weights, metadata=described))
            card_path.write_text(replace(card, sha256=sha256_of(weights_path)).dumps(), encoding="utf-8")
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"The model must be saved to {directory}, but cannot be: {error}.") from error
    return directory


def check_savable(
    model: nn.Module, *, class_path: str | None = None, init_args: Mapping[str, Any] | None = None
) -> None:
    """Raises ConfigError where `save_model` would; to be called before a model is trained."""
    _card_and_weights(model, class_path, init_args, None, None)


def _card_and_weights(
    model: nn.Module,
    class_path: str | None,
    init_args: Mapping[str, Any] | None,
    sample_rate: int | None,
    extra: Mapping[str, Any] | None,
) -> tuple[Card, dict[str, Tensor]]:
    card = Card(
        class_path=_class_path(model) if class_path is None else class_path,
        init_args=_attribute(model, "init_args", Mapping) if init_args is None else init_args,
        sample_rate=_attribute(model, "sample_rate", int) if sample_rate is None else sample_rate,
        sha256="",
        cmkt_version=package_version(),
        training=dict(extra or {}),
    )
    _check_json(card)
    return card, _weights(model)


def _class_path(model: nn.Module) -> str:
    kind = type(model)
    if kind.__module__ == "__main__" or "<locals>" in kind.__qualname__:
        raise ConfigError(
            f"The model's class must be importable so that it can be loaded again, but {kind.__qualname__} is defined "
            f"in {kind.__module__}. Move it to a module, or pass `class_path`."
        )
    return f"{kind.__module__}.{kind.__qualname__}"


def _attribute(model: nn.Module, name: str, kind: type[Any]) -> Any:
    value = getattr(model, name, None)
    if not isinstance(value, kind):
        raise ConfigError(
            f"`{name}` must be an attribute of {type(model).__name__} of type {kind.__name__}, but is {value!r}. "
            f"Set it on the model, or pass `{name}` to save_model."
        )
    return value


def _check_json(card: Card) -> None:
    try:
        card.dumps()
    except (TypeError, ValueError) as error:
        raise ConfigError(f"`init_args` and `extra` must be JSON values, but are not: {error}.") from error


def _weights(model: nn.Module) -> dict[str, Tensor]:
    """Copies on the CPU: tied tensors get one copy each, which safetensors wants and load_state_dict takes."""
    state = model.state_dict()
    foreign = [name for name, value in state.items() if not isinstance(value, Tensor)]
    if foreign:
        raise ConfigError(
            f"The state of {type(model).__name__} must consist of tensors, but {foreign[0]} is none. "
            "Register it as a buffer, or leave it out of the state."
        )
    return {name: value.detach().cpu().contiguous().clone() for name, value in state.items()}
