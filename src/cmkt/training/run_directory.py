"""The folder of one training run.

config.yaml                      everything that was set, defaults included
checkpoints/best.ckpt, last.ckpt the best on dev, and the latest; step-N.ckpt where all are kept (`--keep_every`)
logs/metrics.csv, logs/tensorboard
cost.json                        time and memory that training took
enhancer/model.safetensors, model.json    the trained model alone, for `cmkt enhance --model RUN`
"""

from __future__ import annotations

import csv
import hashlib
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import final

import yaml

from cmkt.audio.files import check_output_folder
from cmkt.audio.write import atomic_path
from cmkt.errors import ConfigError


@final
@dataclass(frozen=True, slots=True)
class RunDirectory:
    """Paths in the folder of a run."""

    root: Path

    @property
    def config(self) -> Path:
        """Everything that was set."""
        return self.root / "config.yaml"

    @property
    def checkpoints(self) -> Path:
        """Folder of the checkpoints."""
        return self.root / "checkpoints"

    @property
    def best(self) -> Path:
        """The checkpoint with the lowest dev loss."""
        return self.checkpoints / "best.ckpt"

    @property
    def last(self) -> Path:
        """The latest checkpoint, from which a run is resumed."""
        return self.checkpoints / "last.ckpt"

    @property
    def logs(self) -> Path:
        """Folder of the logs."""
        return self.root / "logs"

    @property
    def metrics(self) -> Path:
        """What was logged, one row a step."""
        return self.logs / "metrics.csv"

    @property
    def earlier_metrics(self) -> Path:
        """What was logged before the run was resumed, until the parts are joined."""
        return self.logs / "metrics.earlier.csv"

    @property
    def enhancer(self) -> Path:
        """Folder of the trained model alone."""
        return self.root / "enhancer"

    @property
    def max_steps(self) -> int | None:
        """Steps that this run was set to take; None where it has no readable config.yaml."""
        try:
            described = yaml.safe_load(self.config.read_text(encoding="utf-8"))
            return int(described["trainer"]["max_steps"])
        except (OSError, ValueError, yaml.YAMLError, KeyError, TypeError):
            return None

    def check_free(self) -> None:
        """Raises ConfigError when there is a run in the folder already, or when it is no folder.

        What is left of a start that came to nothing, a config.yaml alone, is no run.
        """
        check_output_folder(self.root)
        if not (self.checkpoints.exists() or self.enhancer.exists() or self.metrics.exists()):
            return
        resume = f", or go on with it: --ckpt_path {self.last}" if self.last.is_file() else ""
        raise ConfigError(f"`--output` must be a new folder, but {self.root} holds a run. Choose another{resume}.")

    def set_earlier_metrics_aside(self, step: int) -> None:
        """Keeps what was logged up to `step`, where the run is resumed; what came after is going to be done again."""
        rows = [row for row in _read_rows(self.earlier_metrics) + _read_rows(self.metrics) if _step_of(row) < step]
        if rows:
            _write_rows(self.earlier_metrics, rows)
        self.metrics.unlink(missing_ok=True)

    def join_metrics(self) -> None:
        """One metrics.csv of all parts of a resumed run."""
        if self.earlier_metrics.is_file():
            _write_rows(self.metrics, _read_rows(self.earlier_metrics) + _read_rows(self.metrics))
            self.earlier_metrics.unlink()


def config_hash(path: Path) -> str:
    """First 16 hexadecimal digits of the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def git_commit() -> str | None:
    """The commit of the working directory, with "+changes" where files differ from it; None outside of git."""
    git = shutil.which("git")
    if git is None:
        return None
    commit = subprocess.run([git, "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    if commit.returncode != 0:
        return None
    status = subprocess.run(
        [git, "status", "--porcelain", "--untracked-files=no"], capture_output=True, text=True, check=False
    )
    return commit.stdout.strip() + ("+changes" if status.stdout.strip() else "")


def _read_rows(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [{name: value for name, value in row.items() if value} for row in csv.DictReader(file)]


def _write_rows(path: Path, rows: list[dict[str, str]]) -> None:
    columns = sorted({name for row in rows for name in row})
    with atomic_path(path) as unfinished, unfinished.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)


def _step_of(row: dict[str, str]) -> int:
    return int(row.get("step", "0"))
