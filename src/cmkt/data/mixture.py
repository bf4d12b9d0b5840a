"""Speech and noise become a training pair: speed, room, signal-to-noise ratio, level, band limit, clipping, codec.

Shape: T samples.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from cmkt.data.cache import AudioCache, Float32, read_cut
from cmkt.data.noise import NoiseBank, PlacedNoise, babble_of, musical, synthetic
from cmkt.data.plan import Colour, MixtureSettings, NoisePlan, Plan, Source, draw_plan
from cmkt.errors import AudioError, DataError
from cmkt.signal.augment import band_limit, change_speed, clip, colour
from cmkt.signal.codec import CODECS, through_codec
from cmkt.signal.level import active_level_db, rms_db
from cmkt.signal.mixing import mix
from cmkt.signal.reverb import reverberate
from cmkt.signal.room import LEAD_SAMPLES, draw_room, room_response

if TYPE_CHECKING:
    from lhotse import MonoCut

PEAK = 0.99
"""No microphone gives more than full scale: a mixture above this peak is turned down, together with its target."""


@dataclass(frozen=True, slots=True)
class Mixture:
    """A training pair and how it came about.

    noisy, clean: (T,) float32, in time with each other. snr_db is None where there is no noise; level_db is the active
    level in dBFS of the speech in the mixture (before band limit, clipping and codec).
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

    def mix(
        self,
        speech: Float32,
        rng: np.random.Generator,
        *,
        snr_db: float | None = None,
        voices: AudioCache | None = None,
        speech_id: str | None = None,
    ) -> Mixture:
        """A mixture with `speech` (T,); what is drawn comes from `rng`, the SNR too unless it is given.

        voices: utterances that babble is made of, all but `speech_id`. The mixture has T samples over the speed drawn.
        Raises AudioError when the speech is silent, DataError when a noise or room file is gone or damaged, or there is
        no voice although the settings ask for babble.
        """
        plan = draw_plan(self.settings, rng)
        wanted_snr_db = plan.snr_db if snr_db is None else snr_db
        speech = _played(speech, plan.speed, plan.colour)
        reverberant, target, rir_id = self._in_room(speech, plan)
        noises = [self._noise(noise, speech.size, voices, speech_id) for noise in plan.noises]
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
        if plan.simulated_room is not None:
            return self._in_simulated_room(speech, np.random.default_rng(plan.simulated_room))
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

    def _in_simulated_room(self, speech: Float32, rng: np.random.Generator) -> tuple[Float32, Float32, str]:
        room = draw_room(rng)
        reverberant, target = reverberate(
            speech,
            room_response(room, self.sample_rate, rng),
            sample_rate=self.sample_rate,
            early_seconds=self.settings.early_seconds,
            delay=LEAD_SAMPLES,
        )
        identity = f"simulated-{room.reverberation_seconds:.2f}s"
        return reverberant.astype(np.float32), target.astype(np.float32), identity

    def _rir(self, index: int) -> Float32:
        # Not as int16: the tail of a room lies below what 16 bits hold.
        if index not in self._rirs:
            self._rirs[index] = read_cut(self._rir_cuts[index], self.sample_rate)
        return self._rirs[index]

    def _noise(self, plan: NoisePlan, samples: int, voices: AudioCache | None, speech_id: str | None) -> PlacedNoise:
        rng = np.random.default_rng(plan.seed)
        needed = samples if plan.speed == 1.0 else math.ceil(samples * plan.speed) + 1
        if plan.source is Source.SYNTHETIC:
            noise = synthetic(needed, self.sample_rate, rng)
        elif plan.source is Source.BABBLE:
            noise = babble_of(voices, self.settings.babble_voices, needed, rng, but=speech_id)
        elif plan.source is Source.MUSIC:
            noise = musical(needed, self.sample_rate, rng)
        else:
            assert self.noise is not None
            noise = self.noise.draw(needed, rng)
        audio = _played(noise.audio, plan.speed, plan.colour)[:samples]
        return PlacedNoise(audio, noise.ids, noise.noise_class)

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
        if plan.codec is not None:
            noisy = self._coded(noisy, plan.codec, plan.codec_quality)
        return noisy

    def _coded(self, noisy: Float32, position: float, quality: float) -> Float32:
        codec = CODECS[int(position * len(CODECS))]
        try:
            return np.asarray(through_codec(noisy, codec, self.sample_rate, quality=quality), dtype=np.float32)
        except AudioError as error:
            raise DataError(f"{error} Or set `codec_probability` to 0.") from error


def _played(x: Float32, speed: float, coefficients: Colour | None) -> Float32:
    x = change_speed(x, speed)
    return x if coefficients is None else colour(x, coefficients)
