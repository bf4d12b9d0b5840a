"""What the command line of training chooses by itself."""

from __future__ import annotations

import pytest
import torch

from cmkt.training.command_line import default_precision


@pytest.mark.parametrize(
    ("accelerator", "cuda", "expected"),
    [
        ("auto", True, "bf16-mixed"),
        ("gpu", True, "bf16-mixed"),
        ("auto", False, "32-true"),
        ("cpu", True, "32-true"),
    ],
)
def test_precision_is_mixed_only_where_a_gpu_trains(
    monkeypatch: pytest.MonkeyPatch, accelerator: str, cuda: bool, expected: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    assert default_precision(accelerator) == expected
