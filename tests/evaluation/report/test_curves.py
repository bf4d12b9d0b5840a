from __future__ import annotations

import re
from pathlib import Path

from cmkt.evaluation.report.curves import MOST_POINTS, panels, run_colour, run_curves
from cmkt.evaluation.report.sources import Run


def test_a_log_that_ends_within_a_row_is_drawn_as_far_as_it_goes(crashed: Path) -> None:
    curves, lacking = run_curves([Run("crashed", crashed)])
    assert lacking == []
    drawn = panels(curves)
    assert [panel.title for panel in drawn] == ["enhancement loss", "SI-SDR over noisy (dB)"]
    loss = drawn[0].svg
    assert "crashed, train/enhancement" in loss
    assert "nan" not in loss
    assert "ends at 0.55" in loss


def test_runs_without_a_log_or_with_another_are_told(tmp_path: Path) -> None:
    (tmp_path / "other" / "logs").mkdir(parents=True)
    (tmp_path / "other" / "logs" / "metrics.csv").write_text("a,b\n1,2\n")
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "metrics.csv").write_text("step,dev/stoi\n1,high\n")
    runs = [Run(name, tmp_path / name) for name in ("none", "other", "words")]
    curves, lacking = run_curves(runs)
    assert curves == {}
    assert [sentence.partition(":")[0] for sentence in lacking] == ["none", "other", "words"]


def test_two_runs_share_a_panel_in_two_colours_and_many_steps_are_averaged() -> None:
    steps = list(range(1000))
    curves = {
        name: {"train/enhancement": (steps, [1 / (step + offset) for step in steps])}
        for name, offset in (("a", 1), ("b", 2))
    }
    (panel,) = panels(curves)
    assert '<g class="s1">' in panel.svg
    assert '<g class="s2">' in panel.svg
    assert all(line.count("L") < MOST_POINTS for line in re.findall(r' d="([^"]+)"', panel.svg))


def test_the_first_losses_do_not_flatten_the_rest() -> None:
    values = [1000.0] + [1.0 + 0.001 * step for step in range(99)]
    (panel,) = panels({"a": {"train/enhancement": (list(range(100)), values)}})
    assert ">1000<" not in panel.svg


def test_colours_repeat_after_the_last() -> None:
    names = [str(number) for number in range(8)]
    assert run_colour("0", names) == run_colour("7", names) == "s1"
