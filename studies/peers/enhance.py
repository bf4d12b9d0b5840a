"""Enhance the noisy files of a pair list by other people's noise suppressors, a folder for each.

    PYTHONPATH=src VENV/bin/python -m studies.peers.enhance LIST OUTPUT webrtc-2 rnnoise ...

VENV has studies/peers/requirements.txt. Writes OUTPUT/SYSTEM/NAME.wav, NAME being that of the noisy file, as
`cmkt evaluate --pairs LIST --enhanced OUTPUT/SYSTEM` takes them; what is there already stays. Stops where the output of
a system does not lie in time with its input, which STOI and SI-SDR would punish.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tqdm import tqdm

from cmkt.audio.read import read_audio
from cmkt.audio.write import write_audio
from cmkt.data.pairs import Pair, read_pairs
from studies.peers.suppressors import RATE, SYSTEMS
from studies.peers.timing import Lag


def enhance(system: str, pairs: list[Pair], folder: Path) -> int:
    """Enhances all pairs into `folder` and gives the lag of the output, in samples, over all that was enhanced now."""
    folder.mkdir(parents=True, exist_ok=True)
    lag = Lag()
    for pair in tqdm(pairs, desc=system, mininterval=5.0):
        target = folder / f"{pair.noisy.stem}.wav"
        if target.exists():
            continue
        noisy, rate = read_audio(pair.noisy)
        if rate != RATE:
            raise SystemExit(f"{pair.noisy} must be at {RATE} Hz, but is at {rate} Hz.")
        enhanced = SYSTEMS[system](noisy[0])
        lag.add(noisy[0], enhanced)
        write_audio(target, enhanced[None], sample_rate=RATE, subtype="FLOAT")
    return lag.samples()


def main() -> None:
    """Writes folders, and a line about each to the standard output."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("list", type=Path, help="a pair list, as `cmkt mix` writes it, at 16 kHz")
    parser.add_argument("output", type=Path, help="gets a folder for each system")
    parser.add_argument("systems", nargs="+", choices=SYSTEMS, metavar="SYSTEM", help=", ".join(SYSTEMS))
    args = parser.parse_args()
    pairs = read_pairs(args.list)
    names = {pair.noisy.stem for pair in pairs}
    if len(names) < len(pairs):
        raise SystemExit(f"the noisy files of {args.list} must have names of their own, but some have the same.")
    for system in args.systems:
        samples = enhance(system, pairs, args.output / system)
        if samples:
            raise SystemExit(f"{system} must lie in time with its input, but lies {samples} samples behind.")
        sys.stdout.write(f"{args.output / system}: {len(pairs)} files, in time with their input\n")


if __name__ == "__main__":
    main()
