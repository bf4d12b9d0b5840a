"""`evaluation.json`: on what, with what and how an evaluation was made, for whoever reads its scores later."""

from __future__ import annotations

import json
import platform
from typing import TYPE_CHECKING, Any, Final

from cmkt.audio.write import write_json
from cmkt.evaluation.sound import package_versions
from cmkt.inference.card import package_version

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cmkt.evaluation.held_out import HeldOut
    from cmkt.evaluation.plan import Plan
    from cmkt.evaluation.systems import System

DESCRIPTION: Final = "evaluation.json"


def write_description(
    plan: Plan, held_out: HeldOut, systems: Sequence[System], *, warnings: Sequence[str] = ()
) -> None:
    """Writes the file into the output folder; what stood there of an earlier evaluation is replaced.

    warnings: what `cmkt.evaluation.misfits` found.
    """
    plan.settings.output.mkdir(parents=True, exist_ok=True)
    values = _values(plan, held_out, systems) | {"warnings": list(warnings)}
    write_json(plan.settings.output / DESCRIPTION, values)


def read_warnings(output: Path) -> list[str]:
    """The warnings of the evaluation in a folder; none where it has not told of itself."""
    path = output / DESCRIPTION
    if not path.is_file():
        return []
    warnings: list[str] = json.loads(path.read_text(encoding="utf-8")).get("warnings", [])
    return warnings


def _values(plan: Plan, held_out: HeldOut, systems: Sequence[System]) -> dict[str, Any]:
    settings = plan.settings
    references = sum(held_out.has_reference(index) for index in range(len(held_out.items)))
    return {
        "test_set": {
            **settings.source.described(),
            "title": settings.source.title,
            "fingerprint": plan.data,
            "sample_rates": sorted(held_out.sample_rates),
            "seed": settings.seed,
            "limit": settings.limit,
            "utterances": len({item.id for item in held_out.items}),
            "mixtures": len(held_out.items),
            "references": references,
        },
        "systems": {system.name: {**system.described(), "weights": system.weights} for system in systems},
        "metrics": list(plan.metrics),
        "sound": plan.sound,
        "words": plan.words,
        "candidates": settings.candidates,
        "transcriber": plan.transcriber,
        "transcriber_spelling": settings.transcriber,
        "sample_rate": settings.sample_rate,
        "save_audio": settings.save_audio,
        "versions": {"cmkt": package_version(), "python": platform.python_version(), **package_versions()},
    }
