"""Any encoder or decoder-only language model of the transformers library as a teacher."""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Sequence
from functools import cached_property
from typing import Any, final

import torch
from torch import Tensor, nn

from cmkt.device import check_device
from cmkt.errors import ConfigError, TeacherError
from cmkt.text.normalisation import NORMALISATION_VERSION
from cmkt.text.pooling import Pool, pool_vectors
from cmkt.text.pretrained import fingerprint, load_pretrained
from cmkt.text.tokenisation import Encoded, TextEncoder, batches_by_tokens, pad_ids

POOLING_VERSION = 1
"""Part of the identity: raise it whenever this file makes other vectors out of the same hidden states."""

CAUSALITY_TRIAL = "the and you"
CAUSALITY_TOLERANCE = 1e-5
"""Relative. A causal model weighs later tokens with an exact zero; a bidirectional one differs by far more."""

UNKNOWN_SHARE = 0.05
UNKNOWN_AT_LEAST = 3
"""The share of unknown tokens that is worth a warning, and how many there must be: one rare name is not a language."""


@final
class HuggingFaceTeacher:
    """A frozen language model: one vector a token, special tokens removed.

    name: a folder (read without any network) or a name on the hub; revision: a commit, tag or branch there.
    layer: which hidden state; 0 is the input embedding, -1 the last layer; of several the mean is taken.
    pool: a vector for each of the model's "tokens", for each of the "words" (each character of scripts without spaces)
    or of the "characters": `cmkt.text.pooling`. spoken: read numbers in words and no punctuation, as it is said.
    device, dtype: where and in what the model runs; the vectors always come back as float32 on the CPU.
    max_tokens: the longest text, special tokens included; the model's own limit holds too.
    batch_tokens: most tokens, padding included, that run at once. It changes speed and memory, not the vectors.

    Raises: TeacherError when the model cannot be loaded; ConfigError for a layer, device or dtype it does not have, or
    a tokenizer whose tokens cannot be pooled.
    """

    def __init__(
        self,
        name: str | os.PathLike[str],
        *,
        revision: str | None = None,
        layer: int | Sequence[int] = -1,
        pool: Pool = "tokens",
        spoken: bool = False,
        device: str = "cpu",
        dtype: str = "float32",
        max_tokens: int = 512,
        batch_tokens: int = 4096,
    ) -> None:
        self.name = os.fspath(name)
        self.unknown_tokens = 0
        self.counted_tokens = 0
        self._device = check_device(device)
        self._dtype = dtype
        self._batch_tokens = batch_tokens
        self._warned = False
        self._tokenizer, model = load_pretrained(name, revision=revision, dtype=dtype)
        self._layers = _checked_layers(layer, self.name, model)
        self._model = model.to(self._device)
        self._encoder = TextEncoder(
            self._tokenizer,
            max_tokens=min(max_tokens, _token_limit(self._tokenizer, model)),
            pool=pool,
            spoken=spoken,
        )

    def to(self, device: torch.device) -> None:
        """Moves the model to where it is to run."""
        self._device = device
        self._model.to(device)

    @property
    def width(self) -> int:
        """D, the width of a token vector."""
        return int(_config(self._model).hidden_size)

    @cached_property
    def identity(self) -> str:
        """Model type, layers and a digest of weights, tokenizer, dtype, normalisation and pooling. A moved folder keeps
        it."""
        parts: tuple[object, ...] = (
            fingerprint(self._tokenizer, self._model),
            self._layers[0] if len(self._layers) == 1 else self._layers,
            self._dtype,
            NORMALISATION_VERSION,
            self._encoder.lowercase,
            POOLING_VERSION,
        )
        if self._encoder.pool != "tokens" or self._encoder.spoken:  # stores from before there were these keep theirs
            parts = (*parts, self._encoder.pool, self._encoder.spoken)
        digest = hashlib.blake2b(repr(parts).encode(), digest_size=8).hexdigest()
        layers = "+".join(map(str, self._layers))
        pool = "" if self._encoder.pool == "tokens" else f"-{self._encoder.pool}"
        return f"{_config(self._model).model_type}-layer{layers}-{self._dtype}{pool}-{digest}"

    @cached_property
    def causal(self) -> bool:
        """Whether no vector depends on a later token, found by changing the last token of a text and looking."""
        ids = list(self._encoder.encode([CAUSALITY_TRIAL])[0].ids)
        other = next((token for token in ids if token != ids[-1]), self._encoder.pad_id)
        states = self._states(torch.tensor([ids, [*ids[:-1], other]]), torch.ones(2, len(ids), dtype=torch.int64))
        before, after = states[:, :-1]
        return bool((before - after).abs().max() <= CAUSALITY_TOLERANCE * before.abs().max())

    def embed(self, texts: Sequence[str]) -> list[Tensor]:
        """One (N_i, D) float32 tensor on the CPU for each text, special tokens removed.

        Raises: TextError for an empty text or one that is too long. Warns once when it knows too few of the tokens.
        """
        encoded = self._encoder.encode(texts)
        self._count(encoded)
        vectors: list[Tensor] = [torch.empty(0)] * len(encoded)
        for batch in batches_by_tokens([len(item.ids) for item in encoded], self._batch_tokens):
            for index, vector in zip(batch, self._hidden([encoded[index] for index in batch]), strict=True):
                vectors[index] = vector
        return vectors

    def normalise(self, text: str) -> str:
        """The text as this teacher reads it."""
        return self._encoder.normalise(text)

    def tokens(self, text: str) -> list[str]:
        """The tokens of one text as the tokenizer spells them, or its units, one for each row of its vectors."""
        return self._encoder.spelled(self._encoder.encode([text])[0])

    def _hidden(self, encoded: Sequence[Encoded]) -> list[Tensor]:
        ids, mask = pad_ids(encoded, self._encoder.pad_id)
        states = self._states(ids, mask)
        return [_vectors(states[row, : len(item.ids)], item) for row, item in enumerate(encoded)]

    def _states(self, ids: Tensor, mask: Tensor) -> Tensor:
        """The hidden states of the layer, (B, L) numbers and mask -> (B, L, D) float32 on the CPU."""
        with torch.inference_mode():
            called = self._model(
                input_ids=ids.to(self._device), attention_mask=mask.to(self._device), output_hidden_states=True
            )
            states = [called.hidden_states[layer].float() for layer in self._layers]
            mean: Tensor = (states[0] if len(states) == 1 else torch.stack(states).mean(dim=0)).cpu()
        return mean

    def _count(self, encoded: Sequence[Encoded]) -> None:
        self.counted_tokens += sum(sum(item.real) for item in encoded)
        self.unknown_tokens += sum(self._encoder.unknown(item) for item in encoded)
        share = self.unknown_tokens / max(1, self.counted_tokens)
        if share > UNKNOWN_SHARE and self.unknown_tokens >= UNKNOWN_AT_LEAST and not self._warned:
            self._warned = True
            warnings.warn(
                f"{share:.0%} of the tokens are unknown to the teacher {self.name!r} ({self.unknown_tokens} of "
                f"{self.counted_tokens}): it probably does not know the language of these texts. Choose one that does.",
                UserWarning,
                stacklevel=3,
            )


