"""What a fixed test set says of itself: how it was made, how to use it, and whom to credit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lhotse import MonoCut

    from cmkt.data.manifest import Prepared
    from cmkt.data.pairs import Pair
    from cmkt.evaluation.mix_recipe import MixRecipe

NOT_STATED = "not stated: ask before you pass it on"


def readme(prepared: Prepared, pairs: Sequence[Pair], recipe: MixRecipe, *, format: str) -> str:
    """The text of README.md, in Markdown, without any path of this machine."""
    utterances, snrs = len({pair.id for pair in pairs}), len(recipe.snrs_db)
    return f"""# Noisy speech with clean references

{len(pairs)} mixtures: {utterances} utterances at {snrs} signal-to-noise ratios, with the same noise at the same place.
Made by cmkt {version("cmkt")}: `{_command(recipe, format)}`.

`list.jsonl` has one JSON object a line: `id` (the utterance), `noisy`, `clean`, `text`, `snr_db` (active level of the
speech, ITU-T P.56, over the RMS of the noise), `level_db` (of the speech, dBFS), `noise_ids`, `noise_classes`, `rir_id`
(absent where there is no reverberation), and what the corpora say.

    cmkt evaluate --pairs list.jsonl --model default --output scores

## Credits

| used as | corpus | recordings | licence | source |
|---|---|---|---|---|
{"".join(_credits(prepared, pairs))}"""


def _command(recipe: MixRecipe, format: str) -> str:
    limit = "" if recipe.limit is None else f" --limit {recipe.limit}"
    reverb = f" --reverb {recipe.reverb_probability:g}" if recipe.reverb_probability else ""
    return (
        f"cmkt mix --data DATA --snr {' '.join(f'{snr_db:g}' for snr_db in recipe.snrs_db)} --seed {recipe.seed} "
        f"--sample-rate {recipe.sample_rate} --format {format}{limit}{reverb}"
    )


def _credits(prepared: Prepared, pairs: Sequence[Pair]) -> Iterator[str]:
    speech = {pair.id for pair in pairs}
    noise = {name for pair in pairs for name in _strings(pair.about.get("noise_ids"))}
    rooms = {str(pair.about["rir_id"]) for pair in pairs if "rir_id" in pair.about}
    for kind, cuts, used in (
        ("speech", prepared.speech, speech),
        ("noise", prepared.noise, noise),
        ("room", prepared.rir, rooms),
    ):
        counts = Counter(_credit(cut) for cut in _used(cuts, used))
        for (corpus, licence, source), count in sorted(counts.items()):
            yield f"| {kind} | {corpus} | {count} | {licence} | {source} |\n"


def _used(cuts: Iterable[MonoCut] | None, ids: set[str]) -> Iterator[MonoCut]:
    return (cut for cut in cuts or () if cut.id in ids)


def _credit(cut: MonoCut) -> tuple[str, str, str]:
    custom = cut.custom or {}
    licence = custom.get("licence") or custom.get("license") or NOT_STATED
    cells = (custom.get("corpus") or "", licence, custom.get("source") or "")
    corpus, licence, source = (" ".join(str(cell).replace("|", "/").split()) for cell in cells)
    return corpus, licence, source


def _strings(values: object) -> Iterator[str]:
    return map(str, values) if isinstance(values, list | tuple) else iter(())
