"""Speech and noise become a training pair: room, signal-to-noise ratio, level, band limit and clipping.

Shape: T samples. The order of the draws from the generator, always all of them, so that a setting can be changed
without moving the draws of another:

1. eleven uniform numbers: clean?, reverberation?, which room, SNR, two noises?, level of the second noise, speech
   level, band limit?, its cutoff, clipping?, its fraction;
2. two seeds, one for each noise: class, recording, placement (see `NoiseBank.draw`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from cmkt.data.cache import Float32, read_cut
from cmkt.data.noise import NoiseBank, PlacedNoise
from cmkt.errors import AudioError, ConfigError, DataError
from cmkt.signal.augment import band_limit, clip
from cmkt.signal.level import active_level_db, rms_db
from cmkt.signal.mixing import mix
from cmkt.signal.reverb import reverberate

if TYPE_CHECKING:
    from lhotse import MonoCut

PEAK = 0.99
"""No microphone gives more than full scale: a mixture above this peak is turned down, together with its target."""

Range = tuple[float, float]


@dataclass(frozen=True)  # no slots: jsonargparse reads a default through vars()
class MixtureSettings:
    """What happens to an utterance. Every range is (lowest, highest) of a uniform draw; probabilities are in [0, 1].

    snr_db: ITU-T P.56 active level of the (reverberant) speech over the RMS of the noise across the whole mixture.
    level_db: active level of the speech in the mixture, dBFS; target and mixture get the same gain. A mixture whose
        peak would be above 0.99 is turned down to it, so loud noise makes the level lower than drawn.
    clean_probability: no noise is added (the speech may still be reverberant, band-limited or clipped).
    reverb_probability: the speech is played in one of the rooms (nothing happens where there are none).
    early_seconds: reflections up to this long after the direct path belong to the target; 0 is the dry speech.
    two_noises_probability: a second noise is added to the first before the SNR is set.
    second_noise_db: level of the second noise relative to the first, RMS.
    band_limit_probability, band_limit_hz: the mixture loses what lies above the cutoff; the target stays full-band. A
        cutoff above 0.9 of half the sample rate is taken as that.
    clip_probability, clip_fraction: the mixture is cut off at this fraction of its peak; the target stays unclipped.
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

    def __post_init__(self) -> None:
        """Raises ConfigError for a range upside down, a probability outside [0, 1], or a value that cannot be used."""
        for name in ("snr_db", "level_db", "second_noise_db", "band_limit_hz", "clip_fraction"):
            low, high = getattr(self, name)
            if not low <= high:
                raise ConfigError(f"`{name}` must be (lowest, highest), but is ({low}, {high}) instead.")
        for name in (
            "clean_probability",
            "reverb_probability",
            "two_noises_probability",
            "band_limit_probability",
            "clip_probability",
        ):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ConfigError(f"`{name}` must be in [0, 1], but is {getattr(self, name)} instead.")
        if self.early_seconds < 0.0 or self.band_limit_hz[0] <= 0.0:
            raise ConfigError("`early_seconds` must not be negative and `band_limit_hz` must be above 0.")
        if not 0.0 < self.clip_fraction[0] <= self.clip_fraction[1] <= 1.0:
            raise ConfigError(f"`clip_fraction` must be in (0, 1], but is {self.clip_fraction} instead.")


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


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that was drawn for one mixture, before any audio is touched. None: does not happen.

    room is in [0, 1), a position in the list of rooms; noise_seeds has none, one or two seeds.
    """

    snr_db: float
    level_db: float
    room: float | None
    noise_seeds: tuple[int, ...]
    second_noise_db: float
    cutoff_hz: float | None
    clip_fraction: float | None


def _between(limits: Range, position: float) -> float:
    return limits[0] + (limits[1] - limits[0]) * position


def draw_plan(settings: MixtureSettings, rng: np.random.Generator) -> Plan:
    """Draws a plan, in the order that the module's docstring gives."""
    clean, reverb, room, snr, two, second, level, limited, cutoff, clipped, fraction = (
        float(x) for x in rng.random(11)
    )
    seeds = tuple(int(seed) for seed in rng.integers(2**63, size=2))
    noises = 0 if clean < settings.clean_probability else 2 if two < settings.two_noises_probability else 1
    return Plan(
        snr_db=_between(settings.snr_db, snr),
        level_db=_between(settings.level_db, level),
        room=room if reverb < settings.reverb_probability else None,
        noise_seeds=seeds[:noises],
        second_noise_db=_between(settings.second_noise_db, second),
        cutoff_hz=_between(settings.band_limit_hz, cutoff) if limited < settings.band_limit_probability else None,
        clip_fraction=_between(settings.clip_fraction, fraction) if clipped < settings.clip_probability else None,
    )


