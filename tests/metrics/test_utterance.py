from __future__ import annotations

import numpy as np
import pytest

from cmkt.errors import MetricUndefinedError
from cmkt.metrics.utterance import Utterance

SOUND = np.ones(4)


def test_what_was_computed_once_is_not_computed_again() -> None:
    calls = []

    def count(utterance: Utterance) -> float:
        calls.append(utterance)
        return float(utterance.estimate.sum())

    utterance = Utterance(estimate=SOUND, reference=None, sample_rate=16_000)
    assert [utterance.once(count) for _ in range(3)] == [4.0, 4.0, 4.0]
    assert calls == [utterance]


def test_what_was_undefined_stays_so_without_another_try() -> None:
    calls = []

    def fail(utterance: Utterance) -> float:
        calls.append(utterance)
        raise MetricUndefinedError("too short")

    utterance = Utterance(estimate=SOUND, reference=SOUND, sample_rate=16_000)
    for _ in range(3):
        with pytest.raises(MetricUndefinedError, match="too short"):
            utterance.once(fail)
    assert calls == [utterance]


def test_two_utterances_share_nothing() -> None:
    def total(utterance: Utterance) -> float:
        return float(utterance.estimate.sum())

    both = [Utterance(estimate=SOUND * gain, reference=None, sample_rate=16_000) for gain in (1, 2)]
    assert [each.once(total) for each in both] == [4.0, 8.0]


def test_a_missing_reference_is_the_reason_of_what_needs_it() -> None:
    with pytest.raises(MetricUndefinedError, match="no clean reference"):
        _ = Utterance(estimate=SOUND, reference=None, sample_rate=16_000).reference
    assert Utterance(estimate=SOUND, reference=2 * SOUND, sample_rate=16_000).reference[0] == 2
