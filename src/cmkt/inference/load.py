"""Loading an enhancer: a run directory, a folder, a .safetensors, an .onnx, or the one that ships with the package."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from cmkt.errors import CheckpointError, ConfigError, MissingExtraError, extra_hint
from cmkt.inference.card import CARD_NAME, Card, read_card, sha256_of

if TYPE_CHECKING:
    from torch import Tensor, nn

    from cmkt.inference.array_enhancer import ArrayEnhancer
    from cmkt.inference.enhancer import TorchEnhancer

DEFAULT = "default"
GRAPH_NAME = "model.onnx"
GRAPH_SUFFIX = ".onnx"

_NAMED = 3


@overload
def load(source: str | Path, *, device: None = None, allow_foreign: bool = False) -> ArrayEnhancer: ...
@overload
def load(source: str | Path, *, device: str, allow_foreign: bool = False) -> TorchEnhancer: ...
def load(source: str | Path, *, device: str | None = None, allow_foreign: bool = False) -> ArrayEnhancer:
    """Enhancer from "default", an .onnx, a run directory, a folder with model.json, or a .safetensors with its JSON.

    "default" is the ONNX graph that ships with the package: the same on every machine, with or without torch. An .onnx
    is one that `cmkt export` wrote. Both run on one thread of the CPU. Everything else is a torch model.
    device: "cpu", "cuda", ...: a torch model on that device, whose `model` can be looked into; "default" then is the
    same model in torch, equal within 1e-4. None: a graph where there is one, and a torch model on the CPU.
    allow_foreign: build a model whose class is not in this package. That imports and runs code which the card names,
    so allow it only for cards that you trust.
    Raises ConfigError for a source, device or class that cannot be used, CheckpointError for files that do not fit,
    MissingExtraError for a torch model where there is no torch.
    """
    if device is not None:
        return load_torch(source, device=device, allow_foreign=allow_foreign)
    if source != DEFAULT and Path(source).suffix != GRAPH_SUFFIX:
        return load_torch(source, allow_foreign=allow_foreign)
    from cmkt.inference.onnx import OnnxEnhancer

    return OnnxEnhancer(default_card().with_name(GRAPH_NAME) if source == DEFAULT else source)


def load_torch(source: str | Path, *, device: str = "cpu", allow_foreign: bool = False) -> TorchEnhancer:
    """`load` of a torch model, also for "default". Raises ConfigError for an .onnx."""
    if Path(source).suffix == GRAPH_SUFFIX:
        raise ConfigError(
            f"The model must be a torch model here, but {source} is an ONNX graph, which has no layers and runs on the "
            "CPU only. Name the run directory or the .safetensors that it was exported from; to enhance with it, name "
            "no device."
        )
    card_path = find_card(source)
    card = read_card(card_path)
    try:
        from cmkt.device import check_device
        from cmkt.inference.enhancer import TorchEnhancer
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"{extra_hint('torch', 'torch')}, or export the model to ONNX where torch is installed (`cmkt export`)."
        ) from error
    weights_path = _weights_path(Path(source), card_path, card)
    target = check_device(device)
    model = _build(card, card_path, allow_foreign=allow_foreign)
    _fill(model, weights_path, card)
    return TorchEnhancer(model.to(target), sample_rate=card.sample_rate)


def load_weights(model: nn.Module, source: str | Path) -> None:
    """Puts the weights of a saved enhancer, named as for `load`, into a model of the same class, in place.

    Raises ConfigError and CheckpointError as `load`, ConfigError when the model is of another class, CheckpointError
    when it was made with other arguments, so that names or shapes differ.
    """
    card_path = find_card(source)
    card = read_card(card_path)
    kind = f"{type(model).__module__}.{type(model).__qualname__}"
    if kind != card.class_path:
        raise ConfigError(
            f"The model must be of the class that {source} was saved from, {card.class_path}, but is {kind}. "
            f"It was made with {dict(card.init_args)}."
        )
    _fill(model, _weights_path(Path(source), card_path, card), card)


def default_card() -> Path:
    """The card of the enhancer that ships with the package. Raises ConfigError while none does."""
    path = Path(__file__).parent / DEFAULT / CARD_NAME
    if not path.is_file():
        raise ConfigError(
            "This version ships no default model. "
            f"Pass a run directory, a folder with {CARD_NAME}, a .safetensors or an .onnx."
        )
    return path


def find_card(source: str | Path) -> Path:
    """The model.json that belongs to "default", a directory or a weights file.

    Raises ConfigError or CheckpointError where there is none.
    """
    if source == DEFAULT:
        return default_card()
    source = Path(source)
    if not source.exists():
        raise ConfigError(
            f"The model must be a run directory, a .safetensors or an .onnx file, but {source} does not exist."
        )
    if source.is_dir():
        candidates = [source / "enhancer" / CARD_NAME, source / CARD_NAME]
    elif source.suffix == ".safetensors":
        candidates = [source.with_suffix(".json"), source.parent / CARD_NAME]
    elif source.name == CARD_NAME:
        candidates = [source]
    else:
        raise ConfigError(
            f"The model must be a run directory, a folder with {CARD_NAME} or a .safetensors file, but is {source}. "
            "Training checkpoints become enhancers when `cmkt fit` ends."
        )
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise CheckpointError(
        f"{source} must come with {CARD_NAME}, but it is at none of: {', '.join(map(str, candidates))}."
    )


def _weights_path(source: Path, card_path: Path, card: Card) -> Path:
    if Path(card.weights).name != card.weights:
        raise CheckpointError(f"`weights` in {card_path} must be a bare file name, but is {card.weights!r}.")
    path = source if source.suffix == ".safetensors" else card_path.parent / card.weights
    if not path.is_file():
        raise CheckpointError(f"The weights must lie beside {card_path}, but {path} does not exist.")
    if sha256_of(path) != card.sha256:
        raise CheckpointError(
            f"{path} must be the weights that {card_path} describes, but its SHA-256 differs: it is truncated, damaged "
            "or of another model. Copy both files again."
        )
    return path


def _build(card: Card, card_path: Path, *, allow_foreign: bool) -> nn.Module:
    """The model with fresh weights. The caller's random numbers are left as they were."""
    import torch

    model_class = _model_class(card.class_path, card_path, allow_foreign=allow_foreign)
    try:
        with torch.random.fork_rng(devices=[]):
            model: nn.Module = model_class(**card.init_args)
    except TypeError as error:
        raise CheckpointError(f"`init_args` in {card_path} must fit {card.class_path}, but: {error}.") from error
    rate = getattr(model, "sample_rate", card.sample_rate)
    if rate != card.sample_rate:
        raise CheckpointError(f"`sample_rate` in {card_path} must be the model's {rate} Hz, but is {card.sample_rate}.")
    return model


