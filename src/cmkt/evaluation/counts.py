"""Whether a comparison counts: has the plain arm learnt, and has it finished learning?

A difference between two models that are both still learning says which learns faster, not which is better. So a
comparison counts only when the plain arm is above noisy in STOI and SI-SDR on the dev data and its last fifth of
training gained little; otherwise results say "undertrained" and conclude nothing.
"""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, final

from cmkt.errors import ConfigError, DataError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cmkt.evaluation.summary import SystemSummary

NEEDED_GAINS = ("stoi", "si_sdr")
DEV_LOSS_COLUMNS = ("dev/enhancement", "dev/total", "dev/loss", "dev_loss", "val_loss")
FEWEST_CHECKS = 5


@final
@dataclass(frozen=True, slots=True)
class Verdict:
    """`counts` or `undertrained`, with one sentence for each thing that was looked at."""

    verdict: Literal["counts", "undertrained"]
    reasons: tuple[str, ...]

    @property
    def counts(self) -> bool:
        """Whether a comparison with this arm may be concluded from."""
        return self.verdict == "counts"


def late_gain(dev_loss: Sequence[float]) -> float:
    """The share of the whole fall of the dev loss that came in the last fifth: (before - after) / (first - after).

    `first` is the first check, `before` the lowest of the first four fifths of the checks, `after` the lowest of all:
    the running minimum, because the best checkpoint is what is used, so a noisy last check neither hides nor feigns a
    gain. 0 to 1, whatever the unit or the zero of the loss, which may be negative as one in dB is.

    Raises: DataError with fewer than 5 checks (one of them is the last fifth), or where one is not finite.
    """
    if len(dev_loss) < FEWEST_CHECKS:
        raise DataError(f"The dev loss must have been computed {FEWEST_CHECKS} times or more, but was {len(dev_loss)}.")
    if not all(math.isfinite(value) for value in dev_loss):
        raise DataError("Every dev loss must be finite, but one is not. Train again with a lower learning rate.")
    before = min(dev_loss[: len(dev_loss) - len(dev_loss) // 5])
    after = min(dev_loss)
    return 0.0 if before == after else (before - after) / (dev_loss[0] - after)


def dev_losses(log: Path, column: str | None = None) -> list[float]:
    """The dev loss at each check, in order, from the `metrics.csv` of a Lightning CSV logger.

    `column` is its name there; by default the first of the usual ones that the log has.

    Raises: DataError where the log is missing or has no such column.
    """
    if not log.is_file():
        raise DataError(f"`{log}` must be the metrics.csv of a training run, but does not exist.")
    with log.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        rows, columns = list(reader), list(reader.fieldnames or ())
    wanted = [column] if column else [name for name in DEV_LOSS_COLUMNS if name in columns][:1]
    if not wanted or wanted[0] not in columns:
        looked_for = column or ", ".join(DEV_LOSS_COLUMNS)
        raise DataError(f"`{log}` must have a column {looked_for}, but has {', '.join(columns) or 'none'}.")
    return [float(row[wanted[0]]) for row in rows if row.get(wanted[0])]


def comparison_counts(dev_loss: Sequence[float], summary: SystemSummary, *, largest_late_gain: float = 0.05) -> Verdict:
    """Whether a comparison with the plain arm counts.

    `dev_loss` is its dev loss at each check, `summary` its scores on dev mixtures. It counts when STOI and SI-SDR are
    above noisy and the last fifth of training brought less than `largest_late_gain` of the whole fall of the dev loss.

    Raises: ConfigError where `largest_late_gain` is not in (0, 1).
    """
    if not 0 < largest_late_gain < 1:
        raise ConfigError(f"`largest_late_gain` must be between 0 and 1, but is {largest_late_gain}.")
    checks = [_gain_over_noisy(summary, metric) for metric in NEEDED_GAINS]
    checks.append(_has_finished(dev_loss, largest_late_gain))
    passed = all(ok for ok, _ in checks)
    return Verdict("counts" if passed else "undertrained", tuple(reason for _, reason in checks))


def run_verdict(run: Path, summary: SystemSummary) -> Verdict:
    """`comparison_counts` for a run directory: its dev loss is read from the metrics.csv below it.

    Raises: DataError where the run has no such log.
    """
    return comparison_counts(dev_losses(find_log(run)), summary)


def find_log(run: Path) -> Path:
    """The newest metrics.csv in a run directory.

    Raises: DataError where there is none.
    """
    logs = sorted(run.rglob("metrics.csv"), key=lambda log: log.stat().st_mtime) if run.is_dir() else []
    if not logs:
        raise DataError(f"`{run}` must be a run directory with a metrics.csv of its training, but has none.")
    return logs[-1]


def _gain_over_noisy(summary: SystemSummary, metric: str) -> tuple[bool, str]:
    cell = summary.overall.get(metric)
    if cell is None or cell.difference is None or cell.difference.mean is None:
        return False, f"{metric}: not known against noisy on dev"
    mean, error = cell.difference.mean, cell.difference.standard_error
    spread = "" if error is None else f" (standard error {error:.3g})"
    side = "above" if mean > 0 else "not above"
    return mean > 0, f"{metric}: {side} noisy on dev, difference {mean:+.3g}{spread}"


def _has_finished(dev_loss: Sequence[float], largest: float) -> tuple[bool, str]:
    try:
        gain = late_gain(dev_loss)
    except DataError as error:
        return False, f"dev loss: {error}"
    little = gain < largest
    word = "little" if little else "still much"
    share = f"{gain:.2%} of the whole fall (must be below {largest:.2%})"
    return little, f"dev loss: the last fifth of training gained {word}, {share}"
