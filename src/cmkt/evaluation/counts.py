"""Whether a comparison counts: has the plain arm learnt, and has it finished learning?

A difference between two models that are both still learning says which learns faster, not which is better. So a
comparison counts only when the plain arm is above noisy in STOI and SI-SDR on the dev data, and in the last fifth of
its training the best that it had reached on dev rose by less than 0.1 dB of SI-SDR and less than 0.002 of STOI.
Otherwise results say "undertrained" and conclude nothing.

Two earlier rules looked at the dev loss. Its relative fall means little for a loss that crosses zero; the share of the
whole fall is large for a run that starts from a trained model, which has not far to fall. Gains in the units of the
metrics have neither flaw.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, final

from cmkt.errors import DataError
from cmkt.evaluation.pictures import read_curves

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cmkt.evaluation.summary import SystemSummary

NEEDED_GAINS: Final = ("stoi", "si_sdr")
LAST_PART: Final = 0.2
"""The last part of training, by steps, that must have brought little."""
FEWEST_CHECKS: Final = 5


@final
@dataclass(frozen=True, slots=True)
class Watched:
    """A dev metric of the log, better when higher, whose best may hardly rise in the last part of training.

    `columns`: its names in the log, of which the first that is there counts. A rise of `limit` or more, in its unit, is
    too much.
    """

    title: str
    columns: tuple[str, ...]
    limit: float
    unit: str


WATCHED: Final = (
    Watched("SI-SDR", ("dev/si_sdr_improvement",), 0.1, " dB"),
    Watched("STOI", ("dev/stoi", "dev/stoi_improvement"), 0.002, ""),
)


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


def late_rise(checks: Mapping[int, float]) -> float:
    """How far the best value so far rose in the last fifth of training, 0 or more, in the unit of the values.

    checks: the value at each training step that was checked, better when higher. Training ends at the last check, and
    a check at exactly four fifths is before the last fifth. The best so far, because the best checkpoint is what is
    used: a chance low at the end neither hides nor feigns a rise.

    Raises: DataError with fewer than 5 checks, or where one is not finite or none lies before the last fifth.

    >>> late_rise({100: 1.0, 200: 3.0, 300: 2.5, 400: 2.0, 500: 3.5})
    0.5
    """
    if len(checks) < FEWEST_CHECKS:
        raise DataError(
            f"Dev must have been scored {FEWEST_CHECKS} times or more while training, but was {len(checks)} times."
            " Lower trainer.val_check_interval."
        )
    if not all(math.isfinite(value) for value in checks.values()):
        raise DataError("Every score of dev while training must be finite, but one is not. Lower the learning rate.")
    start = max(checks) * (1 - LAST_PART)
    earlier = [value for step, value in checks.items() if step <= start]
    if not earlier:
        raise DataError(
            "Dev must have been scored before the last fifth of training, but was not."
            " Lower trainer.val_check_interval."
        )
    return max(checks.values()) - max(earlier)


def comparison_counts(curves: Mapping[str, Mapping[int, float]], summary: SystemSummary) -> Verdict:
    """Whether a comparison with the plain arm counts.

    curves: from its log, the value at each step for each column; summary: its scores on dev mixtures.
    """
    checks = [_gain_over_noisy(summary, metric) for metric in NEEDED_GAINS]
    checks += [_has_finished(curves, watched) for watched in WATCHED]
    passed = all(ok for ok, _ in checks)
    return Verdict("counts" if passed else "undertrained", tuple(reason for _, reason in checks))


def run_verdict(run: Path, summary: SystemSummary) -> Verdict:
    """`comparison_counts` for a run directory, whose metrics.csv is read.

    A step that was logged twice, as by a run that was resumed, counts with its later value.

    Raises: DataError where the run has no such log, or the log cannot be read.
    """
    curves = read_curves(find_log(run))
    return comparison_counts({name: dict(zip(*curve, strict=True)) for name, curve in curves.items()}, summary)


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


def _has_finished(curves: Mapping[str, Mapping[int, float]], watched: Watched) -> tuple[bool, str]:
    column = next((name for name in watched.columns if name in curves), None)
    if column is None:
        return False, f"{watched.title}: the log does not have {' or '.join(watched.columns)}"
    try:
        rise = late_rise(curves[column])
    except DataError as error:
        return False, f"{watched.title}: {error}".rstrip(".")
    little = rise < watched.limit
    word = "hardly rose" if little else "still rose"
    return little, (
        f"{watched.title}: in the last fifth of training the best on dev {word}, by {rise:.2g}{watched.unit}"
        f" (must be below {watched.limit:g}{watched.unit}; {column})"
    )
