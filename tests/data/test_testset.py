"""Test mixtures are the same for every model, in any order."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cmkt.data.manifest import Prepared
from cmkt.data.testset import TestMixtures
from cmkt.errors import ConfigError
from cmkt.signal.level import active_level_db, rms_db

SNRS_DB = (-5.0, 0.0, 5.0)


def mixtures(prepared: Prepared, *, seed: int = 0, limit: int | None = None) -> TestMixtures:
    return TestMixtures(prepared, snrs_db=SNRS_DB, sample_rate=16_000, seed=seed, limit=limit)


def test_every_utterance_comes_at_every_snr(prepared: Prepared) -> None:
    found = [(one.id, one.snr_db) for one in mixtures(prepared)]
    assert found == [(f"u{number}", snr_db) for number in range(6) for snr_db in SNRS_DB]
    assert len(mixtures(prepared)) == 18


def test_same_mixture_in_any_order_and_object(prepared: Prepared) -> None:
    first = list(mixtures(prepared))
    again = mixtures(prepared)
    for index in reversed(range(18)):
        assert (again[index].noisy == first[index].noisy).all()
        assert again[index].metadata == first[index].metadata
    assert any((one.noisy != two.noisy).any() for one, two in zip(first, mixtures(prepared, seed=1), strict=True))


def test_snr_is_as_told_and_the_noise_is_the_same_at_every_snr(prepared: Prepared) -> None:
    loud, _, soft = (mixtures(prepared)[index] for index in range(3))
    for one in (loud, soft):
        noise = one.noisy - one.clean
        assert active_level_db(one.clean, 16_000) - rms_db(noise) == pytest.approx(one.snr_db, abs=0.01)
    assert np.corrcoef(loud.noisy - loud.clean, soft.noisy - soft.clean)[0, 1] > 0.9999


def test_metadata_is_json_and_names_what_is_known(prepared: Prepared) -> None:
    metadata = json.loads(json.dumps(mixtures(prepared)[0].metadata))
    assert metadata["text"] == "SENTENCE 0"
    assert metadata["speaker"] == "s0"
    assert metadata["corpus"] == "toy"
    assert metadata["noise_ids"]
    assert metadata["duration"] == 1.0


def test_smaller_set_is_part_of_a_larger_one(prepared: Prepared) -> None:
    few, more = ({one.id for one in mixtures(prepared, limit=limit)} for limit in (2, 4))
    assert len(few) == 2
    assert few < more


def test_bounds_and_options_are_checked(prepared: Prepared) -> None:
    with pytest.raises(IndexError):
        mixtures(prepared)[18]
    with pytest.raises(ConfigError):
        mixtures(prepared, limit=0)
    with pytest.raises(ConfigError):
        TestMixtures(prepared, snrs_db=[], sample_rate=16_000)
