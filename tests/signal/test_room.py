from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray

from cmkt.errors import AudioError
from cmkt.signal.reverb import direct_path_delay, reverberate
from cmkt.signal.room import LEAD_SAMPLES, SPEED_OF_SOUND, Room, draw_room, image_sources, room_response

RATE = 16_000
ROOM = Room((5.0, 4.0, 3.0), (0.9, 0.8, 0.7, 0.6, 0.5, 0.4), (1.0, 2.0, 1.5), (3.0, 2.0, 1.5))
LIVE = dataclasses.replace(ROOM, reflection=(0.9,) * 6)


def decay_seconds(response: NDArray[np.floating], rate: int = RATE) -> float:
    """Time to fall by 60 dB: Schroeder's backward integration (JASA 37(3), 1965), a line from -5 to -35 dB."""
    energy = np.cumsum(response[::-1].astype(np.float64) ** 2)[::-1]
    level_db = 10 * np.log10(energy / energy[0])
    span = slice(int(np.argmax(level_db < -5)), int(np.argmax(level_db < -35)))
    slope, _ = np.polyfit(np.arange(response.size)[span] / rate, level_db[span], 1)
    return -60.0 / float(slope)


def test_the_first_images_are_those_found_by_hand() -> None:
    """Source and microphone are 2 m apart along x, in the middle of y and z: every wall gives one image."""
    distances, gains = image_sources(ROOM, 6.1)
    expected = {
        2.0: 1 / 2.0,  # the source itself
        4.0: 0.9 / 4.0,  # behind x = 0: at -1
        6.0: 0.8 / 6.0,  # behind x = 5: at 9
        np.hypot(2, 4): (0.7 + 0.6) / np.hypot(2, 4),  # behind y = 0 and y = 4
        np.hypot(2, 3): (0.5 + 0.4) / np.hypot(2, 3),  # behind floor and ceiling
    }
    for distance, gain in expected.items():
        assert gains[np.isclose(distances, distance)].sum() == pytest.approx(gain)
    corner = np.isclose(distances, np.sqrt(4 + 9 + 16))  # a wall and the floor or ceiling: four images of two walls
    assert gains[corner].sum() == pytest.approx((0.7 + 0.6) * (0.5 + 0.4) / np.sqrt(29))


def test_images_are_as_dense_as_their_rooms() -> None:
    """Each image has a room of its own, so a sphere holds as many as rooms."""
    distances, _ = image_sources(ROOM, 40.0)
    assert distances.size == pytest.approx(4 / 3 * np.pi * 40.0**3 / ROOM.volume, rel=0.03)


def test_the_direct_path_lies_where_it_is_said_to_at_one_over_the_distance() -> None:
    response = room_response(ROOM, RATE, np.random.default_rng(0))
    assert response[LEAD_SAMPLES] == pytest.approx(0.5, abs=1e-6)
    assert np.abs(response[:LEAD_SAMPLES]).max() < 1e-6
    assert direct_path_delay(response, RATE) == LEAD_SAMPLES


def test_reflections_come_when_sound_has_gone_their_way() -> None:
    """Almost dead but for the wall at x = 0: its reflection comes 2 m later, at 0.9 / 4."""
    room = dataclasses.replace(ROOM, reflection=(0.9, 1e-9, 1e-9, 1e-9, 1e-9, 1e-9))
    response = room_response(room, RATE, np.random.default_rng(0)).astype(np.float64)
    late = LEAD_SAMPLES + 2.0 / SPEED_OF_SOUND * RATE
    window = slice(round(late) - 12, round(late) + 12)
    assert response[window].sum() == pytest.approx(0.9 / 4, rel=0.02)
    centre = float(np.sum(np.arange(response.size)[window] * response[window]) / response[window].sum())
    assert centre == pytest.approx(late, abs=0.3)


def test_reverberation_time_of_equal_walls_is_eyrings() -> None:
    surface, absorption = 2 * (20 + 15 + 12), 1 - 0.9**2
    expected = 24 * np.log(10) / SPEED_OF_SOUND * 60 / (-surface * np.log(1 - absorption))
    assert LIVE.reverberation_seconds == pytest.approx(expected)
    assert expected == pytest.approx(0.161 * 60 / (-surface * np.log(1 - absorption)), rel=2e-3)


@pytest.mark.parametrize("rate", [8_000, 16_000, 48_000])
def test_the_response_decays_as_the_formula_says(rate: int) -> None:
    ratios = []
    for seed in range(6):
        room = draw_room(np.random.default_rng(seed))
        response = room_response(room, rate, np.random.default_rng(seed))
        ratios.append(decay_seconds(response, rate) / room.reverberation_seconds)
    np.testing.assert_allclose(ratios, 1.0, atol=0.25)  # near the talker it is the first reflections that decide
    assert np.median(ratios) == pytest.approx(1.0, abs=0.05)


