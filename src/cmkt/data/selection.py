"""Which utterances are clean enough to be a target of training."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from cmkt.data.manifest import SPEECH_TO_FLOOR
from cmkt.errors import DataError

if TYPE_CHECKING:
    from lhotse import MonoCut

log = logging.getLogger(__name__)


def clean_enough(speech: Iterable[MonoCut], minimum_db: float, *, folder: str) -> list[MonoCut]:
    """The utterances whose `speech_to_floor_db` is at least `minimum_db`, in order; logs how many are left out.

    Raises DataError, naming the prepared folder, where a cut lacks the value or none is left.
    """
    cuts = list(speech)
    kept = [cut for cut in cuts if _measured(cut, folder) >= minimum_db]
    if not kept:
        highest = max((_measured(cut, folder) for cut in cuts), default=-math.inf)
        raise DataError(
            f"{folder} must hold speech at least {minimum_db:g} dB above its noise floor, but its cleanest utterance "
            f"has {highest:.1f} dB. Lower the minimum; its report.json says how the values are spread."
        )
    hours = (sum(cut.duration for cut in cuts) - sum(cut.duration for cut in kept)) / 3600
    log.info(
        "Left out %d of %d utterances (%.2f h) of %s: less than %g dB above their noise floor.",
        len(cuts) - len(kept),
        len(cuts),
        hours,
        folder,
        minimum_db,
    )
    return kept


def _measured(cut: MonoCut, folder: str) -> float:
    value = (cut.custom or {}).get(SPEECH_TO_FLOOR)
    if isinstance(value, int | float) and math.isfinite(value):
        return float(value)
    raise DataError(
        f"{folder} must say for every utterance how far it stands above its noise floor, but `{SPEECH_TO_FLOOR}` of "
        f"{cut.id} is {value!r} instead: an older version made the folder. Run `cmkt prepare` again."
    )
