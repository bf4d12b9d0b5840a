from __future__ import annotations

from pathlib import Path

from cmkt.evaluation.report.reproduce import RunConfig
from cmkt.evaluation.report.spoken import dev_mixtures


def test_mixtures_of_the_first_dev_folder_that_is_there_are_taken(prepared: Path, tmp_path: Path) -> None:
    configs = [
        RunConfig("none", "", {}),
        RunConfig("odd", "", {"data": "data"}),
        RunConfig("gone", "", {"data": {"dev": str(tmp_path / "gone")}}),
        RunConfig("there", "", {"data": {"dev": str(prepared), "sample_rate": 8000}}),
    ]
    found = dev_mixtures(configs)
    assert {each.text for each in found} == {"words long spoken", "words other spoken", "a short one"}
    assert {each.noisy.sample_rate for each in found} == {8000}
    assert all(each.title.endswith("of test at 5 dB") for each in found)
    assert dev_mixtures(configs[:3]) == []
