"""What a user names: audio files and folders of them to read, a folder to write to."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from cmkt.audio.ffmpeg import SUFFIXES as FFMPEG_SUFFIXES
from cmkt.errors import AudioFileError, ConfigError

SNDFILE_SUFFIXES = frozenset(
    {".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aiff", ".aif", ".aifc", ".au", ".caf", ".w64", ".rf64"}
)
SUFFIXES = SNDFILE_SUFFIXES | FFMPEG_SUFFIXES
"""Suffixes by which a file in a folder counts as audio. A file that is named itself need not have one."""


def find_audio(paths: Iterable[str | Path]) -> list[tuple[Path, Path]]:
    """`(path, relative_path)` of every audio file, sorted by path in each folder, folders searched to any depth.

    `relative_path` is where it belongs below an output folder: relative to the folder that was named, or the name alone
    of a file that was named. Hidden files and folders are left out, and a file that is found twice counts once.

    Raises:
        AudioFileError: a path does not exist, nothing was found, or two files have the same relative path, so that one
            would overwrite the other.
    """
    named = [Path(path) for path in paths]
    found: dict[Path, Path] = {}
    for path in named:
        for file, relative in _below(path):
            other = found.setdefault(relative, file)
            if not other.samefile(file):
                raise AudioFileError(
                    f"Files must have different names below their folders, but '{other}' and '{file}' are both "
                    f"'{relative}'. Name a folder that holds both, or take them one after the other."
                )
    if not found:
        searched = ", ".join(f"'{path}'" for path in named) or "no path"
        raise AudioFileError(f"There must be an audio file ({', '.join(sorted(SUFFIXES))}), but {searched} holds none.")
    return [(file, relative) for relative, file in found.items()]


def check_output_folder(folder: Path) -> None:
    """Refuses, before any work, an output that cannot become a folder because it, or what it lies in, is a file.

    Raises:
        ConfigError: naming the file.
    """
    there = next((place for place in (folder, *folder.parents) if place.exists()), None)
    if there is not None and not there.is_dir():
        inside = "" if there == folder else f" lies in {there}, which"
        raise ConfigError(f"The output must be a folder, but {folder}{inside} is a file. Name another.")


def _below(path: Path) -> Iterator[tuple[Path, Path]]:
    if path.is_file():
        yield path, Path(path.name)
        return
    if not path.is_dir():
        raise AudioFileError(f"'{path}' must be an audio file or a folder, but does not exist.")
    files: list[Path] = []
    for folder, folders, names in os.walk(path):
        folders[:] = [name for name in folders if not name.startswith(".")]
        files += [
            Path(folder, name) for name in names if Path(name).suffix.lower() in SUFFIXES and not name.startswith(".")
        ]
    for file in sorted(files):
        yield file, file.relative_to(path)