def _model_class(class_path: str, card_path: Path, *, allow_foreign: bool) -> Any:
    """The class that a card names. Nothing outside this package is imported unless the caller allows it."""
    from torch import nn

    module_name, _, name = class_path.rpartition(".")
    if not allow_foreign and not class_path.startswith("cmkt."):
        raise ConfigError(
            f"The model in {card_path} must be a class of cmkt, but is {class_path}, and loading runs its code. "
            "If you trust it, pass allow_foreign=True (command line: --allow-foreign)."
        )
    try:
        found = getattr(importlib.import_module(module_name), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise CheckpointError(
            f"`class_path` in {card_path} must be importable, but {class_path} is not: {error}. "
            "Put the folder of its module on PYTHONPATH."
        ) from error
    if not (isinstance(found, type) and issubclass(found, nn.Module)):
        raise CheckpointError(f"`class_path` in {card_path} must name an nn.Module, but {class_path} is {found!r}.")
    if not allow_foreign and not found.__module__.startswith("cmkt."):
        raise ConfigError(
            f"The model in {card_path} must be a class of cmkt, but {class_path} comes from {found.__module__}."
        )
    return found


def _fill(model: nn.Module, path: Path, card: Card) -> None:
    """Put the weights into the model, or say which do not fit."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        weights = load_file(path)
    except SafetensorError as error:
        raise CheckpointError(
            f"{path} must be a whole safetensors file, but is not: {error}. Copy it again."
        ) from error
    problems = _misfits(model.state_dict(), weights)
    if problems:
        raise CheckpointError(
            f"{path} must hold the weights of {card.class_path}, but {'; '.join(problems)}. "
            f"They are of one made with {dict(card.init_args)}."
        )
    model.load_state_dict(weights)


def _misfits(wanted: dict[str, Tensor], given: dict[str, Tensor]) -> list[str]:
    """What keeps the given weights out of a model: missing, unexpected and misshapen names, the first few of each."""
    missing = [name for name in wanted if name not in given]
    unexpected = [name for name in given if name not in wanted]
    misshapen = [
        f"{name} {tuple(given[name].shape)} instead of {tuple(value.shape)}"
        for name, value in wanted.items()
        if name in given and given[name].shape != value.shape
    ]
    found = (("missing", missing), ("unexpected", unexpected), ("of another shape", misshapen))
    return [f"{len(names)} are {what}: {_first(names)}" for what, names in found if names]


def _first(names: list[str]) -> str:
    return ", ".join(names[:_NAMED]) + (", ..." if len(names) > _NAMED else "")
