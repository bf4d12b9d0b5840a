"""What an evaluation is of: names for systems, and fingerprints of models and test sets.

A line of scores is reused only while the fingerprints still agree, so that a model that was trained on, or data that
were prepared again, are never mistaken for the old ones.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from cmkt.errors import ConfigError
from cmkt.evaluation.record import CLEAN, NOISY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn

MANIFESTS = ("speech.jsonl.gz", "noise.jsonl.gz", "rir.jsonl.gz")


@final
@dataclass(frozen=True, slots=True)
class System:
    """Something to score: a name for tables, where its model is (None for noisy and clean), and its fingerprint."""

    name: str
    source: str | None
    weights: str


NOISY_SYSTEM = System(NOISY, None, "")
CLEAN_SYSTEM = System(CLEAN, None, "")


def model_fingerprint(model: nn.Module) -> str:
    """16 hex digits that change with the class, the arguments and every weight of a model, and not with its file."""
    import torch

    digest = hashlib.sha256(type(model).__qualname__.encode())
    arguments: Any = getattr(model, "init_args", None)
    digest.update(json.dumps(arguments, sort_keys=True, default=str).encode())
    for name, tensor in sorted(model.state_dict().items()):
        values = tensor.detach().cpu().contiguous()
        digest.update(f"{name} {values.dtype} {tuple(values.shape)}".encode())
        digest.update(values.flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:16]


def data_fingerprint(directory: Path) -> str:
    """16 hex digits that change with any manifest of a prepared folder; the audio itself is not read."""
    digest = hashlib.sha256()
    for name in MANIFESTS:
        path = directory / name
        if path.is_file():
            with gzip.open(path) as manifest:
                digest.update(name.encode() + b"\0" + manifest.read() + b"\0")
    return digest.hexdigest()[:16]


def system_names(sources: Sequence[str]) -> list[str]:
    """A name for each model: its folder or file name, with as many parents as it takes to tell them apart.

    Raises: ConfigError where a model is given twice, or is called "noisy" or "clean".
    """
    paths = [_named_path(source) for source in sources]
    if repeated := sorted({str(path) for path in paths if paths.count(path) > 1}):
        raise ConfigError(f"Each model must be given once, but these are given again: {', '.join(repeated)}.")
    names = [path.stem if path.suffix == ".safetensors" else path.name for path in paths]
    names = tell_apart(names, [path.parts for path in paths])
    for taken, meaning in ((NOISY, "unprocessed mixture"), (CLEAN, "reference")):
        if taken in names:
            raise ConfigError(f"A model must not be called `{taken}`, the name of the {meaning}. Rename it.")
    return names


def tell_apart(names: Sequence[str], parts: Sequence[tuple[str, ...]]) -> list[str]:
    """Names of which those that are equal are replaced by as many last parts, two or more, as tell them apart.

    >>> tell_apart(["run", "run", "other"], [("a", "test", "run"), ("b", "test", "run"), ("a", "other")])
    ['a/test/run', 'b/test/run', 'other']
    """
    told = list(names)
    for depth in range(2, max((len(own) for own in parts), default=0) + 1):
        clashes = {name for name in told if told.count(name) > 1}
        if not clashes:
            break
        told = ["/".join(own[-depth:]) if name in clashes else name for name, own in zip(told, parts, strict=True)]
    return told


def _named_path(source: str) -> Path:
    path = Path(source)
    return path.resolve() if path.exists() else path
