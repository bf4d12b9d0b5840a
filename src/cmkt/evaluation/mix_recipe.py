"""What a fixed test set is made from and how, and whether a folder may become or already is that set."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, final

from cmkt.audio.check import check_rate
from cmkt.audio.files import check_output_folder
from cmkt.audio.write import write_json
from cmkt.data.plan import plain_settings
from cmkt.data.testset import TestMixtures
from cmkt.errors import ConfigError, DataError

if TYPE_CHECKING:
    from lhotse import MonoCut

    from cmkt.data.manifest import Prepared

RECIPE = "recipe.json"
"""The name of the file in the folder of a set."""


@final
@dataclass(frozen=True, slots=True)
class MixRecipe:
    """How the utterances of a prepared folder are mixed with its noise.

    snrs_db: each utterance comes at each; sample_rate in Hz; limit: so many utterances, chosen by the hash of their
    ids; reverb_probability: how many are played in one of its rooms, the reference then has the reflections of the
    first 50 ms. With 0 these are the mixtures of `cmkt evaluate --data`.
    """

    snrs_db: tuple[float, ...] = (-5.0, 0.0, 5.0, 10.0)
    seed: int = 0
    sample_rate: int = 16_000
    limit: int | None = None
    reverb_probability: float = 0.0

    def __post_init__(self) -> None:
        """Raises ConfigError or AudioError for a value that cannot work."""
        check_rate(self.sample_rate)
        if not self.snrs_db or len(set(self.snrs_db)) != len(self.snrs_db) or not all(map(math.isfinite, self.snrs_db)):
            raise ConfigError(f"`snr` must name at least one SNR, finite and each once, but is {self.snrs_db}.")
        if not 0.0 <= self.reverb_probability <= 1.0:
            raise ConfigError(f"`reverb` must be a probability in [0, 1], but is {self.reverb_probability} instead.")

    def mixtures(self, prepared: Prepared) -> TestMixtures:
        """The mixtures of a prepared folder. Raises DataError where it lacks noise, or rooms that are asked for."""
        if self.reverb_probability > 0.0 and prepared.rir is None:
            raise DataError(
                f"{prepared.directory} must hold room impulse responses for reverberation, but holds none. "
                "Prepare it with --rir, or leave --reverb out."
            )
        return TestMixtures(
            prepared,
            snrs_db=self.snrs_db,
            sample_rate=self.sample_rate,
            seed=self.seed,
            settings=replace(plain_settings(), reverb_probability=self.reverb_probability),
            limit=self.limit,
        )

    def describe(self, prepared: Prepared, *, format: str) -> dict[str, object]:
        """Everything that the bytes of a set depend on, as JSON values, and no path."""
        return {
            "cmkt": version("cmkt"),
            "data": _content(prepared),
            "snr_db": list(self.snrs_db),
            "seed": self.seed,
            "sample_rate": self.sample_rate,
            "limit": self.limit,
            "reverb_probability": self.reverb_probability,
            "format": format,
        }


def claim(output: Path, described: Mapping[str, object]) -> None:
    """Makes `output` the folder of a set by writing its recipe there; what a killed process left unfinished is deleted.

    Raises:
        ConfigError: the folder holds anything else, or a set that was made in another way.
    """
    check_output_folder(output)
    if output.is_dir() and any(output.iterdir()):
        before = _read_recipe(output)
        if differing := [name for name, value in described.items() if before.get(name) != value]:
            changes = ", ".join(f"{name} was {before.get(name)} and is {described[name]}" for name in differing)
            raise ConfigError(f"{output} must be empty or hold the same test set, but holds another: {changes}.")
        for unfinished in output.rglob(".*.part.*"):
            unfinished.unlink(missing_ok=True)
    output.mkdir(parents=True, exist_ok=True)
    write_json(output / RECIPE, described)


def _read_recipe(output: Path) -> dict[str, object]:
    path = output / RECIPE
    if not path.is_file():
        raise ConfigError(f"{output} must be empty or hold the same test set, but holds other files. Name another.")
    try:
        recipe = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigError(f"{path} must be a recipe in JSON, but is not: {error}. Name another folder.") from error
    return recipe if isinstance(recipe, dict) else {}


def _content(prepared: Prepared) -> str:
    """16 hex digits that change with any cut, and not with the place where its file lies."""
    digest = hashlib.sha256()
    for kind, cuts in (("speech", prepared.speech), ("noise", prepared.noise), ("rir", prepared.rir)):
        for cut in cuts or ():
            digest.update(json.dumps([kind, *_cut_content(cut)], sort_keys=True, default=str).encode())
    return digest.hexdigest()[:16]


def _cut_content(cut: MonoCut) -> list[object]:
    spoken = [[each.text, each.speaker, each.language, each.gender] for each in cut.supervisions]
    return [cut.id, cut.start, cut.duration, cut.channel, cut.sampling_rate, spoken, cut.custom]
