"""Plans are drawn as often and within what the settings ask for, and a setting moves no draw of another."""

from __future__ import annotations

import dataclasses
import hashlib

import numpy as np
import pytest

from cmkt.data.plan import MixtureSettings, Source, draw_plan, plain_settings
from cmkt.errors import ConfigError

ALL = MixtureSettings(
    reverb_probability=0.5,
    speed_probability=0.5,
    noise_speed_probability=0.5,
    colour_probability=0.5,
    synthetic_probability=0.2,
    babble_probability=0.2,
)
"""Everything of the first release, often."""

NEW = dataclasses.replace(ALL, simulated_room_share=1.0, music_probability=0.6, codec_probability=1.0)


def test_drawn_values_stay_in_their_ranges_and_come_as_often_as_asked() -> None:
    settings = MixtureSettings()
    rng = np.random.default_rng(0)
    plans = [draw_plan(settings, rng) for _ in range(3000)]
    assert all(-5 <= plan.snr_db <= 20 and -40 <= plan.level_db <= -10 for plan in plans)
    assert all(plan.cutoff_hz is None or 2000 <= plan.cutoff_hz <= 7000 for plan in plans)
    assert np.mean([plan.room is not None for plan in plans]) == pytest.approx(0.3, abs=0.03)
    assert np.mean([len(plan.noises) == 2 for plan in plans]) == pytest.approx(0.25 * 0.98, abs=0.03)
    assert np.mean([len(plan.noises) == 0 for plan in plans]) == pytest.approx(0.02, abs=0.01)
    assert np.mean([plan.clip_fraction is not None for plan in plans]) == pytest.approx(0.05, abs=0.02)


@pytest.mark.parametrize(
    "wrong",
    [
        {"snr_db": (5.0, 0.0)},
        {"clean_probability": 1.5},
        {"clip_fraction": (0.0, 0.5)},
        {"early_seconds": -1.0},
        {"band_limit_hz": (0.0, 100.0)},
        {"speed_factor": (0.1, 1.0)},
        {"noise_speed_factor": (1.0, 3.0)},
        {"synthetic_probability": 0.7, "babble_probability": 0.7},
        {"babble_voices": (0, 3)},
        {"synthetic_probability": 0.4, "babble_probability": 0.4, "music_probability": 0.4},
        {"codec_probability": 1.1},
        {"simulated_room_share": -0.1},
        {"colour_probability": -0.1},
        {"clean_probability": 2},
        {"babble_probability": -1},
        {"snr_db": [10, -5]},
    ],
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        dataclasses.replace(MixtureSettings(), **wrong)  # type: ignore[arg-type]


def test_new_augmentations_move_no_draw_of_the_old_ones() -> None:
    settings = dataclasses.replace(plain_settings(), two_noises_probability=1.0)
    changed = dataclasses.replace(settings, speed_probability=1.0, colour_probability=1.0, noise_speed_probability=1.0)
    plans = [draw_plan(each, np.random.default_rng(3)) for each in (settings, changed)]
    assert [plan.snr_db for plan in plans] == [plans[0].snr_db] * 2
    assert [noise.seed for noise in plans[0].noises] == [noise.seed for noise in plans[1].noises]
    assert plans[0].speed == 1.0
    assert plans[1].speed != 1.0


def test_as_many_noises_as_asked_are_synthetic_babble_or_music() -> None:
    settings = MixtureSettings(
        synthetic_probability=0.2, babble_probability=0.1, music_probability=0.15, colour_probability=0.5
    )
    rng = np.random.default_rng(0)
    noises = [noise for _ in range(3000) for noise in draw_plan(settings, rng).noises]
    share = {source: np.mean([noise.source is source for noise in noises]) for source in Source}
    assert share[Source.SYNTHETIC] == pytest.approx(0.2, abs=0.03)
    assert share[Source.BABBLE] == pytest.approx(0.1, abs=0.03)
    assert share[Source.MUSIC] == pytest.approx(0.15, abs=0.03)
    assert np.mean([noise.colour is not None for noise in noises]) == pytest.approx(0.5, abs=0.03)


def test_the_draws_of_the_first_release_are_what_they_were() -> None:
    """Taken before there were simulated rooms, music and codecs."""
    digest = hashlib.sha256()
    for seed in range(200):
        plan = draw_plan(ALL, np.random.default_rng(seed))
        noises = tuple((noise.seed, noise.source.value, noise.speed, noise.colour) for noise in plan.noises)
        old = (plan.snr_db, plan.level_db, plan.room, noises, plan.second_noise_db, plan.cutoff_hz)
        digest.update(repr((*old, plan.clip_fraction, plan.speed, plan.colour)).encode())
    assert digest.hexdigest() == "0c4c4d438ed80d37d19cdc7b195725e4ca81f269516ceb8c03f3f9575498aed4"


def test_simulated_rooms_music_and_codecs_move_no_other_draw() -> None:
    for seed in range(50):
        old, new = (draw_plan(each, np.random.default_rng(seed)) for each in (ALL, NEW))
        kept = ("snr_db", "level_db", "second_noise_db", "cutoff_hz", "clip_fraction", "speed", "colour")
        assert [getattr(old, name) for name in kept] == [getattr(new, name) for name in kept]
        assert [noise.seed for noise in old.noises] == [noise.seed for noise in new.noises]
        assert (old.room is None) == (new.simulated_room is None)
        # Music takes the place of recordings alone.
        assert all(
            o.source is n.source or n.source is Source.MUSIC for o, n in zip(old.noises, new.noises, strict=True)
        )


def test_as_many_rooms_are_simulated_and_mixtures_coded_as_asked() -> None:
    settings = MixtureSettings(reverb_probability=0.4, simulated_room_share=0.25, codec_probability=0.1)
    rng = np.random.default_rng(0)
    plans = [draw_plan(settings, rng) for _ in range(3000)]
    assert np.mean([plan.simulated_room is not None for plan in plans]) == pytest.approx(0.1, abs=0.02)
    assert np.mean([plan.room is not None for plan in plans]) == pytest.approx(0.3, abs=0.03)
    assert np.mean([plan.codec is not None for plan in plans]) == pytest.approx(0.1, abs=0.02)
    assert all(plan.codec is None or 0.0 <= plan.codec < 1.0 for plan in plans)
