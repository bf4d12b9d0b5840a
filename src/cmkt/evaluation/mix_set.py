"""A fixed test set that can be shared: noisy and clean files, and a list with every parameter of each mixture.

    recipe.json     what it was made from and how
    list.jsonl      a pair list, see `cmkt.data.pairs`; written last, so a set that has it is complete
    noisy/ID_5dB.wav, clean/ID_5dB.wav
    README.md       how to use it, and whom to credit

Each mixture has a reference of its own, under the same name, because the level of the speech depends on the SNR: a
mixture, or a reference, that would be louder than full scale is turned down together with the other. The same data,
recipe and versions make the same bytes, in any number of processes.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, final

import numpy as np
from tqdm import tqdm

from cmkt.audio.reproducible import HIGHEST_INT16, write_float32, write_int16
from cmkt.audio.write import write_text
from cmkt.data.manifest import load_prepared
from cmkt.data.pair_folders import LIST
from cmkt.data.pairs import UNDERSTOOD, Pair, read_pairs, write_pairs
from cmkt.errors import ConfigError, DataError
from cmkt.evaluation.mix_readme import readme
from cmkt.evaluation.mix_recipe import claim
from cmkt.evaluation.pool import Failure, run_tasks

if TYPE_CHECKING:
    from cmkt.data.testset import TestMixture, TestMixtures
    from cmkt.evaluation.mix_recipe import MixRecipe
    from cmkt.types import FloatArray


@final
@dataclass(frozen=True, slots=True)
class Format:
    """How audio is written: the suffix, a function of path, samples and rate, and the highest peak that fits."""

    suffix: str
    write: Callable[[Path, FloatArray, int], None]
    highest: float


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "wav": Format(".wav", write_int16, HIGHEST_INT16),
        "flac": Format(".flac", write_int16, HIGHEST_INT16),
        "float": Format(".wav", write_float32, math.inf),
    }
)
"""Formats by name: 16 bits, the same compressed without loss, and 32-bit floats, which hold the mixtures exactly."""


def write_mixtures(
    data: Path, output: Path, recipe: MixRecipe, *, format: str = "wav", jobs: int = 1, progress: bool = True
) -> list[Pair]:
    """Writes the set of a prepared folder and gives its pairs, in the order of the list.

    A set that was begun is finished; one that is complete is read. `jobs` processes, 0 for this one.

    Raises:
        ConfigError: a setting cannot work, or `output` holds something else.
        DataError: the data cannot be used, ids repeat, or a mixture cannot be made; then there is no list yet.
    """
    if format not in FORMATS:
        raise ConfigError(f"`format` must be one of {', '.join(FORMATS)}, but is {format!r} instead.")
    prepared = load_prepared(data)
    mixtures = recipe.mixtures(prepared)
    names = _file_names(mixtures.ids)
    claim(output, recipe.describe(prepared, format=format))
    if (complete := _complete(output)) is not None:
        return complete
    for folder in {path.parent for name in names.values() for path in _paths(output, name, 0.0, FORMATS[format])}:
        folder.mkdir(parents=True, exist_ok=True)
    work = partial(_write_one, data, output, recipe, format)
    pairs = _run(work, len(mixtures), jobs=jobs, progress=progress)
    write_text(output / "README.md", readme(prepared, pairs, recipe, format=format))
    write_pairs(output / LIST, pairs)
    return pairs


def _run(work: Callable[[int], Pair], count: int, *, jobs: int, progress: bool) -> list[Pair]:
    pairs: dict[int, Pair] = {}
    outcomes = run_tasks(work, range(count), jobs=min(jobs, count), prepare=_nothing)
    try:
        with closing(outcomes), tqdm(total=count, disable=None if progress else True, unit="mixture") as bar:
            for outcome in outcomes:
                if isinstance(outcome.result, Failure):
                    raise DataError(f"Every mixture must be made, but one cannot: {outcome.result.reason}")
                pairs[outcome.task] = outcome.result
                bar.update()
    finally:
        _open_mixtures.cache_clear()
    return [pairs[index] for index in range(count)]


def _nothing() -> None:
    """Mixing needs no preparation in a new process."""


@lru_cache(maxsize=1)
def _open_mixtures(data: Path, recipe: MixRecipe) -> tuple[TestMixtures, dict[str, str]]:
    mixtures = recipe.mixtures(load_prepared(data))
    return mixtures, _file_names(mixtures.ids)


def _write_one(data: Path, output: Path, recipe: MixRecipe, format: str, index: int) -> Pair:
    """Runs in a worker."""
    mixtures, names = _open_mixtures(data, recipe)
    mixture = mixtures[index]
    chosen = FORMATS[format]
    gain = fitting_gain(mixture.noisy, mixture.clean, highest=chosen.highest)
    noisy, clean = _paths(output, names[mixture.id], mixture.snr_db, chosen)
    for path, audio in ((noisy, mixture.noisy), (clean, mixture.clean)):
        chosen.write(path, audio * np.float32(gain), recipe.sample_rate)
    text = mixture.metadata.get("text")
    about = _about(mixture, recipe, gain_db=20 * math.log10(gain))
    return Pair(mixture.id, noisy, clean, str(text) if text else None, mixture.snr_db, about)


def fitting_gain(noisy: FloatArray, clean: FloatArray, *, highest: float) -> float:
    """What both are multiplied with so that neither has a peak above `highest`: 1 but for references that are louder
    than their mixtures, which happens where echoes or noise cancel peaks of the speech."""
    peak = max(float(np.abs(x).max(initial=0.0)) for x in (noisy, clean))
    return min(1.0, highest / peak) if peak > 0.0 else 1.0


def _about(mixture: TestMixture, recipe: MixRecipe, *, gain_db: float) -> dict[str, object]:
    """What the data says of the utterance, and what was drawn; what is not known is left out."""
    known = {name: value for name, value in mixture.metadata.items() if value is not None and name not in UNDERSTOOD}
    level_db = known.get("level_db")
    if isinstance(level_db, float):
        known["level_db"] = round(level_db + gain_db, 2)
    return {**known, "seed": recipe.seed, "sample_rate": recipe.sample_rate}


def _paths(output: Path, name: str, snr_db: float, format: Format) -> tuple[Path, Path]:
    file = f"{name}_{snr_db:g}dB{format.suffix}"
    return output / "noisy" / file, output / "clean" / file


def _file_names(ids: list[str]) -> dict[str, str]:
    """A path for each id, which it equals where any file system takes it, else with a hash at its end."""
    names = {name: "/".join(map(_safe, name.split("/"))) for name in ids}
    if len(names) < len(ids):
        repeated = sorted({name for name in ids if ids.count(name) > 1})
        raise DataError(f"Each utterance must have its own id, but these repeat: {repeated[:5]}.")
    return names


def _safe(part: str) -> str:
    if re.fullmatch(r"\w[\w.+-]*", part) and len(part.encode()) <= 120:
        return part
    kept = re.sub(r"[^\w+-]", "_", part)[:40]
    return f"{kept}-{hashlib.sha256(part.encode()).hexdigest()[:8]}"


def _complete(output: Path) -> list[Pair] | None:
    try:
        return read_pairs(output / LIST)
    except DataError:
        return None
