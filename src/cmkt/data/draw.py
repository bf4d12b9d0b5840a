"""Random numbers that depend on what they are for, never on who asked first.

Every draw of a mixture comes from `generator(seed, epoch, utterance_id)`, so two runs, a resumed run, and any number of
loader processes in any order see the same mixtures.
"""

from __future__ import annotations

import hashlib

import numpy as np


def _number(*parts: str) -> int:
    # Length-prefixed, so that ("1", "23") and ("12", "3") differ.
    message = b"".join(len(raw).to_bytes(8, "little") + raw for raw in (part.encode("utf-8") for part in parts))
    return int.from_bytes(hashlib.blake2b(message, digest_size=16).digest(), "little")


def generator(seed: int, epoch: int, utterance_id: str) -> np.random.Generator:
    """The random generator of one utterance in one epoch: PCG64 seeded by the BLAKE2b hash of the triple."""
    return np.random.Generator(np.random.PCG64(_number(str(seed), str(epoch), utterance_id)))


def share(name: str, *, seed: int = 0) -> float:
    """A number in [0, 1) that is fixed for a name: the way to split a list so that additions never move an entry."""
    return (_number("share", str(seed), name) >> 75) / 2.0**53
