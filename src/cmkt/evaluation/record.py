"""One line of an evaluation: the scores of one system on one mixture, and the file that keeps them.

The file is JSON Lines and only ever grows by whole lines, each flushed as it is written, so that an evaluation that
was stopped loses at most the line it was writing. A line that was computed again follows the older; the later holds,
unless it failed.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass, field, fields
from typing import IO, TYPE_CHECKING, Any, Final, NamedTuple, Self, final

from cmkt.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

logger = logging.getLogger(__name__)

SCORES = "scores.jsonl"
"""The name of the file in the folder of an evaluation."""

NOISY = "noisy"
"""The name of the system that does nothing: its output is the mixture."""

CLEAN = "clean"
"""The name of the reference itself, which only words are measured on: it is the best that an enhancer could do."""

ELSEWHERE: Final = frozenset(
    ("id", "text", "snr_db", "duration", "noise_ids", "noise_classes", "speaker", "language", "gender", "age", "corpus")
)
"""Fields of the data that a score has a place of its own for."""


class Item(NamedTuple):
    """What identifies a mixture within a test set: the utterance and the SNR in dB, None where it is not known."""

    id: str
    snr_db: float | None


@final
@dataclass(frozen=True, slots=True)
class Score:
    """The metrics of one system on one mixture.

    `weights` changes whenever the system's output could ("" for noisy); `data` and `seed` identify the test set.
    `metrics` holds values, `missing` the reason of each metric that has none. `error` is set where the system failed:
    then only what was measured before has a value, and the next evaluation tries again. Durations are in seconds.
    `sound` and `words` say how these were measured, None where they were not, and `chance` is the rate of guessing the
    sentence of this utterance. `text` is the transcript, `heard` what a recogniser made of the system's output,
    `transcriber` which one. `about` holds every other field of the data, as strings, that groups may be made of.
    """

    id: str
    snr_db: float | None
    system: str
    weights: str
    data: str
    seed: int
    duration: float
    noise_ids: tuple[str, ...] = ()
    noise_classes: tuple[str, ...] = ()
    speaker: str | None = None
    language: str | None = None
    gender: str | None = None
    age: str | None = None
    corpus: str | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    error: str | None = None
    sound: str | None = None
    words: str | None = None
    chance: float | None = None
    text: str | None = None
    heard: str | None = None
    transcriber: str | None = None
    about: dict[str, str] = field(default_factory=dict)

    @property
    def item(self) -> Item:
        """The mixture that was scored."""
        return Item(self.id, self.snr_db)

    def to_json(self) -> str:
        """One line of JSON without its line end; NaN cannot occur, because a missing metric has no value."""
        return json.dumps(asdict(self), ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, line: str) -> Self:
        """The score in one line.

        Raises: DataError where the line is not one of ours.
        """
        try:
            values = json.loads(line)
        except json.JSONDecodeError as error:
            raise DataError(f"A score must be one line of JSON, but is {line[:60]!r}: {error}.") from error
        if not isinstance(values, dict):
            raise DataError(f"A score must be a JSON object, but is {line[:60]!r}.")
        return cls(**_known_fields(values))


def _known_fields(values: dict[str, Any]) -> dict[str, Any]:
    required = ("id", "snr_db", "system", "weights", "data", "seed", "duration")
    absent = [name for name in required if name not in values]
    if absent:
        raise DataError(f"A score must have the fields {', '.join(required)}, but lacks {', '.join(absent)}.")
    known = {each.name: values[each.name] for each in fields(Score) if each.name in values}
    known["snr_db"] = None if known["snr_db"] is None else float(known["snr_db"])
    for name in ("noise_ids", "noise_classes"):
        known[name] = tuple(known.get(name, ()))
    return known


def other_fields(metadata: Mapping[str, object]) -> dict[str, str]:
    """What `Score.about` holds of the data: every field without a place of its own that has a value to group by."""
    return {
        name: ", ".join(strings(value))
        for name, value in metadata.items()
        if name not in ELSEWHERE and isinstance(value, (str, int, float, list, tuple))
    }


def strings(values: object) -> tuple[str, ...]:
    """A list, or a single value, as strings; None as none."""
    if values is None:
        return ()
    return tuple(str(value) for value in values) if isinstance(values, (list, tuple)) else (str(values),)


def load_scores(path: Path) -> list[Score]:
    """Every score in a file, in the order in which it was written.

    A line that is cut off or damaged is left out with a warning: the evaluation that wrote it computes it again.

    Raises: DataError where there is no such file.
    """
    if not path.is_file():
        raise DataError(f"`{path}` must be a file of scores, but does not exist. Write it with `cmkt evaluate`.")
    scores = []
    with path.open(encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                scores.append(Score.from_json(line))
            except DataError as error:
                logger.warning("%s, line %d was left out: %s", path, number, error)
    return scores


def latest(scores: Iterable[Score]) -> dict[tuple[str, Item], Score]:
    """The last score of each system on each mixture, keyed by (system, item).

    One that failed gives way to an earlier one of the same model and test set that did not.
    """
    found: dict[tuple[str, Item], Score] = {}
    for score in scores:
        before = found.get((score.system, score.item))
        if before is None or score.error is None or before.error is not None or _source(before) != _source(score):
            found[score.system, score.item] = score
    return found


def _source(score: Score) -> tuple[str, str, int]:
    return score.weights, score.data, score.seed


@final
class ScoreWriter:
    """Appends scores to a file, one flushed line at a time. A half line left by a kill is cut off first."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        _cut_half_line(path)
        self._file: IO[str] = path.open("a", encoding="utf-8", newline="\n")

    def write(self, score: Score) -> None:
        """Appends one line and hands it to the operating system."""
        self._file.write(score.to_json() + "\n")
        self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _cut_half_line(path: Path) -> None:
    if not path.exists():
        return
    with path.open("rb+") as file:
        content = file.read()
        if content and not content.endswith(b"\n"):
            file.truncate(content.rfind(b"\n") + 1)
