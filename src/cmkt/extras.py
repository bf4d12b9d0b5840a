"""Packages that only an extra of this one brings."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from cmkt.errors import MissingExtraError, extra_hint


def import_extra(module: str, extra: str) -> Any:
    """The module, imported at the first call.

    Raises: MissingExtraError where it is not installed, with the command that brings it.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise MissingExtraError(extra_hint(module, extra)) from error
