"""Alignments as a configuration names them."""

from __future__ import annotations

from cmkt.transfer.attention import Attention
from cmkt.transfer.shift import Shift


def attention(shift: Shift | None = None, heads: int = 4, width: int = 128) -> Attention:
    """The paper's alignment, `cmkt.transfer.attention.Attention`; shift None is no shift.

    jsonargparse cannot take an instance of a final class for a default, which `Attention` has.
    """
    return Attention(shift=shift or Shift(), heads=heads, width=width)
