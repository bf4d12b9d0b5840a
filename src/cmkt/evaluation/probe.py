"""The probe on a run: what a fresh bridge reads of the transcript out of a trained enhancer's frames.

`linguistic_gain` is the held-out L_CMA per token of a bridge trained on frames that carry nothing, minus that of a
bridge trained on the true frames. Frames that carry nothing come in two kinds. True frames of other utterances are
distributed as the true ones: the gain is measured against them. Noise with the same statistics stands beside; alone it
would mislead, because its frames differ more from each other than speech does, which gives attention more to combine,
so that its floor can lie below the loss on true frames.

Any enhancer's frames carry some phonetics, so a gain means something only beside that of another run, of the untrained
model and of log-mel frames. The mathematics are in `cmkt.transfer.probe`.

Shapes: F frames of width C, N tokens of width D.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, final

import torch
from tqdm import tqdm

from cmkt.data.draw import share
from cmkt.data.manifest import Prepared, cut_text, load_prepared
from cmkt.data.testset import TestMixtures
from cmkt.errors import ConfigError, DataError
from cmkt.transfer.probe import linguistic_gain, mean_direction_floor, mismatched, noise_like, probe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torch import Tensor, nn

    from cmkt.evaluation.frames import FrameSource
    from cmkt.transfer.alignment import AlignmentSpec
    from cmkt.transfer.probe import Pair, ProbeResult
    from cmkt.transfer.retrieval import Retrieval
    from cmkt.types import Teacher

FEWEST = 3
"""Of fewer, none can be retrieved among others."""
BLIND_SEED = 7919
"""Added to the seed for the frames of noise, so that they are not the numbers that order the batches."""


@final
@dataclass(frozen=True, slots=True)
class ProbeSettings:
    """Where the utterances are and how a bridge is trained.

    data, held_out: prepared folders with transcripts and noise; of several held-out ones all utterances are taken.
    snr_db: of the mixtures. limit: so many utterances of each, chosen by the hash of their ids. language: only
    utterances in it; None takes all. steps: batches of training.
    """

    data: Path
    held_out: tuple[Path, ...]
    snr_db: float = 5.0
    limit: int | None = None
    language: str | None = None
    steps: int = 400
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.held_out:
            raise ConfigError("`held_out` must name a prepared folder, but is empty.")
        for name, value in (("limit", self.limit), ("steps", self.steps)):
            if value is not None and value < 1:
                raise ConfigError(f"`{name}` must be 1 or more, but is {value}.")


@final
@dataclass(frozen=True, slots=True)
class ProbeScore:
    """What one kind of bridge says of one source of frames; losses are held-out L_CMA per token, lower is better.

    name: of the source. alignment: of the bridge. true: on an utterance's own frames. mismatched: on frames of another
    utterance of like length. noise: on Gaussian frames with the same statistics. gain: mismatched minus true, higher is
    more language, with the bounds of its 95% bootstrap interval over utterances.
    mean_direction: the loss of always predicting the mean direction of the training tokens. retrieval: how often the
    bridge on true frames finds the transcript that was said among others.
    """

    name: str
    alignment: str
    true: float
    mismatched: float
    noise: float
    mean_direction: float
    gain: float
    gain_low: float
    gain_high: float
    train_utterances: int
    held_out_utterances: int
    held_out_tokens: int
    retrieval: Retrieval


@final
@dataclass(frozen=True, slots=True)
class Spoken:
    """Mixtures and, in the same order, their transcripts."""

    mixtures: TestMixtures
    texts: tuple[str, ...]


def load_spoken(directory: Path, settings: ProbeSettings, *, sample_rate: int, fewest: int = FEWEST) -> Spoken:
    """The mixtures, at one SNR, of the utterances of a prepared folder that have a transcript.

    Raises: DataError where fewer than `fewest` are left.
    """
    prepared = load_prepared(directory)
    cuts = [cut for cut in prepared.speech if cut_text(cut)]
    if settings.language is not None:
        cuts = [cut for cut in cuts if cut.supervisions[0].language == settings.language]
    cuts = sorted(cuts, key=lambda cut: share(cut.id, seed=settings.seed))[: settings.limit]
    if len(cuts) < fewest:
        wanted = "a transcript" + (f" in language {settings.language!r}" if settings.language else "")
        raise DataError(
            f"{directory} must hold {fewest} utterances with {wanted} or more, but has {len(cuts)} (of at most "
            f"{settings.limit or 'all'})."
        )
    subset = Prepared(
        directory=prepared.directory,
        speech=type(prepared.speech).from_cuts(cuts),
        noise=prepared.noise,
        rir=prepared.rir,
    )
    mixtures = TestMixtures(subset, snrs_db=(settings.snr_db,), sample_rate=sample_rate, seed=settings.seed)
    return Spoken(mixtures, tuple(str(cut_text(cut)) for cut in cuts))


@final
@dataclass(frozen=True, slots=True)
class ProbeSets:
    """What bridges are trained on and what they are measured on, each with the teacher's vectors of its transcripts.

    Shared by all sources of frames at one sample rate, so that recordings are decoded and transcripts embedded once.
    """

    train: tuple[Spoken, list[Tensor]]
    held_out: tuple[tuple[Spoken, list[Tensor]], ...]


def load_sets(settings: ProbeSettings, teacher: Teacher, *, sample_rate: int) -> ProbeSets:
    """`load_spoken` of all folders of the settings. Raises also what `teacher` raises for a text that it lacks."""
    train, *held_out = (
        load_spoken(directory, settings, sample_rate=sample_rate) for directory in (settings.data, *settings.held_out)
    )
    return ProbeSets(
        (train, teacher.embed(train.texts)), tuple((spoken, teacher.embed(spoken.texts)) for spoken in held_out)
    )


def probe_source(
    source: FrameSource,
    sets: ProbeSets,
    settings: ProbeSettings,
    *,
    alignments: Mapping[str, AlignmentSpec],
    device: str = "cpu",
    progress: bool = True,
    on_bridge: Callable[[str, nn.Module], None] | None = None,
) -> list[ProbeScore]:
    """Collects the frames once and gives a score for each alignment.

    For each, three fresh bridges are trained, on true frames and on both kinds that carry nothing, and compared
    held-out. on_bridge: called with the name of the alignment and the bridge that was trained on true frames.
    Raises: DataError where there is too little data.
    """
    train = collect_pairs(source, *sets.train, description=f"{source.name}: to train on", progress=progress)
    held_out = [
        pair
        for spoken, vectors in sets.held_out
        for pair in collect_pairs(source, spoken, vectors, description=f"{source.name}: held out", progress=progress)
    ]
    kinds = {
        "true frames": (train, held_out),
        "frames of other utterances": (mismatched(train), mismatched(held_out)),
        "noise": (noise_pairs(train, seed=settings.seed), noise_pairs(held_out, seed=settings.seed + 1)),
    }
    mean_direction = mean_direction_floor(train, held_out)
    scores = []
    for name, alignment in alignments.items():
        true, other, noise = _bridge_results(
            f"{source.name}, {name}",
            kinds,
            alignment,
            settings,
            device=device,
            progress=progress,
            on_true=None if on_bridge is None else partial(on_bridge, name),
        )
        gain = linguistic_gain(blind=other, true=true, seed=settings.seed)
        assert true.retrieval is not None
        scores.append(
            ProbeScore(
                name=source.name,
                alignment=name,
                true=true.loss,
                mismatched=other.loss,
                noise=noise.loss,
                mean_direction=mean_direction,
                gain=gain.value,
                gain_low=gain.low,
                gain_high=gain.high,
                train_utterances=len(train),
                held_out_utterances=len(true.utterance_losses),
                held_out_tokens=sum(true.utterance_tokens),
                retrieval=true.retrieval,
            )
        )
    return scores


def _bridge_results(
    title: str,
    kinds: Mapping[str, tuple[list[Pair], list[Pair]]],
    alignment: AlignmentSpec,
    settings: ProbeSettings,
    *,
    device: str,
    progress: bool,
    on_true: Callable[[nn.Module], None] | None,
) -> list[ProbeResult]:
    """Of a fresh bridge for each kind of frames; that of the first kind, the true ones, retrieves transcripts too."""
    results: list[ProbeResult] = []
    for kind, (train, held_out) in tqdm(kinds.items(), desc=f"{title}: bridges", disable=not progress):
        is_true = not results
        results.append(
            probe(
                train,
                held_out,
                alignment,
                steps=settings.steps,
                seed=settings.seed,
                device=device,
                retrieval=is_true,
                on_bridge=on_true if is_true else None,
            )
        )
        if progress:
            tqdm.write(f"{title}: L_CMA per token on {kind} {results[-1].loss:.4f}")
    return results


def collect_pairs(
    source: FrameSource, spoken: Spoken, vectors: Sequence[Tensor], *, description: str, progress: bool = True
) -> list[Pair]:
    """Frames and teacher vectors of each utterance; one whose transcript has no token is left out."""
    pairs: list[Pair] = []
    rows = tqdm(vectors, desc=description, unit="utterance", disable=not progress)
    for index, tokens in enumerate(rows):
        if len(tokens):
            pairs.append((source.frames(spoken.mixtures[index]), source.seconds_per_frame, tokens.float()))
    return pairs


def noise_pairs(pairs: Sequence[Pair], *, seed: int) -> list[Pair]:
    """The same tokens with frames of noise that has the mean and deviation of each channel over all utterances.

    Over all, because an utterance's own means already say a little about its sounds.
    """
    generator = torch.Generator().manual_seed(seed + BLIND_SEED)
    noise = noise_like(torch.cat([frames for frames, _, _ in pairs]), generator)
    pieces: Sequence[Tensor] = torch.split(noise, [len(frames) for frames, _, _ in pairs])
    return [(piece, seconds, tokens) for piece, (_, seconds, tokens) in zip(pieces, pairs, strict=True)]
