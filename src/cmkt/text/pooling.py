"""From a language model's tokens to the units that are wanted: a vector for each token, word or character.

A unit's vector is the mean of those of all tokens that share a character with it. So a word of several pieces has one,
and where a token spans several characters each of these has the token's. Characters of scripts that are written without
spaces (Hanzi, kana) are words of their own, as word errors count them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import torch
from torch import Tensor

from cmkt.text.unspaced import UNSPACED

Pool = Literal["tokens", "words", "characters"]

POOLS: Final = ("tokens", "words", "characters")
_WORD: Final = re.compile(rf"{UNSPACED}|(?:(?!{UNSPACED})\S)+")
_CHARACTER: Final = re.compile(r"\S")


@dataclass(frozen=True, slots=True)
class Unit:
    """text: as it is written; places: of its tokens among all of the text, special ones included."""

    text: str
    places: tuple[int, ...]


def units_of(text: str, spans: Sequence[tuple[int, int]], pool: Pool) -> tuple[Unit, ...]:
    """The words or characters of a text with their tokens; what no token covers is left out.

    spans: of each token in the text, empty for special ones.

    >>> units_of("walking 我", [(0, 0), (0, 4), (4, 7), (8, 9)], "words")
    (Unit(text='walking', places=(1, 2)), Unit(text='我', places=(3,)))
    """
    found = (_WORD if pool == "words" else _CHARACTER).finditer(text)
    units = (
        Unit(each.group(), tuple(place for place, span in enumerate(spans) if _overlap(span, each.span())))
        for each in found
    )
    return tuple(unit for unit in units if unit.places)


def pool_vectors(states: Tensor, units: Sequence[Unit]) -> Tensor:
    """Mean over the tokens of each unit: states (L, D) -> (N, D)."""
    return torch.stack([states[list(unit.places)].mean(dim=0) for unit in units])


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return max(one[0], other[0]) < min(one[1], other[1])
