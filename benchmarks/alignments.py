"""What an alignment costs, forward and backward, as frames and tokens grow: 8 utterances, frames of width 128, tokens
of width 384, one thread. Each cell is the median milliseconds, and its ratio to attention on the smallest batch.

All grow in proportion to frames x tokens beside a part in proportion to frames (projections; for CTC also its 257
classes).
Run: OMP_NUM_THREADS=1 python benchmarks/alignments.py [--repetitions N]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch.nn import functional

from cmkt.text.characters import CLASSES
from cmkt.transfer.alignment import AlignmentSpec
from cmkt.transfer.attention import Attention
from cmkt.transfer.causal import Causal
from cmkt.transfer.ctc import CTC
from cmkt.transfer.objective import transfer_loss
from cmkt.transfer.positional import Positional
from cmkt.transfer.sinkhorn import Sinkhorn
from cmkt.types import Frames, Tokens

UTTERANCES, FRAME_WIDTH, TOKEN_WIDTH = 8, 128, 384
SIZES = ((250, 15), (500, 15), (1000, 15), (250, 60), (1000, 60))
ALIGNMENTS: tuple[AlignmentSpec, ...] = (Attention(), Positional(), Causal(), Sinkhorn(), CTC())
WARM_UP = 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=9)
    repetitions = parser.parse_args().repetitions
    torch.set_num_threads(1)
    steps = {(type(spec).__name__, size): step_of(spec, *size) for size in SIZES for spec in ALIGNMENTS}
    seconds: dict[tuple[str, tuple[int, int]], list[float]] = {key: [] for key in steps}
    for repetition in range(WARM_UP + repetitions):  # in turn, so that a busy machine slows all alike
        for key, step in steps.items():
            start = time.process_time()
            step()
            if repetition >= WARM_UP:
                seconds[key].append(time.process_time() - start)
    base = statistics.median(seconds["Attention", SIZES[0]])
    print("| frames x tokens |" + "".join(f" {type(spec).__name__} |" for spec in ALIGNMENTS))
    print("|---|" + "---|" * len(ALIGNMENTS))
    for size in SIZES:
        medians = [statistics.median(seconds[type(spec).__name__, size]) for spec in ALIGNMENTS]
        cells = [f" {median * 1000:.1f} ms ({median / base:.1f}) |" for median in medians]
        print(f"| {size[0]} x {size[1]} |" + "".join(cells))


def step_of(spec: AlignmentSpec, frames: int, tokens: int) -> Callable[[], None]:
    """One forward and backward pass, with gradients to the frames."""
    generator = torch.Generator().manual_seed(0)
    width = CLASSES if isinstance(spec, CTC) else TOKEN_WIDTH
    vectors = torch.randn(UTTERANCES, tokens, width, generator=generator)
    if isinstance(spec, CTC):
        vectors = functional.one_hot(vectors.argmax(dim=-1), CLASSES).float()
    values = torch.randn(UTTERANCES, frames, FRAME_WIDTH, generator=generator, requires_grad=True)
    heard = Frames(values, torch.ones(UTTERANCES, frames, dtype=torch.bool), 0.016)
    said = Tokens(vectors, torch.ones(UTTERANCES, tokens, dtype=torch.bool))
    module = spec.build(FRAME_WIDTH, width, seed=0)

    def step() -> None:
        transfer_loss(module(heard, said), "mean").backward()  # type: ignore[no-untyped-call]

    return step


if __name__ == "__main__":
    main()
