"""Enhancing files: constant memory at any length, and each output keeps rate, length, channels and format of its input.

An output gets its final name only when it is whole. What was finished before an error or Ctrl-C stays.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, final

from cmkt.audio.read import audio_info, read_blocks
from cmkt.audio.write import AudioWriter
from cmkt.errors import AudioError, AudioFileError, ConfigError
from cmkt.inference.destinations import existing, plan, refuse_replacing_inside
from cmkt.inference.stream import BLOCK_SECONDS, OFFLINE_WINDOW_SECONDS

if TYPE_CHECKING:
    from cmkt.inference.stream import Streaming

_LOGGER = logging.getLogger(__name__)

Existing = Literal["refuse", "skip", "overwrite"]


@final
@dataclass(slots=True)
class Outcome:
    """What became of a set of files. failed: each file that could not be enhanced, with the reason."""

    written: list[Path] = field(default_factory=list)
    skipped: list[Path] = field(default_factory=list)
    failed: list[tuple[Path, str]] = field(default_factory=list)
    audio_seconds: float = 0.0
    computing_seconds: float = 0.0

    @property
    def real_time_factor(self) -> float:
        """Computing time, reading and writing included, over audio time; lower is faster, nan if nothing was done."""
        return self.computing_seconds / self.audio_seconds if self.audio_seconds else float("nan")


def enhance_file(
    enhancer: Streaming,
    source: str | Path,
    destination: str | Path,
    *,
    attenuation_limit_db: float | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> float:
    """Seconds of audio enhanced from one file into another of the same rate, length, channels, format and subtype.

    An existing destination is replaced, at the end and at once. on_progress is called with the seconds of each block.
    Raises ConfigError if the destination is the source, AudioFileError if one cannot be read or written, AudioError
    if the audio cannot be used (empty, not finite).
    """
    source, destination = Path(source), Path(destination)
    info = audio_info(source)
    if destination.exists() and destination.samefile(source):
        raise ConfigError(
            f"An output must never overwrite an input, but {destination} is {source}. Choose another name."
        )
    if info.samples == 0:
        raise AudioFileError(f"{source} must hold at least one sample, but is empty. Leave it out.")
    _make_folder(destination.parent)
    block_samples = max(int(BLOCK_SECONDS * info.sample_rate / info.channels), 1)
    with (
        enhancer.stream(
            sample_rate=info.sample_rate,
            channels=info.channels,
            attenuation_limit_db=attenuation_limit_db,
            window_seconds=OFFLINE_WINDOW_SECONDS,
        ) as stream,
        AudioWriter(
            destination,
            sample_rate=info.sample_rate,
            channels=info.channels,
            subtype=info.subtype,
            format=info.format,
        ) as writer,
    ):
        for block in read_blocks(source, block_samples):
            writer.write(stream.feed(block).reshape(info.channels, -1))
            if on_progress is not None:
                on_progress(block.shape[-1] / info.sample_rate)
        writer.write(stream.flush().reshape(info.channels, -1))
    return info.samples / info.sample_rate


def enhance_files(
    enhancer: Streaming,
    inputs: Sequence[str | Path],
    output: str | Path,
    *,
    on_existing: Existing = "refuse",
    attenuation_limit_db: float | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> Outcome:
    """Enhance files, and folders with all below them, into the folder `output`, which mirrors their structure.

    on_existing says what happens to outputs that are there already. A file that cannot be read, used or written does
    not keep the others from being enhanced; it is in `failed`.
    Raises before any work: ConfigError if an output would overwrite an input, or if outputs exist and may be neither
    skipped nor overwritten; AudioFileError if there is no input, or if two inputs have one output.
    """
    paths = [Path(path) for path in inputs]
    jobs = plan(paths, Path(output))
    there = existing(jobs)
    if on_existing == "overwrite":
        refuse_replacing_inside(jobs, paths)
    if there and on_existing == "refuse":
        raise ConfigError(
            f"Outputs must not exist yet, but {len(there)} do, the first is {there[0].destination}. "
            "Skip them (--skip-existing), overwrite them (--overwrite), or choose another folder."
        )
    outcome = Outcome()
    left_out = set(there) if on_existing == "skip" else set()
    for job in jobs:
        if job in left_out:
            outcome.skipped.append(job.destination)
            continue
        started = time.perf_counter()
        try:
            seconds = enhance_file(
                enhancer,
                job.source,
                job.destination,
                attenuation_limit_db=attenuation_limit_db,
                on_progress=on_progress,
            )
        except AudioError as error:
            _LOGGER.debug("%s was not enhanced", job.source, exc_info=error)
            outcome.failed.append((job.source, str(error)))
            continue
        outcome.written.append(job.destination)
        outcome.audio_seconds += seconds
        outcome.computing_seconds += time.perf_counter() - started
    return outcome


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AudioFileError(f"The output folder {folder} must be writable, but cannot be made: {error}.") from error


def total_seconds(inputs: Sequence[str | Path], output: str | Path, *, on_existing: Existing = "refuse") -> float:
    """Seconds of audio that `enhance_files` will go through, for a progress bar; unreadable files count as zero."""
    seconds = 0.0
    for job in plan([Path(path) for path in inputs], Path(output)):
        if on_existing == "skip" and job.destination.exists():
            continue
        try:
            info = audio_info(job.source)
        except AudioFileError:
            continue
        seconds += info.samples / info.sample_rate
    return seconds
