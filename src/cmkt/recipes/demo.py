"""The demo's corpus: speech of eSpeak NG with known text, and noise of `cmkt.signal.synthesis`. Needs no download.

Nothing that is heard in the test set was heard in training: other voices, other sentences (from other templates, see
`cmkt.recipes.sentences`), babble of voices that speak nowhere else, and other kinds of noise (hum inside swelling
noise, clicks inside hiss, a colour between those of training). It is formant synthesis all the same: it shows that the
machinery works and is no evidence about real speech.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from tqdm import tqdm

from cmkt.audio.write import write_audio, write_json
from cmkt.data.entry import Entry
from cmkt.data.preparation import prepare
from cmkt.errors import ConfigError
from cmkt.recipes.espeak import Espeak, espeak
from cmkt.recipes.sentences import languages, sentences
from cmkt.signal.resample import resample
from cmkt.signal.synthesis import babble, clicks, coloured, hum, modulated

if TYPE_CHECKING:
    from cmkt.types import FloatArray

    _Maker = Callable[[int, Sequence[FloatArray], np.random.Generator], FloatArray]

Split = Literal["train", "dev", "test"]

SAMPLE_RATE = 16_000
LOCALES: dict[str, dict[Split, tuple[str, ...]]] = {
    "en": {"train": ("en-us", "en-gb-x-rp"), "dev": ("en-us",), "test": ("en-us", "en")},
    "zh": {"train": ("cmn",), "dev": ("cmn",), "test": ("cmn",)},
}
VARIANTS: dict[Split, str] = {
    "train": "m1 f1 m3 f2 Alex Annie m4 f3 Andy steph m7 belinda Gene grandma Denis klatt2 pedro linda max",
    "dev": "m5 f4 Nguyen aunty",
    "test": "m6 f5 Michael Andrea Mike anika m8 shelby ed",
}
BABBLE_VARIANTS: dict[Split, str] = {
    "train": VARIANTS["train"],
    "dev": VARIANTS["dev"],
    "test": "quincy victor sandro norbert gustave steph2 Mario rob",
}
WORDS_PER_MINUTE = (130, 211)
PITCH = (35, 66)
PITCH_RANGE = (30, 71)
PAUSE_SECONDS = (0.1, 0.4)
BABBLE_SENTENCES = 3


@dataclass(frozen=True, slots=True)
class DemoCorpus:
    """What to synthesise; the defaults give about half an hour of training speech.

    language: "en" or "zh" (Mandarin); train, dev, test: utterances of each split; noise_recordings: of each kind of
    noise in each split; noise_seconds: length of each; seed: of every draw.
    """

    language: str = "en"
    train: int = 540
    dev: int = 12
    test: int = 40
    noise_recordings: int = 6
    noise_seconds: float = 20.0
    seed: int = 0

    def __post_init__(self) -> None:
        """Raises ConfigError for a language without sentences, or for a count below one."""
        if self.language not in languages():
            raise ConfigError(f"`language` must be one of {languages()}, but is {self.language!r} instead.")
        for name in ("train", "dev", "test", "noise_recordings", "noise_seconds"):
            if getattr(self, name) < 1:
                raise ConfigError(f"`{name}` must be at least 1, but is {getattr(self, name)}.")

    def voices(self, split: Split) -> list[str]:
        """The voices of the utterances; no variant speaks in two splits."""
        return _voices(VARIANTS[split], LOCALES[self.language][split])

    def babble_voices(self, split: Split) -> list[str]:
        """The voices of the babble; those of "test" are heard nowhere else."""
        return _voices(BABBLE_VARIANTS[split], LOCALES[self.language][split])


def prepare_demo(directory: Path, corpus: DemoCorpus) -> bool:
    """Writes the corpus: `audio/`, the prepared folders train, dev and test, `corpus.json`. False when it was there.

    The same settings give the same samples in a process that has not synthesised before (see `cmkt.recipes.espeak`).

    Raises:
        ConfigError: the folder holds a corpus with other settings.
        MissingExtraError: there is no synthesiser.
    """
    marker = directory / "corpus.json"
    if marker.is_file():
        _check_same(marker, corpus)
        return False
    synthesiser = espeak()
    for index, split in enumerate(get_args(Split)):
        rng = np.random.default_rng([corpus.seed, index])
        audio = directory / "audio" / split
        noise = _noise(audio / "noise", corpus, split, synthesiser, rng)
        speech = _speech(audio / "speech", corpus, split, synthesiser, rng)
        prepare({"speech": list(speech), "noise": list(noise)}, directory / split, workers=1)
    write_json(marker, asdict(corpus))
    return True


def _check_same(marker: Path, corpus: DemoCorpus) -> None:
    try:
        found = json.loads(marker.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{marker} must describe a corpus, but cannot be read: {error}. Delete its folder."
        ) from error
    wanted = asdict(corpus)
    if found != wanted:
        changed = [
            f"{name} {found.get(name)!r}, not {wanted[name]!r}" for name in wanted if found.get(name) != wanted[name]
        ]
        raise ConfigError(
            f"{marker.parent} must be new or hold the same corpus, but holds one with {'; '.join(changed)}. "
            "Name another output folder, or delete this one."
        )


def _speech(
    folder: Path, corpus: DemoCorpus, split: Split, synthesiser: Espeak, rng: np.random.Generator
) -> Iterator[Entry]:
    texts = _texts(corpus, split)
    voices = corpus.voices(split)
    for index, text in enumerate(tqdm(texts, desc=f"speech for {split}", unit="utterance", disable=None)):
        voice = voices[index % len(voices)]
        name = f"{split}-{index:04d}-{voice.replace('+', '-')}"
        samples = _spoken(text, voice, synthesiser, rng)
        path = folder / f"{name}.flac"
        _write(path, samples)
        yield Entry(id=name, path=path, text=text, speaker=voice, language=corpus.language, custom={"corpus": "demo"})


def _texts(corpus: DemoCorpus, split: Split) -> list[str]:
    """The sentences of a split. Train and dev share one draw, so that they have none in common."""
    rng = np.random.default_rng([corpus.seed, len(get_args(Split))])
    if split == "test":
        return sentences(corpus.test, language=corpus.language, held_out=True, rng=rng)
    both = sentences(corpus.train + corpus.dev, language=corpus.language, held_out=False, rng=rng)
    return both[: corpus.train] if split == "train" else both[corpus.train :]


def _noise(
    folder: Path, corpus: DemoCorpus, split: Split, synthesiser: Espeak, rng: np.random.Generator
) -> Iterator[Entry]:
    talk = _talk(corpus, split, synthesiser, rng)
    total = round(corpus.noise_seconds * SAMPLE_RATE)
    makers = _TEST_NOISES if split == "test" else _NOISES
    for kind, make in makers.items():
        for index in range(corpus.noise_recordings):
            name = f"{split}-{kind}-{index}"
            path = folder / kind / f"{name}.flac"
            _write(path, make(total, talk, rng))
            yield Entry(id=name, path=path, custom={"class": kind, "corpus": "demo"})


def _talk(corpus: DemoCorpus, split: Split, synthesiser: Espeak, rng: np.random.Generator) -> list[FloatArray]:
    """A few sentences of each babble voice, one after another."""
    voices = corpus.babble_voices(split)
    texts = sentences(BABBLE_SENTENCES * len(voices), language=corpus.language, held_out=split == "test", rng=rng)
    return [
        np.concatenate([_spoken(text, voice, synthesiser, rng) for text in texts[index :: len(voices)]])
        for index, voice in enumerate(voices)
    ]


def _spoken(text: str, voice: str, synthesiser: Espeak, rng: np.random.Generator) -> FloatArray:
    """(T,) at 16 kHz, with a pause before and after, at a drawn rate and pitch."""
    spoken = synthesiser.synthesise(
        text,
        voice=voice,
        words_per_minute=int(rng.integers(*WORDS_PER_MINUTE)),
        pitch=int(rng.integers(*PITCH)),
        pitch_range=int(rng.integers(*PITCH_RANGE)),
    )
    before, after = (round(SAMPLE_RATE * seconds) for seconds in rng.uniform(*PAUSE_SECONDS, size=2))
    speech = resample(0.7 * spoken, synthesiser.sample_rate, SAMPLE_RATE)
    return np.pad(np.clip(speech, -1.0, 1.0), (before, after))


def _write(path: Path, audio: FloatArray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_audio(path, audio[None], SAMPLE_RATE)


def _voices(variants: str, locales: tuple[str, ...]) -> list[str]:
    return [f"{locales[index % len(locales)]}+{variant}" for index, variant in enumerate(variants.split())]


def _some(talk: Sequence[FloatArray], rng: np.random.Generator) -> list[FloatArray]:
    """Four to eight of the voices, or all where there are fewer."""
    chosen = rng.permutation(len(talk))[: int(rng.integers(4, 9))]
    return [talk[index] for index in chosen]


_NOISES: dict[str, _Maker] = {
    "coloured": lambda n, talk, rng: coloured(n, float(rng.choice([0.0, 1.0, 2.0])), rng),
    "hum": lambda n, talk, rng: hum(n, SAMPLE_RATE, rng),
    "clicks": lambda n, talk, rng: clicks(n, SAMPLE_RATE, rng),
    "modulated": lambda n, talk, rng: modulated(n, SAMPLE_RATE, rng),
    "babble": lambda n, talk, rng: babble(_some(talk, rng), n, rng),
}
_TEST_NOISES: dict[str, _Maker] = {
    "tinted": lambda n, talk, rng: coloured(n, float(rng.choice([0.5, 1.5])), rng),
    "engine": lambda n, talk, rng: 0.5 * (hum(n, SAMPLE_RATE, rng) + modulated(n, SAMPLE_RATE, rng)),
    "workshop": lambda n, talk, rng: 0.5 * (clicks(n, SAMPLE_RATE, rng) + coloured(n, 0.7, rng)),
    "crowd": lambda n, talk, rng: babble(_some(talk, rng), n, rng),
}
