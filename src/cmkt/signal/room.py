"""Impulse responses of simulated rooms: mirror images of the source in a box first, then decaying noise.

Allen, Berkley, "Image method for efficiently simulating small-room acoustics", JASA 65(4), 1979, for the early part;
diffuse noise for the rest, of the level that the images would have had, as Lehmann and Johansson proposed (IEEE TASLP
18(6), 2010): all the images of a room that rings for half a second are a million, those that can be told apart a few
thousand. Walls reflect all frequencies alike. Positions in metres, I image sources, R samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, final

import numpy as np

from cmkt.errors import AudioError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float64 = NDArray[np.float64]

SPEED_OF_SOUND = 343.0

LEAD_SAMPLES = 16
"""Where the direct path lies in a response: a reflection between samples spreads over this many to either side."""

EARLY_SECONDS = 0.05
"""Images are computed for this long after the direct path at least."""

IMAGES_PER_SECOND = 8000.0
"""And until they come as densely as this, when they are no longer heard apart."""

PHASES = 64
"""Delays are rounded to this part of a sample."""

LENGTH_METRES = (2.5, 15.0)
REVERBERATION_SECONDS = (0.15, 0.9)
DISTANCE_METRES = (0.3, 4.0)
MARGIN_METRES = 0.3
"""From source and microphone to every wall at least."""

Point = tuple[float, float, float]


@final
@dataclass(frozen=True, slots=True)
class Room:
    """A box with a corner at the origin, and where one speaks and listens in it.

    reflection: of the pressure at the walls x = 0, x = size, y = 0, y = size, z = 0 and z = size, in (0, 1).
    """

    size: Point
    reflection: tuple[float, float, float, float, float, float]
    source: Point
    microphone: Point

    def __post_init__(self) -> None:
        """Raises AudioError for a point outside the room or on a wall, both at one place, or a wall out of range."""
        for name, point in (("source", self.source), ("microphone", self.microphone)):
            if not all(0.0 < x < side for x, side in zip(point, self.size, strict=True)):
                raise AudioError(f"`{name}` must lie inside the room {self.size}, but is {point} instead.")
        if self.source == self.microphone:
            raise AudioError(f"`source` must not be where the microphone is, but both are at {self.source}.")
        if not all(0.0 < each < 1.0 for each in self.reflection):
            raise AudioError(f"`reflection` must be between 0 and 1 at each wall, but is {self.reflection} instead.")

    @property
    def volume(self) -> float:
        """Cubic metres."""
        return float(np.prod(self.size))

    @property
    def reverberation_seconds(self) -> float:
        """Time in which the sound decays by 60 dB, after Millington (JASA 4(1), 1932); after Eyring for equal walls."""
        absorbed = float(np.sum(_areas(self.size) * -2.0 * np.log(self.reflection)))
        return 24.0 * float(np.log(10.0)) * self.volume / (SPEED_OF_SOUND * absorbed)


def draw_room(rng: np.random.Generator) -> Room:
    """A room between a booth and a hall, with walls as different as curtain and plaster, and a talker 0.3 to 4 m away.

    Where the room is too small for the distance drawn it is less. Small rooms do not ring long: at most 0.4 s in 12.5
    cubic metres, and 0.12 s more each time the volume doubles, up to 0.9 s.
    """
    length = float(np.exp(rng.uniform(*np.log(LENGTH_METRES))))
    size = np.array([length, max(2.0, length * rng.uniform(0.5, 1.0)), rng.uniform(2.3, 2.4 + 0.25 * length)])
    longest = min(REVERBERATION_SECONDS[1], 0.4 + 0.12 * float(np.log2(max(np.prod(size) / 12.5, 1.0))))
    seconds = float(rng.uniform(REVERBERATION_SECONDS[0], longest))
    areas = _areas((size[0], size[1], size[2]))
    share = rng.uniform(0.3, 1.7, 6)
    # The exponents of the six walls, so that Millington's formula gives the seconds drawn.
    absorbed = share / np.sum(share * areas) * 24.0 * np.log(10.0) * np.prod(size) / (SPEED_OF_SOUND * seconds)
    microphone = rng.uniform(MARGIN_METRES, size - MARGIN_METRES)
    distance = float(np.exp(rng.uniform(*np.log(DISTANCE_METRES))))
    azimuth, rise = rng.uniform(0, 2 * np.pi), rng.uniform(-0.3, 0.3)
    step = distance * np.array([np.cos(azimuth) * np.cos(rise), np.sin(azimuth) * np.cos(rise), np.sin(rise)])
    ahead = microphone + step
    outside = (ahead < MARGIN_METRES) | (ahead > size - MARGIN_METRES)
    # Where a wall is in the way, to the other side along that axis, and no further than the wall there.
    source = np.clip(np.where(outside, microphone - step, ahead), MARGIN_METRES, size - MARGIN_METRES)
    return Room(
        size=_point(size),
        reflection=tuple(float(x) for x in np.exp(-absorbed / 2.0)),  # type: ignore[arg-type]
        source=_point(source),
        microphone=_point(microphone),
    )


def room_response(room: Room, sample_rate: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """(R,): the direct path lies exactly at sample LEAD_SAMPLES, at 1 / distance in metres; ends 60 dB down.

    The images alone would pile up to a mode at 0 Hz that no room has for long and no microphone records: rigid walls
    let the pressure of a pulse rise as 4 pi c^2 t / V. That part is subtracted.
    """
    distances, gains = image_sources(room, SPEED_OF_SOUND * _images_end(room))
    direct = float(distances.min())
    early = _placed(LEAD_SAMPLES + (distances - direct) / SPEED_OF_SOUND * sample_rate, gains)
    seconds = room.reverberation_seconds
    boundary = LEAD_SAMPLES + round((_images_end(room) - direct / SPEED_OF_SOUND) * sample_rate)
    total = max(boundary, round(seconds * sample_rate)) + 1
    time = (np.arange(total) - LEAD_SAMPLES) / sample_rate + direct / SPEED_OF_SOUND
    decay = 10.0 ** (-3.0 * time / seconds)
    response = np.zeros(total)
    kept = min(early.size, boundary)
    response[:kept] = early[:kept]
    middle = slice(LEAD_SAMPLES + 1, boundary)
    response[middle] -= (4 * np.pi * SPEED_OF_SOUND**2 / room.volume / sample_rate * time * decay)[middle]
    spread = np.sqrt(4 * np.pi * SPEED_OF_SOUND / room.volume / sample_rate)
    response[boundary:] = spread * decay[boundary:] * rng.standard_normal(total - boundary)
    return response.astype(np.float32)


def image_sources(room: Room, reach: float) -> tuple[Float64, Float64]:
    """Distances (I,) in metres and gains (I,) of all images of the source nearer than `reach`, the source itself too.

    A gain is the product of the reflections on the way over the distance in metres.

    Raises:
        AudioError: the source itself is not nearer than `reach`.
    """
    axes = [_axis(room, axis, reach) for axis in range(3)]
    (x, gain_x), (y, gain_y), (z, gain_z) = axes
    squares = (x**2)[:, None, None] + (y**2)[:, None] + z**2
    near = squares < reach**2
    if not near.any():
        raise AudioError(f"`reach` must be more than the distance of the source, but is {reach:g} m instead.")
    distances = np.sqrt(squares[near])
    gains = (gain_x[:, None, None] * gain_y[:, None] * gain_z)[near]
    return distances, gains / distances


def _axis(room: Room, axis: int, reach: float) -> tuple[Float64, Float64]:
    """Offsets from the microphone of the images along one axis within `reach`, and the product of the walls hit."""
    side, source, microphone = room.size[axis], room.source[axis], room.microphone[axis]
    near_wall, far_wall = room.reflection[2 * axis : 2 * axis + 2]
    count = int(np.ceil(reach / (2 * side))) + 1
    number = np.arange(-count, count + 1)
    straight = 2 * number * side + source
    mirrored = 2 * number * side - source
    offsets = np.concatenate([straight, mirrored]) - microphone
    gains = np.concatenate(
        [(near_wall * far_wall) ** np.abs(number), near_wall ** np.abs(number - 1) * far_wall ** np.abs(number)]
    )
    within = np.abs(offsets) < reach
    return offsets[within], gains[within]


def _images_end(room: Room) -> float:
    """When the noise takes over, in seconds after the pulse left: the images by then come 4 pi c^3 t^2 / V a second."""
    direct = float(np.linalg.norm(np.subtract(room.source, room.microphone))) / SPEED_OF_SOUND
    dense = np.sqrt(IMAGES_PER_SECOND * room.volume / (4 * np.pi * SPEED_OF_SOUND**3))
    return max(direct + EARLY_SECONDS, float(dense))


def _placed(positions: Float64, gains: Float64) -> Float64:
    """Pulses at `positions` (I,) in samples, each a sinc under a Hann window of 2 LEAD_SAMPLES."""
    rounded = np.rint(positions * PHASES).astype(np.intp)
    whole, phase = np.divmod(rounded, PHASES)
    where = whole[:, None] + np.arange(1 - LEAD_SAMPLES, LEAD_SAMPLES + 1)
    pulses = gains[:, None] * _pulses()[phase]
    return np.bincount(where.ravel(), pulses.ravel()).astype(np.float64)


@lru_cache(maxsize=1)
def _pulses() -> Float64:
    """(PHASES, 2 LEAD_SAMPLES): the taps of a pulse that lies phase / PHASES after a sample."""
    time = np.arange(1 - LEAD_SAMPLES, LEAD_SAMPLES + 1) - np.arange(PHASES)[:, None] / PHASES
    taps: Float64 = np.sinc(time) * np.cos(np.pi * time / (2 * LEAD_SAMPLES)) ** 2
    return taps


def _areas(size: Point) -> Float64:
    x, y, z = size
    return np.array([y * z, y * z, x * z, x * z, x * y, x * y])


def _point(values: Float64) -> Point:
    x, y, z = (float(value) for value in values)
    return x, y, z
