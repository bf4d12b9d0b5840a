"""What the demo leaves for people: table, pictures, audio, and whether the model has learnt at all."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, final

from cmkt.audio.read import read_audio
from cmkt.audio.write import write_json, write_text
from cmkt.errors import NotLearntError
from cmkt.evaluation.comparison import compare_models
from cmkt.evaluation.kept_audio import audio_path, spread
from cmkt.evaluation.pictures import loss_curves, spectrogram_triple
from cmkt.evaluation.record import NOISY, Item, Score
from cmkt.evaluation.summary import SystemSummary, summarise
from cmkt.evaluation.table import estimate_text, label, markdown_table, summary_markdown, summary_values
from cmkt.metrics.about import about
from cmkt.metrics.registry import DEFAULT_METRICS
from cmkt.training.demo_arms import ARMS
from cmkt.training.run_directory import RunDirectory

LEARNT_BY: Final = ("pesq_wb", "si_sdr")
CAPTION: Final = (
    "This is synthetic speech (eSpeak NG) in synthetic noise: a check that everything works, not evidence about real "
    "speech. Both models are small and trained for minutes, and the difference between transfer and plain is that of "
    "one seed: nothing can be concluded from it."
)


@final
@dataclass(frozen=True, slots=True)
class Results:
    """summary: of noisy, plain and transfer; table: overall means in Markdown; markdown, pictures, listen: where."""

    summary: dict[str, SystemSummary]
    table: str
    markdown: Path
    pictures: Path
    listen: Path


def write_results(
    output: Path,
    scores: Sequence[Score],
    *,
    described: Mapping[str, Any],
    listened: int,
) -> Results:
    """Writes results.md, results.json, `pictures/` and `listen/` into the demo's folder.

    scores: of the evaluation in `output/evaluation`; described: the demo's settings; listened: how many utterances
    kept their audio there.
    """
    metrics = tuple(DEFAULT_METRICS)
    summary = summarise(scores, metrics)
    comparisons = compare_models(scores, list(ARMS), metrics)
    text = summary_markdown(
        summary,
        metrics=metrics,
        title="Demo: speech enhancement on synthetic speech",
        comparisons=comparisons,
        notes=[f"**{CAPTION}**", _conditions(scores, described)],
    )
    values = {
        "caption": CAPTION,
        "settings": dict(described),
        "systems": summary_values(summary),
        "comparisons": [asdict(each) for each in comparisons],
    }
    results = Results(
        summary=summary,
        table=_overall(summary, metrics),
        markdown=output / "results.md",
        pictures=output / "pictures",
        listen=output / "listen",
    )
    write_text(results.markdown, text)
    write_json(output / "results.json", values)
    for folder in (results.pictures, results.listen):
        folder.mkdir(exist_ok=True)
    loss_curves(results.pictures / "loss.png", {arm: RunDirectory(output / arm).metrics for arm in ARMS})
    for number, item in enumerate(_listened(scores, listened), start=1):
        _show(output, item, number, results)
    return results


def check_learnt(summary: Mapping[str, SystemSummary], output: Path) -> None:
    """Raises NotLearntError unless the plain model is above noisy in both PESQ and SI-SDR, on average."""
    gains: dict[str, float | None] = {}
    for metric in LEARNT_BY:
        difference = summary["plain"].overall[metric].difference
        gains[metric] = None if difference is None else difference.mean
    if all(gain is not None and gain > 0 for gain in gains.values()):
        return
    shown = ", ".join(
        f"{label(metric)} {'unknown' if gain is None else f'{gain:+.3f}'}" for metric, gain in gains.items()
    )
    raise NotLearntError(
        "not learnt: the plain model must beat the noisy input in PESQ and SI-SDR on voices and noises that were not "
        f"in its training, but the differences are {shown}. Train longer, with a larger --minutes and another "
        f"--output. Everything that was measured is in {output}."
    )


def _conditions(scores: Sequence[Score], described: Mapping[str, Any]) -> str:
    utterances = len({score.id for score in scores})
    snrs = ", ".join(f"{snr_db:g}" for snr_db in _snrs_db(scores))
    noises = ", ".join(sorted({name for score in scores for name in score.noise_classes}))
    return (
        f"{utterances} utterances of voices, sentences and noises ({noises}) that were in neither model's training, at "
        f"SNR {snrs} dB. CRN, {described['steps']} steps, seed {described['seed']}."
    )


def _snrs_db(scores: Sequence[Score]) -> list[float]:
    return sorted({score.snr_db for score in scores if score.snr_db is not None})


def _overall(summary: Mapping[str, SystemSummary], metrics: Sequence[str]) -> str:
    rows = [
        [name, *(estimate_text(system.overall[metric].score, decimals=about(metric).decimals) for metric in metrics)]
        for name, system in summary.items()
    ]
    return markdown_table(["system", *(label(metric) for metric in metrics)], rows)


def _listened(scores: Sequence[Score], wanted: int) -> list[Item]:
    """The utterances whose audio was kept, each at another of the SNRs, the lowest first."""
    ids = list(dict.fromkeys(score.id for score in scores))
    snrs_db = _snrs_db(scores)
    chosen = [ids[place] for place in spread(len(ids), wanted)]
    return [Item(name, snrs_db[number % len(snrs_db)]) for number, name in enumerate(chosen)]


def _show(output: Path, item: Item, number: int, results: Results) -> None:
    """Audio of every system on one mixture under a short name, and a picture of each arm."""
    audio = {}
    rate = 0
    for system in (NOISY, *ARMS, "clean"):
        source = audio_path(output / "evaluation", item, system)
        shutil.copyfile(source, results.listen / f"{number}_{item.snr_db:g}dB_{system}.wav")
        samples, rate = read_audio(source)
        audio[system] = samples[0]
    for arm in ARMS:
        spectrogram_triple(
            results.pictures / f"{number}_{item.snr_db:g}dB_{arm}.png",
            noisy=audio[NOISY],
            enhanced=audio[arm],
            clean=audio["clean"],
            sample_rate=rate,
            title=f"{item.id} at {item.snr_db:g} dB, {arm}",
        )
