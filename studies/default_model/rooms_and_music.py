"""How enhancers do where there is music, and in rooms: PESQ-WB, STOI and SI-SDR beside those of the noisy input.

The reference in rooms is the speech with the reflections of the first 50 ms, which is what training aims at. Rooms are
simulated, from seeds that training cannot draw; where DATA was prepared with --rir, the measured ones come too. There
is no recorded music at hand: it is that of `cmkt.signal.music`, with other seeds than in training but the same
instruments, so a model that was trained on it does better here than it would on a record.
Usage: python studies/default_model/rooms_and_music.py DATA MODEL... [--limit UTTERANCES] [--json FILE]
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

import cmkt
from cmkt.data.manifest import Prepared, load_prepared
from cmkt.data.plan import MixtureSettings, plain_settings
from cmkt.data.testset import TestMixture, TestMixtures
from cmkt.errors import MetricUndefinedError
from cmkt.metrics.pesq import pesq_wb
from cmkt.metrics.si_sdr import si_sdr
from cmkt.metrics.stoi import stoi

if TYPE_CHECKING:
    from cmkt.inference.array_enhancer import ArrayEnhancer
    from cmkt.types import FloatArray

Float64 = NDArray[np.float64]

RATE = 16_000
SEED = 20_260_101
SNRS_DB = (-5.0, 0.0, 5.0, 10.0)
LIVELY_SECONDS = 0.4
METRICS = {"PESQ-WB": pesq_wb, "STOI": stoi, "SI-SDR": si_sdr}
Scores = dict[str, dict[str, list[list[float]]]]
"""Rows of METRICS by system and utterance."""


def conditions(prepared: Prepared) -> dict[str, tuple[MixtureSettings, tuple[float, ...]]]:
    """Settings and SNRs by name; without noise an SNR says nothing, so there is but one."""
    room = dataclasses.replace(plain_settings(), reverb_probability=1.0, simulated_room_share=1.0)
    found = {
        "music": (dataclasses.replace(plain_settings(), music_probability=1.0), SNRS_DB),
        "simulated room, noise": (room, SNRS_DB),
        "simulated room, no noise": (dataclasses.replace(room, clean_probability=1.0), SNRS_DB[:1]),
    }
    if prepared.rir is not None:
        measured = dataclasses.replace(room, simulated_room_share=0.0)
        found["measured room, noise"] = (measured, SNRS_DB)
        found["measured room, no noise"] = (dataclasses.replace(measured, clean_probability=1.0), SNRS_DB[:1])
    return found


def part(name: str, mixture: TestMixture) -> str:
    """Simulated rooms apart by how long they ring: their id says it, as in simulated-0.42s."""
    if not name.startswith("simulated"):
        return name
    seconds = float(str(mixture.metadata["rir_id"]).removeprefix("simulated-").removesuffix("s"))
    return f"{name}, {'under' if seconds < LIVELY_SECONDS else 'from'} {LIVELY_SECONDS} s"


def scores(estimate: FloatArray, mixture: TestMixture) -> list[float]:
    """Of one estimate, in the order of METRICS."""
    return [metric(estimate=estimate, reference=mixture.clean, sample_rate=RATE) for metric in METRICS.values()]


def measure(name: str, mixtures: Iterable[TestMixture], enhancers: dict[str, ArrayEnhancer]) -> dict[str, Scores]:
    """Scores by part; a mixture without a score is left out for every system."""
    found: dict[str, Scores] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for mixture in mixtures:
        estimates = {"noisy": mixture.noisy}
        for model, enhancer in enhancers.items():
            estimates[model] = enhancer.enhance(mixture.noisy, sample_rate=RATE)
        try:
            rows = {system: scores(estimate, mixture) for system, estimate in estimates.items()}
        except MetricUndefinedError as reason:
            sys.stderr.write(f"{mixture.id}: {reason}\n")
            continue
        for system, row in rows.items():
            found[part(name, mixture)][system][mixture.id].append(row)
    return found


def utterance_means(rows: dict[str, list[list[float]]]) -> Float64:
    """(utterances, metrics): the mean over the SNRs of each utterance."""
    return np.array([np.mean(each, axis=0) for each in rows.values()])


def cell(values: Float64, noisy: Float64) -> str:
    """The mean over utterances, and the mean difference from noisy with its standard error."""
    gain = values - noisy
    if not gain.any():
        return f"{values.mean():.3f}"
    return f"{values.mean():.3f} ({gain.mean():+.3f} ± {gain.std(ddof=1) / np.sqrt(gain.size):.3f})"


def main() -> None:
    """Writes a table with one row for each part and system: means, and differences with standard errors."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="a prepared folder")
    parser.add_argument("models", nargs="+")
    parser.add_argument("--limit", type=int, help="utterances at most (default: all)")
    parser.add_argument("--json", type=Path, help="where to write the differences from noisy, for choose.py")
    args = parser.parse_args()
    prepared = load_prepared(args.data)
    enhancers = {model: cmkt.load(model) for model in args.models}
    gains: dict[str, dict[str, dict[str, float]]] = {model: {} for model in args.models}
    sys.stdout.write(
        f"| condition | utterances | system | {' | '.join(METRICS)} |\n|---|---|---|{'---|' * len(METRICS)}\n"
    )
    for name, (settings, snrs_db) in conditions(prepared).items():
        mixtures = TestMixtures(
            prepared, snrs_db=snrs_db, sample_rate=RATE, seed=SEED, settings=settings, limit=args.limit
        )
        for label, systems in measure(name, tqdm(mixtures, desc=name, disable=None), enhancers).items():
            means = {system: utterance_means(rows) for system, rows in systems.items()}
            for system, values in means.items():
                cells = " | ".join(cell(*columns) for columns in zip(values.T, means["noisy"].T, strict=True))
                sys.stdout.write(f"| {label} | {len(values)} | {system} | {cells} |\n")
                if system in gains:
                    gain = (values - means["noisy"]).mean(axis=0).tolist()
                    gains[system][label] = dict(zip(METRICS, gain, strict=True))
        sys.stdout.flush()
    if args.json is not None:
        args.json.write_text(json.dumps(gains, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
