"""How often the interval of `cmkt compare --arms` holds the truth, where the truth is known because it is simulated.

Each repetition draws two arms of equal means: seeds, utterances that the arms share, speakers that an arm alone likes,
and a rest, all normal. A row says how often zero lies in the 95% interval over seeds and utterances, and how often in
the interval over utterances alone, which takes the runs for the arms.
Usage: python benchmarks/seed_coverage.py [REPETITIONS]
"""

from __future__ import annotations

import sys

import numpy as np

from cmkt.evaluation.seeds import seeded_difference

SPEAKERS = 60
PER_SPEAKER = 2
REST = 1.0
"""Standard deviations are in units of the rest, what a run does to an utterance beyond everything else."""


def covered(
    seeds: int, *, seed_spread: float, liking_spread: float, paired: bool, rng: np.random.Generator
) -> tuple[bool, bool]:
    """Whether zero lies in the interval over seeds and utterances, and in that over utterances."""
    clusters = np.repeat(np.arange(SPEAKERS), PER_SPEAKER)
    shared = rng.normal(0.0, 2.0, clusters.size)
    shared_seeds = rng.normal(0.0, seed_spread, (seeds, 1)) if paired else 0.0
    arms = []
    for _ in range(2):
        own = rng.normal(0.0, liking_spread, SPEAKERS)[clusters]
        rest = rng.normal(0.0, REST, (seeds, clusters.size))
        arms.append(shared + shared_seeds + rng.normal(0.0, seed_spread, (seeds, 1)) + own + rest)
    found = seeded_difference(*arms, clusters=list(clusters), paired=paired)
    speakers = (arms[1] - arms[0]).mean(axis=0).reshape(SPEAKERS, PER_SPEAKER).mean(axis=1)
    half = 2.0 * speakers.std(ddof=1) / np.sqrt(SPEAKERS)
    return found.interval.low <= 0 <= found.interval.high, bool(abs(speakers.mean()) <= half)


def main(repetitions: int) -> None:
    """Prints a row for each number of seeds and size of their spread."""
    print("| seeds | spread over seeds | arm likes speakers | pairs | seeds and utterances | utterances alone |")
    print("|---|---|---|---|---|---|")
    rng = np.random.default_rng(0)
    for seeds in (2, 3, 5):
        for seed_spread, liking_spread in ((0.0, 0.5), (0.1, 0.5), (0.5, 0.5), (0.5, 0.0)):
            for paired in (False, True):
                drawn = [
                    covered(seeds, seed_spread=seed_spread, liking_spread=liking_spread, paired=paired, rng=rng)
                    for _ in range(repetitions)
                ]
                both, alone = np.mean(drawn, axis=0)
                word = "yes" if paired else "no"
                print(f"| {seeds} | {seed_spread} | {liking_spread} | {word} | {both:.3f} | {alone:.3f} |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
