"""Which clean file belongs to which noisy one, in two folders, and which text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from cmkt.audio.files import find_audio
from cmkt.data.dns_challenge import parse_name
from cmkt.data.pairs import Pair
from cmkt.data.transcripts import listed_name, read_transcripts, text_beside
from cmkt.errors import DataError

Located = tuple[Path, Path]
"""A file, and its path below the folder that was named."""


def pair_up(noisy: Path, clean: Path | None = None, *, transcripts: Path | None = None) -> list[Pair]:
    """A pair for each audio file below `noisy`, sorted; its id is its path below the folder without its suffix.

    The clean file has the same path below its folder, or the same name in another folder, or ends in the same
    `fileid_N` (DNS Challenge, whose names also tell the SNR): the first of these that fits any file is taken for all.
    Suffixes may differ, and one clean file may belong to several noisy ones. `transcripts`: a table (see
    `cmkt.data.transcripts`) or a folder of .txt files; without it, a .txt beside the noisy or the clean file.

    Raises DataError where a folder is not one, files cannot be told apart, or any lacks its reference; AudioFileError
    where a folder holds no audio.
    """
    found = _files(noisy, "noisy")
    ids = [_path_key(relative) for _, relative in found]
    if repeated := [name for name, count in Counter(ids).items() if count > 1]:
        raise DataError(f"Files of {noisy} must differ in more than their suffix, but these do not: {repeated[:5]}.")
    references = _references(noisy, found, clean) if clean is not None else [None] * len(found)
    texts = _texts(found, references, transcripts)
    return [
        _described(name, path, reference, text)
        for name, (path, _), reference, text in zip(ids, found, references, texts, strict=True)
    ]


def _described(name: str, noisy: Path, clean: Path | None, text: str | None) -> Pair:
    told = parse_name(noisy.stem)
    about = {"target_level_db": told.level_db} if told is not None and told.level_db is not None else {}
    return Pair(name, noisy, clean, text, told.snr_db if told is not None else None, about)


def _files(folder: Path, name: str) -> list[Located]:
    if not folder.is_dir():
        raise DataError(f"`{name}` must be a folder of audio files, but {folder} is not a folder.")
    return find_audio([folder])


def _path_key(relative: Path) -> str:
    return relative.with_suffix("").as_posix()


def _name_key(relative: Path) -> str:
    return relative.stem


def _file_id_key(relative: Path) -> str:
    told = parse_name(relative.stem)
    return f"fileid_{told.file_id}" if told is not None else _path_key(relative)


RULES: tuple[Callable[[Path], str], ...] = (_path_key, _name_key, _file_id_key)


def _references(folder: Path, noisy: Sequence[Located], clean: Path) -> list[Path]:
    """The clean file of each noisy one."""
    candidates = _files(clean, "clean")
    for key in RULES:
        known: dict[str, list[Path]] = {}
        for path, relative in candidates:
            known.setdefault(key(relative), []).append(path)
        matches = [known.get(key(relative), []) for _, relative in noisy]
        if any(matches):
            return _single(folder, noisy, matches, clean)
    raise DataError(
        f"Files of {folder} must have references of the same name in {clean}, but none has. "
        f"They are called {noisy[0][1]} and {candidates[0][1]}, for example."
    )


def _single(folder: Path, noisy: Sequence[Located], matches: Sequence[Sequence[Path]], clean: Path) -> list[Path]:
    lacking = [str(relative) for (_, relative), found in zip(noisy, matches, strict=True) if not found]
    if lacking:
        raise DataError(
            f"Each file of {folder} must have a reference in {clean}, but {len(lacking)} of {len(noisy)} have none: "
            f"{', '.join(lacking[:5])}{', ...' if len(lacking) > 5 else ''}. Add them, or move these files away."
        )
    for (_, relative), found in zip(noisy, matches, strict=True):
        if len(found) > 1:
            raise DataError(
                f"{relative} of {folder} must have one reference, but {found[0]} and {found[1]} are called so. "
                "Arrange the clean files in the same folders as the noisy ones."
            )
    return [found[0] for found in matches]


def _texts(found: Sequence[Located], references: Sequence[Path | None], transcripts: Path | None) -> list[str | None]:
    if transcripts is None:
        beside = [
            text_beside(path) or (text_beside(reference) if reference is not None else None)
            for (path, _), reference in zip(found, references, strict=True)
        ]
        return [_stripped(text) for text in beside]
    table = _text_files(transcripts) if transcripts.is_dir() else read_transcripts(transcripts)
    names = [listed_name(table, path, relative) for path, relative in found]
    if not any(names):
        raise DataError(
            f"{transcripts} must name the noisy files, but names none of {len(found)}. "
            f"It has names such as {next(iter(table), None)!r}, the folder such as {_path_key(found[0][1])!r}."
        )
    return [_stripped(table[name]) if name is not None else None for name in names]


def _text_files(folder: Path) -> Mapping[str, str]:
    return {
        _path_key(path.relative_to(folder)): text_beside(path) or ""
        for path in sorted(folder.rglob("*.txt"))
        if not path.name.startswith(".")
    }


def _stripped(text: str | None) -> str | None:
    return " ".join(text.split()) or None if text else None
