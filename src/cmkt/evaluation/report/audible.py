"""The audio of a test set, kept or made again: which mixtures can be heard, and how they sound. Shape: (T,)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, final

from cmkt.errors import CmktError
from cmkt.evaluation.record import CLEAN, NOISY
from cmkt.evaluation.report.made_audio import MadeAudio
from cmkt.evaluation.report.saved_audio import SavedAudio

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cmkt.evaluation.record import Item
    from cmkt.evaluation.report.sound import Audio
    from cmkt.evaluation.report.test_sets import TestSet

logger = logging.getLogger(__name__)


@final
class Audible:
    """Kept audio first; what was not kept is made again where that is possible."""

    def __init__(self, test_set: TestSet, *, allow_foreign: bool = False) -> None:
        self._test_set = test_set
        self._saved = SavedAudio(test_set)
        self._made = {
            evaluation.path: MadeAudio(evaluation, allow_foreign=allow_foreign) for evaluation in test_set.evaluations
        }
        self._refused: dict[str, str] = {}

    def refusal(self, system: str) -> str:
        """Why the audio of a system cannot be made again, "" where it can."""
        if system not in self._refused:
            made, name = self._maker(system)
            try:
                made.check(name)
            except (CmktError, ModuleNotFoundError) as error:
                self._refused[system] = str(error)
            else:
                self._refused[system] = ""
        return self._refused[system]

    def heard(self, items: Iterable[Item], system: str) -> set[Item]:
        """Those of the mixtures of which noisy speech and the system's output can be heard."""
        items = set(items)
        kept = {item for item in items if self._saved.has(item, NOISY) and self._saved.has(item, system)}
        return kept if kept == items or self.refusal(system) else items

    def get(self, item: Item, system: str) -> Audio | None:
        """The audio; None where it is neither kept nor can be made, with a warning where making it failed."""
        kept = self._saved.get(item, system)
        if kept is not None or self.refusal(system):
            return kept
        made, name = self._maker(system)
        try:
            return made.get(item, name)
        except CmktError as error:
            logger.warning("The audio of %s on %s was left out: %s", system, item.id, error)
            return None

    def _maker(self, system: str) -> tuple[MadeAudio, str]:
        """Noisy and clean come from the first evaluation of the test set."""
        if system in (NOISY, CLEAN) or system not in self._test_set.origins:
            return self._made[self._test_set.evaluations[0].path], system
        origin = self._test_set.origins[system]
        return self._made[origin.evaluation.path], origin.system
