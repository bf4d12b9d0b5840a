"""The bytes of an embedding store: keys, vectors, what the store says of itself.

key        blake2b of the tidied text, 16 bytes. Case is kept, so a key does not depend on the teacher.
value      tokens (uint32), crc32 of the rest (uint32), then the vectors (N, D) as float16, row by row, or in 8 bits as
           `cmkt.text.quantisation` has them
metadata   JSON: format (1: 16 bits, 2: 8 bits), identity of the teacher, width
statistics texts, tokens, unknown tokens (uint64 each), then the sum of all unit vectors (D,) as float64;
           kept in step with the vectors by the same transaction, so that nobody has to read the store to describe it
"""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cmkt.errors import StoreError
from cmkt.text.normalisation import tidy
from cmkt.text.quantisation import dequantise, quantise, quantised_bytes

HALF, BYTE = 16, 8
BITS = (HALF, BYTE)
FORMATS = {HALF: 1, BYTE: 2}
"""Of a store by the bits of a value. Those who know only the first refuse the second instead of reading nonsense."""
KEY_BYTES = 16
METADATA_KEY = b"metadata"
STATISTICS_KEY = b"statistics"
_VALUE = struct.Struct("<II")
_STATISTICS = struct.Struct("<QQQ")


def text_key(text: str) -> bytes:
    """The 16 bytes under which the vectors of a text lie; no other record has a key of that length."""
    return hashlib.blake2b(tidy(text).encode(), digest_size=KEY_BYTES).digest()


def encode_vectors(vectors: Tensor, *, bits: int = HALF) -> bytes:
    """Vectors (N, D) in half precision or in 8 bits, with their number and a checksum.

    Raises: StoreError when a value is not finite or does not fit half precision (65,504).
    """
    half = vectors.detach().cpu().to(torch.float16)
    if not bool(torch.isfinite(half).all()):
        raise StoreError(
            f"vectors must be finite and below 65504 to be stored, but the largest is {float(vectors.abs().max()):g}. "
            "Choose another layer or dtype of the teacher."
        )
    payload = half.contiguous().numpy().astype("<f2", copy=False).tobytes() if bits == HALF else quantise(half)
    return _VALUE.pack(len(half), zlib.crc32(payload)) + payload


def decode_vectors(value: bytes | memoryview, width: int, *, bits: int = HALF) -> Tensor:
    """Vectors (N, D) float32, a copy.

    Raises: StoreError when length or checksum do not fit.
    """
    view = memoryview(value)
    payload = view[_VALUE.size :]
    tokens, checksum = _VALUE.unpack_from(view) if len(view) >= _VALUE.size else (-1, 0)
    expected = tokens * width * 2 if bits == HALF else quantised_bytes(tokens, width)
    if len(payload) != expected or zlib.crc32(payload) != checksum:
        raise StoreError("a record of the embedding store is damaged. Delete the store and run `cmkt embed` again.")
    if bits == BYTE:
        return torch.from_numpy(dequantise(payload, tokens, width))
    return torch.from_numpy(np.frombuffer(payload, dtype="<f2").reshape(tokens, width).astype(np.float32))


def coding_error(vectors: Tensor, *, bits: int) -> Tensor:
    """1 - cos of each vector (N, D) with what a store gives back for it, (N,) float64."""
    restored = decode_vectors(encode_vectors(vectors, bits=bits), vectors.shape[1], bits=bits)
    return 1.0 - torch.nn.functional.cosine_similarity(vectors.detach().cpu().double(), restored.double(), dim=-1)


@dataclass(frozen=True, slots=True)
class Metadata:
    """Which teacher wrote a store. identity: Teacher.identity; width: D; causal: whether no vector of its depends on a
    later token, None where it did not say, as in stores made before this was recorded; bits: of each value."""

    identity: str
    width: int
    causal: bool | None = None
    bits: int = HALF

    def encode(self) -> bytes:
        """As JSON, with the format's version."""
        fields = {"format": FORMATS[self.bits], "teacher": self.identity, "width": self.width}
        return json.dumps(fields if self.causal is None else {**fields, "causal": self.causal}).encode()

    def same_teacher(self, other: Metadata) -> bool:
        """Whether both are of one teacher, as far as both say."""
        return (self.identity, self.width) == (other.identity, other.width)

    @classmethod
    def decode(cls, value: bytes) -> Metadata:
        """Raises StoreError for a store of another format."""
        try:
            read = json.loads(value)
            version, identity, width = read["format"], str(read["teacher"]), int(read["width"])
            causal = None if read.get("causal") is None else bool(read["causal"])
        except (ValueError, KeyError, TypeError) as error:
            raise StoreError("the metadata of the embedding store is damaged. Run `cmkt embed` again.") from error
        bits = next((bits for bits, known in FORMATS.items() if known == version), None)
        if bits is None:
            raise StoreError(f"an embedding store must have format 1 or 2, but has {version}. Run `cmkt embed` again.")
        return cls(identity=identity, width=width, causal=causal, bits=bits)


@dataclass(frozen=True, slots=True)
class Statistics:
    """What a store holds. direction_sum: (D,) float64, the sum of all token vectors scaled to length one."""

    texts: int
    tokens: int
    unknown: int
    direction_sum: NDArray[np.float64]

    @classmethod
    def empty(cls, width: int) -> Statistics:
        """Those of a store without texts."""
        return cls(texts=0, tokens=0, unknown=0, direction_sum=np.zeros(width))

    @property
    def unknown_share(self) -> float:
        """The share of tokens that the teacher did not know, 0 to 1."""
        return self.unknown / max(1, self.tokens)

    @property
    def mean_direction_floor(self) -> float:
        """L_CMA per token of always answering the best single direction; lower means less is left to learn.

        With unit vectors u_t, the mean over t of 1 - u_t . d is smallest for d along their sum: 1 - |mean u|.
        """
        return float(1.0 - np.linalg.norm(self.direction_sum) / self.tokens) if self.tokens else 0.0

    def plus(self, vectors: Tensor) -> Statistics:
        """Those after one more text with the vectors (N, D)."""
        units = torch.nn.functional.normalize(vectors.detach().cpu().double(), dim=-1)
        return Statistics(
            self.texts + 1, self.tokens + len(vectors), self.unknown, self.direction_sum + units.sum(0).numpy()
        )

    def plus_unknown(self, tokens: int) -> Statistics:
        """Those after `tokens` more unknown tokens."""
        return Statistics(self.texts, self.tokens, self.unknown + tokens, self.direction_sum)

    def encode(self) -> bytes:
        """As bytes, little endian."""
        return _STATISTICS.pack(self.texts, self.tokens, self.unknown) + self.direction_sum.astype("<f8").tobytes()

    @classmethod
    def decode(cls, value: bytes) -> Statistics:
        """The reverse of encode."""
        direction = np.frombuffer(value, dtype="<f8", offset=_STATISTICS.size).astype(np.float64)
        texts, tokens, unknown = _STATISTICS.unpack_from(value)
        return cls(texts, tokens, unknown, direction)
