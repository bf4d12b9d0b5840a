"""A prepared folder: Lhotse manifests that say where the audio is, and a report of what was left out.

speech.jsonl.gz   cuts with a supervision (text, speaker, language, gender) and custom["speech_to_floor_db"]
noise.jsonl.gz    cuts with custom["class"]; absent where there is no noise
rir.jsonl.gz      cuts of room impulse responses; absent where there are none
report.json       kept, hours, dropped and noted by reason, percentiles of speech_to_floor_db
"""

from __future__ import annotations

import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cmkt.audio.write import atomic_path, write_json
from cmkt.data.entry import Entry
from cmkt.data.report import Report
from cmkt.data.validation import Checked
from cmkt.errors import DataError, MissingExtraError, extra_hint

if TYPE_CHECKING:
    from lhotse import CutSet, MonoCut

REPORT = "report.json"
SPEECH_TO_FLOOR = "speech_to_floor_db"
"""The custom field of a speech cut with what `cmkt.signal.floor` measured, in dB."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """The cuts of one prepared folder, in memory. `noise` and `rir` are None where the folder has none."""

    directory: Path
    speech: CutSet
    noise: CutSet | None
    rir: CutSet | None


def manifest_path(directory: str | Path, kind: str) -> Path:
    """Where the cuts of a kind (speech, noise, rir) lie in a prepared folder."""
    return Path(directory) / f"{kind}.jsonl.gz"


def make_cut(entry: Entry, checked: Checked, *, text: str | None = None) -> MonoCut:
    """A Lhotse cut of the whole file, first channel, with the absolute path; `text` becomes its supervision's text.

    Its custom is the entry's, and `speech_to_floor_db` to 0.01 dB where it was measured.
    """
    try:
        from lhotse import AudioSource, MonoCut, Recording, SupervisionSegment
    except ImportError as error:
        raise MissingExtraError(extra_hint("lhotse", "train")) from error
    recording = Recording(
        id=entry.id,
        sources=[AudioSource(type="file", channels=list(range(checked.channels)), source=os.path.abspath(entry.path))],
        sampling_rate=checked.sample_rate,
        num_samples=checked.samples,
        duration=checked.duration,
    )
    custom = dict(entry.custom)
    if checked.speech_to_floor_db is not None:
        custom[SPEECH_TO_FLOOR] = round(checked.speech_to_floor_db, 2)
    described = (text, entry.speaker, entry.language, entry.gender)
    supervision = SupervisionSegment(
        id=entry.id,
        recording_id=entry.id,
        start=0.0,
        duration=checked.duration,
        channel=0,
        text=text,
        speaker=entry.speaker,
        language=entry.language,
        gender=entry.gender,
    )
    return MonoCut(
        id=entry.id,
        start=0.0,
        duration=checked.duration,
        channel=0,
        recording=recording,
        supervisions=[supervision] if any(value is not None for value in described) else [],
        custom=custom or None,
    )


def cut_text(cut: MonoCut) -> str | None:
    """The transcript of a cut, that of all its supervisions in order; None where there is none or it is empty."""
    return " ".join(supervision.text for supervision in cut.supervisions if supervision.text) or None


def write_prepared(
    directory: str | Path,
    *,
    speech: list[MonoCut],
    noise: list[MonoCut],
    rir: list[MonoCut],
    report: Report,
) -> None:
    """Writes a prepared folder; each file appears whole or not at all, and kinds without cuts leave no file."""
    from lhotse import CutSet

    target = Path(directory)
    target.mkdir(parents=True, exist_ok=True)
    for kind, cuts in (("speech", speech), ("noise", noise), ("rir", rir)):
        path = manifest_path(target, kind)
        if not cuts:
            path.unlink(missing_ok=True)
            continue
        with atomic_path(path) as temporary:
            CutSet.from_cuts(cuts).to_file(temporary)
    write_json(target / REPORT, report.to_json())


def _load_cuts(path: Path) -> CutSet:
    from lhotse import CutSet

    try:
        # Lhotse gives None for an empty file, and another class for another kind of manifest.
        manifest = CutSet.from_file(path)
        cuts = manifest.to_eager() if isinstance(manifest, CutSet) else CutSet.from_cuts([])
    except (OSError, ValueError, TypeError, KeyError, AttributeError, AssertionError, EOFError, zlib.error) as error:
        raise DataError(
            f"{path} must be a Lhotse cut manifest, but cannot be read as one: {error}. Prepare the folder again."
        ) from error
    if len(cuts) == 0:
        raise DataError(f"{path} must hold at least one cut, but holds none. Prepare the folder again.")
    return cuts


def load_prepared(directory: str | Path) -> Prepared:
    """The cuts of a folder that `cmkt prepare` wrote.

    Raises DataError when the folder is not one, or a manifest in it is damaged. The audio is not looked at.
    """
    source = Path(directory)
    if not manifest_path(source, "speech").is_file():
        hint = ""
        if source.is_dir():
            inside = sorted(child.name for child in source.iterdir() if manifest_path(child, "speech").is_file())
            hint = f" It holds prepared folders: {', '.join(inside)}; name one of them." if inside else ""
        raise DataError(
            f"{source} must be a prepared folder with speech.jsonl.gz, but is not.{hint} `cmkt prepare` makes one."
        )
    loaded = {
        kind: _load_cuts(path) for kind in ("speech", "noise", "rir") if (path := manifest_path(source, kind)).is_file()
    }
    return Prepared(directory=source, speech=loaded["speech"], noise=loaded.get("noise"), rir=loaded.get("rir"))
