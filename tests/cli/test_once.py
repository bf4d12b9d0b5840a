"""Warnings on the command line."""

from __future__ import annotations

import warnings

import pytest

from cmkt.cli.once import warnings_once


def test_a_warning_is_one_line_however_often_and_from_wherever_it_comes(capsys: pytest.CaptureFixture[str]) -> None:
    with warnings_once():
        for text in ("the first", "the second", "the first"):
            warnings.warn(text, stacklevel=1)
    assert capsys.readouterr().err == "warning: the first\nwarning: the second\n"


def test_afterwards_warnings_are_as_before() -> None:
    with warnings_once():
        pass
    with pytest.warns(UserWarning, match="later"):
        warnings.warn("later", stacklevel=1)
