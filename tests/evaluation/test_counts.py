from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from cmkt.errors import DataError
from cmkt.evaluation.counts import comparison_counts, find_log, late_rise, run_verdict
from cmkt.evaluation.summary import Cell, Estimate, SystemSummary

STEPS = range(99, 1000, 100)
"""Ten checks of 1,000 steps, numbered from zero as Lightning does: the last fifth holds two."""
FLAT = (5.0, 6.0, 7.0, 8.0, 8.5, 8.4, 8.6, 8.6, 8.5, 8.65)
RISING = (5.0, 6.0, 7.0, 8.0, 8.5, 8.4, 8.6, 8.6, 8.5, 8.75)


def checks(values: Sequence[float]) -> dict[int, float]:
    return dict(zip(STEPS, values, strict=True))


def curves(si_sdr: Sequence[float] = FLAT, stoi: Sequence[float] = (0.7,) * 10) -> dict[str, dict[int, float]]:
    return {"dev/si_sdr_improvement": checks(si_sdr), "dev/stoi": checks(stoi)}


def summary(stoi: float | None, si_sdr: float | None) -> SystemSummary:
    cells = {
        name: Cell(Estimate(0.0, 0.0, 2), Estimate(gain, 0.01, 2), 0)
        for name, gain in (("stoi", stoi), ("si_sdr", si_sdr))
        if gain is not None
    }
    return SystemSummary(cells, {})


def test_the_late_rise_is_by_hand() -> None:
    # The best of the first eight checks is 8.6, of all 8.65.
    assert late_rise(checks(FLAT)) == pytest.approx(0.05)


def test_a_best_that_comes_early_never_rises_again() -> None:
    assert late_rise({1: 1.0, 2: 9.0, 3: 3.0, 4: 2.0, 5: 8.0}) == 0.0


def test_the_last_fifth_is_of_steps_and_not_of_checks() -> None:
    # Checked ever more rarely: steps above 800 are one check of six, and the check at 800 lies before them.
    assert late_rise({10: 0.0, 20: 1.0, 40: 2.0, 400: 3.0, 800: 4.0, 1000: 6.0}) == 2.0
    assert late_rise({10: 0.0, 20: 1.0, 40: 2.0, 400: 3.0, 801: 4.0, 1000: 6.0}) == 3.0


@pytest.mark.parametrize("offset", [0.0, -8.0, 100.0])
def test_neither_the_zero_nor_the_whole_rise_matter(offset: float) -> None:
    assert late_rise(checks([offset + value for value in FLAT])) == pytest.approx(0.05)
    assert late_rise(checks([offset - 1000.0, *(offset + value for value in FLAT[1:])])) == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (dict.fromkeys(range(4), 1.0), "5 times or more while training, but was 4 times"),
        ({}, "but was 0 times"),
        ({**dict.fromkeys(range(4), 1.0), 5: math.nan}, "finite"),
        (dict.fromkeys(range(996, 1001), 1.0), "before the last fifth"),
    ],
)
def test_what_cannot_be_judged_is_refused(values: dict[int, float], message: str) -> None:
    with pytest.raises(DataError, match=message):
        late_rise(values)


def test_a_finished_arm_above_noisy_counts() -> None:
    found = comparison_counts(curves(), summary(0.05, 3.0))
    assert found.counts
    assert found.reasons[0].startswith("stoi: above noisy on dev, difference +0.05")
    assert found.reasons[2] == (
        "SI-SDR: in the last fifth of training the best on dev hardly rose, by 0.05 dB"
        " (must be below 0.1 dB; dev/si_sdr_improvement)"
    )
    assert "hardly rose, by 0 (must be below 0.002; dev/stoi)" in found.reasons[3]


@pytest.mark.parametrize(
    ("log", "stoi", "si_sdr", "reason"),
    [
        (curves(), -0.01, 3.0, "stoi: not above noisy"),
        (curves(), 0.05, 0.0, "si_sdr: not above noisy"),
        (curves(), None, 3.0, "stoi: not known"),
        (curves(RISING), 0.05, 3.0, "SI-SDR: in the last fifth of training the best on dev still rose, by 0.15 dB"),
        (curves(stoi=[*(0.7,) * 9, 0.7025]), 0.05, 3.0, "still rose, by 0.0025 (must be below 0.002"),
        ({"dev/stoi": checks(FLAT)}, 0.05, 3.0, "SI-SDR: the log does not have dev/si_sdr_improvement"),
        ({**curves(), "dev/stoi": {1: 0.5}}, 0.05, 3.0, "STOI: Dev must have been scored 5 times"),
    ],
)
def test_anything_else_is_undertrained_and_says_why(
    log: dict[str, dict[int, float]], stoi: float | None, si_sdr: float, reason: str
) -> None:
    found = comparison_counts(log, summary(stoi, si_sdr))
    assert found.verdict == "undertrained"
    assert any(reason in each for each in found.reasons)


def test_a_rise_of_just_the_limit_is_too_much() -> None:
    exactly = checks([0.0] * 8 + [0.1, 0.1])
    assert not comparison_counts({**curves(), "dev/si_sdr_improvement": exactly}, summary(0.1, 1.0)).counts


def test_the_improvement_in_stoi_serves_where_stoi_was_not_logged() -> None:
    own = {"dev/si_sdr_improvement": checks(FLAT), "dev/stoi_improvement": checks((0.05,) * 10)}
    found = comparison_counts(own, summary(0.1, 1.0))
    assert found.counts
    assert "dev/stoi_improvement" in found.reasons[3]


def write_log(path: Path, last: float = 8.65) -> Path:
    """Rows of training between those of dev, and the seventh check twice, as in a run that was resumed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    values = [*FLAT[:-1], last]
    rows = [f"0,{step},{value},0.7,\n0,{step + 1},,,0.3" for step, value in zip(STEPS, values, strict=True)]
    rows.insert(6, f"0,{STEPS[6]},99.0,0.7,")
    head = "epoch,step,dev/si_sdr_improvement,dev/stoi,train/enhancement\n"
    path.write_text(head + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_a_run_is_judged_by_its_newest_log(tmp_path: Path) -> None:
    old = write_log(tmp_path / "version_1" / "metrics.csv", last=9.0)
    new = write_log(tmp_path / "version_0" / "metrics.csv")
    os.utime(old, (1, 1))
    assert find_log(tmp_path) == new
    found = run_verdict(tmp_path, summary(0.1, 1.0))
    assert found.counts
    assert "by 0.05 dB" in found.reasons[2]


def test_a_log_that_is_cut_off_is_refused_or_undertrained(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text("epoch,step\n", encoding="utf-8")
    assert not run_verdict(tmp_path, summary(0.1, 1.0)).counts
    (tmp_path / "metrics.csv").write_text("", encoding="utf-8")
    with pytest.raises(DataError, match="column `step`"):
        run_verdict(tmp_path, summary(0.1, 1.0))


def test_a_run_without_a_log_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"metrics\.csv of its training"):
        find_log(tmp_path)
