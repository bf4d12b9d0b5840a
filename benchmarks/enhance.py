"""How fast and how lean enhancing is: `crn` in torch on one thread, with untrained weights, which cost the same.

    python benchmarks/enhance.py                  everything, about five minutes
    python benchmarks/enhance.py --hours 0.1      a shorter long file

Real-time factor: processor time over audio time, the median of several runs of 30 s, beside an STFT and its inverse
that do nothing else, in the same process and in turns. On one thread of an idle machine, processor time is time on the
clock; it is counted because other programs disturb it little. Memory: the peak of a fresh process that enhances a long
file minus that of one that enhances ten seconds.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from cmkt.audio.write import AudioWriter
from cmkt.inference.enhancer import TorchEnhancer
from cmkt.inference.files import enhance_file
from cmkt.models.crn import CRN

RATE = 16_000
SECONDS = 30
RUNS = 9


def untrained() -> TorchEnhancer:
    """The default `crn` with its first weights."""
    torch.manual_seed(0)
    return TorchEnhancer(CRN())


def noise(samples: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """Gaussian noise at -26 dBFS."""
    return 0.05 * np.random.default_rng(0).standard_normal(samples, dtype=np.float32)


def seconds_of(work: Callable[[], object]) -> float:
    """Processor time of one call."""
    started = time.process_time()
    work()
    return time.process_time() - started


def real_time_factors() -> dict[str, float]:
    """Median real-time factor of each way to process 30 s; they take turns so that a busy machine hits all alike."""
    enhancer, audio = untrained(), noise(SECONDS * RATE)
    stft = CRN().stft
    waveform = torch.from_numpy(audio)[None]

    def stream_by(chunk: int) -> None:
        with enhancer.stream(sample_rate=RATE) as stream:
            for start in range(0, audio.size, chunk):
                stream.feed(audio[start : start + chunk])
            stream.flush()

    ways: dict[str, Callable[[], object]] = {
        "stft and inverse, nothing else": lambda: stft.synthesise(stft.analyse(waveform), audio.size),
        "crn, array": lambda: enhancer.enhance(audio, sample_rate=RATE),
        "crn, stream in chunks of 100 ms": lambda: stream_by(RATE // 10),
    }
    for work in ways.values():
        work()
    times = [{name: seconds_of(work) / SECONDS for name, work in ways.items()} for _ in range(RUNS)]
    return {name: statistics.median(run[name] for run in times) for name in ways}


def write_long(path: Path, seconds: float) -> None:
    """A 16-bit WAV file of noise, made in blocks."""
    block = noise(10 * RATE)[None]
    left = int(seconds * RATE)
    with AudioWriter(path, sample_rate=RATE, channels=1, subtype="PCM_16") as writer:
        while left > 0:
            writer.write(block[:, :left])
            left -= block.shape[-1]


def in_fresh_process(source: Path, destination: Path) -> tuple[float, float]:
    """Peak resident memory in MB (10^6 bytes) and processor time in s of a process that enhances one file."""
    command = [sys.executable, __file__, "--one", str(source), str(destination)]
    megabytes, seconds = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return float(megabytes), float(seconds)


def enhance_one(source: Path, destination: Path) -> None:
    """What the fresh process does."""
    enhance_file(untrained(), source, destination)
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "darwin" else 1)
    print(kilobytes * 1024 / 1e6, time.process_time())


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=3.0, help="length of the long file (default: %(default)s)")
    parser.add_argument("--one", nargs=2, type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.one:
        enhance_one(*args.one)
        return
    print(f"torch {torch.__version__}, one thread, {sum(p.numel() for p in CRN().parameters()):,} parameters")
    for name, factor in real_time_factors().items():
        print(f"{name:<34} real-time factor {factor:.5f}")
    with tempfile.TemporaryDirectory() as folder:
        short, long, output = Path(folder, "short.wav"), Path(folder, "long.wav"), Path(folder, "output.wav")
        write_long(short, 10.0)
        write_long(long, args.hours * 3600.0)
        base, _ = in_fresh_process(short, output)
        peak, seconds = in_fresh_process(long, output)
    print(f"{'peak memory, ten seconds':<34} {base:.0f} MB")
    print(f"{f'peak memory, {args.hours:g} hours':<34} {peak:.0f} MB, {peak - base:+.0f} MB (target: at most +200)")
    factor = seconds / (args.hours * 3600.0)
    print(f"{f'file of {args.hours:g} hours':<34} real-time factor {factor:.5f}, start of the process included")


if __name__ == "__main__":
    main()
