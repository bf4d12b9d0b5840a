from __future__ import annotations

import numpy as np
import pytest

from cmkt.errors import AudioError
from cmkt.signal.mono import check_mono


def test_one_finite_float_channel_passes_unchanged() -> None:
    x = np.ones(3, dtype=np.float32)
    assert check_mono(x, "x") is x


@pytest.mark.parametrize(
    ("x", "reason"),
    [
        (np.zeros((2, 100)), "shape"),
        (np.zeros(0), "empty"),
        (np.zeros(10, dtype=np.int16), "int16"),
        (np.array([0.0, np.nan]), "finite"),
        (np.array([0.0, np.inf]), "finite"),
    ],
)
def test_anything_else_is_an_error_that_names_the_argument_and_the_reason(
    x: np.ndarray[tuple[int, ...], np.dtype[np.floating]], reason: str
) -> None:
    with pytest.raises(AudioError, match=f"`speech`.*{reason}"):
        check_mono(x, "speech")
