"""How to make the numbers of a report again: commands, versions, fingerprints, and the configuration of each run."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from cmkt.errors import CheckpointError, ConfigError
from cmkt.evaluation.record import CLEAN, NOISY
from cmkt.inference.card import read_card
from cmkt.inference.load import find_card

if TYPE_CHECKING:
    from cmkt.evaluation.report.sources import Evaluation, Run


@final
@dataclass(frozen=True, slots=True)
class Recipe:
    """How something was made: what it is, the command, and facts by name."""

    title: str
    command: str
    facts: tuple[tuple[str, str], ...]


@final
@dataclass(frozen=True, slots=True)
class RunConfig:
    """The configuration of a run as it was written, with what it was parsed to; "" and empty where there is none."""

    run: str
    text: str
    values: Mapping[str, Any]


def evaluation_recipe(evaluation: Evaluation) -> Recipe:
    """The command of an evaluation as far as its folder tells, and what its numbers depend on."""
    test: Any = evaluation.description.get("test_set")
    known = test if isinstance(test, Mapping) else {}
    facts = [
        ("data fingerprint", evaluation.scores[0].data),
        ("seed", str(evaluation.scores[0].seed)),
        ("utterances", str(len({score.id for score in evaluation.scores}))),
        ("words measured by", next((score.words for score in evaluation.scores if score.words), "")),
        ("recogniser", next((score.transcriber for score in evaluation.scores if score.transcriber), "")),
        *_versions(evaluation.description),
    ]
    weights = {score.system: score.weights for score in evaluation.scores if score.weights}
    facts += [(f"weights of {system}", fingerprint) for system, fingerprint in weights.items()]
    return Recipe(
        evaluation.path.name, _evaluate_command(evaluation, known), tuple((name, told) for name, told in facts if told)
    )


def _evaluate_command(evaluation: Evaluation, test: Mapping[str, Any]) -> str:
    given = ["cmkt", "evaluate", *_systems(evaluation), *_test_set(evaluation, test)]
    given += ["--seed", str(evaluation.scores[0].seed)]
    limit = test.get("limit")
    given += ["--limit", str(limit)] if limit is not None else []
    given += ["--words"] if any(score.words for score in evaluation.scores) else []
    return shlex.join([*given, "--output", evaluation.path.name])


def _systems(evaluation: Evaluation) -> list[str]:
    """Models and folders, by their sources where they are told, by their names otherwise."""
    described = evaluation.description.get("systems")
    known: Mapping[str, Any] = described if isinstance(described, Mapping) else {}
    names = [each for each in dict.fromkeys(s.system for s in evaluation.scores) if each not in (NOISY, CLEAN)]
    enhanced = [name for name in names if (known.get(name) or {}).get("kind") == "enhanced"]
    models = [evaluation.source(name) or name for name in names if name not in enhanced]
    folders = [f"{name}={evaluation.source(name)}" for name in enhanced]
    return [*(["--model", *models] if models else []), *(["--enhanced", *folders] if folders else [])]


def _test_set(evaluation: Evaluation, test: Mapping[str, Any]) -> list[str]:
    if test.get("kind") == "pairs":
        return ["--pairs", str(test.get("path"))]
    if test.get("kind") == "folders":
        clean = test.get("clean")
        return ["--noisy", str(test.get("path")), *(["--clean", str(clean)] if clean else [])]
    snrs = sorted({score.snr_db for score in evaluation.scores if score.snr_db is not None})
    data = test.get("path") or evaluation.summary.get("data") or "DATA"
    return ["--data", str(data), *(["--snr", *(f"{snr_db:g}" for snr_db in snrs)] if snrs else [])]


def _versions(description: Mapping[str, Any]) -> list[tuple[str, str]]:
    versions = description.get("versions")
    if not isinstance(versions, Mapping):
        return []
    return [("versions", ", ".join(f"{name} {version}" for name, version in versions.items()))]


def run_recipe(run: Run) -> Recipe:
    """The command that trains a run again, and what its saved enhancer says of itself."""
    command = shlex.join(["cmkt", "fit", "--config", f"{run.path}/config.yaml", "--output", f"{run.name}-again"])
    try:
        training = read_card(find_card(run.path)).training
    except (CheckpointError, ConfigError):
        facts = [("enhancer", "none: training did not end")]
    else:
        facts = [(name.replace("_", " "), _plain(value)) for name, value in training.items() if _is_plain(value)]
    return Recipe(run.name, command, tuple(facts))


def _plain(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def run_configs(runs: Sequence[Run]) -> list[RunConfig]:
    """The configuration of each run."""
    return [_run_config(run) for run in runs]


def _run_config(run: Run) -> RunConfig:
    path = Path(run.path) / "config.yaml"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return RunConfig(run.name, "", {})
    return RunConfig(run.name, text, _parsed(text))


def _parsed(text: str) -> Mapping[str, Any]:
    """Empty where it is damaged, or PyYAML, which comes with the extra `train`, is not installed."""
    try:
        import yaml
    except ModuleNotFoundError:
        return {}
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError:
        return {}
    return values if isinstance(values, dict) else {}
