"""The paired difference of two systems at each SNR, with the intervals of `cmkt compare`.

Usage: python studies/peers/by_snr.py SCORES BASELINE SYSTEM, where SCORES is a folder that `cmkt evaluate` wrote.
"""

from __future__ import annotations

import sys
from pathlib import Path

from cmkt.evaluation.comparison import compare
from cmkt.evaluation.record import SCORES, load_scores

METRICS = ("pesq_wb", "stoi", "estoi", "si_sdr")


def main(folder: Path, baseline: str, system: str) -> None:
    """Writes a row for each SNR."""
    scores = load_scores(folder / SCORES)
    for snr_db in sorted({score.snr_db for score in scores if score.snr_db is not None}):
        part = [score for score in scores if score.snr_db == snr_db]
        cells = []
        for metric in METRICS:
            found = compare(part, baseline=baseline, system=system, metric=metric).difference
            cells.append(f"{metric} {found.mean:+.4f} [{found.low:+.4f}, {found.high:+.4f}]")
        sys.stdout.write(f"{snr_db:g} dB, {system} - {baseline}: {'; '.join(cells)}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
