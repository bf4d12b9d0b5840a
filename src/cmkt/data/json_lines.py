"""Lists of one JSON object a line, and their fields. Needs neither torch nor Lhotse."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from cmkt.errors import DataError


def read_objects(path: Path) -> Iterator[tuple[str, dict[str, object]]]:
    """Where each object of a list stands ("a.jsonl, line 3"), and the object, in order; blank lines are passed over.

    Raises DataError for a file that cannot be read, and, naming it, for a line that is no JSON object.
    """
    for where, line in _lines(path):
        try:
            record = json.loads(line)
        except json.JSONDecodeError as error:
            raise DataError(f"{where} must be one JSON object, but is not: {error}") from error
        if not isinstance(record, dict):
            raise DataError(f"{where} must be a JSON object, but is {type(record).__name__} instead.")
        yield where, record


def string_field(record: Mapping[str, object], name: str, where: str) -> str | None:
    """The string of a field, None where it is missing or null. Raises DataError, starting with `where`, for others."""
    value = record.get(name)
    if value is None or isinstance(value, str):
        return value
    raise DataError(f"{where}: `{name}` must be a string, but is {value!r} instead.")


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    try:
        with path.open(encoding="utf-8-sig") as stream:
            for number, line in enumerate(stream, start=1):
                if line.strip():
                    yield f"{path}, line {number}", line
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} must be a readable list in UTF-8, but is not: {error}") from error
