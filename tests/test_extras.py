from __future__ import annotations

import json

import pytest

from cmkt.errors import MissingExtraError
from cmkt.extras import import_extra


def test_what_is_installed_is_imported() -> None:
    assert import_extra("json", "train") is json


def test_what_is_not_installed_names_the_command_that_brings_it() -> None:
    with pytest.raises(MissingExtraError, match=r"`no_such_package` must be .* Run: pip install 'cmkt\[eval\]'"):
        import_extra("no_such_package", "eval")
