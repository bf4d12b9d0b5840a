"""What an enhancer does to speech that is clean already: STOI and PESQ-WB against the input itself.

Reported for the third of the utterances that stands highest above the noise of its own recording, and for the rest.
Usage: python studies/default_model/clean_input.py DATA MODEL...
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from tqdm import tqdm

import cmkt
from cmkt.data.cache import read_cut
from cmkt.data.manifest import SPEECH_TO_FLOOR, load_prepared
from cmkt.errors import MetricUndefinedError
from cmkt.metrics.pesq import pesq_wb
from cmkt.metrics.stoi import stoi
from cmkt.signal.augment import scale_to

LEVEL_DB = -26.0
RATE = 16_000


def main(data: Path, *models: str) -> None:
    """Writes one row for each model and part."""
    cuts = sorted(load_prepared(data).speech, key=lambda cut: -float(cut.custom[SPEECH_TO_FLOOR]))
    third = len(cuts) // 3
    for model in models:
        enhancer = cmkt.load(model)
        scores: dict[str, list[list[float]]] = {"cleanest third": [], "rest": []}
        for index, cut in enumerate(tqdm(cuts, desc=model)):
            clean = scale_to(read_cut(cut, RATE), LEVEL_DB, RATE)
            enhanced = enhancer.enhance(clean, sample_rate=RATE)
            try:
                pair = [metric(estimate=enhanced, reference=clean, sample_rate=RATE) for metric in (pesq_wb, stoi)]
            except MetricUndefinedError as reason:
                sys.stderr.write(f"{cut.id}: {reason}\n")
                continue
            scores["cleanest third" if index < third else "rest"].append(pair)
        for part, values in scores.items():
            pesq, intelligibility = np.mean(values, axis=0)
            sys.stdout.write(
                f"{model}, {part}, {len(values)} utterances: PESQ-WB {pesq:.3f}, STOI {intelligibility:.4f}\n"
            )


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
