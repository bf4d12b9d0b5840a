"""What was kept and what was dropped when a folder was prepared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

import numpy as np

EXAMPLES = 5
PERCENTILES = (10, 50, 90)


@dataclass(slots=True)
class Tally:
    """How often something happened, and the first few entries it happened to."""

    count: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, example: str) -> None:
        """Counts one more, and keeps `example` when it is among the first five."""
        self.count += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append(example)


@dataclass(slots=True)
class KindReport:
    """The account of one kind (speech, noise or rir).

    listed: entries looked at; kept: entries written; seconds: audio kept; dropped: reason to tally of entries left
    out; noted: tally of entries that were kept with a remark (several channels, transcript dropped, clipped, ...);
    speech_to_floor_db: its 10th, 50th and 90th percentile over the kept speech in dB, empty for the other kinds.
    """

    listed: int = 0
    kept: int = 0
    seconds: float = 0.0
    with_text: int = 0
    speech_to_floor_db: dict[str, float] = field(default_factory=dict)
    dropped: dict[str, Tally] = field(default_factory=dict)
    noted: dict[str, Tally] = field(default_factory=dict)

    def drop(self, reason: str, example: str) -> None:
        """Counts an entry that is left out."""
        self.dropped.setdefault(reason, Tally()).add(example)

    def summarise(self, values: Sequence[float]) -> None:
        """Takes the percentiles of the kept speech's `speech_to_floor_db`; nothing where there is none."""
        if values:
            self.speech_to_floor_db = {f"p{rank}": round(float(np.percentile(values, rank)), 2) for rank in PERCENTILES}

    def note(self, remark: str, example: str) -> None:
        """Counts an entry that is kept, but not quite as it came."""
        self.noted.setdefault(remark, Tally()).add(example)


@dataclass(slots=True)
class Report:
    """The account of one prepared folder, kind by kind."""

    kinds: dict[str, KindReport] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        """What report.json holds."""
        return {
            kind: {**asdict(report), "hours": round(report.seconds / 3600, 4)} for kind, report in self.kinds.items()
        }

    def lines(self) -> list[str]:
        """The report for people, a line each."""
        out: list[str] = []
        for kind, report in self.kinds.items():
            text = f", {report.with_text} with a transcript" if kind == "speech" else ""
            out.append(f"{kind}: kept {report.kept} of {report.listed}, {report.seconds / 3600:.2f} h{text}")
            if report.speech_to_floor_db:
                values = ", ".join(f"{name} {value:.1f} dB" for name, value in report.speech_to_floor_db.items())
                out.append(f"  speech above the noise floor of its recording: {values}")
            for title, tallies in (("dropped", report.dropped), ("note", report.noted)):
                for reason, tally in sorted(tallies.items(), key=lambda item: -item[1].count):
                    out.append(f"  {title}, {reason}: {tally.count}")
                    out.extend(f"    {example}" for example in tally.examples)
        return out
