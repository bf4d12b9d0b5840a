"""The audio that evaluations kept (`cmkt evaluate --save-audio`), by test set, mixture and system. Shape: (T,)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, final

from cmkt.audio.read import read_audio
from cmkt.errors import AudioError
from cmkt.evaluation.kept_audio import audio_path
from cmkt.evaluation.record import CLEAN, NOISY
from cmkt.evaluation.report.sound import Audio

if TYPE_CHECKING:
    from pathlib import Path

    from cmkt.evaluation.record import Item
    from cmkt.evaluation.report.test_sets import TestSet

logger = logging.getLogger(__name__)


@final
class SavedAudio:
    """What lies in the `audio` folders of the evaluations of a test set."""

    def __init__(self, test_set: TestSet) -> None:
        self._test_set = test_set

    def has(self, item: Item, system: str) -> bool:
        """Whether there is a file."""
        return self._path(item, system) is not None

    def get(self, item: Item, system: str) -> Audio | None:
        """The audio; None where there is none, or it cannot be read, with a warning."""
        path = self._path(item, system)
        if path is None:
            return None
        try:
            samples, sample_rate = read_audio(path)
        except AudioError as error:
            logger.warning("%s was left out: %s", path, error)
            return None
        return Audio(samples if samples.ndim == 1 else samples[0], sample_rate)

    def _path(self, item: Item, system: str) -> Path | None:
        """Noisy and clean are the same in all evaluations of a test set; a system's is where it was evaluated."""
        if system in (NOISY, CLEAN):
            places = [(evaluation.path, system) for evaluation in self._test_set.evaluations]
        elif system in self._test_set.origins:
            origin = self._test_set.origins[system]
            places = [(origin.evaluation.path, origin.system)]
        else:
            places = []
        paths = (audio_path(folder, item, name) for folder, name in places)
        return next((path for path in paths if path.is_file()), None)