def _config(model: nn.Module) -> Any:
    return model.config


def _vectors(states: Tensor, item: Encoded) -> Tensor:
    """A copy made outside inference mode: tensors from inside could not take part in a training step."""
    if item.units is not None:
        return pool_vectors(states, item.units)
    return states[torch.tensor(item.real)].clone()


def _checked_layers(layer: int | Sequence[int], name: str, model: nn.Module) -> tuple[int, ...]:
    """The layers, each once, counted from the input embedding, so that -1 and the number of layers are one identity."""
    asked = [layer] if isinstance(layer, int) else list(layer)
    if not asked:
        raise ConfigError("`layer` must name a layer, but is empty.")
    return tuple(sorted({_checked_layer(each, name, model) for each in asked}))


def _checked_layer(layer: int, name: str, model: nn.Module) -> int:
    layers: int | None = getattr(_config(model), "num_hidden_layers", None)
    if layers is None:
        raise TeacherError(f"the teacher {name!r} must be a text encoder or decoder, but its config has no layers.")
    if not -layers - 1 <= layer <= layers:
        raise ConfigError(f"`layer` must be from {-layers - 1} to {layers} for {name!r}, but is {layer} instead.")
    return layer % (layers + 1)


def _token_limit(tokenizer: Any, model: nn.Module) -> int:
    """The longest text that the model has positions for. RoBERTa's family numbers them from its padding number + 1."""
    positions = getattr(_config(model), "max_position_embeddings", None) or int(tokenizer.model_max_length)
    table = getattr(getattr(model, "embeddings", None), "position_embeddings", None)
    padding = getattr(table, "padding_idx", None)
    reserved = 0 if padding is None else int(padding) + 1
    return int(min(tokenizer.model_max_length, positions - reserved))
