from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from cmkt.errors import TeacherError
from cmkt.text.wrapped import WrappedTeacher


class Wide:
    """A teacher that does not say whether it is causal."""

    width = 3
    identity = "wide"

    def embed(self, texts: Sequence[str]) -> list[Tensor]:
        return [torch.ones(1, 3) for _ in texts]


class Causal(Wide):
    causal = True


def test_width_and_causality_are_those_of_the_teacher_inside() -> None:
    assert WrappedTeacher(Causal()).width == 3
    assert WrappedTeacher(Causal()).causal is True
    assert WrappedTeacher(Wide()).causal is None


def test_what_is_no_teacher_cannot_be_wrapped() -> None:
    with pytest.raises(TeacherError, match="must be a name, a folder or an object"):
        WrappedTeacher(3)  # type: ignore[arg-type]
