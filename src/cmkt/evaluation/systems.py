"""What is scored: noisy and clean speech, models (`evaluated_model`), folders of others' output (`enhanced_folder`).

Shapes: T samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, final

from cmkt.errors import ConfigError, DataError
from cmkt.evaluation.enhanced_folder import find_enhanced
from cmkt.evaluation.evaluated_model import warn_of_band
from cmkt.evaluation.pair_set import PairSet
from cmkt.evaluation.record import CLEAN, NOISY
from cmkt.evaluation.system_names import check_names, system_names

if TYPE_CHECKING:
    from cmkt.evaluation.evaluated_model import Model
    from cmkt.evaluation.held_out import HeldOut, HeldOutMixture
    from cmkt.types import FloatArray


class System(Protocol):
    """Something to score. Hashable and picklable.

    name: as in tables; source: where it is, None for noisy and clean; weights: changes whenever its output could.
    """

    @property
    def name(self) -> str: ...
    @property
    def source(self) -> str | None: ...
    @property
    def weights(self) -> str: ...

    def described(self) -> dict[str, object]:
        """What it is, where, and how it is run, as JSON values."""

    def estimate(self, mixture: HeldOutMixture) -> FloatArray:
        """Its output on a mixture, (T,), as long and of the same rate.

        Raises: CmktError where it has none.
        """


@final
@dataclass(frozen=True, slots=True)
class Noisy:
    """The mixture as it is."""

    name: str = NOISY
    source: None = None
    weights: str = ""

    def described(self) -> dict[str, object]:
        """As `System.described`."""
        return {"kind": "noisy"}

    def estimate(self, mixture: HeldOutMixture) -> FloatArray:
        """The noisy speech."""
        return mixture.noisy


@final
@dataclass(frozen=True, slots=True)
class Clean:
    """The reference itself, which only words are measured on."""

    name: str = CLEAN
    source: None = None
    weights: str = ""

    def described(self) -> dict[str, object]:
        """As `System.described`."""
        return {"kind": "clean"}

    def estimate(self, mixture: HeldOutMixture) -> FloatArray:
        """The reference. Raises DataError where there is none."""
        if mixture.clean is None:
            raise DataError(f"{mixture.item.id} has no clean reference.")
        return mixture.clean


def find_systems(
    held_out: HeldOut,
    *,
    models: Sequence[Model] = (),
    enhanced: Sequence[str] = (),
    sample_rate: int | None = None,
) -> list[System]:
    """Noisy, the models, and the folders, each spelt `DIR` or `NAME=DIR`.

    Raises: ConfigError where a folder cannot be used, or systems cannot be told apart.
    """
    named = [split_name(spelling) for spelling in enhanced]
    unnamed = iter(system_names([str(folder) for name, folder in named if name is None]))
    names = [next(unnamed) if name is None else name for name, _ in named]
    check_names([*(model.name for model in models), *names])
    if enhanced and not isinstance(held_out, PairSet):
        raise ConfigError(
            "`enhanced` must belong to files, but the mixtures of a prepared folder are made on the fly. Write them "
            "with `cmkt mix`, enhance these, and evaluate with --pairs."
        )
    warn_of_band(models, held_out.sample_rates)
    folders = [
        find_enhanced(folder, name, held_out, sample_rate=sample_rate)
        for name, (_, folder) in zip(names, named, strict=True)
        if isinstance(held_out, PairSet)
    ]
    return [Noisy(), *models, *folders]


def split_name(spelling: str) -> tuple[str | None, Path]:
    """`(name, folder)` of "NAME=DIR", `(None, folder)` of "DIR" and of a folder whose name has an equals sign."""
    name, sign, folder = spelling.partition("=")
    if not sign or Path(spelling).is_dir():
        return None, Path(spelling)
    if not name or not folder:
        raise ConfigError(f"`enhanced` must be DIR or NAME=DIR, but is {spelling!r}.")
    return name, Path(folder)
