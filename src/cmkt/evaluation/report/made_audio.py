"""Audio that an evaluation did not keep, made again from the data and the systems that its `evaluation.json` names.

Only where both are what they were: the fingerprints of data and model must agree. Shapes: (T,).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from cmkt.errors import DataError
from cmkt.evaluation.enhanced_folder import find_enhanced
from cmkt.evaluation.evaluated_model import find_models
from cmkt.evaluation.pair_set import PairFolders, PairList, PairSet
from cmkt.evaluation.record import CLEAN, NOISY
from cmkt.evaluation.report.sound import Audio

if TYPE_CHECKING:
    from cmkt.evaluation.held_out import HeldOut, Source
    from cmkt.evaluation.record import Item
    from cmkt.evaluation.report.sources import Evaluation
    from cmkt.evaluation.systems import System


@final
class MadeAudio:
    """The mixtures of an evaluation and what its systems make of them; opened when first asked."""

    def __init__(self, evaluation: Evaluation, *, allow_foreign: bool = False) -> None:
        self._evaluation = evaluation
        self._allow_foreign = allow_foreign
        self._systems: dict[str, System] = {}

    def check(self, system: str) -> None:
        """Opens the test set and a system (any name but noisy and clean is one of the evaluation).

        Raises: CmktError or ModuleNotFoundError with the reason where it cannot be made again.
        """
        _ = self._held_out
        if system not in (NOISY, CLEAN) and system not in self._systems:
            self._systems[system] = self._open(system)

    def get(self, item: Item, system: str) -> Audio | None:
        """The audio; None where the mixture is not in the test set, or has no reference.

        Raises: as `check`, and CmktError where the system fails on it.
        """
        self.check(system)
        index = self._places.get(item)
        if index is None:
            return None
        mixture = self._held_out.mixture(index)
        if system in (NOISY, CLEAN):
            samples = mixture.noisy if system == NOISY else mixture.clean
            return None if samples is None else Audio(samples, mixture.sample_rate)
        return Audio(self._systems[system].estimate(mixture), mixture.sample_rate)

    @cached_property
    def _held_out(self) -> HeldOut:
        test_set = self._part("test_set")
        held_out = _source(test_set).open(
            seed=int(test_set.get("seed", 0)), limit=None, sample_rate=self._evaluation.description.get("sample_rate")
        )
        if held_out.fingerprint() != test_set.get("fingerprint"):
            raise DataError(f"The test set at {test_set.get('path')} has changed since it was evaluated.")
        return held_out

    @cached_property
    def _places(self) -> dict[Item, int]:
        return {item: index for index, item in enumerate(self._held_out.items)}

    def _open(self, system: str) -> System:
        described = self._part("systems", system)
        source = described.get("source")
        if not isinstance(source, str):
            raise DataError(f"Where {system} is was not written down.")
        found: System
        if described.get("kind") == "enhanced":
            held_out = self._held_out
            if not isinstance(held_out, PairSet):
                raise DataError(f"{system} is a folder of files, but the test set is none.")
            rate = self._evaluation.description.get("sample_rate")
            found = find_enhanced(Path(source), system, held_out, sample_rate=rate)
        else:
            (found,) = find_models([source], device=described.get("device"), allow_foreign=self._allow_foreign)
        if found.weights != described.get("weights"):
            raise DataError(f"{system} at {source} has changed since it was evaluated.")
        return found

    def _part(self, *names: str) -> Mapping[str, Any]:
        found: Any = self._evaluation.description
        for name in names:
            found = found.get(name) if isinstance(found, Mapping) else None
        if not isinstance(found, Mapping):
            raise DataError(f"{self._evaluation.path} does not say its {' '.join(names)}.")
        return found


def _source(test_set: Mapping[str, Any]) -> Source:
    kind, path = test_set.get("kind"), test_set.get("path")
    if not isinstance(path, str):
        raise DataError("Where the test set is was not written down.")
    if kind == "pairs":
        return PairList(Path(path))
    if kind == "folders":
        clean, transcripts = (
            None if test_set.get(key) is None else Path(str(test_set[key])) for key in ("clean", "transcripts")
        )
        return PairFolders(Path(path), clean, transcripts)
    if kind == "prepared":
        from cmkt.evaluation.prepared_set import PreparedFolder

        return PreparedFolder(Path(path), tuple(float(snr_db) for snr_db in test_set.get("snrs_db", ())))
    raise DataError(f"The test set is of a kind that is not known here: {kind!r}.")
