"""Export a causal enhancer as one ONNX graph for whole signals and streams, checked against torch.

MODEL is a run directory, a folder with model.json, a .safetensors, or `default`. The file tells all that a runtime
needs in its metadata (docs/onnx.md); `cmkt enhance --model FILE.onnx` and cmkt.load run it without torch.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from cmkt.errors import ConfigError

SUMMARY = "turn a causal enhancer into an ONNX file that runs without torch"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of `cmkt export`."""
    parser.add_argument("model", metavar="MODEL", help="saved enhancer: run directory, folder, .safetensors or default")
    parser.add_argument("--output", type=Path, required=True, metavar="FILE.onnx", help="the file to write")
    parser.add_argument("--overwrite", action="store_true", help="replace FILE.onnx if it exists")
    parser.add_argument(
        "--allow-foreign", action="store_true", help="load a model class from outside cmkt, which runs its code"
    )


def run(args: argparse.Namespace) -> int:
    """Exit code: 0. Whatever goes wrong is an error."""
    _check_output(args.output, overwrite=args.overwrite)
    from cmkt.inference.export import export_saved

    done = export_saved(args.model, args.output, allow_foreign=args.allow_foreign)
    latency_ms = 1e3 * done.card.latency_samples / done.card.sample_rate
    sys.stdout.write(
        f"{done.path}: {done.bytes / 1e3:.0f} kB, {done.card.class_path}, {done.card.sample_rate} Hz, latency "
        f"{latency_ms:g} ms; within {done.difference:.1e} of torch, whole and frame by frame\n"
    )
    return 0


def _check_output(path: Path, *, overwrite: bool) -> None:
    if path.suffix != ".onnx":
        raise ConfigError(f"`output` must be named with .onnx, but is {path}.")
    if not path.parent.is_dir():
        raise ConfigError(f"The folder of `output` must exist, but {path.parent} does not.")
    if path.is_dir() or (path.exists() and not overwrite):
        raise ConfigError(f"`output` must not exist yet, but {path} does. Name another file, or pass --overwrite.")
