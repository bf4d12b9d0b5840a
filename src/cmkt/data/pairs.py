"""Pair lists: test sets of noisy recordings with or without their clean references, one JSON object a line.

    {"id": "p232_001", "noisy": "noisy/p232_001.wav", "clean": "clean/p232_001.wav", "text": "...", "snr_db": 2.5, ...}

`noisy` is required; it and `clean` are paths, absolute or relative to the folder of the list. `id` is the path of
`noisy` without its suffix where it is left out. `clean`, `text` and `snr_db` (dB) may be left out or null. Every other
field (speaker, language, noise_classes, ...) travels along. One utterance may come at several SNRs under one id: the
pair of both is unique. Needs neither torch nor Lhotse.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cmkt.audio.read import audio_info
from cmkt.audio.write import write_text
from cmkt.data.json_lines import read_objects, string_field
from cmkt.errors import AudioFileError, DataError

UNDERSTOOD = ("id", "noisy", "clean", "text", "snr_db")
"""The fields of a list that are not `about`."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One noisy recording of a test set.

    clean: its reference, None where there is none; text: its transcript; snr_db: None where it is not known; about:
    any other field of the data, JSON values.
    """

    id: str
    noisy: Path
    clean: Path | None = None
    text: str | None = None
    snr_db: float | None = None
    about: Mapping[str, object] = field(default_factory=dict)


def read_pairs(path: str | Path) -> list[Pair]:
    """The pairs of a list, in its order, their files checked as by `check_files`.

    Raises DataError, naming the line, for a list that cannot be read or parsed, or holds nothing, for an (id, SNR) that
    comes twice, and for files that cannot be a pair.
    """
    source = Path(path)
    pairs: list[Pair] = []
    lines: dict[tuple[str, float | None], str] = {}
    for where, record in read_objects(source):
        pair = _pair(record, source.parent, where)
        key = (pair.id, pair.snr_db)
        if key in lines:
            raise DataError(
                f"{where}: `id` and `snr_db` must be unique together, but {_named(key)} is {lines[key]} too. "
                "Give each recording an id of its own."
            )
        lines[key] = where
        check_files(pair, where)
        pairs.append(pair)
    if not pairs:
        raise DataError(f"{source} must hold at least one pair, but is empty.")
    return pairs


def write_pairs(path: str | Path, pairs: Iterable[Pair]) -> None:
    """Writes a list that `read_pairs` reads; it appears whole or not at all.

    Files below the folder of the list are named relative to it, so that the folder can be moved, all others absolutely.

    Raises DataError where `about` has a field that a list understands, or a value that is not JSON.
    """
    target = Path(path)
    base = os.path.abspath(target.parent)
    write_text(target, "".join(_line(pair, base) + "\n" for pair in pairs))


def check_files(pair: Pair, where: str) -> None:
    """Checks what the headers of the files say; `where` is what a message starts with, such as a list and its line.

    Lengths are compared when the audio is read, see `cmkt.data.pair_audio`, so that one bad file costs one utterance.

    Raises DataError where a file is missing or unreadable, has several channels, or the two differ in sample rate.
    """
    rates = {}
    for name, path in (("noisy", pair.noisy), ("clean", pair.clean)):
        if path is None:
            continue
        try:
            info = audio_info(path)
        except AudioFileError as error:
            raise DataError(f"{where}: `{name}` of {pair.id} cannot be used: {error}") from error
        if info.channels != 1:
            raise DataError(
                f"{where}: `{name}` of {pair.id} must have one channel, but {path} has {info.channels}. "
                "Write each channel to a file of its own, or only the one to be scored."
            )
        rates[name] = info.sample_rate
    if len(set(rates.values())) > 1:
        raise DataError(
            f"{where}: `noisy` and `clean` of {pair.id} must have the same sample rate, but have {rates['noisy']} and "
            f"{rates['clean']} Hz. Resample one of them."
        )


def _pair(record: Mapping[str, object], base: Path, where: str) -> Pair:
    """A string that is empty counts as missing."""
    noisy, clean = (string_field(record, name, where) for name in ("noisy", "clean"))
    if not noisy:
        raise DataError(f"{where}: `noisy` must be the path of a file, but is missing. Found: {', '.join(record)}.")
    return Pair(
        id=string_field(record, "id", where) or Path(noisy).with_suffix("").as_posix(),
        noisy=base / noisy,
        clean=base / clean if clean else None,
        text=string_field(record, "text", where) or None,
        snr_db=_snr_db(record, where),
        about={name: value for name, value in record.items() if name not in UNDERSTOOD},
    )


def _snr_db(record: Mapping[str, object], where: str) -> float | None:
    value = record.get("snr_db")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise DataError(f"{where}: `snr_db` must be a number of dB or null, but is {value!r} instead.")
    return float(value)


def _named(key: tuple[str, float | None]) -> str:
    return f"{key[0]} without an SNR" if key[1] is None else f"{key[0]} at {key[1]:g} dB"


def _line(pair: Pair, base: str) -> str:
    if taken := sorted(set(UNDERSTOOD) & set(pair.about)):
        raise DataError(f"`about` of {pair.id} must not have fields of the pair itself, but has {', '.join(taken)}.")
    record = {
        "id": pair.id,
        "noisy": _relative(pair.noisy, base),
        "clean": None if pair.clean is None else _relative(pair.clean, base),
        "text": pair.text,
        "snr_db": pair.snr_db,
        **pair.about,
    }
    try:
        return json.dumps(record, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise DataError(f"the fields of {pair.id} must be JSON values, but one is not: {error}") from error


def _relative(path: Path, base: str) -> str:
    absolute = Path(os.path.abspath(path))
    return (absolute.relative_to(base) if absolute.is_relative_to(base) else absolute).as_posix()
