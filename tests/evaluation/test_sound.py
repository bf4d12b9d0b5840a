from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from cmkt.errors import AudioError
from cmkt.evaluation import sound
from cmkt.evaluation.cache import ResultCache
from cmkt.evaluation.score import measure
from cmkt.evaluation.sound import measure_sound, package_versions, sound_identity
from cmkt.metrics.registry import choose_metrics

RNG = np.random.default_rng(0)
REFERENCE = RNG.standard_normal(8_000).astype(np.float32)
ESTIMATE = REFERENCE + 0.1 * RNG.standard_normal(8_000).astype(np.float32)
PAIR = {"estimate": ESTIMATE, "reference": REFERENCE, "sample_rate": 16_000}
CHEAP = choose_metrics(["si_sdr", "snr_seg"])
UNDEFINED = {"estimate": ESTIMATE, "reference": np.zeros_like(REFERENCE), "sample_rate": 16_000}


def refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(**_: object) -> None:
        raise AssertionError("computed again")

    monkeypatch.setattr(sound, "measure", never)


def test_values_and_reasons_are_those_of_measure_and_are_computed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = [measure(**pair, metrics=CHEAP) for pair in (PAIR, UNDEFINED)]  # type: ignore[arg-type]
    assert expected[1].missing
    for _ in range(2):
        cache = ResultCache(tmp_path)
        assert [measure_sound(**pair, metrics=CHEAP, cache=cache) for pair in (PAIR, UNDEFINED)] == expected  # type: ignore[arg-type]
        refuse(monkeypatch)


def test_metrics_that_were_not_asked_for_before_are_added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = ResultCache(tmp_path)
    measure_sound(**PAIR, metrics=choose_metrics(["si_sdr"]), cache=cache)  # type: ignore[arg-type]
    both = measure_sound(**PAIR, metrics=CHEAP, cache=cache)  # type: ignore[arg-type]
    refuse(monkeypatch)
    assert measure_sound(**PAIR, metrics=CHEAP, cache=cache) == both  # type: ignore[arg-type]
    one = measure_sound(**PAIR, metrics=choose_metrics(["snr_seg"]), cache=cache)  # type: ignore[arg-type]
    assert one.values == {"snr_seg": both.values["snr_seg"]}


@pytest.mark.parametrize(
    "change",
    [
        {"estimate": ESTIMATE + 1e-7},
        {"reference": REFERENCE + 1e-7},
        {"reference": None},
        {"sample_rate": 8_000},
        {"estimate": ESTIMATE.astype(np.float64)},
    ],
)
def test_other_audio_is_computed(change: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = ResultCache(tmp_path)
    measure_sound(**PAIR, metrics=CHEAP, cache=cache)  # type: ignore[arg-type]
    refuse(monkeypatch)
    with pytest.raises(AssertionError, match="computed again"):
        measure_sound(**(PAIR | change), metrics=CHEAP, cache=cache)  # type: ignore[arg-type]


def test_another_version_of_the_metrics_computes_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = ResultCache(tmp_path)
    measure_sound(**PAIR, metrics=CHEAP, cache=cache)  # type: ignore[arg-type]
    monkeypatch.setattr(sound, "sound_identity", lambda: "another")
    refuse(monkeypatch)
    with pytest.raises(AssertionError, match="computed again"):
        measure_sound(**PAIR, metrics=CHEAP, cache=cache)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "content", [[], {"values": 1}, {"values": {"si_sdr": "high", "snr_seg": None}, "missing": {"si_sdr": 1}}]
)
def test_what_others_wrote_into_the_cache_is_computed_again(content: object, tmp_path: Path) -> None:
    cache = ResultCache(tmp_path)
    right = measure_sound(**PAIR, metrics=CHEAP, cache=cache)  # type: ignore[arg-type]
    (path,) = tmp_path.rglob("*.json")
    path.write_text(json.dumps(content))
    assert measure_sound(**PAIR, metrics=CHEAP, cache=cache) == right  # type: ignore[arg-type]


def test_a_fault_of_the_system_is_an_error_each_time(tmp_path: Path) -> None:
    broken = PAIR | {"estimate": np.full_like(ESTIMATE, np.nan)}
    for _ in range(2):
        with pytest.raises(AudioError, match="finite"):
            measure_sound(**broken, metrics=CHEAP, cache=ResultCache(tmp_path))  # type: ignore[arg-type]


def test_the_identity_follows_the_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    before = sound_identity()
    assert len(before) == 16
    assert package_versions()["numpy"] == np.__version__
    sound_identity.cache_clear()
    with monkeypatch.context() as patched:
        patched.setattr(sound, "package_versions", lambda: {"numpy": "0"})
        assert sound_identity() != before
    sound_identity.cache_clear()
    assert sound_identity() == before
