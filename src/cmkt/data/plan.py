"""What will happen to an utterance, drawn before any audio is touched.

The order of the draws from the generator, always all of them, so that a setting can be changed without moving the
draws of another:

1. eleven uniform numbers: clean?, reverberation?, which room, SNR, two noises?, level of the second noise, speech
   level, band limit?, its cutoff, clipping?, its fraction;
2. two seeds, one for each noise: class, recording, placement (see `NoiseBank.draw`), or voices, or synthesis;
3. three rows of four uniform numbers, for the speech and the two noises: speed?, its factor, colour?, for a noise
   where it comes from; and three rows of four for the coefficients of the colours;
4. four uniform numbers: codec?, which, its quality, simulated room?; and the seed of the simulated room.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from cmkt.errors import ConfigError

Range = tuple[float, float]

SPEEDS = (0.5, 2.0)
"""Beyond these a voice or a noise is no longer one that could have been recorded."""

COLOUR_LIMIT = 3 / 8
"""Coefficients of a colour are drawn in plus and minus this, as in RNNoise (Valin, MMSP 2018, section IV): stable."""


@dataclass(frozen=True)  # no slots: jsonargparse reads a default through vars()
class MixtureSettings:
    """What happens to an utterance. Every range is (lowest, highest) of a uniform draw; probabilities are in [0, 1].

    snr_db: ITU-T P.56 active level of the (reverberant) speech over the RMS of the noise across the whole mixture.
    level_db: active level of the speech in the mixture, dBFS; target and mixture get the same gain. A mixture whose
        peak would be above 0.99 is turned down to it, so loud noise makes the level lower than drawn.
    clean_probability: no noise is added (the speech may still be reverberant, band-limited or clipped).
    reverb_probability: the speech is played in a room.
    simulated_room_share: of the rooms, this share is made on the fly (`cmkt.signal.room`); the rest are the measured
        ones (nothing happens where there are none).
    early_seconds: reflections up to this long after the direct path belong to the target; 0 is the dry speech.
    two_noises_probability: a second noise is added to the first before the SNR is set.
    second_noise_db: level of the second noise relative to the first, RMS.
    band_limit_probability, band_limit_hz: the mixture loses what lies above the cutoff; the target stays full-band. A
        cutoff above 0.9 of half the sample rate is taken as that.
    clip_probability, clip_fraction: the mixture is cut off at this fraction of its peak; the target stays unclipped.
    speed_probability, speed_factor: the speech is played at this many times its speed, pitch and formants with it.
    noise_speed_probability, noise_speed_factor: the same for each noise.
    colour_probability: of speech and of each noise apart: a random gentle filter, another microphone or voice (the
        speech's is in the target too).
    synthetic_probability: a noise is made instead of recorded (coloured, swelling, hum, clicks).
    music_probability: a noise is made music.
    babble_probability, babble_voices: a noise is this many utterances of the training speech at once. Needs voices.
    codec_probability: the mixture went through one of `cmkt.signal.codec`, last of all; the target did not.
    """

    snr_db: Range = (-5.0, 20.0)
    level_db: Range = (-40.0, -10.0)
    clean_probability: float = 0.02
    reverb_probability: float = 0.3
    early_seconds: float = 0.05
    two_noises_probability: float = 0.25
    second_noise_db: Range = (-10.0, 0.0)
    band_limit_probability: float = 0.05
    band_limit_hz: Range = (2000.0, 7000.0)
    clip_probability: float = 0.05
    clip_fraction: Range = (0.1, 0.7)
    speed_probability: float = 0.0
    speed_factor: Range = (0.85, 1.15)
    noise_speed_probability: float = 0.0
    noise_speed_factor: Range = (0.75, 1.33)
    colour_probability: float = 0.0
    synthetic_probability: float = 0.0
    babble_probability: float = 0.0
    babble_voices: tuple[int, int] = (3, 8)
    simulated_room_share: float = 0.0
    music_probability: float = 0.0
    codec_probability: float = 0.0

    def __post_init__(self) -> None:
        """Raises ConfigError for a range upside down, a probability outside [0, 1], or a value that cannot be used."""
        for name, value in ((each.name, getattr(self, each.name)) for each in fields(self)):
            if name.endswith(("_probability", "_share")):
                if not 0.0 <= value <= 1.0:
                    raise ConfigError(f"`{name}` must be in [0, 1], but is {value} instead.")
            elif name != "early_seconds" and not value[0] <= value[1]:
                raise ConfigError(f"`{name}` must be (lowest, highest), but is {value} instead.")
        made = (self.synthetic_probability, self.babble_probability, self.music_probability)
        if sum(made) > 1.0:
            raise ConfigError(
                "`synthetic_probability`, `babble_probability` and `music_probability` must be at most 1 together, but "
                f"are {made} instead."
            )
        if self.early_seconds < 0.0 or self.band_limit_hz[0] <= 0.0:
            raise ConfigError("`early_seconds` must not be negative and `band_limit_hz` must be above 0.")
        if not 0.0 < self.clip_fraction[0] <= self.clip_fraction[1] <= 1.0:
            raise ConfigError(f"`clip_fraction` must be in (0, 1], but is {self.clip_fraction} instead.")
        for name, factors in (("speed_factor", self.speed_factor), ("noise_speed_factor", self.noise_speed_factor)):
            if not (SPEEDS[0] <= factors[0] and factors[1] <= SPEEDS[1]):
                raise ConfigError(f"`{name}` must be between {SPEEDS[0]} and {SPEEDS[1]}, but is {factors} instead.")
        if self.babble_voices[0] < 1:
            raise ConfigError(f"`babble_voices` must be at least 1, but is {self.babble_voices} instead.")


def plain_settings() -> MixtureSettings:
    """One noise at a given SNR, speech at -26 dBFS, no room and nothing else: what models are compared on."""
    return MixtureSettings(
        level_db=(-26.0, -26.0),
        clean_probability=0.0,
        reverb_probability=0.0,
        two_noises_probability=0.0,
        band_limit_probability=0.0,
        clip_probability=0.0,
    )


Colour = tuple[float, float, float, float]
"""Coefficients of `signal.augment.colour`: two of the numerator, two of the denominator."""


class Source(Enum):
    """Where a noise comes from."""

    RECORDING = "recording"
    SYNTHETIC = "synthetic"
    BABBLE = "babble"
    MUSIC = "music"


@dataclass(frozen=True, slots=True)
class NoisePlan:
    """What was drawn for one noise. seed: of everything else about it. colour: None for none."""

    seed: int
    source: Source
    speed: float
    colour: Colour | None


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that was drawn for one mixture. None: does not happen; a speed of 1 is as recorded.

    room and codec are in [0, 1), positions in the lists of measured rooms and of codecs; noises has none, one or two;
    simulated_room is a seed.
    """

    snr_db: float
    level_db: float
    room: float | None
    noises: tuple[NoisePlan, ...]
    second_noise_db: float
    cutoff_hz: float | None
    clip_fraction: float | None
    speed: float
    colour: Colour | None
    simulated_room: int | None
    codec: float | None
    codec_quality: float


def draw_plan(settings: MixtureSettings, rng: np.random.Generator) -> Plan:
    """Draws a plan, in the order that the module's docstring gives."""
    clean, reverb, room, snr, two, second, level, limited, cutoff, clipped, fraction = (
        float(x) for x in rng.random(11)
    )
    seeds = [int(seed) for seed in rng.integers(2**63, size=2)]
    rows, coefficients = rng.random((3, 4)), rng.uniform(-COLOUR_LIMIT, COLOUR_LIMIT, (3, 4))
    coded, codec, quality, simulated = (float(x) for x in rng.random(4))
    room_seed = int(rng.integers(2**63))
    count = 0 if clean < settings.clean_probability else 2 if two < settings.two_noises_probability else 1
    noises = tuple(
        NoisePlan(
            seed=seed,
            source=_source(settings, float(row[3])),
            speed=_speed(settings.noise_speed_probability, settings.noise_speed_factor, row),
            colour=_colour(settings, row, coefficient),
        )
        for seed, row, coefficient in zip(seeds[:count], rows[1:], coefficients[1:], strict=False)
    )
    is_reverberant, is_simulated = reverb < settings.reverb_probability, simulated < settings.simulated_room_share
    return Plan(
        snr_db=_between(settings.snr_db, snr),
        level_db=_between(settings.level_db, level),
        room=room if is_reverberant and not is_simulated else None,
        noises=noises,
        second_noise_db=_between(settings.second_noise_db, second),
        cutoff_hz=_between(settings.band_limit_hz, cutoff) if limited < settings.band_limit_probability else None,
        clip_fraction=_between(settings.clip_fraction, fraction) if clipped < settings.clip_probability else None,
        speed=_speed(settings.speed_probability, settings.speed_factor, rows[0]),
        colour=_colour(settings, rows[0], coefficients[0]),
        simulated_room=room_seed if is_reverberant and is_simulated else None,
        codec=codec if coded < settings.codec_probability else None,
        codec_quality=quality,
    )


def _between(limits: Range, position: float) -> float:
    return limits[0] + (limits[1] - limits[0]) * position


def _speed(probability: float, factors: Range, row: NDArray[np.float64]) -> float:
    # To thousandths, which is what `signal.augment.change_speed` can do.
    return round(_between(factors, float(row[1])), 3) if row[0] < probability else 1.0


def _colour(settings: MixtureSettings, row: NDArray[np.float64], coefficients: NDArray[np.float64]) -> Colour | None:
    if row[2] >= settings.colour_probability:
        return None
    a, b, c, d = (float(x) for x in coefficients)
    return a, b, c, d


def _source(settings: MixtureSettings, position: float) -> Source:
    # A new kind comes last, so that what was drawn for a given position stays what it was.
    total = 0.0
    for source, probability in (
        (Source.SYNTHETIC, settings.synthetic_probability),
        (Source.BABBLE, settings.babble_probability),
        (Source.MUSIC, settings.music_probability),
    ):
        total += probability
        if position < total:
            return source
    return Source.RECORDING
