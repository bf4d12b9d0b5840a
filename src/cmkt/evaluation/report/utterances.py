"""The mixtures that a report lets one hear: why each is shown, its scores, what was understood, and its sounds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, final

from markupsafe import Markup

from cmkt.evaluation.record import CLEAN, NOISY
from cmkt.evaluation.report.chosen import Chosen, Reason
from cmkt.evaluation.report.entries import minus
from cmkt.evaluation.report.heard import Piece, marked
from cmkt.evaluation.report.palette import colour_class
from cmkt.evaluation.report.sound import BYTES_PER_SAMPLE, Audio, audio_uri
from cmkt.evaluation.report.spectrogram import spectrogram_levels, spectrogram_picture
from cmkt.metrics.about import About, about
from cmkt.metrics.identification import IDENTIFIED

if TYPE_CHECKING:
    from cmkt.evaluation.record import Item, Score
    from cmkt.evaluation.report.test_sets import TestSet

    Find = Callable[[Item, str], Audio | None]

SHOWN_METRICS: Final = ("stoi", "pesq_wb", "si_sdr", "dnsmos_ovrl", "wer", "identified", "word_margin")
MOST_SYSTEMS: Final = 4
BUDGET_BYTES: Final = 11e6
"""Of all audio of a report; pictures and text need about 3 MB more at most."""
LONGEST_SECONDS: Final = 30.0
NOTHING: Final = Markup("")


@final
@dataclass(frozen=True, slots=True)
class Voice:
    """A system on a mixture. sound: a data URI, "" where there is none; heard: what a recogniser understood."""

    name: str
    colour: str
    values: tuple[str, ...]
    heard: tuple[Piece, ...]
    sound: str
    picture: Markup


@final
@dataclass(frozen=True, slots=True)
class Badge:
    """Why a mixture is shown, in words; kind is "best" or "worst"."""

    kind: str
    text: str


@final
@dataclass(frozen=True, slots=True)
class Card:
    """A mixture. kind: its list; seconds: of the signals; shown_seconds: the first so many are in the page."""

    kind: str
    title: str
    reasons: tuple[Badge, ...]
    facts: tuple[tuple[str, str], ...]
    text: str
    columns: tuple[About, ...]
    voices: tuple[Voice, ...]
    seconds: float
    shown_seconds: float


def shown_systems(test_set: TestSet, focus: str) -> list[str]:
    """Noisy, the system in focus, other systems as long as there is room, and clean."""
    others = [name for name in test_set.models if name != focus][: MOST_SYSTEMS - 1]
    models = [name for name in test_set.models if name == focus or name in others]
    return [NOISY, *models, CLEAN]


def make_cards(test_set: TestSet, chosen: Sequence[Chosen], systems: Sequence[str], find: Find) -> list[Card]:
    """A card for each chosen mixture, with the audio that is found, cut so that all of it stays within the budget."""
    sounds = {each.item: {name: found for name in systems if (found := find(each.item, name))} for each in chosen}
    longest = _longest_seconds([audio for own in sounds.values() for audio in own.values()])
    return [_card(test_set, each, systems, sounds[each.item], longest) for each in chosen]


def _longest_seconds(audios: Sequence[Audio]) -> float:
    """How much of each signal fits the budget when shorter ones leave their share to longer ones."""
    left = BUDGET_BYTES
    lengths = sorted((audio.seconds, audio.sample_rate) for audio in audios)
    for number, (seconds, sample_rate) in enumerate(lengths):
        share = left / (len(lengths) - number) / (BYTES_PER_SAMPLE * sample_rate)
        if seconds > share:
            return min(share, LONGEST_SECONDS)
        left -= seconds * sample_rate * BYTES_PER_SAMPLE
    return LONGEST_SECONDS


def _card(test_set: TestSet, chosen: Chosen, systems: Sequence[str], sounds: dict[str, Audio], longest: float) -> Card:
    item = chosen.item
    scores = {name: test_set.scores[name, item] for name in systems if (name, item) in test_set.scores}
    columns = [name for name in SHOWN_METRICS if any(name in score.metrics for score in scores.values())]
    cut = {name: each.first(longest) for name, each in sounds.items()}
    noisy = scores[NOISY]
    return Card(
        kind=kind_text(chosen.reasons[0]),
        title=title_of(item),
        reasons=tuple(Badge(reason.kind, reason_text(reason)) for reason in chosen.reasons),
        facts=tuple(_facts(noisy)),
        text=noisy.text or "",
        columns=tuple(map(about, columns)),
        voices=tuple(_voices(test_set, item, scores, columns, cut)),
        seconds=noisy.duration,
        shown_seconds=min(noisy.duration, max((each.seconds for each in cut.values()), default=0.0)),
    )


def _voices(
    test_set: TestSet, item: Item, scores: Mapping[str, Score], columns: Sequence[str], sounds: Mapping[str, Audio]
) -> Iterator[Voice]:
    """One for each system that has a score or audio here, all spectrograms on one scale."""
    levels = {name: spectrogram_levels(each.samples, sample_rate=each.sample_rate) for name, each in sounds.items()}
    top_db = max((float(each.max()) for each in levels.values()), default=0.0)
    for name in [NOISY, *test_set.models, CLEAN]:
        if name not in scores and name not in sounds:
            continue
        audio, score = sounds.get(name), scores.get(name)
        label = f"Spectrogram of {title_of(item)}, {name}"
        yield Voice(
            name=name,
            colour=colour_class(name, test_set.systems),
            values=tuple(_value(score, metric) for metric in columns),
            heard=_heard(score),
            sound="" if audio is None else audio_uri(audio),
            picture=NOTHING if audio is None else spectrogram_picture(audio, levels[name], top_db=top_db, label=label),
        )


def _heard(score: Score | None) -> tuple[Piece, ...]:
    if score is None or score.heard is None or score.text is None:
        return ()
    return tuple(marked(score.text, score.heard))


def title_of(item: Item) -> str:
    """The utterance, and its SNR where it is known."""
    return item.id if item.snr_db is None else f"{item.id} at {minus(f'{item.snr_db:g}')} dB"


def kind_text(reason: Reason) -> str:
    """Such as "Helped least, by STOI"."""
    return f"Helped {'least' if reason.kind == 'worst' else 'most'}, by {about(reason.metric).title}"


def reason_text(reason: Reason) -> str:
    """Such as "STOI −0.012, 2nd worst of 96"."""
    own = about(reason.metric)
    rank = "" if reason.rank == 1 else f"{ordinal(reason.rank)} "
    unit = f" {own.unit}" if own.unit not in ("", "MOS", "MOS-LQO") else ""
    return f"{own.title} {minus(f'{reason.difference:+.{own.decimals}f}')}{unit}, {rank}{reason.kind} of {reason.count}"


def ordinal(number: int) -> str:
    """
    >>> [ordinal(number) for number in (1, 2, 3, 4, 11, 22)]
    ['1st', '2nd', '3rd', '4th', '11th', '22nd']
    """
    teens = number % 100 in (11, 12, 13)
    return f"{number}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def _facts(score: Score) -> list[tuple[str, str]]:
    told = [
        ("noise", ", ".join(score.noise_classes)),
        ("speaker", score.speaker),
        ("language", score.language),
        ("gender", score.gender),
        ("age", score.age),
        ("corpus", score.corpus),
        ("room", score.about.get("rir_id")),
        ("duration", f"{score.duration:.1f} s"),
    ]
    return [(name, value) for name, value in told if value]


def _value(score: Score | None, metric: str) -> str:
    if score is None or metric not in score.metrics:
        return "–"
    if metric == IDENTIFIED:
        return "yes" if score.metrics[metric] else "no"
    return minus(f"{score.metrics[metric]:.{about(metric).decimals}f}")
