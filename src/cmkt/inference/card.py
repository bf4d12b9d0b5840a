"""The card of a saved enhancer: `model.json`, which says how to build the model that the weights beside it fit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, final

from cmkt.errors import CheckpointError

FORMAT = 1
CARD_NAME = "model.json"
WEIGHTS_NAME = "model.safetensors"


@final
@dataclass(frozen=True, slots=True)
class Card:
    """What `model.json` holds.

    class_path and init_args build the model; sample_rate is its rate in Hz; sha256 is that of the weights file;
    cmkt_version wrote it; training is free text about how it came to be (config, corpus, commit, scores).
    """

    class_path: str
    init_args: Mapping[str, Any]
    sample_rate: int
    sha256: str
    weights: str = WEIGHTS_NAME
    cmkt_version: str = ""
    format: int = FORMAT
    training: Mapping[str, Any] = field(default_factory=dict)

    def dumps(self) -> str:
        """The card as JSON text. Raises TypeError or ValueError where a value has no JSON form."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def read_card(path: Path) -> Card:
    """The card in a JSON file. Raises CheckpointError if it is not one, or is of a later format."""
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CheckpointError(f"The model card {path} must be readable, but is not: {error}.") from error
    except ValueError as error:
        raise CheckpointError(
            f"The model card {path} must be JSON, but is not: {error}. Save the model again."
        ) from error
    if not isinstance(fields, dict) or "format" not in fields:
        raise CheckpointError(f"{path} must be a model card written by cmkt, but has no `format`.")
    if fields["format"] != FORMAT:
        raise CheckpointError(
            f"The model card {path} must have format {FORMAT}, but has {fields['format']!r} "
            f"(written by cmkt {fields.get('cmkt_version')}). Upgrade cmkt, or save the model with this version."
        )
    wanted = {
        "class_path": str, "init_args": dict, "sample_rate": int, "sha256": str, "weights": str, "cmkt_version": str,
        "training": dict,
    }  # fmt: skip
    for name, kind in wanted.items():
        if not isinstance(fields.get(name), kind):
            raise CheckpointError(
                f"`{name}` in {path} must be of type {kind.__name__}, but is {fields.get(name)!r}. Save it again."
            )
    return Card(**{name: fields[name] for name in (*wanted, "format")})


def sha256_of(path: Path) -> str:
    """Hexadecimal SHA-256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def package_version() -> str:
    """Version of the installed package; "unknown" when it runs from a source tree that is not installed."""
    try:
        return version("cmkt")
    except PackageNotFoundError:
        return "unknown"
