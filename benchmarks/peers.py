"""What enhancing costs on one thread, our backbones beside the noise suppressor of WebRTC and RNNoise.

    python benchmarks/peers.py                  ours alone, a minute
    python benchmarks/peers.py --peers VENV     beside theirs; VENV has studies/peers/requirements.txt

Real-time factor: processor time over audio time, the least of several runs in the same process and in turns; in
brackets the ratio to `CRN` in ONNX. Whole: an array of 10 s at once. Stream: 2 s in chunks of one hop (12.5 ms, theirs
10 ms). Ours have untrained weights, which cost the same. RNNoise gets noise at 48 kHz, so resampling is not counted.
The times are those of the builds that the packages bring.
"""

from __future__ import annotations

import argparse
import importlib.util
import site
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from cmkt.inference.enhancer import TorchEnhancer
from cmkt.inference.export import export_model
from cmkt.inference.onnx import OnnxEnhancer
from cmkt.models.blstm import BLSTM
from cmkt.models.crn import CRN
from cmkt.models.dpcrn import DPCRN

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cmkt.inference.array_enhancer import ArrayEnhancer
    from studies.peers.suppressors import FrameSuppressor

RATE = 16_000
HOP = 200
WHOLE_SECONDS, STREAM_SECONDS = 10, 2
RUNS = 9
BASE = "CRN, ONNX"
PACKAGES = ("pywebrtc_audio", "pyrnnoise")


@dataclass(frozen=True, slots=True)
class Ways:
    """What is timed of one system; stream is None for one that must see the whole signal."""

    whole: Callable[[], object]
    stream: Callable[[], object] | None


def noise(seconds: int, sample_rate: int = RATE) -> NDArray[np.float32]:
    """Gaussian noise at -26 dBFS."""
    return 0.05 * np.random.default_rng(0).standard_normal(seconds * sample_rate, dtype=np.float32)


def stream(enhancer: ArrayEnhancer, audio: NDArray[np.float32]) -> None:
    """Hop by hop."""
    with enhancer.stream(sample_rate=RATE) as opened:
        for start in range(0, audio.size, HOP):
            opened.feed(audio[start : start + HOP])
        opened.flush()


def frames(make: Callable[[], FrameSuppressor], step: int, audio: NDArray[np.float32]) -> None:
    """`step` samples at a time through a new suppressor."""
    suppressor = make()
    for start in range(0, audio.size, step):
        suppressor.advance(audio[start : start + step])


def our_ways(enhancer: ArrayEnhancer, *, causal: bool) -> Ways:
    """An enhancer of ours."""
    whole = partial(enhancer.enhance, noise(WHOLE_SECONDS), sample_rate=RATE)
    return Ways(whole, partial(stream, enhancer, noise(STREAM_SECONDS)) if causal else None)


def ours(folder: Path) -> dict[str, Ways]:
    """Our backbones with their default sizes and first weights."""
    systems = {}
    for model in (DPCRN(), CRN()):
        name = type(model).__name__
        graph = export_model(model, folder / f"{name}.onnx").path
        systems[f"{name}, ONNX"] = our_ways(OnnxEnhancer(graph), causal=True)
        systems[f"{name}, torch"] = our_ways(TorchEnhancer(model), causal=True)
    return {**systems, "BLSTM, torch": our_ways(TorchEnhancer(BLSTM()), causal=False)}


def theirs() -> dict[str, Ways]:
    """What the packages of others offer, nothing where they are not installed."""
    if missing := [name for name in PACKAGES if importlib.util.find_spec(name) is None]:
        print(f"Without {' and '.join(missing)}: not installed. See --peers.\n")
        return {}
    sys.path.append(str(Path(__file__).resolve().parents[1]))
    from studies.peers.suppressors import RNNoise, WebRTC

    webrtc, high = partial(WebRTC, 2), RNNoise.sample_rate
    size = WHOLE_SECONDS * RATE
    return {
        "WebRTC": Ways(
            partial(frames, webrtc, size, noise(WHOLE_SECONDS)),
            partial(frames, webrtc, WebRTC.frame_samples, noise(STREAM_SECONDS)),
        ),
        "RNNoise": Ways(
            partial(frames, RNNoise, RNNoise.frame_samples, noise(WHOLE_SECONDS, high)),
            partial(frames, RNNoise, RNNoise.frame_samples, noise(STREAM_SECONDS, high)),
        ),
    }


def seconds_of(work: Callable[[], object]) -> float:
    """Processor time of one call."""
    started = time.process_time()
    work()
    return time.process_time() - started


def factors(works: dict[str, Callable[[], object]], seconds: float) -> dict[str, float]:
    """Least real-time factor of each, in turns, so that a busy machine hits all alike, after a first round."""
    rounds = [{name: seconds_of(work) / seconds for name, work in works.items()} for _ in range(RUNS + 1)][1:]
    return {name: min(times[name] for times in rounds) for name in works}


def cell(name: str, measured: dict[str, float]) -> str:
    """A factor and its ratio to that of the base."""
    return f"{measured[name]:.4f} ({measured[name] / measured[BASE]:.2f})" if name in measured else "-"


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", type=Path, metavar="VENV", help="a virtual environment of the same Python")
    args = parser.parse_args()
    if args.peers:
        site.addsitedir(
            str(args.peers / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages")
        )
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        systems = {**ours(Path(folder)), **theirs()}
    whole = factors({name: ways.whole for name, ways in systems.items()}, WHOLE_SECONDS)
    streamed = {name: ways.stream for name, ways in systems.items() if ways.stream is not None}
    stream_factors = factors(streamed, STREAM_SECONDS)
    print(f"| system | whole (ratio to {BASE}) | stream (ratio) |\n|---|---|---|")
    for name in systems:
        print(f"| {name} | {cell(name, whole)} | {cell(name, stream_factors)} |")


if __name__ == "__main__":
    main()
