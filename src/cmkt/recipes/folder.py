"""A corpus that is only folders of audio files: no list, perhaps transcripts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from cmkt.audio.files import find_audio
from cmkt.data.entry import Entry, Kind
from cmkt.data.transcripts import listed_name, read_transcripts, text_beside
from cmkt.errors import DataError

Split = dict[Kind, list[Entry]]


def speech_entries(folder: str | Path, *, transcripts: str | Path | None = None) -> list[Entry]:
    """Every audio file below a folder as speech.

    The id is the path below the folder without its suffix; the speaker is the parent folder (none for files that lie
    in the folder itself); the text is from the table, else from a .txt beside the file, else None.

    Raises DataError when a table is given of which no row names a file of the folder, or one names two files.
    """
    table = read_transcripts(transcripts) if transcripts is not None else {}
    entries: list[Entry] = []
    named: dict[str, Path] = {}
    for path, relative in _audio_below(folder):
        name = listed_name(table, path, relative)
        if name is not None and (other := named.setdefault(name, path)) != path:
            raise DataError(
                f"{transcripts} must say which file a text is of, but {name!r} names two files, {other} and {path}. "
                f"Write names relative to {folder}."
            )
        entries.append(
            Entry(
                id=relative.with_suffix("").as_posix(),
                path=path,
                text=table[name] if name is not None else text_beside(path),
                speaker=relative.parent.as_posix() if relative.parent != Path() else None,
            )
        )
    if table and not named:
        raise DataError(
            f"{transcripts} must name files of {folder}, but names none of its {len(entries)}. "
            f"It has names such as {next(iter(table))!r}, the folder such as {entries[0].id!r}."
        )
    return entries


def noise_entries(folder: str | Path) -> list[Entry]:
    """Every audio file below a folder as noise; its class is its parent folder, "noise" in the folder itself."""
    return [
        Entry(
            id=relative.with_suffix("").as_posix(),
            path=path,
            custom={"class": relative.parent.as_posix() if relative.parent != Path() else "noise"},
        )
        for path, relative in _audio_below(folder)
    ]


def rir_entries(folder: str | Path) -> list[Entry]:
    """Every audio file below a folder as a room impulse response."""
    return [Entry(id=relative.with_suffix("").as_posix(), path=path) for path, relative in _audio_below(folder)]


def _audio_below(folder: str | Path) -> list[tuple[Path, Path]]:
    if not Path(folder).is_dir():
        raise DataError(f"`{folder}` must be a folder of audio files, but is not a folder.")
    return find_audio([folder])


def _split_groups(entries: Sequence[Entry], groups: Sequence[str], fraction: float, seed: int) -> set[str]:
    """The groups that go to dev: whole groups in random order until their entries reach the fraction; one stays."""
    sizes = {name: groups.count(name) for name in dict.fromkeys(groups)}
    order = [sorted(sizes)[index] for index in np.random.default_rng(seed).permutation(len(sizes))]
    wanted = math.ceil(fraction * len(entries))
    chosen: set[str] = set()
    for name in order[:-1]:
        if sum(sizes[one] for one in chosen) >= wanted:
            break
        chosen.add(name)
    return chosen


def _split_kind(kind: Kind, entries: Sequence[Entry], fraction: float, seed: int) -> tuple[list[Entry], list[Entry]]:
    groups = [entry.id for entry in entries]
    if kind == "speech":
        speakers = [entry.speaker or "" for entry in entries]
        groups = speakers if len(set(speakers)) > 1 else groups
    dev = _split_groups(entries, groups, fraction, seed)
    if not dev:
        return list(entries), list(entries)
    train = [entry for entry, group in zip(entries, groups, strict=True) if group not in dev]
    return train, [entry for entry, group in zip(entries, groups, strict=True) if group in dev]


def split_dev(entries: Mapping[Kind, Sequence[Entry]], fraction: float, *, seed: int = 0) -> tuple[Split, Split]:
    """(train, dev): about `fraction` of the files of every kind go to dev, and nothing is in both.

    Speakers are kept apart where there are several; then dev may be larger than asked. The only exception: a kind of
    which there is a single recording is in both.

    Raises DataError unless 0 < fraction < 1, and when there is only one speech file.
    """
    if not 0.0 < fraction < 1.0:
        raise DataError(f"the dev fraction must be between 0 and 1, but is {fraction} instead.")
    if len(entries["speech"]) < 2:
        raise DataError("a dev split needs at least 2 speech files, but there is 1. Use a dev fraction of 0.")
    train: Split = {}
    dev: Split = {}
    for kind, listed in entries.items():
        train[kind], dev[kind] = _split_kind(kind, listed, fraction, seed)
    return train, dev
