"""Vectors in 8 bits, in blocks of 32 values with a scale each, so that a large channel spoils its own block only.

Language models have a few channels that are far larger than the rest; with one scale a vector these would leave hardly
any steps for all others. Legend: N vectors of width D, K blocks.

    s_k = max over the block of |v| / 127 as float16,   q = round(v / s_k),   v' = s_k q,   |v - v'| <= s_k / 2 or so
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

BLOCK = 32
LEVELS = 127


def quantised_bytes(tokens: int, width: int) -> int:
    """Bytes of N vectors of that width: K scales of two bytes and D values of one each."""
    return tokens * (2 * _blocks(width) + width)


def quantise(vectors: Tensor) -> bytes:
    """Vectors (N, D), finite, as bytes: the scales (N, K) as float16, then the values (N, D) as int8."""
    width = vectors.shape[1]
    blocks = functional.pad(vectors.detach().cpu().float(), (0, -width % BLOCK)).reshape(len(vectors), -1, BLOCK)
    scales = (blocks.abs().amax(dim=2) / LEVELS).to(torch.float16)
    steps = scales.float()[..., None].where(scales[..., None] > 0, 1.0)
    values = (blocks / steps).round().clamp(-LEVELS, LEVELS).to(torch.int8).reshape(len(vectors), -1)[:, :width]
    return scales.numpy().astype("<f2").tobytes() + values.contiguous().numpy().tobytes()


def dequantise(payload: memoryview, tokens: int, width: int) -> NDArray[np.float32]:
    """Vectors (N, D) float32 from what `quantise` gave."""
    scales = np.frombuffer(payload, dtype="<f2", count=tokens * _blocks(width)).reshape(tokens, -1)
    values = np.frombuffer(payload, dtype=np.int8, offset=scales.nbytes).reshape(tokens, width)
    spread = np.repeat(scales.astype(np.float32), BLOCK, axis=1)[:, :width]
    restored: NDArray[np.float32] = spread * values
    return restored


def _blocks(width: int) -> int:
    return -(-width // BLOCK)
