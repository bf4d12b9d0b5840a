"""The blind floor of every alignment: L_CMA per held-out token that it reaches when the frames are pure noise.

A loss at or above the floor says nothing about frames; the distance from the floor to the mean direction is what leaks
from the question. Real sentences, real vectors; each sentence gets Gaussian frames at 16 ms, 70 ms a character.

Run: OMP_NUM_THREADS=1 python benchmarks/blind_floor.py TEXTS [--teacher T] [--layer L] [--limit N] [--steps N]
TEXTS: a file with a sentence a line, or a .jsonl whose lines have `text`, of which the English ones are taken. Causal
alignment is measured where the teacher's vectors depend on no later token.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Iterator
from pathlib import Path

import torch

from cmkt.errors import ConfigError
from cmkt.text.embedded import EMBEDDED, EMBEDDED_MODELS, ENGLISH, EmbeddedTeacher
from cmkt.text.embedding import unique_texts
from cmkt.text.huggingface import HuggingFaceTeacher
from cmkt.transfer.alignment import AlignmentSpec, check_teacher
from cmkt.transfer.attention import Attention
from cmkt.transfer.causal import Causal
from cmkt.transfer.positional import Positional
from cmkt.transfer.probe import Pair, mean_direction_floor, probe
from cmkt.transfer.shift import Shift
from cmkt.transfer.sinkhorn import Sinkhorn
from cmkt.types import Teacher

FRAME_WIDTH = 64
SECONDS_PER_FRAME = 0.016
SECONDS_PER_CHARACTER = 0.07
HELD_OUT_SHARE = 0.2
LANGUAGE = "en"

ALIGNMENTS: dict[str, AlignmentSpec] = {
    "positional": Positional(),
    "attention, query = z_t": Attention(),
    "attention, query = z_(t-1), shift of one token": Attention(shift=Shift(tokens=1)),
    "attention, shift of two tokens": Attention(shift=Shift(tokens=2)),
    "attention, shift drawn from 1 to 3 tokens": Attention(shift=Shift(tokens=(1, 3))),
    "causal, query = z_(t-1) at the position of t": Causal(),
    "sinkhorn, plan from z_t": Sinkhorn(),
    "sinkhorn, sharper plan (entropy 0.03)": Sinkhorn(entropy=0.03),
    "sinkhorn, sharper and without a prior in time": Sinkhorn(entropy=0.03, prior_width=10.0),
    "sinkhorn, shift of one token": Sinkhorn(shift=Shift(tokens=1)),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texts", type=Path)
    parser.add_argument("--teacher", default=EMBEDDED)
    parser.add_argument("--layer", type=int, default=-1, help="of the teacher; 0 are static, hence causal, vectors")
    parser.add_argument("--limit", type=int, default=1500)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    teacher = teacher_of(args.teacher, args.layer)
    train, held_out = split(noise_pairs(teacher, sentences(args.texts, args.limit, args.seed), seed=args.seed))
    print(f"{teacher.identity}; {len(train)} sentences to train on, {len(held_out)} held out; {args.steps} steps\n")
    print("| alignment | blind floor | seconds |\n|---|---|---|")
    print(f"| always predict the mean direction | {mean_direction_floor(train, held_out):.3f} | |", flush=True)
    for name, spec in ALIGNMENTS.items():
        try:
            check_teacher(spec, teacher)
        except ConfigError:
            print(f"| {name} | refused: the teacher is not causal | |")
            continue
        start = time.perf_counter()
        loss = probe(train, held_out, spec, steps=args.steps, seed=args.seed).loss
        print(f"| {name} | {loss:.3f} | {time.perf_counter() - start:.0f} |", flush=True)


def teacher_of(name: str, layer: int) -> EmbeddedTeacher | HuggingFaceTeacher:
    """An embedded teacher (English where only "embedded" is said), or one of transformers."""
    if name == EMBEDDED or name in EMBEDDED_MODELS:
        return EmbeddedTeacher(ENGLISH if name == EMBEDDED else name, layer=layer)
    return HuggingFaceTeacher(name, layer=layer)


def sentences(path: Path, limit: int, seed: int, language: str = LANGUAGE) -> list[str]:
    """Up to `limit` different sentences of the file, in an order that depends on the seed."""
    texts = unique_texts(_lines(path, language))
    random.Random(seed).shuffle(texts)
    return texts[:limit]


def noise_pairs(teacher: Teacher, texts: list[str], *, seed: int) -> list[Pair]:
    """Gaussian frames of each sentence's likely length, with its tokens."""
    generator = torch.Generator().manual_seed(seed)
    pairs: list[Pair] = []
    for text, tokens in zip(texts, teacher.embed(texts), strict=True):
        count = max(1, round(len(text) * SECONDS_PER_CHARACTER / SECONDS_PER_FRAME))
        pairs.append((torch.randn(count, FRAME_WIDTH, generator=generator), SECONDS_PER_FRAME, tokens))
    return pairs


def split(pairs: list[Pair]) -> tuple[list[Pair], list[Pair]]:
    """Those to train on, and those held out."""
    held_out = round(HELD_OUT_SHARE * len(pairs))
    return pairs[held_out:], pairs[:held_out]


def _lines(path: Path, language: str) -> Iterator[str | None]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            if path.suffix != ".jsonl":
                yield line
            elif (row := json.loads(line)).get("language", language) == language:
                yield row.get("text")


if __name__ == "__main__":
    main()
