"""Enhancing files: constant memory at any length, and each output keeps rate, length and channels of its input.

An output gets its final name only when it is whole. What was finished before an error or Ctrl-C stays.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, final

from cmkt.audio.encoding import encoding_for
from cmkt.audio.read import audio_info, open_audio
from cmkt.audio.write import AudioWriter
from cmkt.errors import AudioError, AudioFileError, ConfigError
from cmkt.inference.destinations import arrange
from cmkt.inference.stream import BLOCK_SECONDS, OFFLINE_WINDOW_SECONDS

if TYPE_CHECKING:
    from cmkt.audio.read import AudioReader
    from cmkt.inference.destinations import Arrangement, Existing, Job, Naming
    from cmkt.inference.stream import Streaming

_LOGGER = logging.getLogger(__name__)


@final
@dataclass(slots=True)
class Outcome:
    """What became of a set of files. failed: each file that could not be enhanced, with the reason.

    audio_seconds is the length of what was written, elapsed_seconds the time from the first job to the last.
    """

    written: list[Path] = field(default_factory=list)
    skipped: list[Path] = field(default_factory=list)
    failed: list[tuple[Path, str]] = field(default_factory=list)
    audio_seconds: float = 0.0
    elapsed_seconds: float = 0.0

    @property
    def real_time_factor(self) -> float:
        """Elapsed time, reading and writing included, over audio time; lower is faster, nan if nothing was done."""
        return self.elapsed_seconds / self.audio_seconds if self.audio_seconds else float("nan")

    def add(self, job: Job, result: float | str) -> None:
        """Note what `attempt` gave for a job."""
        if isinstance(result, str):
            self.failed.append((job.source, result))
            return
        self.written.append(job.destination)
        self.audio_seconds += result


def enhance_file(
    enhancer: Streaming,
    source: str | Path,
    destination: str | Path,
    *,
    attenuation_limit_db: float | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> float:
    """Seconds of audio enhanced from one file into another of the same rate, length and channels.

    The suffix of the destination names its format; where that is the format of the source, its subtype is kept, too,
    see `cmkt.audio.encoding.encoding_for`. An existing destination is replaced, at the end and at once. on_progress is
    called with the seconds of each block.
    Raises ConfigError if the destination is the source, AudioFileError if one cannot be read or written, AudioError
    if the audio cannot be used (empty, not finite).
    """
    source, destination = Path(source), Path(destination)
    with open_audio(source) as audio:
        if destination.exists() and destination.samefile(source):
            raise ConfigError(
                f"An output must never overwrite an input, but {destination} is {source}. Choose another name."
            )
        if audio.info.samples == 0:
            raise AudioFileError(f"{source} must hold at least one sample, but is empty. Leave it out.")
        return _enhance(
            enhancer, audio, destination, attenuation_limit_db, (lambda _: None) if on_progress is None else on_progress
        )


def attempt(
    enhancer: Streaming,
    job: Job,
    *,
    attenuation_limit_db: float | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> float | str:
    """Seconds of audio enhanced, or why the file cannot be read, used or written."""
    try:
        return enhance_file(
            enhancer,
            job.source,
            job.destination,
            attenuation_limit_db=attenuation_limit_db,
            on_progress=on_progress,
        )
    except (AudioError, OSError) as error:
        _LOGGER.debug("%s was not enhanced", job.source, exc_info=error)
        return str(error)


def enhance_files(
    enhancer: Streaming,
    inputs: Sequence[str | Path],
    output: str | Path,
    *,
    naming: Naming | None = None,
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
    arrangement = arrange(inputs, output, naming=naming, on_existing=on_existing)
    return enhance_arranged(enhancer, arrangement, attenuation_limit_db=attenuation_limit_db, on_progress=on_progress)


def enhance_arranged(
    enhancer: Streaming,
    arrangement: Arrangement,
    *,
    attenuation_limit_db: float | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> Outcome:
    """`enhance_files` for what `arrange` gave, one file after the other."""
    outcome = Outcome(skipped=list(arrangement.skipped))
    started = time.perf_counter()
    for job in arrangement.jobs:
        outcome.add(job, attempt(enhancer, job, attenuation_limit_db=attenuation_limit_db, on_progress=on_progress))
    outcome.elapsed_seconds = time.perf_counter() - started
    return outcome


def total_seconds(jobs: Sequence[Job]) -> float:
    """Seconds of audio in the sources, for a progress bar; what cannot be read or tells no length counts as zero."""
    seconds = 0.0
    for job in jobs:
        try:
            info = audio_info(job.source)
        except (AudioFileError, OSError):
            continue
        seconds += (info.samples or 0) / info.sample_rate
    return seconds


def _enhance(
    enhancer: Streaming,
    audio: AudioReader,
    destination: Path,
    attenuation_limit_db: float | None,
    on_progress: Callable[[float], None],
) -> float:
    info = audio.info
    encoding = encoding_for(destination, info)
    _make_folder(destination.parent)
    samples = 0
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
            subtype=encoding.subtype,
            format=encoding.format,
        ) as writer,
    ):
        for block in audio.blocks(max(int(BLOCK_SECONDS * info.sample_rate / info.channels), 1)):
            writer.write(stream.feed(block).reshape(info.channels, -1))
            samples += block.shape[-1]
            on_progress(block.shape[-1] / info.sample_rate)
        writer.write(stream.flush().reshape(info.channels, -1))
    return samples / info.sample_rate


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AudioFileError(f"The output folder {folder} must be writable, but cannot be made: {error}.") from error
