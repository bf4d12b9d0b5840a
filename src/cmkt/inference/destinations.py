"""Where enhanced files go: the folder structure of the inputs, mirrored, and everything that must not happen refused.

All checks run before the first file is touched.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from cmkt.audio.files import check_output_folder, find_audio
from cmkt.errors import ConfigError


@final
@dataclass(frozen=True, slots=True)
class Job:
    """One file to enhance and where its output goes."""

    source: Path
    destination: Path


def plan(inputs: Sequence[Path], output: Path) -> list[Job]:
    """A job for each file of `inputs` (files, or folders searched recursively), same name and subfolder in `output`.

    Files that lie in `output` inside an input folder are outputs of an earlier run and are left out.
    Raises AudioFileError if there is nothing to enhance or two inputs have one destination; ConfigError if a
    destination is an input, whatever links or letter case hide it.
    """
    check_output_folder(output)
    named = {path.resolve() for path in inputs}
    earlier = _strictly_inside(output, inputs)
    jobs = [
        Job(source, output / relative)
        for source, relative in find_audio(inputs)
        if source.resolve() in named or not (earlier and output.resolve() in source.resolve().parents)
    ]
    if not jobs:
        raise ConfigError(
            f"There must be inputs outside the output folder, but all lie in {output}. Name them one by one."
        )
    _refuse_overwriting_inputs(jobs)
    return jobs


def existing(jobs: Iterable[Job]) -> list[Job]:
    """The jobs whose destination is there already."""
    return [job for job in jobs if job.destination.exists()]


def refuse_replacing_inside(jobs: Iterable[Job], inputs: Sequence[Path]) -> None:
    """Raise ConfigError if a job would replace a file inside an input folder: nobody can tell it from an input."""
    folders = {path.resolve() for path in inputs if path.is_dir()}
    for job in existing(jobs):
        if folders.intersection(job.destination.resolve().parents):
            raise ConfigError(
                f"Only files outside the inputs may be replaced, but {job.destination} lies inside the input folder. "
                "Choose an output folder beside it, or delete the earlier outputs first."
            )


def _strictly_inside(output: Path, inputs: Sequence[Path]) -> bool:
    return any(path.is_dir() and path.resolve() in output.resolve().parents for path in inputs)


def _refuse_overwriting_inputs(jobs: Sequence[Job]) -> None:
    identities = {_identity(job.source): job.source for job in jobs}
    for job in jobs:
        source = identities.get(_identity(job.destination))
        if source is not None:
            raise ConfigError(
                f"An output must never overwrite an input, but {job.destination} is the input {source}. "
                "Choose another output folder."
            )


def _identity(path: Path) -> tuple[object, ...]:
    """Device and inode of a file that exists, so that links and letter case do not matter; else its resolved path."""
    try:
        status = path.stat()
    except OSError:
        return (path.resolve(),)
    return (status.st_dev, status.st_ino)
