"""Names for the systems of an evaluation, of which no two are alike."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from cmkt.errors import ConfigError
from cmkt.evaluation.record import CLEAN, NOISY

if TYPE_CHECKING:
    from collections.abc import Sequence

WEIGHTS_SUFFIXES: Final = (".safetensors", ".onnx")


def system_names(sources: Sequence[str]) -> list[str]:
    """A name for each model or folder: its file name, with as many parents as it takes to tell them apart.

    Raises: ConfigError where one is given twice, or is called "noisy" or "clean".
    """
    paths = [_named_path(source) for source in sources]
    if repeated := sorted({str(path) for path in paths if paths.count(path) > 1}):
        raise ConfigError(f"Each system must be given once, but these are given again: {', '.join(repeated)}.")
    names = [path.stem if path.suffix in WEIGHTS_SUFFIXES else path.name for path in paths]
    names = tell_apart(names, [path.parts for path in paths])
    check_names(names)
    return names


def check_names(names: Sequence[str]) -> None:
    """Raises ConfigError where two systems have one name, or one is called "noisy" or "clean"."""
    for taken, meaning in ((NOISY, "unprocessed mixture"), (CLEAN, "reference")):
        if taken in names:
            raise ConfigError(f"A system must not be called `{taken}`, the name of the {meaning}. Rename it.")
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigError(
            f"Each system must have its own name, but these are given again: {', '.join(repeated)}. "
            "Write NAME=DIR for a folder."
        )


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
