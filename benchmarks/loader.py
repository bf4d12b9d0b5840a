"""How fast the loader alone mixes: seconds of audio for each second of one core.

    python benchmarks/loader.py                        on recordings that it makes itself
    python benchmarks/loader.py --data data/train      on a prepared folder

Rows differ in how often something happens to an utterance and in whether decoded audio is kept in memory. Processor
time is counted, not time on the clock, so other programs disturb little. A model's appetite is batch seconds over step
seconds.
"""

from __future__ import annotations

import argparse
import dataclasses
import logging
import tempfile
import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import soundfile

from cmkt.data.batch import collate
from cmkt.data.dataset import MixtureDataset
from cmkt.data.entry import Entry, Kind
from cmkt.data.manifest import Prepared, load_prepared
from cmkt.data.mixture import Mixer
from cmkt.data.plan import MixtureSettings
from cmkt.data.preparation import prepare
from cmkt.data.sampler import BucketBatchSampler

RATE = 16_000
UTTERANCES = 300
"""Of a prepared folder, so that decoding them beforehand takes seconds."""


@dataclasses.dataclass(frozen=True)
class Row:
    """One way of loading; cache: decoded speech stays in memory."""

    name: str
    settings: MixtureSettings
    cache: bool = True


def synthetic(directory: Path) -> Prepared:
    """100 utterances of 2 to 8 s, 20 noises of 0.3 to 60 s and 3 rooms of 0.5 s, as FLAC."""
    rng = np.random.default_rng(0)

    def write(kind: Kind, number: int, audio: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Entry:
        path = directory / f"{kind}{number}.flac"
        soundfile.write(path, np.clip(audio, -1.0, 1.0), RATE)
        return Entry(id=path.stem, path=path, custom={"class": f"class{number % 5}"})

    def syllables(seconds: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        moment = np.arange(round(seconds * RATE)) / RATE
        return np.asarray(
            0.1 * np.clip(np.sin(8 * np.pi * moment), 0.0, None) * rng.standard_normal(moment.size), dtype=np.float64
        )

    decay = 10.0 ** (-3.0 * np.arange(RATE // 2) / (RATE // 2))
    entries: dict[Kind, Sequence[Entry]] = {
        "speech": [write("speech", number, syllables(rng.uniform(2.0, 8.0))) for number in range(100)],
        "noise": [
            write("noise", number, 0.1 * rng.standard_normal(round(seconds * RATE)))
            for number, seconds in enumerate(np.geomspace(0.3, 60.0, 20))
        ],
        "rir": [write("rir", number, 0.3 * decay * rng.standard_normal(RATE // 2)) for number in range(3)],
    }
    prepare(entries, directory / "prepared")
    return load_prepared(directory / "prepared")


def datasets(prepared: Prepared, rows: Sequence[Row]) -> list[MixtureDataset]:
    """One data set for each row; they share decoded noise, and decoded speech is loaded before the clock starts."""
    made: list[MixtureDataset] = []
    for row in rows:
        mixer = Mixer(row.settings, prepared.noise, prepared.rir, RATE)
        if made:
            mixer.noise = made[0].mixer.noise
        data = MixtureDataset(islice(prepared.speech, UTTERANCES), mixer, crop_seconds=4.0, cache=row.cache)
        data.preload()
        made.append(data)
    return made


def mixed_per_second(data: MixtureDataset, seconds: float) -> float:
    """Audio seconds in batches for each second of processor time, over about `seconds` of audio."""
    batches = BucketBatchSampler(data.durations, batch_seconds=max(32.0, *data.durations))
    done = 0.0
    start = time.process_time()
    while done < seconds:
        for batch in batches:
            done += int(collate([data[item] for item in batch]).lengths.sum()) / RATE
            if done >= seconds:
                break
    return done / (time.process_time() - start)


def main() -> None:
    """Prints one row for each way of loading."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="a prepared folder; default: synthetic recordings")
    parser.add_argument("--seconds", type=float, default=3000.0, help="audio to mix for each row (default: 3000)")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO)
    default = MixtureSettings()
    rows = [
        Row("default settings", default),
        Row("never reverberant", dataclasses.replace(default, reverb_probability=0.0)),
        Row("always reverberant", dataclasses.replace(default, reverb_probability=1.0)),
        Row(
            "always in a simulated room", dataclasses.replace(default, reverb_probability=1.0, simulated_room_share=1.0)
        ),
        Row("always music", dataclasses.replace(default, music_probability=1.0)),
        Row("always through a codec", dataclasses.replace(default, codec_probability=1.0)),
        Row("default, speech decoded at every use", default, cache=False),
    ]
    with tempfile.TemporaryDirectory() as directory:
        prepared = load_prepared(args.data) if args.data else synthetic(Path(directory))
        speeds = [mixed_per_second(data, args.seconds) for data in datasets(prepared, rows)]
    print(f"{'':38}{'x real time':>12}{'hours/s':>9}{'ratio':>7}")
    for row, speed in zip(rows, speeds, strict=True):
        print(f"{row.name:38}{speed:12.0f}{speed / 3600:9.3f}{speed / speeds[0]:7.2f}")


if __name__ == "__main__":
    main()
