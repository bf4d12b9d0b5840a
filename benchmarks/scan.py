"""How much faster the selective scan is in chunks than as a loop over steps, on one thread.

    python benchmarks/scan.py                   half a minute

The sizes are those of the default `SEMamba` along time: 26 bands of one utterance, 2 heads of 32 features, 32 states.
Processor time, the least of many runs in the same process and in turns, and the ratio loop / chunked. Backward:
forward and the gradients of all inputs, as in training. Other programs slow the chunks, whose products fill the
processor and its cache, more than the loop.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch import Tensor

from cmkt.models.scan import chunked_scan, stepwise_scan

BANDS, HEADS, FEATURES, STATES = 26, 2, 32, 32
FRAMES_PER_SECOND = 80
RUNS = {1: 40, 4: 12, 10: 6}
"""Of so many seconds of audio."""

Scan = Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]


def drawn(frames: int) -> list[Tensor]:
    """Inputs of a scan over so many frames."""
    generator = torch.Generator().manual_seed(0)
    shapes = [(frames, HEADS, FEATURES), (frames, HEADS), (frames, STATES), (frames, STATES), (HEADS, STATES, FEATURES)]
    x, decay, write, read, state = (torch.randn(BANDS, *shape, generator=generator) for shape in shapes)
    return [x, -0.1 * decay.abs(), write, read, state]


def forward(scan: Scan, inputs: list[Tensor]) -> None:
    """Outputs alone."""
    with torch.no_grad():
        scan(inputs[0], inputs[1], inputs[2], inputs[3], inputs[4])


def backward(scan: Scan, inputs: list[Tensor]) -> None:
    """Outputs and gradients."""
    tracked = [value.requires_grad_() for value in inputs]
    y, after = scan(tracked[0], tracked[1], tracked[2], tracked[3], tracked[4])
    torch.autograd.grad(y.sum() + after.sum(), tracked)


def seconds_of(work: Callable[[Scan, list[Tensor]], None], scan: Scan, inputs: list[Tensor]) -> float:
    """Processor time of one call."""
    started = time.process_time()
    work(scan, inputs)
    return time.process_time() - started


def main() -> None:
    """Print a table."""
    torch.set_num_threads(1)
    print("ms of processor time\n")
    print("| audio | pass | loop | chunked | ratio |\n|---|---|---|---|---|")
    scans: tuple[Scan, Scan] = (stepwise_scan, chunked_scan)
    for seconds, count in RUNS.items():
        inputs = drawn(seconds * FRAMES_PER_SECOND)
        for work in (forward, backward):
            runs = [[seconds_of(work, scan, inputs) for scan in scans] for _ in range(count + 1)][1:]
            loop, chunked = (1e3 * min(run[index] for run in runs) for index in range(2))
            print(f"| {seconds} s | {work.__name__} | {loop:.1f} | {chunked:.1f} | {loop / chunked:.1f} |", flush=True)


if __name__ == "__main__":
    main()
