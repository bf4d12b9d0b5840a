from pathlib import Path

import pytest

from cmkt.errors import NotLearntError
from cmkt.evaluation.record import Score
from cmkt.evaluation.summary import summarise
from cmkt.training.demo_results import check_learnt


def scores(system: str, pesq_wb: float, si_sdr: float) -> list[Score]:
    return [
        Score(
            id=name,
            snr_db=0.0,
            system=system,
            weights="",
            data="",
            seed=0,
            duration=1.0,
            metrics={"pesq_wb": pesq_wb + offset, "si_sdr": si_sdr + 10 * offset},
        )
        for name, offset in (("a", 0.0), ("b", 0.5))
    ]


def check(pesq_gain: float, si_sdr_gain: float) -> None:
    measured = scores("noisy", 1.2, 4.0) + scores("plain", 1.2 + pesq_gain, 4.0 + si_sdr_gain)
    check_learnt(summarise(measured, ("pesq_wb", "si_sdr")), Path("demo"))


def test_a_gain_in_both_passes() -> None:
    check(0.01, 0.01)


@pytest.mark.parametrize(("pesq_gain", "si_sdr_gain"), [(0.5, -0.1), (-0.1, 5.0), (0.0, 1.0), (-1.0, -1.0)])
def test_a_gain_in_one_alone_does_not(pesq_gain: float, si_sdr_gain: float) -> None:
    with pytest.raises(NotLearntError, match=f"PESQ-WB \\{pesq_gain:+.3f}, SI-SDR \\(dB\\) \\{si_sdr_gain:+.3f}"):
        check(pesq_gain, si_sdr_gain)


def test_a_metric_without_a_value_does_not_pass() -> None:
    measured = [*scores("noisy", 1.0, 0.0), *scores("plain", 2.0, 9.0)]
    for score in measured:
        del score.metrics["pesq_wb"]
    with pytest.raises(NotLearntError, match="PESQ-WB unknown"):
        check_learnt(summarise(measured, ("pesq_wb", "si_sdr")), Path("demo"))
