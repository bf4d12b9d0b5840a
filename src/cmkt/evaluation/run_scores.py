"""The scores of several evaluations put together, so that systems from different folders can be compared."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, final

from cmkt.errors import ConfigError, DataError
from cmkt.evaluation.record import CLEAN, NOISY, SCORES, Item, Score, latest, load_scores
from cmkt.evaluation.system_names import tell_apart

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@final
@dataclass(frozen=True, slots=True)
class Evaluated:
    """A system to compare: its name, the same as that of its scores, in one evaluation."""

    name: str
    scores: dict[Item, Score]


def gather(sources: Sequence[Path]) -> list[Evaluated]:
    """Every system of evaluation folders (or files of scores), in order, noisy and clean left out.

    One folder with several systems is enough. A name that several folders have gets as many of its folders' names
    before it as it takes to tell them apart.

    Raises: DataError where a folder has no scores of a system; ConfigError where a folder is given twice, or there are
    fewer than two systems.
    """
    paths = [(source / SCORES if source.is_dir() else source).resolve() for source in sources]
    if repeated := [str(path) for path, count in Counter(paths).items() if count > 1]:
        raise ConfigError(f"Each evaluation must be given once, but these are given again: {', '.join(repeated)}.")
    found = [(path, name, scores) for path in paths for name, scores in _systems(path).items()]
    names = tell_apart([name for _, name, _ in found], [(*_folders(path), name) for path, name, _ in found])
    systems = [_renamed(name, scores) for name, (_, _, scores) in zip(names, found, strict=True)]
    if len(systems) < 2 or len({system.name for system in systems}) < len(systems):
        named = ", ".join(system.name for system in systems)
        raise ConfigError(f"Two systems or more of different names must be compared, but there are: {named}.")
    return systems


def _folders(path: Path) -> tuple[str, ...]:
    return path.parent.parts if path.name == SCORES else path.parts


def _systems(path: Path) -> dict[str, dict[Item, Score]]:
    systems: dict[str, dict[Item, Score]] = {}
    for (name, item), score in latest(load_scores(path)).items():
        if name not in (NOISY, CLEAN):
            systems.setdefault(name, {})[item] = score
    if not systems:
        raise DataError(f"`{path}` must have the scores of a system, but has none. Run `cmkt evaluate --model`.")
    for name, own in systems.items():
        _check_one_test_set(path, name, own)
    return systems


def _check_one_test_set(path: Path, name: str, own: dict[Item, Score]) -> None:
    tests = {(score.data, score.seed, score.weights) for score in own.values()}
    if len(tests) > 1:
        raise DataError(
            f"The scores of `{name}` in {path} must be of one model on one test set, but are of {len(tests)}. "
            "Evaluate it into a new folder."
        )


def _renamed(name: str, scores: dict[Item, Score]) -> Evaluated:
    return Evaluated(name, {item: replace(score, system=name) for item, score in scores.items()})