def test_images_alone_decay_as_the_whole_response_does() -> None:
    """All images of a small room, half a second of them: the noise that stands for them must tell the same time."""
    room = Room((2.6, 2.3, 2.4), (0.85,) * 6, (0.8, 0.9, 1.2), (1.9, 1.4, 1.1))
    distances, gains = image_sources(room, 0.4 * SPEED_OF_SOUND)
    pulses = np.bincount(np.rint(distances / SPEED_OF_SOUND * RATE).astype(int), gains).astype(np.float64)
    alone = np.diff(pulses)[: int(0.35 * RATE)]  # the difference takes the mode at 0 Hz away
    seconds = decay_seconds(alone)
    assert seconds == pytest.approx(room.reverberation_seconds, rel=0.15)


def test_the_level_does_not_jump_where_noise_takes_over() -> None:
    """30 ms before against 30 ms after 50 ms past the direct path, less the decay: over rooms within 1 dB of none."""
    jumps = []
    for seed in range(40):
        room = dataclasses.replace(LIVE, source=(1.0 + 0.02 * seed, 1.7, 1.3))
        response = room_response(room, RATE, np.random.default_rng(seed)).astype(np.float64)
        border, span = LEAD_SAMPLES + round(0.05 * RATE), round(0.03 * RATE)
        before, after = response[border - span : border], response[border : border + span]
        jumps.append(10 * np.log10(np.sum(after**2) / np.sum(before**2)) + 60 * 0.03 / room.reverberation_seconds)
    assert np.mean(jumps) == pytest.approx(0.0, abs=1.0)


def test_no_rumble_of_rigid_walls_is_left() -> None:
    """Below the lowest mode of the room (343 / 2 / 5 = 34 Hz) there is less than at the modes above it."""
    power = np.zeros(2**15 // 2 + 1)
    for seed in range(10):
        room = dataclasses.replace(LIVE, source=(1.0 + 0.1 * seed, 1.7, 1.3))
        power += np.abs(np.fft.rfft(room_response(room, RATE, np.random.default_rng(seed)), 2**15)) ** 2
    frequency = np.fft.rfftfreq(2**15, 1 / RATE)
    assert power[frequency < 20].mean() < power[(frequency > 100) & (frequency < 4000)].mean()


def test_drawn_rooms_are_rooms_and_differ() -> None:
    rooms = [draw_room(np.random.default_rng(seed)) for seed in range(300)]
    seconds = np.array([room.reverberation_seconds for room in rooms])
    volumes = np.array([room.volume for room in rooms])
    distances = np.array([np.linalg.norm(np.subtract(room.source, room.microphone)) for room in rooms])
    assert 0.15 <= seconds.min() < 0.2
    assert 0.8 < seconds.max() <= 0.9
    assert volumes.min() < 20
    assert volumes.max() > 500
    assert 0.2 < distances.min() < 0.5
    assert 2.0 < distances.max() <= 4.0
    assert draw_room(np.random.default_rng(3)) == rooms[3]


def test_the_target_of_a_simulated_room_is_in_time_with_the_dry_speech() -> None:
    speech = np.random.default_rng(0).standard_normal(8_000).astype(np.float32)
    response = room_response(ROOM, RATE, np.random.default_rng(0))
    reverberant, target = reverberate(speech, response, sample_rate=RATE, early_seconds=0.0, delay=LEAD_SAMPLES)
    np.testing.assert_array_equal(target, speech)
    first = slice(0, 30)  # the first reflection comes after 75 samples
    np.testing.assert_allclose(reverberant[first], speech[first], atol=0.1)


@pytest.mark.parametrize(
    "change",
    [
        {"source": (6.0, 1.0, 1.0)},
        {"microphone": (1.0, 0.0, 1.0)},
        {"microphone": (1.0, 2.0, 1.5)},
        {"reflection": (1.0, 0.5, 0.5, 0.5, 0.5, 0.5)},
        {"reflection": (0.0, 0.5, 0.5, 0.5, 0.5, 0.5)},
    ],
)
def test_a_room_that_cannot_be_is_an_error(change: dict[str, tuple[float, ...]]) -> None:
    with pytest.raises(AudioError, match=next(iter(change))):
        dataclasses.replace(ROOM, **change)  # type: ignore[arg-type]


def test_a_reach_short_of_the_source_is_an_error() -> None:
    with pytest.raises(AudioError, match="reach"):
        image_sources(ROOM, 1.0)
