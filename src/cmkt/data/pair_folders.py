"""Test sets that come as folders: two folders of files, VoiceBank+DEMAND, the DNS Challenge, or what `cmkt mix` wrote.

Needs neither torch nor Lhotse.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import final

from cmkt.data.dns_challenge import pair_folders_below
from cmkt.data.pair_matching import pair_up
from cmkt.data.pairs import Pair, check_files, read_pairs
from cmkt.data.voicebank_demand import CORPUS, Logged, find_part, part_names, read_log, speaker
from cmkt.errors import ConfigError, DataError

logger = logging.getLogger(__name__)

LIST = "list.jsonl"
"""The name of the pair list in a folder that `cmkt mix` wrote."""


@final
@dataclass(frozen=True, slots=True)
class Layout:
    """One way in which a test set can lie below a folder.

    fits: whether a folder looks like it; read: its pairs, given the folder and where transcripts are.
    """

    title: str
    fits: Callable[[Path], bool]
    read: Callable[[Path, Path | None], list[Pair]]


def find_pairs(
    noisy: str | Path,
    clean: str | Path | None = None,
    *,
    transcripts: str | Path | None = None,
    layout: str = "auto",
) -> list[Pair]:
    """The pairs of two folders, or of one folder that holds a test set, checked as by `check_files`.

    With `clean`, files are matched by name (see `cmkt.data.pair_matching`). Without it, `layout` says what `noisy`
    holds: a name of LAYOUTS, or "auto" for the first that fits; the last, recordings without references, always does.
    `transcripts` is a table or a folder of .txt files.

    Raises DataError or AudioFileError where folders or files cannot be used, ConfigError for a layout that is none.
    """
    noisy, clean, transcripts = Path(noisy), _path(clean), _path(transcripts)
    if layout != "auto" and layout not in LAYOUTS:
        raise ConfigError(f"`layout` must be auto or one of {', '.join(LAYOUTS)}, but is {layout!r} instead.")
    if clean is not None:
        if layout not in ("auto", "folders"):
            raise ConfigError(f"`layout` must be folders where `clean` is given, but is {layout!r}. Leave one out.")
        pairs = pair_up(noisy, clean, transcripts=transcripts)
    else:
        if not noisy.is_dir():
            raise DataError(f"`noisy` must be a folder of audio files, but {noisy} is not a folder.")
        chosen = LAYOUTS[layout] if layout != "auto" else next(each for each in LAYOUTS.values() if each.fits(noisy))
        logger.info("%s is read as %s.", noisy, chosen.title)
        pairs = chosen.read(noisy, transcripts)
    for pair in pairs:
        check_files(pair, str(noisy))
    return pairs


def _path(path: str | Path | None) -> Path | None:
    return None if path is None else Path(path)


def _is_list(root: Path) -> bool:
    return (root / LIST).is_file()


def _read_list(root: Path, transcripts: Path | None) -> list[Pair]:
    if transcripts is not None:
        raise ConfigError(f"`transcripts` must be left out for {root}: its {LIST} has the texts.")
    return read_pairs(root / LIST)


def _is_voicebank_demand(root: Path) -> bool:
    return bool(part_names(root))


def _read_voicebank_demand(root: Path, transcripts: Path | None) -> list[Pair]:
    part = find_part(root)
    logged = read_log(part.log) if part.log is not None else {}
    pairs = pair_up(part.noisy, part.clean, transcripts=transcripts or part.texts)
    return [_as_voicebank_demand(pair, logged.get(pair.noisy.stem)) for pair in pairs]


def _as_voicebank_demand(pair: Pair, logged: Logged | None) -> Pair:
    about: dict[str, object] = {"speaker": speaker(pair.noisy.stem), "language": "en", "corpus": CORPUS}
    if logged is None:
        return replace(pair, about=about)
    return replace(pair, snr_db=logged.snr_db, about={**about, "noise_classes": [logged.noise]})


def _is_dns(root: Path) -> bool:
    return bool(pair_folders_below(root))


def _read_dns(root: Path, transcripts: Path | None) -> list[Pair]:
    folders = pair_folders_below(root)
    if not folders:
        raise DataError(f"{root} must hold the folders noisy and clean, itself or in no_reverb and with_reverb.")
    return [
        _in_condition(pair, condition)
        for condition, noisy, clean in folders
        for pair in pair_up(noisy, clean, transcripts=transcripts)
    ]


def _in_condition(pair: Pair, condition: str) -> Pair:
    """The room has no name in this corpus, so that of the condition stands for it."""
    if not condition:
        return pair
    room = {"rir_id": condition} if condition == "with_reverb" else {}
    return replace(pair, id=f"{condition}/{pair.id}", about={**pair.about, **room})


def _read_folder(root: Path, transcripts: Path | None) -> list[Pair]:
    return pair_up(root, transcripts=transcripts)


LAYOUTS: Mapping[str, Layout] = MappingProxyType(
    {
        "list": Layout("a set that cmkt mix wrote", _is_list, _read_list),
        "voicebank_demand": Layout(CORPUS, _is_voicebank_demand, _read_voicebank_demand),
        "dns": Layout("folders noisy and clean, as in the DNS Challenge", _is_dns, _read_dns),
        "folders": Layout("recordings without references", lambda root: True, _read_folder),
    }
)
"""Layouts by name, in the order in which they are tried."""
