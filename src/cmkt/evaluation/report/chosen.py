"""Which mixtures a report shows: those that a system helped most and least, by STOI and by words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, final

from cmkt.evaluation.record import NOISY, Item
from cmkt.metrics.about import about

if TYPE_CHECKING:
    from cmkt.evaluation.report.test_sets import TestSet

SOUND: Final = ("stoi", "estoi", "pesq_wb", "si_sdr", "dnsmos_ovrl")
"""The first of these that was measured says which sounds are worst and best."""
WORDS: Final = ("wer", "cer", "word_margin")
"""The same for words."""


@final
@dataclass(frozen=True, slots=True)
class Reason:
    """Why a mixture is shown: its `rank` (1 is the first) among `count` by what the system changed in a metric."""

    metric: str
    kind: Literal["best", "worst"]
    rank: int
    count: int
    difference: float


@final
@dataclass(frozen=True, slots=True)
class Chosen:
    """A mixture and why it is shown."""

    item: Item
    reasons: tuple[Reason, ...]


def choose(
    test_set: TestSet, system: str, *, each: int, usable: Callable[[Item], bool] = lambda _: True
) -> list[Chosen]:
    """The `each` worst and best mixtures by sound, then by words; one mixture of an utterance for each reason.

    The worst first. usable: which may be chosen, such as those whose audio is there.
    """
    found: dict[Item, list[Reason]] = {}
    for candidates in (SOUND, WORDS):
        metric = next((name for name in candidates if _differences(test_set, system, name)), None)
        if metric is not None:
            for reason, item in _extremes(_differences(test_set, system, metric), metric, each, usable):
                found.setdefault(item, []).append(reason)
    return [Chosen(item, tuple(reasons)) for item, reasons in found.items()]


def _differences(test_set: TestSet, system: str, metric: str) -> dict[Item, float]:
    noisy, own = test_set.of(NOISY), test_set.of(system)
    return {
        item: own[item].metrics[metric] - noisy[item].metrics[metric]
        for item in own
        if item in noisy and metric in own[item].metrics and metric in noisy[item].metrics
    }


def _extremes(
    differences: dict[Item, float], metric: str, each: int, usable: Callable[[Item], bool]
) -> list[tuple[Reason, Item]]:
    sign = 1 if about(metric).higher_is_better else -1
    ranked = sorted(differences, key=lambda item: (sign * differences[item], item.id, item.snr_db or 0.0))
    taken: set[str] = set()
    found = []
    for kind, order in (("worst", ranked), ("best", ranked[::-1])):
        own = _first_of_each_utterance([item for item in order if usable(item)], each, taken)
        for item in own:
            reason = Reason(metric, kind, order.index(item) + 1, len(ranked), differences[item])  # type: ignore[arg-type]
            found.append((reason, item))
    return found


def _first_of_each_utterance(items: Sequence[Item], count: int, taken: set[str]) -> list[Item]:
    """The first `count` items of utterances that are not `taken` yet, which they then are."""
    found: list[Item] = []
    for item in items:
        if len(found) == count:
            break
        if item.id not in taken:
            taken.add(item.id)
            found.append(item)
    return found
