"""How well the two models know held-out text, beside counts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from torch.nn import functional

from cmkt.text.language.masked import both_sided_accuracy, gaps
from cmkt.text.language.tokenizer import MASK_ID, PAD_ID
from cmkt.text.language.trigram import Trigram
from cmkt.text.tokenisation import batches_by_tokens
from cmkt.training.language_model.batches import LineDataset, padded

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor, nn

    from cmkt.text.language.sequences import Sequences

BATCH_TOKENS: Final = 4096
GAPS: Final = 2000


def perplexity(decoder: nn.Module, sequences: Sequences) -> float:
    """exp of the mean negative log likelihood (nats) of every character and line end, each line on its own."""
    model: Any = decoder
    device = next(decoder.parameters()).device
    total, count = 0.0, 0
    for batch in batches_by_tokens(sequences.lengths.tolist(), BATCH_TOKENS):
        lines = _lines(sequences, batch).to(device)
        with torch.inference_mode():
            states = model.model(input_ids=lines[:, :-1], use_cache=False).last_hidden_state
            wanted = lines[:, 1:]
            real = wanted != PAD_ID
            logits = model.lm_head(states[real]).float()
            total += float(functional.cross_entropy(logits, wanted[real], reduction="sum"))
        count += int(real.sum())
    return math.exp(total / count)


def masked_accuracy(encoder: nn.Module, sequences: Sequences, places: NDArray[np.int64]) -> float:
    """How often the most probable character behind a mask is the right one. places: as of `gaps`."""
    model: Any = encoder
    device = next(encoder.parameters()).device
    hidden = np.zeros(sequences.ids.size, dtype=bool)
    hidden[places] = True
    right = 0
    for batch in batches_by_tokens(sequences.lengths.tolist(), BATCH_TOKENS):
        lines = _lines(sequences, batch).to(device)
        rows = [torch.from_numpy(hidden[sequences.starts[i] : sequences.starts[i + 1]]) for i in batch]
        masks = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True).to(device)
        if not bool(masks.any()):
            continue
        with torch.inference_mode():
            seen = lines.masked_fill(masks, MASK_ID)
            states = model.model(input_ids=seen, attention_mask=(lines != PAD_ID).long()).last_hidden_state
            right += int((model.lm_head(states[masks]).argmax(-1) == lines[masks]).sum())
    return right / places.size


def counted_scores(train: Sequences, parts: dict[str, Sequences], *, vocabulary_size: int) -> dict[str, float]:
    """Of a trigram that counted `train`: perplexity and masked accuracy on each of the named parts."""
    trigram = Trigram(train, vocabulary_size=vocabulary_size)
    scores: dict[str, float] = {}
    for name, part in parts.items():
        scores[f"perplexity, {name}"] = trigram.perplexity(part)
        scores[f"masked accuracy, {name}"] = both_sided_accuracy(trigram, part, gaps(part, most=GAPS))
    return scores


def model_scores(decoder: nn.Module, encoder: nn.Module, parts: dict[str, Sequences]) -> dict[str, float]:
    """The same of the two models, the same gaps."""
    scores: dict[str, float] = {}
    for name, part in parts.items():
        scores[f"perplexity, {name}"] = perplexity(decoder.eval(), part)
        scores[f"masked accuracy, {name}"] = masked_accuracy(encoder.eval(), part, gaps(part, most=GAPS))
    return scores


def _lines(sequences: Sequences, batch: list[int]) -> Tensor:
    lines = LineDataset(sequences)
    return padded([lines[index] for index in batch])
