from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cmkt.errors import DataError
from cmkt.evaluation.training_cost import COST, TrainingCost, peak_memory_bytes, read_cost, write_cost

FIRST = TrainingCost(10, 5.0, 2_000, None, "a processor", 1)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    assert read_cost(tmp_path) is None
    write_cost(tmp_path, FIRST)
    assert read_cost(tmp_path) == FIRST
    assert FIRST.seconds_per_step == 0.5
    assert TrainingCost(0, 0.0, None, None, "", 1).seconds_per_step is None


def test_the_largest_memory_of_all_parts_of_a_resumed_run_counts(tmp_path: Path) -> None:
    write_cost(tmp_path, FIRST)
    write_cost(tmp_path, TrainingCost(20, 9.0, 1_000, 7, "a GPU", 2))
    assert read_cost(tmp_path) == TrainingCost(20, 9.0, 2_000, 7, "a GPU", 2)


@pytest.mark.parametrize("content", ["{", "[]", '{"steps": 1}', '{"speed": 1}'])
def test_a_damaged_file_is_refused_when_read_and_replaced_when_written(
    tmp_path: Path, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / COST).write_text(content)
    with pytest.raises(DataError, match="must be the cost of a training run"):
        read_cost(tmp_path)
    write_cost(tmp_path, FIRST)
    assert read_cost(tmp_path) == FIRST
    assert "Delete it" in caplog.text


def test_the_peak_of_memory_grows_with_what_is_held() -> None:
    before = peak_memory_bytes()
    if before is None:
        pytest.skip("this system does not tell the memory of a process")
    assert before > 10e6  # in bytes: Python alone takes more
    held = np.ones(before // 8 + 10_000_000)
    after = peak_memory_bytes()
    assert after is not None
    assert after >= before + 40e6
    assert held[-1] == 1.0
