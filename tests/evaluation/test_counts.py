from __future__ import annotations

import math
import os
from pathlib import Path

import pytest

from cmkt.errors import ConfigError, DataError
from cmkt.evaluation.counts import comparison_counts, dev_losses, find_log, late_gain, run_verdict
from cmkt.evaluation.summary import Cell, Estimate, SystemSummary

FLAT = [1.0, 0.5, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.394]


def summary(stoi: float | None, si_sdr: float | None) -> SystemSummary:
    cells = {
        name: Cell(Estimate(0.0, 0.0, 2), Estimate(gain, 0.01, 2), 0)
        for name, gain in (("stoi", stoi), ("si_sdr", si_sdr))
        if gain is not None
    }
    return SystemSummary(cells, {})


def test_the_late_gain_is_by_hand() -> None:
    # Ten checks: first 1.0, the lowest of the first eight 0.5, of all 0.45: 0.05 of a fall of 0.55.
    assert late_gain([1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.55, 0.52, 0.45, 0.6]) == pytest.approx(1 / 11)


def test_a_last_fifth_that_only_rises_gained_nothing() -> None:
    assert late_gain([5.0, 4.0, 3.0, 2.0, 9.0]) == 0.0


@pytest.mark.parametrize("offset", [0.0, -4.0, -100.0])
def test_the_zero_of_the_loss_does_not_matter(offset: float) -> None:
    assert late_gain([offset + value for value in (8.0, 6.0, 5.0, 4.0, 3.0)]) == pytest.approx(0.2)


def test_a_loss_that_never_fell_before_gained_all_of_it_late() -> None:
    assert late_gain([3.0, 4.0, 5.0, 6.0, 1.0]) == 1.0


def test_too_few_or_infinite_losses_are_refused() -> None:
    with pytest.raises(DataError, match="5 times or more, but was 4"):
        late_gain([1.0] * 4)
    with pytest.raises(DataError, match="finite"):
        late_gain([1.0] * 4 + [math.nan])


def test_a_finished_arm_above_noisy_counts() -> None:
    found = comparison_counts(FLAT, summary(0.05, 3.0))
    assert found.counts
    assert found.reasons[0].startswith("stoi: above noisy on dev, difference +0.05")
    assert "little, 0.99% of the whole fall" in found.reasons[2]


@pytest.mark.parametrize(
    ("losses", "stoi", "si_sdr", "reason"),
    [
        (FLAT, -0.01, 3.0, "stoi: not above noisy"),
        (FLAT, 0.05, 0.0, "si_sdr: not above noisy"),
        (FLAT, None, 3.0, "stoi: not known"),
        ([1.0, 0.9, 0.8, 0.7, 0.6], 0.05, 3.0, "still much, 25.00%"),
        ([1.0, 0.9], 0.05, 3.0, "5 times or more"),
    ],
)
def test_anything_else_is_undertrained_and_says_why(
    losses: list[float], stoi: float | None, si_sdr: float, reason: str
) -> None:
    found = comparison_counts(losses, summary(stoi, si_sdr))
    assert found.verdict == "undertrained"
    assert any(reason in each for each in found.reasons)


def test_the_threshold_is_a_fraction() -> None:
    assert not comparison_counts(FLAT, summary(0.1, 1.0), largest_late_gain=0.005).counts
    with pytest.raises(ConfigError, match="between 0 and 1"):
        comparison_counts(FLAT, summary(0.1, 1.0), largest_late_gain=2.0)


def write_log(path: Path, column: str = "dev/enhancement") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [f"0,{step},,0.3" if step % 2 else f"0,{step},{FLAT[step // 2]}," for step in range(20)]
    path.write_text(f"epoch,step,{column},train/enhancement\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_dev_losses_skip_the_rows_of_training(tmp_path: Path) -> None:
    assert dev_losses(write_log(tmp_path / "metrics.csv")) == FLAT
    assert dev_losses(write_log(tmp_path / "metrics.csv", "my loss"), "my loss") == FLAT


def test_a_log_without_the_column_lists_what_it_has(tmp_path: Path) -> None:
    log = write_log(tmp_path / "metrics.csv", "other")
    with pytest.raises(DataError, match="but has epoch, step, other, train/enhancement"):
        dev_losses(log)
    with pytest.raises(DataError, match="does not exist"):
        dev_losses(tmp_path / "none.csv")


def test_a_run_is_judged_by_its_newest_log(tmp_path: Path) -> None:
    old, new = (write_log(tmp_path / version / "metrics.csv") for version in ("version_1", "version_0"))
    os.utime(old, (1, 1))
    assert find_log(tmp_path) == new
    assert run_verdict(tmp_path, summary(0.1, 1.0)).counts


def test_a_run_without_a_log_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"metrics\.csv of its training"):
        find_log(tmp_path)
