"""Where enhanced files go: the folder structure of the inputs, mirrored, and everything that must not happen refused.

All checks run before the first file is touched.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, final

from cmkt.audio.encoding import FORMATS, names_format
from cmkt.audio.ffmpeg import SUFFIXES as FFMPEG_SUFFIXES
from cmkt.audio.files import check_output_folder, find_audio
from cmkt.audio.read import FFMPEG, audio_info
from cmkt.errors import AudioFileError, ConfigError

Existing = Literal["refuse", "skip", "overwrite"]
"""What happens to outputs that are there already."""


@final
@dataclass(frozen=True, slots=True)
class Naming:
    """How outputs are called.

    format: one of `cmkt.audio.encoding.FORMATS` for all; None keeps each input's, and takes wav where libsndfile cannot
    write that. suffix: put between the name and the dot, "_enhanced" makes a.wav a_enhanced.wav.
    Raises ConfigError for another format, or a suffix that names folders.
    """

    format: str | None = None
    suffix: str = ""

    def __post_init__(self) -> None:
        if self.format is not None and self.format not in FORMATS:
            raise ConfigError(f"`format` must be one of {', '.join(FORMATS)}, but is {self.format!r}.")
        if any(character in self.suffix for character in "/\\\0"):
            raise ConfigError(
                f"`suffix` must be part of a file name, but is {self.suffix!r}. Name folders in `output`."
            )

    def name(self, source: Path, relative: Path) -> Path:
        """The path below the output folder for an input and its path `relative` to the folder that was named."""
        if self.format is not None:
            return relative.with_name(f"{relative.stem}{self.suffix}.{self.format}")
        if _keeps_name(source, relative):
            return relative.with_name(f"{relative.stem}{self.suffix}{relative.suffix}")
        return relative.with_name(f"{relative.stem}{self.suffix}.wav")


@final
@dataclass(frozen=True, slots=True)
class Job:
    """One file to enhance and where its output goes."""

    source: Path
    destination: Path


@final
@dataclass(frozen=True, slots=True)
class Arrangement:
    """What is to be done: the jobs, and the outputs that are left alone because they are there already."""

    jobs: list[Job]
    skipped: list[Path]


def arrange(
    inputs: Sequence[str | Path], output: str | Path, *, naming: Naming | None = None, on_existing: Existing = "refuse"
) -> Arrangement:
    """What is to be done to enhance `inputs` into the folder `output`.

    Raises what `plan` does, and ConfigError if outputs exist and may be neither skipped nor overwritten.
    """
    paths = [Path(path) for path in inputs]
    jobs = plan(paths, Path(output), naming)
    there = existing(jobs)
    if on_existing == "overwrite":
        refuse_replacing_inside(jobs, paths)
        return Arrangement(jobs, [])
    if there and on_existing == "refuse":
        raise ConfigError(
            f"Outputs must not exist yet, but {len(there)} do, the first is {there[0].destination}. "
            "Skip them (--skip-existing), overwrite them (--overwrite), or choose another folder."
        )
    left_out = set(there)
    return Arrangement([job for job in jobs if job not in left_out], [job.destination for job in there])


def plan(inputs: Sequence[Path], output: Path, naming: Naming | None = None) -> list[Job]:
    """A job for each file of `inputs` (files, or folders searched recursively), in the same subfolder of `output`.

    Files that lie in `output` inside an input folder are outputs of an earlier run and are left out. So are, with a
    suffix, files of an input folder that are called as the output of another.
    Raises AudioFileError if there is nothing to enhance or two inputs have one destination; ConfigError if a
    destination is an input, whatever links or letter case hide it.
    """
    check_output_folder(output)
    naming = naming or Naming()
    named = {path.resolve() for path in inputs}
    earlier = _strictly_inside(output, inputs)
    jobs = [
        Job(source, output / naming.name(source, relative))
        for source, relative in find_audio(inputs)
        if source.resolve() in named or not (earlier and output.resolve() in source.resolve().parents)
    ]
    if naming.suffix:
        jobs = _without_earlier(jobs, named)
    if not jobs:
        raise ConfigError(
            f"There must be inputs outside the output folder, but all lie in {output}. Name them one by one."
        )
    _refuse_overwriting_inputs(jobs)
    _refuse_one_for_two(jobs)
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


def _keeps_name(source: Path, relative: Path) -> bool:
    """Whether an output can be called as its input. Only a suffix that says nothing has its file looked into."""
    if names_format(relative):
        return True
    if relative.suffix.lower() in FFMPEG_SUFFIXES:
        return False
    try:
        return audio_info(source).format != FFMPEG
    except AudioFileError:
        return True


def _strictly_inside(output: Path, inputs: Sequence[Path]) -> bool:
    return any(path.is_dir() and path.resolve() in output.resolve().parents for path in inputs)


def _without_earlier(jobs: Sequence[Job], named: set[Path]) -> list[Job]:
    """Links are not followed: an output that is a link to an input must stay to be refused."""
    destinations = {_place(job.destination) for job in jobs}
    return [job for job in jobs if job.source.resolve() in named or _place(job.source) not in destinations]


def _place(path: Path) -> Path:
    return path.parent.resolve() / path.name


def _refuse_overwriting_inputs(jobs: Sequence[Job]) -> None:
    identities = {_identity(job.source): job.source for job in jobs}
    for job in jobs:
        source = identities.get(_identity(job.destination))
        if source is not None:
            raise ConfigError(
                f"An output must never overwrite an input, but {job.destination} is the input {source}. "
                "Choose another output folder, or a suffix for the names (--suffix _enhanced)."
            )


def _refuse_one_for_two(jobs: Sequence[Job]) -> None:
    sources: dict[tuple[object, ...], Path] = {}
    for job in jobs:
        other = sources.setdefault(_identity(job.destination), job.source)
        if other is not job.source:
            raise AudioFileError(
                f"Inputs must have different outputs, but {other} and {job.source} would both become "
                f"{job.destination}. Name one of them, or take them one after the other into two folders."
            )


def _identity(path: Path) -> tuple[object, ...]:
    """Device and inode of a file that exists, so that links and letter case do not matter; else its resolved path."""
    try:
        status = path.stat()
    except OSError:
        return (path.resolve(),)
    return (status.st_dev, status.st_ino)
