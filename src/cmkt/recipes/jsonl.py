"""Corpora given as lists: one JSON object a line.

`audio` (a path, absolute or relative to the root) is required. `id`, `duration` (s), `text`, `speaker`, `language`,
`gender` and, for noise, `class` are understood; every other field travels along in the cut's `custom`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from cmkt.data.draw import share
from cmkt.data.entry import Entry
from cmkt.data.json_lines import read_objects, string_field
from cmkt.errors import DataError

_UNDERSTOOD = frozenset({"id", "audio", "duration", "text", "speaker", "language", "gender"})


def _entry(record: Mapping[str, object], root: Path, where: str) -> Entry:
    audio = string_field(record, "audio", where)
    if not audio:
        raise DataError(f"{where}: `audio` must be the path of a file, but is missing. Found: {', '.join(record)}.")
    duration = record.get("duration")
    if isinstance(duration, bool) or not (duration is None or isinstance(duration, int | float)):
        raise DataError(f"{where}: `duration` must be a number of seconds, but is {duration!r} instead.")
    return Entry(
        id=string_field(record, "id", where) or str(Path(audio).with_suffix("")),
        path=root / audio,
        duration=None if duration is None else float(duration),
        text=string_field(record, "text", where),
        speaker=string_field(record, "speaker", where),
        language=string_field(record, "language", where),
        gender=string_field(record, "gender", where),
        custom={name: value for name, value in record.items() if name not in _UNDERSTOOD},
    )


def _compile(name: str, pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern, re.DOTALL)
    except re.error as error:
        raise DataError(f"`{name}` must be a regular expression, but is {pattern!r} instead: {error}") from error


def read_list(
    path: str | Path,
    *,
    root: str | Path | None = None,
    ids: str | None = None,
    part: tuple[float, float] = (0.0, 1.0),
    group: str | None = None,
) -> list[Entry]:
    """The entries of a list, in its order.

    root: what `audio` is relative to, the list's own folder when not given. ids: a regular expression that must be
    found in the id of an entry that is taken. part: (from, to) in [0, 1]; an entry is taken when the hash of its id
    falls in this part, so (0, 0.9) and (0.9, 1) are disjoint, together everything, and stable when lines are added.
    group: a regular expression; ids in which it finds the same text (its first match) are hashed as one, so that
    excerpts of one recording never fall on both sides; an id without a match stands alone.

    Raises DataError for a list that cannot be read or parsed, naming the line, and for a part or pattern that is none.
    """
    source = Path(path)
    lower, upper = part
    if not 0.0 <= lower < upper <= 1.0:
        raise DataError(f"a part must be FROM-TO with 0 <= FROM < TO <= 1, but is {lower}-{upper} instead.")
    pattern, together = _compile("ids", ids or ""), _compile("group", group or "^.*$")
    base = Path(root) if root is not None else source.parent
    entries: list[Entry] = []
    for where, record in read_objects(source):
        entry = _entry(record, base, where)
        match = together.search(entry.id)
        if pattern.search(entry.id) and lower <= share(match.group() if match else entry.id) < upper:
            entries.append(entry)
    return entries
