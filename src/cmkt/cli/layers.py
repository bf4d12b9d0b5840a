"""List the layers of a model that transfer can supervise, with the layout of each, and say which to try first.

MODEL is a saved enhancer (a run directory, a folder with model.json, a .safetensors) or a class to build, such as
cmkt.models.crn.CRN or my_module.MyModel with its folder on PYTHONPATH.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cmkt.errors import ConfigError

if TYPE_CHECKING:
    from torch import nn

    from cmkt.transfer.layers import LayerReport

SUMMARY = "list the layers of a model that transfer can supervise"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of `cmkt layers`."""
    parser.add_argument("model", metavar="MODEL", help="saved enhancer, or a class: package.module.Class")
    parser.add_argument(
        "--init-args", default="{}", metavar="JSON", help="what the class is made with, such as '{\"width\": 32}'"
    )
    parser.add_argument("--sample-rate", type=int, metavar="HZ", help="of a model without an attribute of that name")
    parser.add_argument("--all", action="store_true", help="also layers that cannot be supervised, and why")
    parser.add_argument(
        "--allow-foreign", action="store_true", help="load a saved model whose class is outside cmkt; runs its code"
    )


def run(args: argparse.Namespace) -> int:
    """Exit code: 0, or 1 when no layer can be supervised."""
    from cmkt.transfer.layers import list_layers, recommended

    model, rate = _model(args)
    layers = list_layers(model, sample_rate=rate)
    shown = [layer for layer in layers if args.all or layer.problem is None]
    best = recommended(layers, model)
    sys.stdout.write(_table(shown) + "\n")
    if best is None:
        sys.stdout.write("\nNo layer before the output has frames of a width and rate that suit tokens.")
        sys.stdout.write("\n" if args.all else " --all says why for each.\n")
        return 1
    sys.stdout.write(
        f'\nTry first: layer="{best.name}", layout="{best.layout}"\n'
        f'  cmkt.attach(model, layer="{best.name}", layout="{best.layout}", ...)\n'
        f'  cmkt fit ... --model.transfer.layer {best.name} --model.transfer.layout "{best.layout}"\n'
    )
    return 0


def _model(args: argparse.Namespace) -> tuple[nn.Module, int]:
    if Path(args.model).exists() or args.model == "default":
        from cmkt.inference.load import load_torch

        enhancer = load_torch(args.model, allow_foreign=args.allow_foreign)
        return enhancer.model, enhancer.sample_rate
    model = _built(args.model, _init_args(args.init_args))
    rate = args.sample_rate or getattr(model, "sample_rate", None)
    if not isinstance(rate, int):
        raise ConfigError(f"`--sample-rate` must be given: {args.model} has no attribute `sample_rate`.")
    return model, rate


def _init_args(text: str) -> dict[str, Any]:
    try:
        given = json.loads(text)
    except ValueError as error:
        raise ConfigError(f"`--init-args` must be a JSON object, but is {text!r}: {error}.") from error
    if not isinstance(given, dict):
        raise ConfigError(f"`--init-args` must be a JSON object, but is {text!r}.")
    return given


def _built(class_path: str, init_args: dict[str, Any]) -> nn.Module:
    from torch import nn

    module_name, _, name = class_path.rpartition(".")
    try:
        model_class = getattr(importlib.import_module(module_name), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(
            f"MODEL must be a saved enhancer or an importable class, but {class_path} is neither: {error}. "
            "Put the folder of its module on PYTHONPATH."
        ) from error
    if not (isinstance(model_class, type) and issubclass(model_class, nn.Module)):
        raise ConfigError(f"MODEL must name an nn.Module, but {class_path} is {model_class!r}.")
    try:
        return model_class(**init_args)
    except TypeError as error:
        raise ConfigError(f"`--init-args` must fit {class_path}, but: {error}.") from error


def _table(layers: list[LayerReport]) -> str:
    rows = [("layer", "class", "output", "layout", "width", "frames/s", "")]
    for layer in layers:
        facts = ("-", "-", "-")
        if layer.problem is None:
            facts = (str(layer.layout), str(layer.width), f"{layer.frames_per_second:.4g}")
        rows.append((layer.name, layer.kind, "x".join(map(str, layer.shape or ())) or "-", *facts, _reason(layer)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _reason(layer: LayerReport) -> str:
    """Why a layer cannot be supervised, or is not recommended for its width or rate; empty where neither is so."""
    from cmkt.transfer.layers import FRAMES_PER_SECOND, WIDTH

    if layer.problem is not None:
        return layer.problem
    told = [
        f"{name} outside {low:g} to {high:g}"
        for name, value, (low, high) in (
            ("width", layer.width, WIDTH),
            ("frames/s", layer.frames_per_second, FRAMES_PER_SECOND),
        )
        if value is not None and not low <= value <= high
    ]
    return ", ".join(told)
