"""What an enhancer costs: parameters, multiplications, and time on one thread.

What is counted are the multiply-accumulate operations (MACs) of matrix products and convolutions, those inside
recurrent layers and attention included; element-wise operations, normalisations and Fourier transforms are not. They
are counted as torch runs them (`torch.utils.flop_counter`, two operations a MAC), with the fused kernels of the CPU
switched off, inside which the counter sees nothing. A part in an operation that it does not know counts as nothing.

Shapes: T samples.
"""

from __future__ import annotations

import statistics
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import numpy as np

from cmkt.errors import ConfigError

if TYPE_CHECKING:
    from torch import nn

    from cmkt.inference.array_enhancer import ArrayEnhancer

COUNTED: Final = "matrix products and convolutions; element-wise operations and Fourier transforms are not counted"
"""What a MAC is of, for tables."""


def count_parameters(model: nn.Module) -> int:
    """Numbers that training sets; what several parts share counts once."""
    return sum(parameter.numel() for parameter in model.parameters())


def macs_per_second(model: nn.Module, *, sample_rate: int, seconds: float = 4.0) -> float:
    """MACs for each second of audio, over `seconds` of it heard as a whole. The model is left as it was.

    For a model that attends to everything it grows with `seconds`.

    Raises: ConfigError where the model does not enhance (1, T) into (1, T).
    """
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    from cmkt.transfer.calling import calling_of

    like = next(model.parameters(), torch.zeros(()))
    noisy = torch.zeros(1, round(seconds * sample_rate), dtype=like.dtype, device=like.device)
    lengths = torch.tensor([noisy.shape[1]], device=like.device)
    counter = FlopCounterMode(display=False)
    training = model.training
    model.eval()
    try:
        with torch.no_grad(), _no_fused_kernels(), sdpa_kernel(SDPBackend.MATH), counter:
            calling_of(model).enhance(model, noisy, lengths)
    finally:
        model.train(training)
    return counter.get_total_flops() / 2 / seconds


@contextmanager
def _no_fused_kernels() -> Iterator[None]:
    """Layers run step by step: fused recurrent layers (oneDNN) and the fast path of attention hide their products."""
    import torch

    fast = torch.backends.mha.get_fastpath_enabled()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of TF32, which has nothing to do with this
        torch.backends.mha.set_fastpath_enabled(False)
        try:
            with torch.backends.mkldnn.flags(enabled=False):
                yield
        finally:
            torch.backends.mha.set_fastpath_enabled(fast)


def real_time_factor(enhancer: ArrayEnhancer, *, seconds: float = 10.0, runs: int = 5) -> float:
    """Processor time for each second of audio on one thread, median of some runs on `seconds` at once; 1 is real time.

    Processor time and not the clock's, so that other programs disturb little. Depends on the machine: compare only what
    was measured on one, and see `processor_name`.

    Raises: ConfigError where there is nothing to measure.
    """
    if seconds <= 0 or runs < 1:
        raise ConfigError(f"`seconds` and `runs` must be positive, but are {seconds} and {runs}.")
    rng = np.random.default_rng(0)
    audio = (0.05 * rng.standard_normal(round(seconds * enhancer.sample_rate))).astype(np.float32)
    with _one_thread():
        enhancer.enhance(audio[: enhancer.sample_rate], sample_rate=enhancer.sample_rate)  # what is done once
        return statistics.median(_processor_seconds(enhancer, audio) for _ in range(runs)) / seconds


def _processor_seconds(enhancer: ArrayEnhancer, audio: np.ndarray) -> float:
    started = time.process_time()
    enhancer.enhance(audio, sample_rate=enhancer.sample_rate)
    return time.process_time() - started


@contextmanager
def _one_thread() -> Iterator[None]:
    """One thread of torch, where it is loaded; graphs have one anyway."""
    import sys

    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def processor_name() -> str:
    """What this machine calls its processor, as far as it says."""
    import platform

    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            told = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    except OSError:
        told = ""
    return told or platform.processor() or platform.machine() or "unknown processor"
