"""What the ONNX graph saves: torch and onnxruntime on one thread, every causal backbone with untrained weights.

    python benchmarks/graph.py                  a minute

Real-time factor: processor time over audio time, the least of several runs in the same process and in turns. Whole: an
array of 10 s. Stream: 2 s in chunks of one hop, which is the shortest delay.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from cmkt.inference.enhancer import TorchEnhancer
from cmkt.inference.export import export_model
from cmkt.inference.onnx import OnnxEnhancer
from cmkt.models.crn import CRN
from cmkt.models.demucs import Demucs
from cmkt.models.dpcrn import DPCRN
from cmkt.models.se_mamba import SEMamba

if TYPE_CHECKING:
    from cmkt.inference.array_enhancer import ArrayEnhancer
    from cmkt.types import FloatArray

RATE = 16_000
WHOLE_SECONDS, STREAM_SECONDS = 10, 2
RUNS = 9


def stream(enhancer: ArrayEnhancer, audio: FloatArray, hop: int) -> None:
    """Hop by hop."""
    with enhancer.stream(sample_rate=RATE) as opened:
        for start in range(0, audio.size, hop):
            opened.feed(audio[start : start + hop])
        opened.flush()


def whole(enhancer: ArrayEnhancer, audio: FloatArray, hop: int) -> None:
    """At once."""
    enhancer.enhance(audio, sample_rate=RATE)


def seconds_of(work: Callable[[], object]) -> float:
    """Processor time of one call."""
    started = time.process_time()
    work()
    return time.process_time() - started


def main() -> None:
    """Print a table."""
    torch.set_num_threads(1)
    audio = (0.05 * np.random.default_rng(0).standard_normal(WHOLE_SECONDS * RATE)).astype(np.float32)
    parts = {"whole": (whole, audio), "stream": (stream, audio[: STREAM_SECONDS * RATE])}
    for model in (DPCRN(), CRN(), Demucs(), SEMamba()):
        with tempfile.TemporaryDirectory() as folder:
            done = export_model(model, Path(folder, "model.onnx"))
            enhancers: dict[str, ArrayEnhancer] = {"onnx": OnnxEnhancer(done.path), "torch": TorchEnhancer(model)}
        print(f"{type(model).__name__}: {done.bytes:,} bytes, within {done.difference:.1e} of torch")
        for way, (work, signal) in parts.items():
            hop = done.card.hop_samples
            calls = {name: partial(work, enhancer, signal, hop) for name, enhancer in enhancers.items()}
            runs = [{name: seconds_of(call) for name, call in calls.items()} for _ in range(RUNS)]
            for name in calls:
                factor = min(run[name] for run in runs) / (signal.size / RATE)
                print(f"  {way:<7} {name:<6} real-time factor {factor:.4f}")


if __name__ == "__main__":
    main()
