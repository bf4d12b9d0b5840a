"""A prepared folder whose utterances carry what a recogniser heard, for training without transcripts.

Speech keeps its audio and everything else; its text becomes the recognised one, and its custom says `transcriber` and
`confidence`, which are absent where the text is a transcript. Noise and rooms are those of the other folder.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cmkt.audio.files import check_output_folder
from cmkt.data.manifest import SPEECH_TO_FLOOR, load_prepared, write_prepared
from cmkt.data.preparation import usable_text
from cmkt.data.report import KindReport, Report
from cmkt.errors import ConfigError
from cmkt.evaluation.recordings import TRANSCRIBER

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lhotse import MonoCut, SupervisionSegment

    from cmkt.evaluation.recognition import Recognised

CONFIDENCE: Final = "confidence"
"""The field of a cut's custom with how sure the recogniser was."""
TABLE: Final = "recognised.jsonl"
"""The name of the table in such a folder."""


def check_target(source: Path, target: Path) -> None:
    """Whether a folder may become the recognised copy of another, asked before any work.

    Raises: ConfigError where it is the other folder or a file, or holds what `cmkt transcribe` did not write.
    """
    check_output_folder(target)
    if target.resolve() == source.resolve():
        raise ConfigError(f"The output must be another folder than the data, but both are {target}. Name a new one.")
    if target.is_dir() and any(target.iterdir()) and not (target / TABLE).is_file():
        raise ConfigError(
            f"{target} must be empty or an earlier result of `cmkt transcribe`, but holds other files. Name another."
        )


def write_recognised(source: Path, target: Path, recognised: Sequence[Recognised]) -> Report:
    """Writes the folder and gives its report. `recognised`: one for each utterance of `source`, in its order."""
    prepared = load_prepared(source)
    speech = KindReport(listed=len(prepared.speech))
    cuts = [_said(cut, each, speech) for cut, each in zip(prepared.speech, recognised, strict=True)]
    speech.summarise([cut.custom[SPEECH_TO_FLOOR] for cut in cuts if SPEECH_TO_FLOOR in (cut.custom or {})])
    noise, rir = list(prepared.noise or ()), list(prepared.rir or ())
    report = Report({"speech": speech})
    for kind, others in (("noise", noise), ("rir", rir)):
        if others:
            report.kinds[kind] = _counted(others)
    write_prepared(target, speech=cuts, noise=noise, rir=rir, report=report)
    return report


def _counted(cuts: Iterable[MonoCut]) -> KindReport:
    seconds = [cut.duration for cut in cuts]
    return KindReport(listed=len(seconds), kept=len(seconds), seconds=sum(seconds))


def _said(cut: MonoCut, recognised: Recognised, report: KindReport) -> MonoCut:
    """The cut with another text, counted in the report."""
    text, dropped = usable_text(recognised.text, cut.duration)
    if note := _note(recognised, dropped):
        report.note(note, cut.id if recognised.reason is None else f"{cut.id}: {recognised.reason}")
    report.kept += 1
    report.seconds += cut.duration
    report.with_text += text is not None
    custom = {name: value for name, value in (cut.custom or {}).items() if name not in (TRANSCRIBER, CONFIDENCE)}
    if text is not None and recognised.transcriber is not None:
        custom[TRANSCRIBER] = recognised.transcriber
        if recognised.confidence is not None:
            custom[CONFIDENCE] = round(recognised.confidence, 4)
    return replace(cut, supervisions=_supervisions(cut, text), custom=custom or None)


def _note(recognised: Recognised, dropped: str | None) -> str | None:
    """What the report says of an utterance; None where its text is its transcript."""
    if recognised.reason is not None:
        return "could not be recognised" if recognised.failed else recognised.reason.partition(":")[0]
    if recognised.transcriber is None:
        return dropped
    if not (recognised.text or "").strip():
        return "no word was heard"
    return dropped or "the text is what a recogniser heard"


def _supervisions(cut: MonoCut, text: str | None) -> list[SupervisionSegment]:
    """Those of the cut, the first with the text and the others without; a new one where it has none."""
    from lhotse import SupervisionSegment

    if cut.supervisions:
        first, *others = cut.supervisions
        return [replace(first, text=text), *(replace(other, text=None) for other in others)]
    if text is None:
        return []
    segment = SupervisionSegment(
        id=cut.id,
        recording_id=cut.recording_id,
        start=0.0,
        duration=cut.duration,
        channel=cut.channel,
        text=text,
    )
    return [segment]
