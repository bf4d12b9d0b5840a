"""Small pictures of levels as PNG data URIs: 8-bit indices into a palette, made with nothing but zlib.

Palette pictures of 48 steps take a third of the bytes that true colour takes, and need no drawing library.
"""

from __future__ import annotations

import base64
import struct
import zlib
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cmkt.types import FloatArray

STEPS: Final = 48
MAGMA: Final = (
    (0, 0, 4), (28, 16, 68), (79, 18, 123), (129, 37, 129), (181, 54, 122), (229, 80, 100), (251, 135, 97),
    (254, 194, 135), (252, 253, 191),
)  # fmt: skip
"""matplotlib's map "magma" (Smith and van der Walt, 2015) at nine points: lightness grows evenly with the level."""


def levels_png(levels: FloatArray, *, low: float, high: float) -> bytes:
    """A picture of (rows, columns), the first row at the bottom; dark at `low` and below, bright from `high` on."""
    share = (np.asarray(levels, dtype=np.float64) - low) / max(high - low, 1e-12)
    indices = np.clip(np.rint(share * (STEPS - 1)), 0, STEPS - 1).astype(np.uint8)[::-1]
    rows, columns = indices.shape
    raw = np.zeros((rows, columns + 1), dtype=np.uint8)  # each line starts with its filter, 0
    raw[:, 1:] = indices
    header = struct.pack(">IIBBBBB", columns, rows, 8, 3, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        _chunk(kind, content)
        for kind, content in (
            (b"IHDR", header),
            (b"PLTE", palette().tobytes()),
            (b"IDAT", zlib.compress(raw.tobytes(), 9)),
            (b"IEND", b""),
        )
    )


def palette() -> NDArray[np.uint8]:
    """The colours of the steps, (STEPS, 3)."""
    places = np.linspace(0, len(MAGMA) - 1, STEPS)
    channels = [np.interp(places, range(len(MAGMA)), channel) for channel in zip(*MAGMA, strict=True)]
    colours: NDArray[np.uint8] = np.rint(np.stack(channels, axis=-1)).astype(np.uint8)
    return colours


def png_uri(content: bytes) -> str:
    """A data URI, which an <img> or SVG <image> shows without a file."""
    return "data:image/png;base64," + base64.b64encode(content).decode("ascii")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
