"""What a training step with transfer costs beside a plain step: 8 utterances of 4 s, 15 tokens of width 384 each.

Three ways, interleaved, one thread: plain; transfer with embeddings from a store on disk; transfer with the language
model in the loop.
Run: OMP_NUM_THREADS=1 python benchmarks/transfer_step.py [--repetitions N]
"""

from __future__ import annotations

import argparse
import copy
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from cmkt.losses.mae import MAE
from cmkt.models.blstm import BLSTM
from cmkt.models.crn import CRN
from cmkt.text.embedded import EmbeddedTeacher
from cmkt.text.embedding import embed_texts
from cmkt.text.store import StoredTeacher
from cmkt.transfer.attach import attach
from cmkt.transfer.attention import Attention
from cmkt.transfer.shift import Shift
from cmkt.types import Teacher

UTTERANCES = 8
SAMPLES = 4 * 16_000
WARM_UP = 2
# Fifteen word pieces.
SENTENCE = "the small boat came back to the harbour late in the evening with fish {}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=15)
    repetitions = parser.parse_args().repetitions
    torch.set_num_threads(1)
    texts = [SENTENCE.format(index) for index in range(UTTERANCES)]
    language_model = EmbeddedTeacher()
    with tempfile.TemporaryDirectory() as folder:
        embed_texts(language_model, texts, Path(folder) / "store", progress=False)
        compare(texts, StoredTeacher(Path(folder) / "store"), language_model, repetitions)


def compare(texts: list[str], stored: Teacher, language_model: Teacher, repetitions: int) -> None:
    """Prints the cost of each way for each model."""
    print(f"tokens per utterance: {[len(vector) for vector in stored.embed(texts)]}, width {stored.width}")
    for model, layer in ((CRN(), "recurrent"), (BLSTM(), "dense")):
        steps = {
            "plain": plain_step(copy.deepcopy(model)),
            "stored": transfer_step(copy.deepcopy(model), layer, stored, texts),
            "language model": transfer_step(copy.deepcopy(model), layer, language_model, texts),
        }
        report(type(model).__name__, interleaved(steps, repetitions))


def plain_step(model: nn.Module) -> Callable[[], None]:
    """One optimiser step on L_SE alone."""
    noisy, clean, lengths = batch()
    loss, optimizer = MAE(), torch.optim.AdamW(model.parameters())

    def step() -> None:
        optimizer.zero_grad()
        loss(estimate=model(noisy, lengths), reference=clean, lengths=lengths).backward()
        optimizer.step()

    return step


def transfer_step(model: nn.Module, layer: str, teacher: Teacher, texts: list[str]) -> Callable[[], None]:
    """One optimiser step on both losses, with the default bridge."""
    noisy, clean, lengths = batch()
    task = attach(model, layer=layer, teacher=teacher, alignment=Attention(shift=Shift(tokens=1)))
    optimizer = torch.optim.AdamW(task.parameters())

    def step() -> None:
        optimizer.zero_grad()
        task(noisy, clean=clean, lengths=lengths, texts=texts).total.backward()
        optimizer.step()

    return step


def batch() -> tuple[Tensor, Tensor, Tensor]:
    """Noisy and clean waveforms, and lengths."""
    generator = torch.Generator().manual_seed(0)
    clean = 0.1 * torch.randn(UTTERANCES, SAMPLES, generator=generator)
    return clean + 0.05 * torch.randn(clean.shape, generator=generator), clean, torch.full((UTTERANCES,), SAMPLES)


def interleaved(steps: dict[str, Callable[[], None]], repetitions: int) -> dict[str, list[float]]:
    """Process seconds of each step, taken in turn so that a busy machine slows all alike."""
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for repetition in range(WARM_UP + repetitions):
        for name, step in steps.items():
            start = time.process_time()
            step()
            if repetition >= WARM_UP:
                seconds[name].append(time.process_time() - start)
    return seconds


def report(model: str, seconds: dict[str, list[float]]) -> None:
    """Median seconds, and the median over repetitions of the ratio to the plain step of the same repetition."""
    for name, values in seconds.items():
        ratio = statistics.median(value / plain for value, plain in zip(values, seconds["plain"], strict=True))
        print(f"{model:6} {name:15} {statistics.median(values) * 1000:8.1f} ms  ratio {ratio:.3f}")


if __name__ == "__main__":
    main()
