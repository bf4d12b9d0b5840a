"""Scripts that are written without spaces between words."""

from __future__ import annotations

import re
from typing import Final

UNSPACED: Final = (
    "[\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
"""Han characters and kana, the scripts of Chinese and Japanese, as a regular expression."""

_UNSPACED: Final = re.compile(UNSPACED)


def has_unspaced(text: str) -> bool:
    """Whether a character of such a script is in the text."""
    return _UNSPACED.search(text) is not None
