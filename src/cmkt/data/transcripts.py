"""Transcripts that come with folders of audio: a table that names files, or a .txt beside each."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from cmkt.errors import DataError

_PATH_COLUMNS = ("file", "path", "audio", "filename")
_TEXT_COLUMNS = ("text", "transcript", "sentence")


def read_transcripts(table: str | Path) -> dict[str, str]:
    """File name as written in the table to its text. CSV, or TSV for .tsv and .txt; a header row with `file`, `text`.

    Raises DataError when it cannot be read or lacks the columns, when a line has more fields than columns (a comma in a
    text that is not quoted), and when two lines give a file different texts.
    """
    source = Path(table)
    try:
        with source.open(encoding="utf-8-sig", newline="") as stream:
            tabs = source.suffix.lower() != ".csv"
            # In TSV a quotation mark is a character of the text: corpora such as Common Voice do not quote.
            rows = csv.DictReader(
                stream, delimiter="\t" if tabs else ",", quoting=csv.QUOTE_NONE if tabs else csv.QUOTE_MINIMAL
            )
            header = rows.fieldnames or []
            names = {name.strip().lower(): name for name in header if name}
            path_column = next((names[name] for name in _PATH_COLUMNS if name in names), None)
            text_column = next((names[name] for name in _TEXT_COLUMNS if name in names), None)
            if path_column is None or text_column is None:
                raise DataError(
                    f"{source} must have the columns `file` and `text`, but has {', '.join(header) or 'none'} instead."
                )
            texts: dict[str, str] = {}
            for row in rows:
                if None in row:
                    raise DataError(
                        f"{source}, line {rows.line_num} must have {len(header)} fields, but has more. "
                        "Put a text that holds a comma into quotation marks, or use a TSV."
                    )
                name, text = row[path_column], row[text_column] or ""
                if name and texts.setdefault(name, text) != text:
                    raise DataError(f"{source} must have one text for each file, but has two for {name!r}.")
            return texts
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{source} must be a CSV or TSV table in UTF-8, but cannot be read: {error}") from error


def listed_name(transcripts: Mapping[str, str], path: Path, relative: Path) -> str | None:
    """By which name a table knows a file: its path below the folder or its name, each with or without its suffix."""
    names = (relative.as_posix(), relative.with_suffix("").as_posix(), str(path), path.name, path.stem)
    return next((name for name in names if name in transcripts), None)


def text_beside(path: Path) -> str | None:
    """The text of the .txt beside a file, None where there is none. Raises DataError where it is not UTF-8."""
    beside = path.with_suffix(".txt")
    try:
        return beside.read_text(encoding="utf-8-sig") if beside.is_file() else None
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{beside} must be a transcript in UTF-8, but cannot be read: {error}") from error
