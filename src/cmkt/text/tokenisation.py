"""Transcripts as token numbers, special tokens marked; works with tokenizers that cannot pad."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, final

import torch
from torch import Tensor

from cmkt.errors import ConfigError, TextError
from cmkt.text.normalisation import normalise
from cmkt.text.pooling import Pool, Unit, units_of


@dataclass(frozen=True, slots=True)
class Encoded:
    """One text. ids: every token, special ones included; real: True where a token is the text's own; units: its words
    or characters, None where tokens are not pooled."""

    ids: tuple[int, ...]
    real: tuple[bool, ...]
    units: tuple[Unit, ...] | None = None

    @property
    def real_ids(self) -> list[int]:
        """The tokens of the text itself, N of them."""
        return [token for token, is_real in zip(self.ids, self.real, strict=True) if is_real]


@final
class TextEncoder:
    """Normalises and tokenises for one teacher.

    lowercase is found by trial: a tokenizer that gives capitals the same tokens, or only unknown ones, knows none.
    pool: the units that are wanted; spoken: as of `normalise`.

    Raises: ConfigError for a tokenizer that cannot say where its tokens are in the text, where they are to be pooled.
    """

    def __init__(self, tokenizer: Any, *, max_tokens: int, pool: Pool = "tokens", spoken: bool = False) -> None:
        if pool != "tokens" and not getattr(tokenizer, "is_fast", False):
            raise ConfigError(
                f"`pool` must be 'tokens' for this teacher, but is {pool!r}: its {type(tokenizer).__name__} does not "
                "say where its tokens are in the text. One with a tokenizer.json does."
            )
        self.pool = pool
        self.spoken = spoken
        self.max_tokens = max_tokens
        self.unknown_id: int | None = tokenizer.unk_token_id
        self.pad_id: int = next(
            (token for token in (tokenizer.pad_token_id, tokenizer.eos_token_id) if token is not None), 0
        )
        self._tokenizer = tokenizer
        self.lowercase = self._knows_no_capitals()

    def normalise(self, text: str) -> str:
        """The text as this teacher reads it."""
        return normalise(text, lowercase=self.lowercase, spoken=self.spoken)

    def encode(self, texts: Sequence[str]) -> list[Encoded]:
        """Token numbers of each text.

        Raises: TextError for a text that is empty, gives no token, or has more than `max_tokens` tokens.
        """
        normalised = [self.normalise(text) for text in texts]
        for index, text in enumerate(normalised):
            if not text:
                raise TextError(
                    f"text {index} must hold words, but is {texts[index]!r} instead. Leave it out or use None."
                )
        if not normalised:
            return []
        encoded = self._encode(normalised)
        for text, item in zip(normalised, encoded, strict=True):
            self._check(text, item)
        return encoded

    def spelled(self, encoded: Encoded) -> list[str]:
        """The tokens as the tokenizer spells them, special ones left out; or the units that they are pooled to."""
        if encoded.units is not None:
            return [unit.text for unit in encoded.units]
        spelled: list[str] = self._tokenizer.convert_ids_to_tokens(encoded.real_ids)
        return spelled

    def unknown(self, encoded: Encoded) -> int:
        """How many tokens of the text itself are the unknown token."""
        return encoded.real_ids.count(self.unknown_id) if self.unknown_id is not None else 0

    def _encode(self, texts: list[str]) -> list[Encoded]:
        called = self._call(texts)
        encoded = [
            Encoded(tuple(ids), tuple(not special for special in mask))
            for ids, mask in zip(called["input_ids"], called["special_tokens_mask"], strict=True)
        ]
        if self.pool == "tokens":
            return encoded
        located = zip(texts, encoded, called["offset_mapping"], strict=True)
        return [
            replace(
                item,
                units=units_of(
                    text,
                    [span if real else (0, 0) for span, real in zip(spans, item.real, strict=True)],
                    self.pool,
                ),
            )
            for text, item, spans in located
        ]

    def _call(self, texts: list[str]) -> Any:
        return self._tokenizer(
            texts,
            return_special_tokens_mask=True,
            return_attention_mask=False,
            return_offsets_mapping=self.pool != "tokens",
            padding=False,
            truncation=False,
            verbose=False,
        )

    def _check(self, text: str, encoded: Encoded) -> None:
        shown = text if len(text) <= 60 else text[:57] + "..."
        if not any(encoded.real) or encoded.units == ():
            raise TextError(f"a text must give at least one token, but {shown!r} gives none. Leave it out or use None.")
        if len(encoded.ids) > self.max_tokens:
            raise TextError(
                f"a text must have at most {self.max_tokens} tokens, but {shown!r} ({len(text)} characters) has "
                f"{len(encoded.ids)}. Is it the transcript of one utterance? Split it, or leave it out."
            )

    def _knows_no_capitals(self) -> bool:
        lower, upper = self._call(["the and you", "The And You"])["input_ids"]
        if lower == upper:
            return True
        return self.unknown_id is not None and upper.count(self.unknown_id) > lower.count(self.unknown_id)


def batches_by_tokens(lengths: Sequence[int], batch_tokens: int) -> list[list[int]]:
    """Indices in batches of texts of similar length, longest first, each at most `batch_tokens` tokens with padding.

    A text that is longer than that is a batch of its own.
    """
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    starts: list[int] = []
    for position in range(len(order)):
        if not starts or (position - starts[-1] + 1) * lengths[order[starts[-1]]] > batch_tokens:
            starts.append(position)
    return [order[start:end] for start, end in pairwise([*starts, len(order)])]


def pad_ids(encoded: Sequence[Encoded], pad_id: int) -> tuple[Tensor, Tensor]:
    """Token numbers (B, L) int64, padded on the right, and the attention mask (B, L) int64, 1 where a token is.

    Right padding keeps every model right: absolute positions of real tokens do not move, and a causal model never looks
    to the right.
    """
    longest = max(len(item.ids) for item in encoded)
    ids = torch.full((len(encoded), longest), pad_id, dtype=torch.int64)
    mask = torch.zeros(len(encoded), longest, dtype=torch.int64)
    for row, item in enumerate(encoded):
        ids[row, : len(item.ids)] = torch.tensor(item.ids)
        mask[row, : len(item.ids)] = 1
    return ids, mask
