"""Does DNSMOS favour over-suppression? The default model, and its gains to powers that attenuate more than it does.

    cmkt mix --data data/test --snr 5 --limit 24 --output testset
    OMP_NUM_THREADS=1 python benchmarks/over_suppression.py testset/list.jsonl        ten minutes for 24 pairs

The gain of a bin is |enhanced| / |noisy|, at most 1; to the power of 2 it attenuates by twice the dB. Differences are
from the power of 1, as mean and standard error over utterances.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.signal import istft, stft

import cmkt
from cmkt.audio.read import read_audio
from cmkt.data.pairs import read_pairs
from cmkt.evaluation.score import measure
from cmkt.evaluation.table import label, markdown_table
from cmkt.metrics.about import about
from cmkt.metrics.registry import choose_metrics

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAMES = ("pesq_wb", "stoi", "estoi", "dnsmos_sig", "dnsmos_bak", "dnsmos_ovrl", "dnsmos_p808")
POWERS = (1, 2, 3)
WINDOW = 512


def suppressed(noisy: NDArray[np.float64], enhanced: NDArray[np.float64], power: int, rate: int) -> NDArray[np.float64]:
    """`noisy` (T,) under the gains of `enhanced` (T,) to a power."""
    spectra = [stft(x, rate, nperseg=WINDOW)[2] for x in (noisy, enhanced)]
    gains = np.minimum(np.abs(spectra[1]) / np.maximum(np.abs(spectra[0]), 1e-9), 1.0)
    audio: NDArray[np.float64] = istft(gains**power * spectra[0], rate, nperseg=WINDOW)[1]
    return audio[: noisy.size]


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", type=Path)
    enhancer, metrics = cmkt.load("default"), choose_metrics(NAMES)
    rows: dict[int, list[list[float]]] = {power: [] for power in POWERS}
    for pair in read_pairs(parser.parse_args().pairs):
        noisy, rate = read_audio(pair.noisy)
        clean = read_audio(pair.clean)[0][0] if pair.clean else None
        enhanced = enhancer.enhance(noisy[0], sample_rate=rate)
        for power in POWERS:
            audio = suppressed(noisy[0].astype(np.float64), enhanced.astype(np.float64), power, rate)
            found = measure(estimate=audio, reference=clean, sample_rate=rate, metrics=metrics).values
            rows[power].append([found.get(name, np.nan) for name in NAMES])
    values = {power: np.array(each) for power, each in rows.items()}
    table = []
    for power, each in values.items():
        table.append(
            [f"power {power}", *(f"{np.nanmean(x):.{about(n).decimals}f}" for n, x in zip(NAMES, each.T, strict=True))]
        )
        if power != POWERS[0]:
            changes = each - values[POWERS[0]]
            errors = np.nanstd(changes, axis=0, ddof=1) / np.sqrt(len(changes))
            table.append(
                ["change", *(f"{m:+.3f} ± {e:.3f}" for m, e in zip(np.nanmean(changes, axis=0), errors, strict=True))]
            )
    print(markdown_table(["gains", *map(label, NAMES)], table))


if __name__ == "__main__":
    main()
