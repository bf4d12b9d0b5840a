"""What a recogniser makes of many recordings, in parallel. What it heard is kept by content: a second run goes on."""

from __future__ import annotations

import json
import os
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, final

from tqdm import tqdm

from cmkt.audio.write import write_text
from cmkt.evaluation.heard import RememberingTranscriber
from cmkt.evaluation.pool import Failure, run_tasks
from cmkt.evaluation.word_errors import OTHER_LANGUAGE, SpokenErrors, knows, spoken_errors
from cmkt.text.spoken import spoken_units
from cmkt.text.transcriber import open_transcriber

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cmkt.evaluation.recordings import Recording, Recordings
    from cmkt.types import Heard


@final
@dataclass(frozen=True, slots=True)
class Listening:
    """Who listens: the spelling of a recogniser (`cmkt.text.transcriber`), where it runs, and where texts are kept."""

    transcriber: str
    device: str = "cpu"
    cache: Path | None = None

    def open(self) -> RememberingTranscriber:
        """The recogniser. Raises as `open_transcriber`."""
        return RememberingTranscriber(open_transcriber(self.transcriber, device=self.device), self.cache)


@final
@dataclass(frozen=True, slots=True)
class Recognised:
    """A recording and its text: what `transcriber` heard, or its transcript where that is None.

    text: None where there is none, for the `reason`; failed: whether that is a fault rather than a choice.
    """

    recording: Recording
    text: str | None = None
    confidence: float | None = None
    transcriber: str | None = None
    reason: str | None = None
    failed: bool = False

    def to_json(self) -> dict[str, object]:
        """A line of the table: id, text, confidence, transcriber, and what else is known of transcript, audio, reason.

        With `audio` it is one of a list that `cmkt prepare jsonl` reads.
        """
        path = self.recording.path
        more = {
            "transcript": self.recording.transcript,
            "language": self.recording.language,
            "audio": None if path is None else str(path),
            "reason": self.reason,
        }
        return {
            "id": self.recording.id,
            "text": self.text,
            "confidence": None if self.confidence is None else round(self.confidence, 4),
            "transcriber": self.transcriber,
            **{name: value for name, value in more.items() if value is not None},
        }


def recognise(
    recordings: Recordings,
    listening: Listening,
    *,
    keep_transcripts: bool = False,
    jobs: int = 1,
    progress: bool = True,
) -> list[Recognised]:
    """The text of each recording, in order.

    Those in a language that the recogniser does not know get none; with keep_transcripts, those with a transcript keep
    it unheard. jobs: processes, each with a recogniser of its own, 0 for this one.

    Raises: ConfigError, TranscriberError or MissingExtraError where the recogniser cannot be used; DataError or
    AudioFileError where there is nothing to listen to. A recording that fails is one without text.
    """
    transcriber = listening.open()
    known: dict[int, Recognised] = {}
    listed = recordings.listed()
    for index, recording in enumerate(listed):
        if keep_transcripts and recording.transcript is not None:
            known[index] = Recognised(recording, recording.transcript)
        elif not knows(transcriber, recording.language):
            known[index] = Recognised(recording, reason=f"{OTHER_LANGUAGE}: {recording.language}")
    pending = [index for index in range(len(listed)) if index not in known]
    jobs = min(jobs, len(pending))
    prepare = _all_threads if jobs < 2 else _one_thread
    outcomes = run_tasks(partial(_hear, recordings, listening), pending, jobs=jobs, prepare=prepare)
    try:
        with closing(outcomes), tqdm(total=len(pending), disable=None if progress else True, unit="utterance") as bar:
            for outcome in outcomes:
                known[outcome.task] = _recognised(listed[outcome.task], outcome.result, transcriber.identity)
                bar.update()
    finally:
        _opened.cache_clear()
    return [known[index] for index in range(len(listed))]


def _recognised(recording: Recording, heard: Heard | Failure, transcriber: str) -> Recognised:
    if isinstance(heard, Failure):
        return Recognised(recording, reason=heard.reason, failed=True)
    return Recognised(recording, heard.text, heard.confidence, transcriber)


def _hear(recordings: Recordings, listening: Listening, index: int) -> Heard:
    """Runs in a worker."""
    audio, sample_rate = recordings.audio(index)
    return _opened(listening).transcribe(audio, sample_rate=sample_rate)


@lru_cache(maxsize=1)
def _opened(listening: Listening) -> RememberingTranscriber:
    return listening.open()


def _one_thread() -> None:
    """In a worker that is one of several: the processes are the parallelism, and threads would fight over the cores."""
    os.environ["OMP_NUM_THREADS"] = "1"  # what torch and CTranslate2 follow when they are imported later


def _all_threads() -> None:
    """In the only worker."""


def write_table(path: Path, recognised: Iterable[Recognised]) -> None:
    """Writes one JSON object a line, the whole file at once."""
    write_text(path, "".join(json.dumps(each.to_json(), ensure_ascii=False) + "\n" for each in recognised))


def errors_of(recognised: Sequence[Recognised]) -> SpokenErrors:
    """The errors of all that was heard and has a transcript, added up.

    Raises: MissingExtraError where there is any and `jiwer` is not installed.
    """
    total = SpokenErrors()
    for each in recognised:
        transcript = each.recording.transcript or ""
        if each.text is not None and each.transcriber is not None and spoken_units(transcript):
            total += spoken_errors(text=transcript, heard=each.text)
    return total
