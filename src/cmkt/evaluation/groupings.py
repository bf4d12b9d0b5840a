"""What mixtures are grouped by: SNR, who speaks, what noise, which room, and any other field of the data.

Numbers of many values become bands: ages and durations fixed ones, SNRs steps of 5 dB, other fields thirds of the
mixtures.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple, final

import numpy as np

from cmkt.errors import ConfigError
from cmkt.evaluation.noise_kind import NOISE_KIND, ROOM

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cmkt.evaluation.record import Item, Score

NOT_STATED: Final = "not stated"
EVERYTHING: Final = "all mixtures"
"""The grouping with one group of everything."""
SPEAKER: Final = "speaker"
AGE_BANDS: Final = ("child (under 13)", "teen (13-17)", "adult (18+)")
DURATION_BANDS: Final = ("under 2 s", "2 to 4 s", "4 to 8 s", "8 s or more")
MANY_NUMBERS: Final = 8
"""A field of more different numbers is cut into bands."""
SNR_STEP_DB: Final = 5


class Label(NamedTuple):
    """The group of a mixture; groups of lower rank come first in a table, those of equal rank by size."""

    rank: float
    group: str


@final
@dataclass(frozen=True, slots=True)
class Grouping:
    """The mixtures of each group, the groups in the order of a table, those of which the data say nothing last."""

    name: str
    groups: Mapping[str, tuple[Item, ...]]


Labels = Sequence[Label | None]


def find_groupings(scores: Sequence[Score], fields: Iterable[str] = ()) -> list[Grouping]:
    """All mixtures as one group, then a grouping for each field, without fields of which no mixture says anything.

    scores: one for each mixture. fields: names among `STANDARD` and the keys of `Score.about`, however they are cased
    and with "_" or " " between words; one that is named twice counts once.

    Raises: ConfigError where a field is none of these.
    """
    own = {key for score in scores for key in score.about}
    makers: dict[str, Callable[[Sequence[Score]], Labels]] = {
        EVERYTHING: lambda all_of: [Label(0, "all")] * len(all_of)
    }
    for field in fields:
        name = find_field(field, own)
        makers[name] = STANDARD[name] if name in STANDARD else _field(name)
    labelled = {name: make(scores) for name, make in makers.items()}
    return [
        _grouping(name, scores, labels)
        for name, labels in labelled.items()
        if name == EVERYTHING or any(label is not None for label in labels)
    ]


def find_field(field: str, own: Iterable[str]) -> str:
    """The name, among `STANDARD` and then those that only the data have, that `field` spells in its way.

    Raises: ConfigError where there is none, with those that there are.
    """
    names = [*STANDARD, *sorted(own)]
    for name in names:
        if plain_name(name) == plain_name(field):
            return name
    known = ", ".join(name.replace(" ", "_") if name in STANDARD else name for name in names)
    raise ConfigError(f"`group-by` must name fields of the data, but is {field!r}. There are: {known}.")


def plain_name(name: str) -> str:
    """The name of a field as it is compared: in lower case, with blanks between words."""
    return name.lower().replace("_", " ")


def _grouping(name: str, scores: Sequence[Score], labels: Labels) -> Grouping:
    found: dict[Label, list[Item]] = {}
    for score, label in zip(scores, labels, strict=True):
        found.setdefault(label or Label(math.inf, NOT_STATED), []).append(score.item)
    order = sorted(found, key=lambda label: (label.rank, -len(found[label]), label.group))
    return Grouping(name, {label.group: tuple(found[label]) for label in order})


def age_band(age: str | None) -> Label | None:
    """The band of an age in years; an age that is no number ("twenties") is a group of its own, none gives None.

    >>> [age_band(age).group for age in ("6", "13", "17.5", "18")]
    ['child (under 13)', 'teen (13-17)', 'teen (13-17)', 'adult (18+)']
    """
    if age is None or not age.strip():
        return None
    years = _number(age)
    if years is None:
        return Label(len(AGE_BANDS), age.strip())
    if not math.isfinite(years) or years < 0:
        return None
    return _band(AGE_BANDS, (years >= 13) + (years >= 18))


def duration_band(seconds: float) -> Label | None:
    """The band of a duration; None for one of 0, which a score that failed has."""
    return None if seconds <= 0 else _band(DURATION_BANDS, sum(seconds >= edge for edge in (2, 4, 8)))


def _band(bands: Sequence[str], place: int) -> Label:
    return Label(place, bands[place])


def number_labels(values: Sequence[str | None]) -> Labels | None:
    """Labels of a field whose values are all finite numbers: the numbers, or thirds where they are many. Else None."""
    numbers = [None if value is None else _number(value) for value in values]
    stated = [number for number in numbers if number is not None and math.isfinite(number)]
    if len(stated) < sum(value is not None for value in values) or not stated:
        return None
    if len(set(stated)) <= MANY_NUMBERS:
        return [None if number is None else Label(number, f"{number:g}") for number in numbers]
    low, high = (float(f"{edge:.3g}") for edge in np.quantile(stated, [1 / 3, 2 / 3]))
    bands = (f"up to {low:g}", f"{low:g} to {high:g}", f"above {high:g}")
    return [None if number is None else _band(bands, (number > low) + (number > high)) for number in numbers]


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _snr(scores: Sequence[Score]) -> Labels:
    known = {score.snr_db for score in scores if score.snr_db is not None}
    if len(known) <= MANY_NUMBERS:
        return [None if score.snr_db is None else Label(score.snr_db, f"{score.snr_db:g} dB") for score in scores]
    starts = [None if score.snr_db is None else SNR_STEP_DB * (score.snr_db // SNR_STEP_DB) for score in scores]
    return [None if start is None else Label(start, f"{start:g} to {start + SNR_STEP_DB:g} dB") for start in starts]


def _reverberation(scores: Sequence[Score]) -> Labels:
    """Data of which no mixture names a room may be recordings of any room."""
    if not any(score.about.get(ROOM) for score in scores):
        return [None] * len(scores)
    return [_band(("dry", "in a room"), bool(score.about.get(ROOM))) for score in scores]


def _noise_class(score: Score) -> str | None:
    return " + ".join(sorted(set(score.noise_classes))) or None


def _words(value: Callable[[Score], str | None]) -> Callable[[Sequence[Score]], Labels]:
    return lambda scores: [Label(0, group) if (group := value(score)) else None for score in scores]


def _field(key: str) -> Callable[[Sequence[Score]], Labels]:
    def labels(scores: Sequence[Score]) -> Labels:
        values = [score.about.get(key) or None for score in scores]
        numbers = number_labels(values)
        return numbers if numbers is not None else [Label(0, value) if value else None for value in values]

    return labels


STANDARD: Final[Mapping[str, Callable[[Sequence[Score]], Labels]]] = MappingProxyType(
    {
        "SNR": _snr,
        "language": _words(lambda score: score.language),
        "gender": _words(lambda score: score.gender),
        "age": lambda scores: [age_band(score.age) for score in scores],
        "duration": lambda scores: [duration_band(score.duration) for score in scores],
        "corpus": _words(lambda score: score.corpus),
        "reverberation": _reverberation,
        "noise kind": _words(lambda score: score.about.get(NOISE_KIND)),
        "noise class": _words(_noise_class),
        SPEAKER: _words(lambda score: score.speaker),
    }
)
"""What every evaluation is grouped by: the group of each of some mixtures, None where the data do not say."""
