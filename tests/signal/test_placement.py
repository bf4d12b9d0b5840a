from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cmkt.errors import AudioError
from cmkt.signal.level import is_silent
from cmkt.signal.placement import EVENTS_PER_SECOND, crop, loop, place_noise, scatter

RATE = 8_000


def ramp(samples: int) -> NDArray[np.float32]:
    return np.arange(1, samples + 1, dtype=np.float32) / np.float32(samples)


def test_a_long_recording_is_cropped_to_consecutive_samples_from_a_random_start() -> None:
    recording = ramp(10 * RATE)
    starts = set()
    for seed in range(20):
        placed = place_noise([recording], RATE, RATE, np.random.default_rng(seed))
        np.testing.assert_array_equal(np.round(np.diff(placed) * recording.size), 1)
        starts.add(float(placed[0]))
    assert len(starts) > 15


def test_a_recording_of_exactly_the_length_is_itself() -> None:
    recording = ramp(2 * RATE)
    np.testing.assert_array_equal(place_noise([recording], 2 * RATE, RATE, np.random.default_rng(0)), recording)


def test_a_crop_that_would_be_silent_moves_to_where_there_is_sound() -> None:
    recording = np.zeros(60 * RATE, dtype=np.float32)
    recording[31 * RATE] = 0.5
    for seed in range(20):
        assert np.abs(place_noise([recording], RATE, RATE, np.random.default_rng(seed))).max() == 0.5


def test_a_recording_of_over_a_second_is_looped_with_its_period() -> None:
    recording = np.random.default_rng(0).standard_normal(int(1.5 * RATE))
    placed = place_noise([recording], 6 * RATE, RATE, np.random.default_rng(1))
    period = recording.size - int(0.05 * RATE)
    np.testing.assert_array_equal(placed[period:], placed[:-period])


def test_the_seam_of_a_loop_keeps_level_and_does_not_jump() -> None:
    rng = np.random.default_rng(0)
    smooth = np.convolve(rng.standard_normal(3 * RATE), np.hanning(64), mode="valid")
    smooth /= smooth.std()
    looped = loop(smooth, 8 * RATE, int(0.05 * RATE), rng)
    assert np.abs(np.diff(looped)).max() < 1.5 * np.abs(np.diff(smooth)).max()
    assert looped.std() == pytest.approx(1.0, abs=0.1)


def test_the_seam_of_a_loop_has_the_power_of_both_sides() -> None:
    rng = np.random.default_rng(4)
    fade = 2_000
    powers = []
    for _ in range(30):
        recording = rng.standard_normal(8_000)
        unit = loop(recording, 6_000, fade, np.random.default_rng(0))
        start = int(np.random.default_rng(0).integers(6_000))
        powers.append(np.roll(unit, start)[:fade] ** 2)
    assert np.mean(powers) == pytest.approx(1.0, abs=0.05)


def test_an_event_under_a_second_is_never_looped() -> None:
    event = np.ones(RATE // 4, dtype=np.float32)
    gaps = []
    for seed in range(30):
        placed = place_noise([event], 20 * RATE, RATE, np.random.default_rng(seed))
        starts = np.flatnonzero(np.diff(placed, prepend=0) > 0)
        gaps.append(np.diff(starts))
        assert (placed == 0).mean() > 0.2
    assert all(len(set(gap.tolist())) > 1 for gap in gaps if gap.size > 3)


def test_an_event_of_999_milliseconds_is_scattered_and_one_of_a_second_is_looped() -> None:
    short, long = np.ones(RATE - 8), np.ones(RATE)
    rng = np.random.default_rng(0)
    assert all((place_noise([long], 5 * RATE, RATE, rng) > 0).all() for _ in range(10))
    assert any((place_noise([short], 5 * RATE, RATE, rng) == 0).any() for _ in range(10))


def test_events_come_whole_and_from_all_of_their_class() -> None:
    events = [np.full(100, 10.0**power) for power in range(3)]
    placed = place_noise(events, 30 * RATE, RATE, np.random.default_rng(0))
    totals = [round(placed.sum() // 10.0**power % 10 ** (3 - power)) for power in range(3)]
    assert placed.sum() % 100 == 0
    for power in range(3):
        assert (placed == 10.0**power).any(), totals


def test_recordings_of_over_a_second_are_not_scattered_among_events() -> None:
    event, recording = np.full(100, 1.0), np.full(2 * RATE, 100.0)
    for seed in range(30):
        placed = place_noise([event, recording], 10 * RATE, RATE, np.random.default_rng(seed))
        assert (placed < 50).all() or (placed > 50).all()


def test_no_event_is_repeated_before_all_were_used() -> None:
    events = [np.array([10.0**power]) for power in range(4)]
    assert scatter(events, 5_000, 4, np.random.default_rng(0)).sum() == 1111
    assert scatter(events, 5_000, 8, np.random.default_rng(0)).sum() == 2222


def test_the_number_of_events_is_within_its_named_range() -> None:
    event = np.ones(1)
    for seed in range(20):
        count = place_noise([event], 10 * RATE, RATE, np.random.default_rng(seed)).sum()
        assert EVENTS_PER_SECOND[0] * 10 <= count <= EVENTS_PER_SECOND[1] * 10


def test_the_same_generator_state_gives_the_same_noise() -> None:
    recordings = [ramp(300), ramp(500), ramp(2 * RATE)]
    first = place_noise(recordings, 5 * RATE, RATE, np.random.default_rng(7))
    np.testing.assert_array_equal(first, place_noise(recordings, 5 * RATE, RATE, np.random.default_rng(7)))


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 20_000), min_size=1, max_size=4),
    total=st.integers(1, 40_000),
    seed=st.integers(0, 10**6),
)
def test_the_length_is_right_and_a_lone_click_is_never_lost(sizes: list[int], total: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    recordings = []
    for size in sizes:
        recording = np.zeros(size, dtype=np.float32)
        recording[rng.integers(size)] = 0.5
        recordings.append(recording)
    placed = place_noise(recordings, total, RATE, rng)
    assert placed.shape == (total,)
    assert placed.dtype == np.float32
    assert not is_silent(placed)


def test_inputs_are_left_alone() -> None:
    recording = ramp(2 * RATE)
    before = recording.copy()
    placed = crop(recording, RATE, np.random.default_rng(0))
    placed += 1
    loop(recording, 8 * RATE, 100, np.random.default_rng(0))
    np.testing.assert_array_equal(recording, before)


def test_silent_recordings_are_passed_over() -> None:
    recordings = [np.zeros(RATE), 0.5 * np.ones(2 * RATE)]
    for seed in range(10):
        assert (place_noise(recordings, RATE, RATE, np.random.default_rng(seed)) == 0.5).all()


@pytest.mark.parametrize("recordings", [[], [np.zeros(RATE)], [np.zeros(10), np.zeros(3 * RATE)]])
def test_nothing_audible_is_an_error(recordings: list[NDArray[np.float64]]) -> None:
    with pytest.raises(AudioError, match="not silent"):
        place_noise(recordings, RATE, RATE, np.random.default_rng(0))


def test_a_length_of_zero_is_an_error() -> None:
    with pytest.raises(AudioError, match="total"):
        place_noise([np.ones(10)], 0, RATE, np.random.default_rng(0))
