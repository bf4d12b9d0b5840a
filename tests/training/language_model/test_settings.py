from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cmkt.errors import ConfigError
from cmkt.training.language_model.settings import Settings, check_same_settings, write_settings


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"layers": 0}, "`layers` must be at least 1, but is 0"),
        ({"mask_share": 1.0}, "`mask_share` must lie between 0 and 1"),
        ({"decoder_epochs": -1.0}, "`decoder_epochs` must be above 0"),
        ({"learning_rate": float("inf")}, "`learning_rate` must be above 0"),
        ({"batch_tokens": 100}, "`batch_tokens` must be at least `max_tokens`, 128, but is 100"),
        ({"width": 250}, "`width` must be a multiple of 2 x 4 heads, but is 250"),
        ({"max_tokens": 3}, "`max_tokens` must be at least 8"),
        ({"softmax_characters": -1}, "`softmax_characters` must be 0 or more"),
    ],
)
def test_numbers_that_cannot_work_are_refused(change: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Settings(**change)  # type: ignore[arg-type]


def test_a_folder_of_other_settings_is_refused_and_what_differs_is_named(tmp_path: Path) -> None:
    check_same_settings(Settings(), tmp_path)
    write_settings(Settings(), tmp_path)
    check_same_settings(Settings(), tmp_path)
    with pytest.raises(ConfigError, match="layers was 3 and is 2, seed was 0 and is 5"):
        check_same_settings(replace(Settings(), layers=2, seed=5), tmp_path)
