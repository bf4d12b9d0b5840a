"""How many recordings of each class of noise are of which kind (`cmkt.signal.noise_kind`): a class does not tell.

Usage: python benchmarks/noise_kinds.py CORPUS/noise.train.jsonl CORPUS/noise.test.jsonl
Lists have one JSON object a line, with `audio`, relative to the list, and `class`.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

import soundfile

from cmkt.errors import AudioError
from cmkt.signal.noise_kind import noise_kind


def main(*lists: str) -> None:
    """Prints a line for each class, the largest first."""
    kinds: dict[str, Counter[str]] = {}
    for path in map(Path, lists):
        for line in path.read_text(encoding="utf-8").splitlines():
            entry = json.loads(line)
            audio, sample_rate = soundfile.read(path.parent / entry["audio"], dtype="float32", always_2d=True)
            try:
                kind: str = noise_kind(audio[:, 0], sample_rate)
            except AudioError:
                kind = "too short or silent"
            kinds.setdefault(entry["class"], Counter())[kind] += 1
    for name, counts in sorted(kinds.items(), key=lambda each: (-each[1].total(), each[0])):
        print(f"{name:<20}{', '.join(f'{count} {kind}' for kind, count in counts.most_common())}")


if __name__ == "__main__":
    main(*sys.argv[1:])
