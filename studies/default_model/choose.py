"""The score by which the model that ships was chosen, on dev alone: the mean of what each measure gains over noisy.

Gains are counted in these units, so that they can be added: 0.50 of PESQ-WB, 0.045 of STOI, 8 dB of SI-SDR, and 20
nats a word of the margin by which a recogniser prefers the sentence that was said. In rooms and with music there is no
margin; the score there is that of the mean over the conditions of `rooms_and_music.py`. What ships has the highest mean
of both.
Usage: python studies/default_model/choose.py SCORES ROOMS.json
SCORES is what `cmkt evaluate --words` wrote for all models on dev, ROOMS.json what `rooms_and_music.py --json` did.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from statistics import fmean

UNITS = {"pesq_wb": 0.5, "stoi": 0.045, "si_sdr": 8.0, "word_margin": 20.0}
IN_ROOMS = {"PESQ-WB": "pesq_wb", "STOI": "stoi", "SI-SDR": "si_sdr"}


def in_noise(overall: dict[str, dict[str, dict[str, float]]]) -> float:
    """The score of one system of summary.json."""
    return fmean(overall[metric]["difference"]["mean"] / unit for metric, unit in UNITS.items())


def in_rooms(conditions: dict[str, dict[str, float]]) -> float:
    """The score of one model of ROOMS.json."""
    return fmean(gain / UNITS[IN_ROOMS[name]] for gains in conditions.values() for name, gain in gains.items())


def main() -> None:
    """Writes one row for each model, the best first."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scores", type=Path)
    parser.add_argument("rooms", type=Path)
    args = parser.parse_args()
    systems = json.loads((args.scores / "summary.json").read_text(encoding="utf-8"))["systems"]
    rooms = {Path(name).name: each for name, each in json.loads(args.rooms.read_text(encoding="utf-8")).items()}
    rows = {name: (in_noise(systems[name]["overall"]), in_rooms(rooms[name])) for name in rooms}
    sys.stdout.write("| model | in noise | in rooms and music | mean |\n|---|---|---|---|\n")
    for name, row in sorted(rows.items(), key=lambda item: -fmean(item[1])):
        sys.stdout.write(f"| {name} | {row[0]:.4f} | {row[1]:.4f} | {fmean(row):.4f} |\n")


if __name__ == "__main__":
    main()