@dataclass(frozen=True, slots=True)
class Mixture:
    """A training pair and how it came about.

    noisy, clean: (T,) float32, in time with each other. snr_db is None where there is no noise; level_db is the active
    level in dBFS of the speech in the mixture (before band limit and clipping).
    """

    noisy: NDArray[np.float32]
    clean: NDArray[np.float32]
    snr_db: float | None
    level_db: float
    noise_ids: tuple[str, ...]
    noise_classes: tuple[str, ...]
    rir_id: str | None


@final
class Mixer:
    """Makes mixtures of speech with the given noises and rooms (an iterable of cuts each, such as a CutSet).

    Raises DataError when there is no noise although the settings ask for it.
    """

    def __init__(
        self,
        settings: MixtureSettings,
        noise: Iterable[MonoCut] | None,
        rir: Iterable[MonoCut] | None,
        sample_rate: int,
    ) -> None:
        self.settings = settings
        self.sample_rate = sample_rate
        noise_cuts = [] if noise is None else list(noise)
        self.noise = NoiseBank(noise_cuts, sample_rate) if noise_cuts or settings.clean_probability < 1.0 else None
        self._rir_cuts = [] if rir is None else list(rir)
        self._rirs: dict[int, Float32] = {}

    def preload(self) -> None:
        """Decodes all noises and rooms now, so that forked loader processes share them."""
        if self.noise is not None:
            self.noise.cache.preload(description="decoding noise")
        for index in range(len(self._rir_cuts)):
            self._rir(index)

    def mix(self, speech: Float32, rng: np.random.Generator, *, snr_db: float | None = None) -> Mixture:
        """A mixture with `speech` (T,); what is drawn comes from `rng`, the SNR too unless it is given.

        Raises AudioError when the speech is silent, DataError when a noise or room file is gone or damaged.
        """
        plan = draw_plan(self.settings, rng)
        wanted_snr_db = plan.snr_db if snr_db is None else snr_db
        reverberant, target, rir_id = self._in_room(speech, plan)
        noises = self._noises(plan, speech.size)
        if noises:
            mixture, scaled = mix(
                reverberant, self._sum(noises, plan), snr_db=wanted_snr_db, sample_rate=self.sample_rate
            )
            speech_db = wanted_snr_db + rms_db(scaled)
        else:
            mixture, speech_db = reverberant, active_level_db(reverberant, self.sample_rate)
        gain = 10.0 ** ((plan.level_db - speech_db) / 20.0)
        gain = min(gain, PEAK / float(np.abs(mixture).max()))
        return Mixture(
            noisy=self._degrade((mixture * gain).astype(np.float32), plan),
            clean=(target * gain).astype(np.float32),
            snr_db=wanted_snr_db if noises else None,
            level_db=speech_db + 20.0 * float(np.log10(gain)),
            noise_ids=tuple(name for noise in noises for name in noise.ids),
            noise_classes=tuple(noise.noise_class for noise in noises),
            rir_id=rir_id,
        )

    def _in_room(self, speech: Float32, plan: Plan) -> tuple[Float32, Float32, str | None]:
        if plan.room is None or not self._rir_cuts:
            return speech, speech, None
        index = int(plan.room * len(self._rir_cuts))
        identity = str(self._rir_cuts[index].id)
        try:
            reverberant, target = reverberate(
                speech, self._rir(index), sample_rate=self.sample_rate, early_seconds=self.settings.early_seconds
            )
        except AudioError as error:
            raise DataError(f"the room impulse response {identity} must be usable, but is not: {error}") from error
        return reverberant.astype(np.float32), target.astype(np.float32), identity

    def _rir(self, index: int) -> Float32:
        # Not as int16: the tail of a room lies below what 16 bits hold.
        if index not in self._rirs:
            self._rirs[index] = read_cut(self._rir_cuts[index], self.sample_rate)
        return self._rirs[index]

    def _noises(self, plan: Plan, samples: int) -> list[PlacedNoise]:
        if self.noise is None:
            return []
        return [self.noise.draw(samples, np.random.default_rng(seed)) for seed in plan.noise_seeds]

    def _sum(self, noises: list[PlacedNoise], plan: Plan) -> Float32:
        first = noises[0].audio
        if len(noises) == 1:
            return first
        second = noises[1].audio
        gain = 10.0 ** ((rms_db(first) + plan.second_noise_db - rms_db(second)) / 20.0)
        return np.asarray(first + second * gain, dtype=np.float32)

    def _degrade(self, noisy: Float32, plan: Plan) -> Float32:
        if plan.cutoff_hz is not None:
            cutoff_hz = min(plan.cutoff_hz, 0.45 * self.sample_rate)
            noisy = band_limit(noisy, cutoff_hz, self.sample_rate).astype(np.float32)
        if plan.clip_fraction is not None:
            noisy = clip(noisy, plan.clip_fraction).astype(np.float32)
        return noisy
