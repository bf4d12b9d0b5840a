"""What training gets: one utterance (`Example`) or several of them padded to the same length (`Batch`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Example:
    """noisy, clean: (T,) float32; text: the transcript of exactly this audio, None where there is none."""

    id: str
    noisy: Tensor
    clean: Tensor
    text: str | None


@dataclass(frozen=True, slots=True)
class Batch:
    """noisy, clean: (B, T) float32, zero behind the end; lengths: (B,) int64 in samples; texts and ids: B each."""

    noisy: Tensor
    clean: Tensor
    lengths: Tensor
    texts: tuple[str | None, ...]
    ids: tuple[str, ...]

    def __len__(self) -> int:
        """B."""
        return len(self.ids)

    def to(self, device: torch.device | str, *, non_blocking: bool = False) -> Batch:
        """The same batch with its tensors on `device`."""
        return Batch(
            noisy=self.noisy.to(device, non_blocking=non_blocking),
            clean=self.clean.to(device, non_blocking=non_blocking),
            lengths=self.lengths.to(device, non_blocking=non_blocking),
            texts=self.texts,
            ids=self.ids,
        )

    def pin_memory(self) -> Batch:
        """The same batch in page-locked memory; a DataLoader with `pin_memory=True` calls this."""
        return Batch(self.noisy.pin_memory(), self.clean.pin_memory(), self.lengths.pin_memory(), self.texts, self.ids)


def collate(examples: Sequence[Example]) -> Batch:
    """Pads with zeros at the end: (T_i,) each becomes (B, max T_i)."""
    lengths = torch.tensor([example.noisy.shape[-1] for example in examples], dtype=torch.int64)
    noisy = torch.zeros(len(examples), int(lengths.max()))
    clean = torch.zeros_like(noisy)
    for row, example in enumerate(examples):
        noisy[row, : lengths[row]] = example.noisy
        clean[row, : lengths[row]] = example.clean
    return Batch(
        noisy=noisy,
        clean=clean,
        lengths=lengths,
        texts=tuple(example.text for example in examples),
        ids=tuple(example.id for example in examples),
    )
