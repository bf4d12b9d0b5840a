"""Lines of raw text as a language model for speech should read them: some as transcripts are, some as they were."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from cmkt.text.hanzi_numbers import hanzi_numbers
from cmkt.text.punctuation import words_without_punctuation
from cmkt.text.script import HAN, scripts

LINES_VERSION: Final = 1
"""Raise it whenever the same raw lines give others."""

MIN_LETTERS: Final = 2
MIN_SCRIPT_SHARE: Final = 0.5
SPOKEN_SHARE: Final = 0.5
"""Of the lines, without punctuation and with spelled numbers, as transcripts are."""
WRITTEN_SHARE: Final = 0.1
"""Of the lines, as they were but for NFKC, case and spaces. All others keep punctuation and have spelled numbers."""

_CUT_AFTER: Final = re.compile(r"(?<=[。!?;,、!?…])|(?<=[.\s])")
_SPACE_BY_HAN: Final = re.compile(r"(?<=[\u3400-\u9fff]) | (?=[\u3400-\u9fff])")


@dataclass(frozen=True, slots=True)
class Lines:
    """What came of raw lines. kept: as the model reads them; spoken: whether each is as a transcript; dropped: how many
    raw lines were not kept, by reason."""

    kept: list[str]
    spoken: list[bool]
    dropped: dict[str, int]


def main_script(lines: Iterable[str]) -> str:
    """The script that most letters of the lines are of, "LATIN" where there is none."""
    found = scripts(lines).most_common(1)
    return found[0][0] if found else "LATIN"


def prepare_lines(raw: Iterable[str], *, script: str, max_characters: int, seed: int = 0) -> Lines:
    """Cleaned lines in their order: NFKC, lower case, single spaces, none beside Hanzi; each different line once.

    script: lines of which less than half of the letters are of it, or that have fewer than two, are dropped.
    max_characters: longer lines are cut after punctuation, or anywhere where there is none. A digest of (seed, line)
    decides which lines become spoken ones, so that one line gives the same wherever it stands. Numbers are spelled in
    the Han script only.
    """
    kept: list[str] = []
    spoken: list[bool] = []
    seen: set[str] = set()
    dropped: Counter[str] = Counter()
    for line in raw:
        tidied = _tidied(line)
        reason = _reason_against(tidied, script, seen)
        if reason is not None:
            dropped[reason] += 1
            continue
        seen.add(tidied)
        draw = _draw(seed, tidied)
        variant = _variant(tidied, draw, script)
        for part in _cut(variant, max_characters):
            kept.append(part)
            spoken.append(draw < SPOKEN_SHARE)
    return Lines(kept, spoken, dict(dropped))


def letters_of(line: str) -> str:
    """The line without anything but letters, for telling whether two lines say the same."""
    return "".join(filter(str.isalpha, line))


def without_punctuation(line: str) -> str:
    """The line with everything but letters, numbers, marks and inner apostrophes taken as a space, tidied.

    >>> without_punctuation("今天,很好!don't go."), without_punctuation("4.5")
    ("今天很好don't go", '4 5')
    """
    return _spaced(" ".join(words_without_punctuation(line)))


def _tidied(line: str) -> str:
    return _spaced(" ".join(unicodedata.normalize("NFKC", line).lower().split()))


def _spaced(line: str) -> str:
    return _SPACE_BY_HAN.sub("", line)


def _reason_against(line: str, script: str, seen: set[str]) -> str | None:
    found = scripts([line])
    if found[script] < MIN_LETTERS:
        return f"fewer than {MIN_LETTERS} letters"
    if found[script] < MIN_SCRIPT_SHARE * found.total():
        return f"mostly another script than {script}"
    return "repeated" if line in seen else None


def _variant(line: str, draw: float, script: str) -> str:
    if draw >= 1 - WRITTEN_SHARE:
        return line
    spelled = hanzi_numbers(line) if script == HAN else line
    return without_punctuation(spelled) if draw < SPOKEN_SHARE else spelled


def _draw(seed: int, line: str) -> float:
    digest = hashlib.blake2b(f"{seed}:{line}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") / 2**64


def _cut(line: str, longest: int) -> Iterator[str]:
    part = ""
    for piece in _CUT_AFTER.split(line):
        if len(part) + len(piece) > longest:
            if part.strip():
                yield part.strip()
            part = piece
            while len(part) > longest:
                yield part[:longest]
                part = part[longest:]
        else:
            part += piece
    if part.strip():
        yield part.strip()
