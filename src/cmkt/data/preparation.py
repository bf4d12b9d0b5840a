"""From the files that a recipe names to a prepared folder: every file is read once, and what cannot be used is told."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from cmkt.data.entry import Entry, Kind
from cmkt.data.manifest import make_cut, write_prepared
from cmkt.data.report import KindReport, Report
from cmkt.data.validation import Checked, Dropped, check_recording, check_speech
from cmkt.errors import ConfigError, DataError

if TYPE_CHECKING:
    from lhotse import MonoCut

MINIMUM_SECONDS: dict[Kind, float] = {"speech": 0.2, "noise": 0.05, "rir": 0.0}
MAXIMUM_CHARACTERS_PER_SECOND = 40.0
"""Fast reading is 20 characters a second in English and 8 in Mandarin: twice that is not this audio's transcript."""
_SERIAL_FILES = 64


def _check(job: tuple[Entry, Kind]) -> Checked | Dropped:
    entry, kind = job
    check = check_speech if kind == "speech" else check_recording
    return check(entry.path, expected_duration=entry.duration, minimum_duration=MINIMUM_SECONDS[kind])


def _check_all(entries: Sequence[Entry], kind: Kind, workers: int) -> Iterator[Checked | Dropped]:
    jobs = [(entry, kind) for entry in entries]
    progress = {"total": len(jobs), "desc": f"checking {kind}", "unit": "file", "disable": None}
    if workers == 1 or len(jobs) <= _SERIAL_FILES:
        yield from tqdm(map(_check, jobs), **progress)
        return
    try:
        with ProcessPoolExecutor(workers) as pool:
            yield from tqdm(pool.map(_check, jobs, chunksize=16), **progress)
    except BrokenProcessPool as error:
        raise DataError(
            f"every {kind} file must be checked, but a checking process was killed (out of memory?). "
            "Try again with --workers 1."
        ) from error


def usable_text(text: str | None, duration: float) -> tuple[str | None, str | None]:
    """The transcript to keep and, where it is dropped, the remark for the report."""
    if text is None:
        return None, None
    stripped = text.strip()
    if not stripped:
        return None, "empty transcript"
    if len(stripped) > MAXIMUM_CHARACTERS_PER_SECOND * duration:
        return None, f"transcript dropped, over {MAXIMUM_CHARACTERS_PER_SECOND:.0f} characters per second"
    return stripped, None


def _keep(entry: Entry, checked: Checked, kind: Kind, report: KindReport) -> MonoCut:
    text, remark = usable_text(entry.text, checked.duration) if kind == "speech" else (None, None)
    if remark is not None:
        report.note(remark, entry.id)
    if checked.channels > 1:
        report.note("several channels, the first is taken", f"{entry.id}: {checked.channels} channels")
    if checked.clipped and kind != "speech":
        report.note("clipped", f"{entry.id}: {checked.clipped_share:.1%} of its samples at full scale")
    report.kept += 1
    report.seconds += checked.duration
    report.with_text += text is not None
    return make_cut(entry, checked, text=text)


def validate(entries: Sequence[Entry], kind: Kind, *, workers: int | None = None) -> tuple[list[MonoCut], KindReport]:
    """Checks every file and gives the cuts of the usable ones, in order, with the account of the rest.

    Clipped speech (more than 1% of its samples at full scale) is dropped, because it is the target of training;
    clipped noise is kept with a note. A second entry with the same id is dropped. How far speech stands above the noise
    of its own recording is measured, and drops nothing. workers: checking processes, one a core when not given.

    Raises ConfigError for less than one worker.
    """
    if workers is not None and workers < 1:
        raise ConfigError(f"`workers` must be at least 1, but is {workers} instead.")
    report = KindReport(listed=len(entries))
    cuts: list[MonoCut] = []
    floors: list[float] = []
    seen: set[str] = set()
    outcomes = _check_all(entries, kind, workers or os.cpu_count() or 1)
    for entry, outcome in zip(entries, outcomes, strict=True):
        if isinstance(outcome, Dropped):
            report.drop(outcome.reason, f"{entry.path}: {outcome.detail}")
        elif entry.id in seen:
            report.drop("id given twice", f"{entry.path}: {entry.id}")
        elif kind == "speech" and outcome.clipped:
            report.drop("clipped", f"{entry.path}: {outcome.clipped_share:.1%} of its samples at full scale")
        else:
            seen.add(entry.id)
            cuts.append(_keep(entry, outcome, kind, report))
            if outcome.speech_to_floor_db is not None:
                floors.append(outcome.speech_to_floor_db)
    report.summarise(floors)
    return cuts, report


def prepare(entries: Mapping[Kind, Sequence[Entry]], directory: str | Path, *, workers: int | None = None) -> Report:
    """Validates the entries of every kind and writes the prepared folder.

    The folder is written even when nothing usable is left, so that its report.json can be read; the caller decides.
    """
    cuts: dict[Kind, list[MonoCut]] = {"speech": [], "noise": [], "rir": []}
    report = Report()
    for kind, listed in entries.items():
        cuts[kind], report.kinds[kind] = validate(listed, kind, workers=workers)
    write_prepared(directory, speech=cuts["speech"], noise=cuts["noise"], rir=cuts["rir"], report=report)
    return report
