"""What a report is made of: folders that `cmkt evaluate` wrote, and run directories of `cmkt fit`.

A run may have crashed: whatever of it is there is taken, and the report says what is missing.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, final

from cmkt.errors import ConfigError, DataError
from cmkt.evaluation.description import DESCRIPTION
from cmkt.evaluation.record import SCORES, latest, load_scores
from cmkt.evaluation.results import SUMMARY_JSON
from cmkt.evaluation.system_names import tell_apart

if TYPE_CHECKING:
    from cmkt.evaluation.record import Score

logger = logging.getLogger(__name__)

RUN_PARTS: Final = ("config.yaml", "logs", "checkpoints", "enhancer")


@final
@dataclass(frozen=True, slots=True)
class Evaluation:
    """An evaluation folder: its scores, all of one test set, and what `evaluation.json` and `summary.json` say."""

    path: Path
    scores: tuple[Score, ...]
    description: Mapping[str, Any]
    summary: Mapping[str, Any]

    @property
    def test_set(self) -> tuple[str, int]:
        """The same for evaluations that can be put together: fingerprint of the data, and seed."""
        return self.scores[0].data, self.scores[0].seed

    def source(self, system: str) -> str | None:
        """Where the model or folder of a system is, as far as `evaluation.json` says."""
        return _text(_at(self.description, "systems", system, "source"))


@final
@dataclass(frozen=True, slots=True)
class Run:
    """A run directory and what it is called."""

    name: str
    path: Path


@final
@dataclass(frozen=True, slots=True)
class Sources:
    """The evaluations and runs of a report, in the order in which they were named."""

    evaluations: tuple[Evaluation, ...]
    runs: tuple[Run, ...]


def find_sources(paths: Sequence[Path]) -> Sources:
    """What the folders are. The runs whose models were evaluated come along, where they are still there.

    Raises: ConfigError where a folder is named twice or none is; DataError where one holds neither scores nor a run.
    """
    resolved = [path.resolve() for path in paths]
    if not resolved:
        raise ConfigError("A report must be of one folder or more, but none is named.")
    if repeated := [str(path) for path, count in Counter(resolved).items() if count > 1]:
        raise ConfigError(f"Each folder must be named once, but these are named again: {', '.join(repeated)}.")
    evaluations, runs = [], []
    for path in resolved:
        if (path / SCORES).is_file():
            evaluations.append(read_evaluation(path))
        elif is_run(path):
            runs.append(path)
        else:
            raise DataError(
                f"`{path}` must be a folder that `cmkt evaluate` or `cmkt fit` wrote, but "
                f"{'has neither ' + SCORES + ' nor ' + ', '.join(RUN_PARTS) if path.is_dir() else 'is no folder'}."
            )
    runs += [run for run in _evaluated_runs(evaluations) if run not in runs]
    names = tell_apart([run.name for run in runs], [run.parts for run in runs])
    return Sources(tuple(evaluations), tuple(Run(name, run) for name, run in zip(names, runs, strict=True)))


def read_evaluation(folder: Path) -> Evaluation:
    """The scores of the test set and of the models that were evaluated last into a folder.

    Raises: DataError where there is no score.
    """
    scores = load_scores(folder / SCORES)
    if not scores:
        raise DataError(f"`{folder / SCORES}` must hold scores, but is empty. Run `cmkt evaluate` again.")
    test_set = scores[-1].data, scores[-1].seed
    weights = {score.system: score.weights for score in scores if (score.data, score.seed) == test_set}
    current = [
        score for score in scores if (score.data, score.seed) == test_set and score.weights == weights[score.system]
    ]
    if len(current) < len(scores):
        logger.warning("%s: %d scores of other data or older models were left out.", folder, len(scores) - len(current))
    return Evaluation(
        folder, tuple(latest(current).values()), _read_json(folder / DESCRIPTION), _read_json(folder / SUMMARY_JSON)
    )


def is_run(folder: Path) -> bool:
    """Whether a folder holds anything that a training run leaves."""
    return folder.is_dir() and any((folder / part).exists() for part in RUN_PARTS)


def _evaluated_runs(evaluations: Iterable[Evaluation]) -> list[Path]:
    """The run directories among the sources of evaluated systems, each once."""
    sources = [
        Path(source)
        for evaluation in evaluations
        for system in _at(evaluation.description, "systems") or {}
        if (source := evaluation.source(system)) is not None
    ]
    return list(dict.fromkeys(path.resolve() for path in sources if is_run(path)))


def _read_json(path: Path) -> Mapping[str, Any]:
    """An object in a file; empty where there is none, with a warning where it is damaged."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        logger.warning("%s was left out: %s", path, error)
        return {}
    return values if isinstance(values, dict) else {}


def _at(values: Mapping[str, Any], *names: str) -> Any:
    """What lies under these names, None where it does not."""
    found: Any = values
    for name in names:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
