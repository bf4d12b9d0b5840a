"""What scores lose when a signal does not lie on its reference, and how often that is told where it does.

Usage: python benchmarks/misfits.py LIST [FOLDER...]
LIST is a pair list, as `cmkt mix` writes it; each FOLDER holds what another system made of its noisy files, under their
names. The table of losses is of 20 utterances at the SNR nearest to 5 dB, enhanced by the default model, then moved. A
line for noisy speech, for the default model and for each folder follows: over all its pairs the lowest distinctness and
the largest shift that was found, the range of gains, and what would be warned of.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

import cmkt
from cmkt.audio.read import read_audio
from cmkt.data.pair_audio import PairAudio, read_pair
from cmkt.data.pairs import Pair, read_pairs
from cmkt.evaluation.reference_check import ReferenceFit, find_misfits, fit_reference
from cmkt.metrics.registry import METRICS

Signal = NDArray[np.float32]

LOSSES = ("pesq_wb", "stoi", "estoi", "si_sdr", "snr_seg", "lsd", "csig", "cbak", "covl", "dnsmos_ovrl")
UTTERANCES = 20


def later(samples: int) -> Callable[[Signal], Signal]:
    """The function that delays a signal and keeps its length."""
    return lambda x: np.concatenate([np.zeros(samples, x.dtype), x[: x.size - samples]])


SLIPS: dict[str, Callable[[Signal], Signal]] = {
    "as it is": lambda x: x,
    "1 sample later": later(1),
    "1 ms later": later(16),
    "6 ms later": later(96),
    "20 ms later": later(320),
    "half the level": lambda x: x / 2,
    "inverted": lambda x: -x,
}
"""At 16 kHz."""


def print_losses(pairs: list[Pair], enhance: Callable[[PairAudio], Signal]) -> None:
    """A row of means for each slip."""
    nearest = min({pair.snr_db for pair in pairs if pair.snr_db is not None}, key=lambda snr_db: abs(snr_db - 5))
    chosen = [pair for pair in pairs if pair.snr_db == nearest]
    chosen = chosen[:: max(1, len(chosen) // UTTERANCES)][:UTTERANCES]
    read = [read_pair(pair, sample_rate=16_000) for pair in chosen]
    enhanced = [(enhance(audio), audio.clean) for audio in read]
    print(f"{len(chosen)} utterances at {nearest:g} dB", *LOSSES, sep=" | ")
    for name, slip in SLIPS.items():
        values = [
            np.mean([METRICS[metric](estimate=slip(x), reference=clean, sample_rate=16_000) for x, clean in enhanced])
            for metric in LOSSES
        ]
        print(name, *(f"{value:.3f}" for value in values), sep=" | ", flush=True)


def fits_of(pairs: list[Pair], estimate: Callable[[Pair, PairAudio], Signal]) -> Iterator[ReferenceFit]:
    """How each pair fits, without those of which nobody can tell."""
    for pair in tqdm(pairs, disable=None):
        audio = read_pair(pair)
        assert audio.clean is not None
        x = estimate(pair, audio)
        length = min(x.size, audio.clean.size)
        fit = fit_reference(estimate=x[:length], reference=audio.clean[:length], sample_rate=audio.sample_rate)
        if fit is not None:
            yield fit


def print_fits(name: str, fits: list[ReferenceFit]) -> None:
    """One line, and what would be warned of."""
    shifts = [abs(fit.shift_samples) for fit in fits if fit.shift_samples is not None]
    gains_db = [20 * math.log10(abs(fit.gain)) for fit in fits if fit.gain]
    print(
        f"{name}: {len(fits)} pairs, {len(fits) - len(shifts)} not found, distinctness "
        f"{min(fit.distinctness for fit in fits):.1f} at least, shift {max(shifts):.2f} samples at most, gain "
        f"{min(gains_db):.1f} to {max(gains_db):.1f} dB, median {np.median(gains_db):.1f}",
        *find_misfits(fits),
        sep="\n  ",
        flush=True,
    )


def written(folder: Path) -> Callable[[Pair, PairAudio], Signal]:
    """The function that reads what a folder holds under the name of a noisy file."""
    found = {path.stem: path for path in folder.iterdir()}
    return lambda pair, _: read_audio(found[pair.noisy.stem])[0][0]


def main(source: str, *folders: str) -> None:
    """Prints the table of losses, then a line for each system."""
    pairs, model = read_pairs(source), cmkt.load("default")

    def enhance(audio: PairAudio) -> Signal:
        return np.asarray(model.enhance(audio.noisy, sample_rate=audio.sample_rate), dtype=np.float32)

    print_losses(pairs, enhance)
    print_fits("noisy", list(fits_of(pairs, lambda _, audio: audio.noisy)))
    print_fits("default", list(fits_of(pairs, lambda _, audio: enhance(audio))))
    for folder in map(Path, folders):
        print_fits(folder.name, list(fits_of(pairs, written(folder))))


if __name__ == "__main__":
    main(*sys.argv[1:])
