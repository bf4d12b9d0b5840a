"""Which noise is drawn and how it is laid out."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from cmkt.data.manifest import Prepared
from cmkt.data.noise import NoiseBank, noise_class
from cmkt.errors import DataError


def bank(prepared: Prepared) -> NoiseBank:
    assert prepared.noise is not None
    return NoiseBank(list(prepared.noise), 16_000)


def test_no_noise_is_an_error() -> None:
    with pytest.raises(DataError, match="--noise"):
        NoiseBank([], 16_000)


def test_class_without_a_name_is_the_recording(prepared: Prepared) -> None:
    cut = next(iter(prepared.speech))
    assert noise_class(cut) == cut.id


def test_draw_is_a_function_of_the_generator(prepared: Prepared) -> None:
    noise = bank(prepared)
    first, second = (noise.draw(20_000, np.random.default_rng(5)) for _ in range(2))
    assert (first.audio == second.audio).all()
    assert first.ids == second.ids


def test_every_draw_has_the_length_and_is_not_silent(prepared: Prepared) -> None:
    noise = bank(prepared)
    rng = np.random.default_rng(0)
    for total in (100, 5_000, 16_000, 64_000, 200_000):
        for _ in range(10):
            drawn = noise.draw(total, rng)
            assert drawn.audio.shape == (total,)
            assert drawn.audio.dtype == np.float32
            assert np.abs(drawn.audio).max() > 0


def test_events_come_with_others_of_their_class_and_are_not_looped(prepared: Prepared) -> None:
    noise = bank(prepared)
    rng = np.random.default_rng(1)
    knocks = [drawn for drawn in (noise.draw(64_000, rng) for _ in range(60)) if drawn.noise_class == "knock"]
    assert knocks
    for drawn in knocks:
        assert set(drawn.ids) == {"knock0", "knock1", "knock2"}
        # 4 s hold at most 8 of these events of about 0.3 s: there is silence between them.
        assert np.mean(drawn.audio == 0) > 0.2


def test_classes_are_weighted_by_the_root_of_their_duration(prepared: Prepared) -> None:
    noise = bank(prepared)
    rng = np.random.default_rng(2)
    counts = Counter(noise.draw(1_000, rng).noise_class for _ in range(1500))
    hiss, knock = 8.0**0.5, (15_000 / 16_000) ** 0.5
    assert counts["hiss"] / 1500 == pytest.approx(hiss / (hiss + knock), abs=0.04)


def test_silent_stretch_of_a_long_recording_is_never_the_noise(prepared: Prepared) -> None:
    noise = bank(prepared)
    index = next(i for i, cut in enumerate(noise.cache.cuts) if cut.id == "hiss1")
    integers = noise.cache[index].integers
    integers[: integers.size - 500] = 0
    rng = np.random.default_rng(3)
    drawn = [noise.draw(2_000, rng) for _ in range(100)]
    assert all(np.abs(one.audio).max() > 0 for one in drawn)
    assert any(one.ids == ("hiss1",) for one in drawn)
