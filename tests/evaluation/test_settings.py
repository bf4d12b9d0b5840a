from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cmkt.errors import ConfigError
from cmkt.evaluation.pair_set import PairList
from cmkt.evaluation.settings import Settings


@pytest.mark.parametrize("change", [{"limit": 0}, {"save_audio": -1}, {"candidates": 0}, {"sample_rate": 0}])
def test_settings_that_cannot_work_are_refused(change: dict[str, int]) -> None:
    settings = Settings(PairList(Path("list.jsonl")), output=Path("out"))
    with pytest.raises(ConfigError, match=f"`{next(iter(change))}`"):
        replace(settings, **change)  # type: ignore[arg-type]


def test_scores_lie_in_the_output() -> None:
    assert Settings(PairList(Path("list.jsonl")), output=Path("out")).scores_path == Path("out/scores.jsonl")
